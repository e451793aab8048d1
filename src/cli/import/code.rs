//! Generates Rhai source: strings, maps, lists, comments, names.

use crate::script::words;

/// A value in the generated script.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Code {
    /// An expression on one line.
    Expr(String),
    /// A map, as pairs in source order.
    Map(Vec<(String, Code)>),
    List(Vec<Code>),
}

/// The maximum width of a line, in characters, before its value is broken up.
const MAX_WIDTH: usize = 100;

impl Code {
    /// A string literal.
    pub(super) fn text(text: &str) -> Code {
        Code::Expr(quoted(text))
    }

    /// Renders the code for a line that is indented by `indent` spaces.
    pub(super) fn render(&self, indent: usize) -> String {
        let line = self.line();
        if indent + line.chars().count() <= MAX_WIDTH {
            return line;
        }
        let pad = " ".repeat(indent + 4);
        let (open, close, items): (&str, &str, Vec<String>) = match self {
            Code::Expr(expr) => return expr.clone(),
            Code::Map(fields) if !fields.is_empty() => {
                let field = |(key, value): &(String, Code)| {
                    format!("{}: {}", self::key(key), value.render(indent + 4))
                };
                ("#{", "}", fields.iter().map(field).collect())
            }
            Code::List(items) if !items.is_empty() => (
                "[",
                "]",
                items.iter().map(|item| item.render(indent + 4)).collect(),
            ),
            _ => return line,
        };
        let items: Vec<String> = items.iter().map(|item| format!("{pad}{item},\n")).collect();
        let items = items.concat();
        format!("{open}\n{items}{}{close}", " ".repeat(indent))
    }

    fn line(&self) -> String {
        match self {
            Code::Expr(expr) => expr.clone(),
            Code::Map(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, value)| format!("{}: {}", self::key(key), value.line()));
                format!("#{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
            Code::List(items) => {
                let items = items.iter().map(Code::line);
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Quotes and escapes a string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Renders a map key: an identifier as it is, anything else quoted.
fn key(key: &str) -> String {
    if is_name(key) && !is_reserved(key) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// Renders comment lines. No text can break out: each line has its own marker and no control character but tabs.
pub(super) fn comment(marker: &str, text: &str) -> String {
    let clean = |line: &str| -> String {
        let line = line.trim_end();
        line.chars().filter(|c| !c.is_control() || *c == '\t').collect()
    };
    let mut out = String::new();
    for line in text.trim_matches(['\n', '\r']).trim_end().lines() {
        let line = clean(line);
        out.push_str(format!("{marker} {line}").trim_end());
        out.push('\n');
    }
    out
}

/// Derives a function or variable name from any text: `Get user's list` becomes `get_user_s_list`.
pub(super) fn name_of(text: &str, otherwise: &str) -> String {
    let mut name = String::new();
    let mut last = ' ';
    for c in text.chars() {
        let boundary = c.is_ascii_uppercase() && (last.is_ascii_lowercase() || last.is_ascii_digit());
        if (!c.is_ascii_alphanumeric() || boundary) && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        }
        last = c;
        if name.len() >= MAX_NAME_LEN {
            break;
        }
    }
    let name = name.trim_matches('_').to_owned();
    match name.chars().next() {
        None => otherwise.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{otherwise}_{name}"),
        Some(_) => name,
    }
}

/// The length, in bytes, at which a name is cut off.
const MAX_NAME_LEN: usize = 60;

fn is_name(text: &str) -> bool {
    // Any leading underscores must be followed by a letter.
    let mut chars = text.trim_start_matches('_').chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a name is reserved by the language or predefined in every script.
pub(super) fn is_reserved(name: &str) -> bool {
    const OWN_NAMES: &[&str] = &["main", "sleep", "now", "uuid", "random"];
    OWN_NAMES.contains(&name) || words::is_reserved(name)
}

#[cfg(test)]
mod tests;

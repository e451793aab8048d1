//! Generates Rhai source: strings, maps, lists, comments, names.

use serde_json::Value as Json;

use crate::syntax;

/// A value in the generated script.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Code {
    /// An expression on one line.
    Expr(String),
    /// A map, as pairs in source order.
    Map(Vec<(String, Code)>),
    List(Vec<Code>),
}

/// A converted request.
#[derive(Debug, PartialEq)]
pub(super) struct Converted {
    /// The expression that makes the request; `None` if it is left out.
    pub(super) code: Option<String>,
    pub(super) kind: Kind,
    /// Notes for the reader of the script, one line each.
    pub(super) notes: Vec<String>,
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By an operation of a platform.
    Typed,
    /// By an operation of a platform whose result the script returns.
    Returned,
    /// By a raw web operation.
    Web,
    /// Not at all: provisor does it automatically, or cannot make it.
    Omitted,
}

impl Converted {
    pub(super) fn omitted(reason: &str) -> Converted {
        Converted {
            code: None,
            kind: Kind::Omitted,
            notes: vec![reason.to_owned()],
        }
    }
}

/// The maximum width of a line, in characters, before its value is broken up.
const MAX_WIDTH: usize = 100;

impl Code {
    /// A string literal.
    pub(super) fn text(text: &str) -> Code {
        Code::Expr(quoted(text))
    }

    /// A JSON value without variables.
    pub(super) fn json(json: &Json) -> Code {
        match json {
            Json::Null => Code::Expr("()".to_owned()),
            Json::Bool(_) | Json::Number(_) => Code::Expr(json.to_string()),
            Json::String(text) => Code::text(text),
            Json::Array(items) => Code::List(items.iter().map(Code::json).collect()),
            Json::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (key.clone(), Code::json(value)));
                Code::Map(fields.collect())
            }
        }
    }

    /// A map with one key.
    pub(super) fn under(key: &str, code: Code) -> Code {
        Code::Map(vec![(key.to_owned(), code)])
    }

    /// A map in which a repeated key has the list of its values. `same` compares keys.
    pub(super) fn merged(fields: Vec<(String, Code)>, same: fn(&str, &str) -> bool) -> Code {
        let mut merged: Vec<(String, Code)> = Vec::new();
        for (key, code) in fields {
            match merged.iter_mut().find(|(known, _)| same(known, &key)) {
                Some((_, Code::List(items))) => items.push(code),
                Some((_, one)) => *one = Code::List(vec![one.clone(), code]),
                None => merged.push((key, code)),
            }
        }
        Code::Map(merged)
    }

    /// Renders the code for a line that is indented by `indent` spaces.
    pub(super) fn render(&self, indent: usize) -> String {
        self.write(Some(indent))
    }

    /// Renders the code on one line.
    pub(super) fn line(&self) -> String {
        self.write(None)
    }

    /// Renders the code on one line, unless it is too long and there is an indent to break it up with.
    fn write(&self, indent: Option<usize>) -> String {
        let (open, close, items): (_, _, Vec<(String, &Code)>) = match self {
            Code::Expr(expr) => return expr.clone(),
            Code::Map(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (format!("{}: ", key(name)), value));
                ("#{", "}", fields.collect())
            }
            Code::List(items) => ("[", "]", items.iter().map(|item| (String::new(), item)).collect()),
        };
        let inline = items.iter().map(|(key, value)| format!("{key}{}", value.line()));
        let line = format!("{open}{}{close}", inline.collect::<Vec<_>>().join(", "));
        let Some(indent) = indent.filter(|indent| indent + line.chars().count() > MAX_WIDTH) else {
            return line;
        };
        if items.is_empty() {
            return line;
        }
        let inner = indent + 4;
        let item = |(key, value): &(String, &Code)| format!("{:inner$}{key}{},\n", "", value.render(inner));
        let items: Vec<String> = items.iter().map(item).collect();
        format!("{open}\n{}{:indent$}{close}", items.concat(), "")
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
    if is_reserved(key) {
        quoted(key)
    } else {
        key.to_owned()
    }
}

/// Renders comment lines. No text can break out: each line has its own marker and no control character but tabs.
pub(super) fn comment(marker: &str, text: &str) -> String {
    let mut out = String::new();
    for line in text.trim_matches(['\n', '\r']).trim_end().lines() {
        let line = line.trim_end().chars();
        let line: String = line.filter(|c| !c.is_control() || *c == '\t').collect();
        out.push_str(format!("{marker} {line}").trim_end());
        out.push('\n');
    }
    out
}

/// The length, in bytes, at which a name is cut off.
const MAX_NAME_LEN: usize = 60;

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
    let name = name.trim_matches('_');
    match name.chars().next() {
        None => otherwise.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{otherwise}_{name}"),
        Some(_) => name.to_owned(),
    }
}

/// Whether a name is reserved by the language or predefined in every script, or is no name at all.
pub(super) fn is_reserved(name: &str) -> bool {
    const OWN_NAMES: &[&str] = &["main", "sleep", "now", "uuid", "random"];
    OWN_NAMES.contains(&name) || syntax::is_reserved(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_identifiers_are_derived_from_any_text() {
        assert_eq!(name_of("Get user's list", "x"), "get_user_s_list");
        assert_eq!(name_of("baseUrl", "x"), "base_url");
        assert_eq!(name_of("1. First", "request"), "request_1_first");
        assert_eq!(name_of("Ünïcode", "x"), "n_code");
        assert_eq!(name_of("日本", "request"), "request");
        assert_eq!(name_of("__a--b__", "x"), "a_b");
    }

    #[test]
    fn long_values_are_broken_into_lines() {
        let long = Code::Map(vec![
            ("a".into(), Code::text(&"x".repeat(60))),
            ("b c".into(), Code::text(&"y".repeat(60))),
        ]);
        let text = long.render(4);
        assert!(text.starts_with("#{\n        a: \"xx"), "{text}");
        assert!(
            text.contains("\"b c\": \"yy") && text.ends_with("\n    }"),
            "{text}"
        );
        assert_eq!(Code::List(vec![Code::text("a\"\n")]).render(0), "[\"a\\\"\\n\"]");
    }

    #[test]
    fn imported_text_cannot_break_out_of_a_comment() {
        assert_eq!(
            comment("//", "a\n*/ fn x() {}\r\nb\u{1b}[0m"),
            "// a\n// */ fn x() {}\n// b[0m\n"
        );
    }
}

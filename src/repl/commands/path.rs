//! Resolves paths that start at a variable: `tenant.password`, `row["k k"]`, `list[0].id`, `_`.

use crate::repl::{Next, Repl};
use crate::script::interactive::Answer;
use crate::syntax::{Token, TokenKind, tokens};
use crate::value::Value;

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Element(usize),
}

/// Splits a text into the path at its start and the rest. White space in brackets belongs to the path.
pub(in crate::repl) fn split(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if c.is_whitespace() && !quoted && depth == 0 => return (&text[..at], text[at..].trim()),
            _ => {}
        }
    }
    (text, "")
}

impl Repl {
    /// Resolves a path that starts at a variable.
    pub(super) fn held(&self, path: &str) -> Result<Value, Next> {
        let Some((first, steps)) = read(path) else {
            return Err(self.wrong(
                &format!("`{path}` is not a path from a variable"),
                &["write it as `tenant.password`, `row[\"a key\"]` or `list[0].id`".into()],
            ));
        };
        let answer = self.space().variable(&first);
        let mut value = match answer {
            Some(Answer::Value(value) | Answer::Mixed(value)) => value,
            Some(Answer::Nothing | Answer::Other(_)) => {
                return Err(self.wrong(&format!("`{first}` holds no data"), &[]));
            }
            None => {
                return Err(self.wrong(
                    &format!("there is no variable `{first}`"),
                    &[":vars lists them; give a result a name with `let name = _`".into()],
                ));
            }
        };
        for step in steps {
            let Some(inner) = inside(&value, &step) else {
                let missing = match step {
                    Step::Key(key) => format!("there is no `{key}`"),
                    Step::Element(at) => format!("there is no element {at}"),
                };
                return Err(self.wrong(&format!("`{path}` does not exist: {missing}"), &[]));
            };
            value = inner;
        }
        if let Value::Object(object) = &value
            && object.is_placeholder()
        {
            return Err(self.wrong(&format!("`{path}` holds no data"), &[]));
        }
        Ok(value)
    }
}

fn inside(value: &Value, step: &Step) -> Option<Value> {
    match (value, step) {
        (Value::Record(fields), Step::Key(key)) => fields.get(key).cloned(),
        (Value::Object(object), Step::Key(key)) if !key.starts_with('$') => object.fields.get(key).cloned(),
        (Value::List(items), Step::Element(at)) => items.get(*at).cloned(),
        _ => None,
    }
}

/// Parses a path into the variable and the segments after it.
fn read(path: &str) -> Option<(String, Vec<Step>)> {
    let found = tokens(path);
    let (first, mut rest) = found.split_first().filter(|(first, _)| is_word(first))?;
    let mut steps = Vec::new();
    while let Some(opening) = rest.first() {
        match (opening.text(path), rest) {
            (".", [_, name, others @ ..]) if is_word(name) => {
                steps.push(Step::Key(name.text(path).to_owned()));
                rest = others;
            }
            ("[", [_, inner, closing, others @ ..]) if closing.text(path) == "]" => {
                let text = inner.text(path);
                steps.push(match inner.kind {
                    // Keys are written as JSON strings.
                    TokenKind::Text => Step::Key(serde_json::from_str(text).ok()?),
                    TokenKind::Number => Step::Element(text.parse().ok()?),
                    _ => return None,
                });
                rest = others;
            }
            _ => return None,
        }
    }
    Some((first.text(path).to_owned(), steps))
}

fn is_word(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Name | TokenKind::Keyword)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_path_goes_through_keys_and_elements() {
        let key = |key: &str| Step::Key(key.to_owned());
        assert_eq!(read("t.password"), Some(("t".into(), vec![key("password")])));
        assert_eq!(
            read("m[\"k k\"][2].id"),
            Some(("m".into(), vec![key("k k"), Step::Element(2), key("id")]))
        );
        assert_eq!(read("_"), Some(("_".into(), vec![])));
        assert_eq!(read("_3.a"), Some(("_3".into(), vec![key("a")])));
        for wrong in ["", "m[", "m[x]", "m..a", "1", "f()", "m.a b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(
            split("m[\"k k\"] out.csv --force"),
            ("m[\"k k\"]", "out.csv --force")
        );
        assert_eq!(split("m"), ("m", ""));
    }
}

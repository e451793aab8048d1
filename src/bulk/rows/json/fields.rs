//! Parses a JSON object into named cells in the order of its text.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::value::{Value, with_long_integers_quoted};

/// Why a text is not a row.
pub(super) struct RowParseError {
    /// The problem, as a clause.
    pub(super) problem: String,
    /// Whether it is not JSON at all.
    pub(super) syntax: bool,
    /// The line of the error, counted from the row's first line, from 0.
    pub(super) lines_below: u64,
}

/// Parses one object. An empty or duplicate name is an error.
pub(super) fn read(text: &[u8]) -> Result<Vec<(String, Value)>, RowParseError> {
    let wrong = |problem: String, syntax| RowParseError {
        problem,
        syntax,
        lines_below: 0,
    };
    let text = std::str::from_utf8(text).map_err(|_| wrong("it is not UTF-8 text".into(), false))?;
    let fields = serde_json::from_slice::<Fields>(&with_long_integers_quoted(text.as_bytes()));
    match fields {
        Ok(Fields(cells)) => Ok(cells),
        Err(_)
            if !text.trim_start().starts_with('{')
                && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() =>
        {
            Err(wrong(
                format!("it is {}, not an object", sort(text.trim_start())),
                false,
            ))
        }
        Err(error) if error.is_data() => Err(wrong(without_place(&error), false)),
        Err(error) => Err(RowParseError {
            problem: format!("it is not JSON: {}", without_place(&error)),
            syntax: true,
            lines_below: (error.line() as u64).saturating_sub(1),
        }),
    }
}

/// Returns the kind of a JSON text that is not an object.
fn sort(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a bool",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Returns the parser's message without its position, which is relative to the row, not the file.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut seen = HashSet::new();
        let mut cells = Vec::new();
        while let Some((name, json)) = map.next_entry::<String, serde_json::Value>()? {
            if name.is_empty() {
                return Err(A::Error::custom("it has a key without a name"));
            }
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("it has the key `{name}` twice")));
            }
            cells.push((name, Value::from_json(json)));
        }
        Ok(Fields(cells))
    }
}

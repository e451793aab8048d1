//! Values in one line, for people: JSON, but for what JSON cannot say. A secret is its mask, a number may be infinite, and
//! what is no data is its type in brackets; none of them stands in quotes, as a text would.

use serde_json::Value as Json;

use crate::repl::width::escaped;
use crate::value::Value;

/// A value in one line; it steers no terminal.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Float(float) if !float.is_finite() => float.to_string(),
        Value::Secret(secret) => secret.to_string(),
        Value::Object(object) if object.is_stand_in() => object.kind.clone(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(","))
        }
        Value::Record(_) | Value::Object(_) => {
            let fields = fields(value).unwrap_or_default();
            let fields = fields.into_iter();
            let fields: Vec<String> = fields
                .map(|(name, value)| format!("{}:{}", quoted(name), inline(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Text(text) => quoted(text),
        other => other.to_masked_json().to_string(),
    }
}

/// A text as JSON writes it, so that its end can be seen.
fn quoted(text: &str) -> String {
    escaped(&Json::from(text).to_string())
}

/// A value in one line, where its place tells what it is: a text without quotes, nothing for nothing.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => escaped(&text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ")),
        other => inline(other),
    }
}

/// The names of a map or an object with what they hold, without those that are hidden; nothing for what has no names.
pub(super) fn fields(value: &Value) -> Option<Vec<(&str, &Value)>> {
    let named = |(name, value)| (String::as_str(name), value);
    match value {
        Value::Record(fields) => Some(fields.iter().map(named).collect()),
        Value::Object(object) if !object.is_stand_in() => Some(object.shown_fields().map(named).collect()),
        _ => None,
    }
}

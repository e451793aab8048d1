//! Formats values on one line: as JSON, except for secrets (masked), infinite numbers, and values that are not data
//! (their type in brackets). Those are written without quotes, to distinguish them from strings.

use serde_json::Value as Json;

use crate::repl::width::escaped;
use crate::value::Value;

/// A value on one line, without control characters.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Float(float) if !float.is_finite() => float.to_string(),
        Value::Secret(secret) => secret.to_string(),
        Value::Object(object) if object.is_placeholder() => object.kind.clone(),
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

/// A string in JSON notation, so that its end is visible.
fn quoted(text: &str) -> String {
    escaped(&Json::from(text).to_string())
}

/// A value on one line for a cell whose column identifies it: strings without quotes, nothing for null.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => escaped(&text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ")),
        other => inline(other),
    }
}

/// The visible fields of a map or an object; `None` for other values.
pub(super) fn fields(value: &Value) -> Option<Vec<(&str, &Value)>> {
    let named = |(name, value)| (String::as_str(name), value);
    match value {
        Value::Record(fields) => Some(fields.iter().map(named).collect()),
        Value::Object(object) if !object.is_placeholder() => Some(object.shown_fields().map(named).collect()),
        _ => None,
    }
}

//! Values as branches.

use serde_json::Value as Json;

use crate::value::Value;

/// A value as branches; ends without a line end.
pub(super) fn tree(value: &Value) -> String {
    let json = value.to_masked_json();
    let mut lines = vec![match value {
        Value::Object(object) => object.kind.clone(),
        _ => leaf(&json).unwrap_or_else(|| size(&json)),
    }];
    branches(&json, "", &mut lines);
    lines.join("\n")
}

fn branches(json: &Json, before: &str, lines: &mut Vec<String>) {
    let inner: Vec<(String, &Json)> = match json {
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (format!("[{index}]"), item))
            .collect(),
        Json::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        _ => return,
    };
    let count = inner.len();
    for (index, (name, value)) in inner.into_iter().enumerate() {
        let (branch, below) = if index + 1 == count {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let text = leaf(value).unwrap_or_else(|| size(value));
        lines.push(format!("{before}{branch}{name}: {text}"));
        branches(value, &format!("{before}{below}"), lines);
    }
}

fn leaf(json: &Json) -> Option<String> {
    match json {
        Json::Array(items) if !items.is_empty() => None,
        Json::Object(fields) if !fields.is_empty() => None,
        other => Some(other.to_string()),
    }
}

fn size(json: &Json) -> String {
    let (count, what) = match json {
        Json::Array(items) => (items.len(), "item"),
        Json::Object(fields) => (fields.len(), "key"),
        _ => return String::new(),
    };
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

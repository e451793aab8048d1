//! Formats values as trees.

use super::plain::{fields, inline};
use crate::repl::width::escaped;
use crate::value::Value;

/// A value as a tree, without a final line end.
pub(super) fn tree(value: &Value) -> String {
    let mut lines = vec![match value {
        Value::Object(object) => object.kind.clone(),
        _ => leaf(value),
    }];
    branches(value, "", &mut lines);
    lines.join("\n")
}

fn branches(value: &Value, before: &str, lines: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (format!("[{index}]"), item))
            .collect(),
        other => fields(other)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| (escaped(name), value))
            .collect(),
    };
    let count = inner.len();
    for (index, (name, value)) in inner.into_iter().enumerate() {
        let (branch, below) = if index + 1 == count {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        lines.push(format!("{before}{branch}{name}: {}", leaf(value)));
        branches(value, &format!("{before}{below}"), lines);
    }
}

/// A value without children, or the number of its children.
fn leaf(value: &Value) -> String {
    let (count, what) = match (value, fields(value)) {
        (Value::List(items), _) => (items.len(), "item"),
        (_, Some(fields)) => (fields.len(), "key"),
        _ => (0, ""),
    };
    match count {
        0 => inline(value),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

//! Formats values as CSV, for copying from the terminal; `:export` writes files.

use super::plain::{fields, inline};
use super::{DisplayArea, more};
use crate::value::Value;

/// A value as CSV lines, without a final line end.
pub(super) fn csv(value: &Value, frame: DisplayArea) -> String {
    let (items, count): (Vec<&Value>, usize) = match value {
        Value::List(items) => (items.iter().take(frame.limit).collect(), items.len()),
        other => (vec![other], 1),
    };
    let maps: Vec<Option<Vec<(&str, &Value)>>> = items.iter().map(|item| fields(item)).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in maps.iter().flatten().flatten() {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut lines = Vec::new();
    if !names.is_empty() {
        lines.push(line(names.iter().map(|name| quoted(name))));
    }
    for (item, map) in items.iter().zip(&maps) {
        lines.push(match map {
            Some(map) if !names.is_empty() => line(names.iter().map(|name| {
                let held = map.iter().find(|(known, _)| known == name);
                held.map_or(String::new(), |(_, value)| cell(value))
            })),
            _ => cell(item),
        });
    }
    if count > items.len() {
        lines.push(more(count - items.len(), "row"));
    }
    lines.join("\n")
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => quoted(text),
        Value::List(_) | Value::Record(_) | Value::Object(_) => match value.to_masked_json() {
            serde_json::Value::String(text) => quoted(&text),
            json => quoted(&json.to_string()),
        },
        other => inline(other),
    }
}

/// Quotes a cell if necessary (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

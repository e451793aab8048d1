//! Values as comma-separated lines, for copying out of the terminal; files are written by `:export`.

use serde_json::{Map, Value as Json};

use crate::value::Value;

/// A value as lines of cells; ends without a line end.
pub(super) fn csv(value: &Value) -> String {
    let items = match value.to_masked_json() {
        Json::Array(items) => items,
        other => vec![other],
    };
    let maps: Vec<Option<&Map<String, Json>>> = items.iter().map(Json::as_object).collect();
    let mut names: Vec<&str> = Vec::new();
    for name in maps.iter().flatten().flat_map(|map| map.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return items.iter().map(cell).collect::<Vec<_>>().join("\n");
    }
    let mut lines = vec![line(names.iter().map(|name| quoted(name)))];
    for (item, map) in items.iter().zip(&maps) {
        lines.push(match map {
            Some(map) => line(
                names
                    .iter()
                    .map(|name| map.get(*name).map_or(String::new(), cell)),
            ),
            None => cell(item),
        });
    }
    lines.join("\n")
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",")
}

fn cell(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}

/// RFC 4180: quotes around what needs them, and doubled inside.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

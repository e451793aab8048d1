//! Tables that fit the width: side by side where there is room, one below the other where there is not.

use serde_json::{Map, Value as Json};

use super::{Frame, more};
use crate::repl::width::{cut, padded, width};
use crate::value::Value;

/// No cell of a table is wider.
const WIDEST: usize = 40;

/// Blanks between columns.
const GAP: usize = 2;

/// A value for people; ends without a line end.
pub(super) fn table(value: &Value, frame: Frame) -> String {
    if let Value::List(items) = value
        && !items.is_empty()
    {
        // What is not shown is not looked at.
        let shown = items.iter().take(frame.most).map(Value::to_masked_json);
        return list(&shown.collect::<Vec<_>>(), items.len(), frame);
    }
    match (value, value.to_masked_json()) {
        (Value::Text(text), _) => text.clone(),
        (value, Json::Object(fields)) if !fields.is_empty() => {
            let below = vertical(&fields, frame);
            match value {
                Value::Object(object) => format!("{}\n{below}", object.kind),
                _ => below,
            }
        }
        (_, other) => other.to_string(),
    }
}

/// The first items of so many.
fn list(items: &[Json], count: usize, frame: Frame) -> String {
    let maps: Option<Vec<&Map<String, Json>>> = items.iter().map(Json::as_object).collect();
    match maps {
        Some(maps) => rows(&maps, count, frame),
        None => lines(items, count, frame),
    }
}

/// What are no maps: on one line, or a line each.
fn lines(items: &[Json], count: usize, frame: Frame) -> String {
    let line = Json::Array(items.to_vec()).to_string();
    if count <= frame.most && width(&line) <= frame.columns {
        return line;
    }
    let mut lines: Vec<String> = items.iter().map(|item| cut(&cell(item), frame.columns)).collect();
    if count > items.len() {
        lines.push(more(count - items.len(), "item"));
    }
    lines.join("\n")
}

/// A table with all names; one map below the other when that is too wide.
fn rows(maps: &[&Map<String, Json>], count: usize, frame: Frame) -> String {
    let names = names(maps);
    let cells: Vec<Vec<String>> = maps
        .iter()
        .map(|map| {
            let cells = names
                .iter()
                .map(|name| map.get(*name).map_or(String::new(), cell));
            cells.map(|text| cut(&text, WIDEST)).collect()
        })
        .collect();
    let widths: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let widest = cells.iter().map(|row| width(&row[column])).max().unwrap_or(0);
            widest.max(width(name))
        })
        .collect();
    let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let mut lines = if total <= frame.columns {
        let titles: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut lines = vec![line(&titles, &widths)];
        lines.extend(cells.iter().map(|row| line(row, &widths)));
        lines
    } else {
        let numbered = maps.iter().enumerate();
        let blocks = numbered.map(|(index, map)| format!("[{index}]\n{}", vertical(map, frame)));
        blocks.collect()
    };
    if count > maps.len() {
        lines.push(more(count - maps.len(), "row"));
    }
    lines.join("\n")
}

/// The names of all maps, in the order in which they come.
fn names<'a>(maps: &[&'a Map<String, Json>]) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    let all = maps.iter().flat_map(|map| map.keys());
    all.map(String::as_str)
        .filter(|name| seen.insert(*name))
        .collect()
}

/// Names and what they hold, a line each.
fn vertical(fields: &Map<String, Json>, frame: Frame) -> String {
    let widest = fields.keys().map(|name| width(name)).max().unwrap_or(0);
    let column = widest.min(frame.columns / 2).max(1);
    let room = frame.columns.saturating_sub(column + GAP).max(1);
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in fields.iter().take(frame.most) {
        let name = padded(&cut(name, column), column);
        let line = format!("{name}{:GAP$}{}", "", cut(&cell(value), room));
        lines.push(line.trim_end().to_owned());
    }
    if fields.len() > frame.most {
        lines.push(more(fields.len() - frame.most, "key"));
    }
    lines.join("\n")
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(text, width)| padded(text, *width));
    let line = padded.collect::<Vec<_>>().join(&" ".repeat(GAP));
    line.trim_end().to_owned()
}

/// A value in one line.
fn cell(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.replace(['\n', '\r', '\t'], " "),
        other => other.to_string(),
    }
}

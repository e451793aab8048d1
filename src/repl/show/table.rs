//! Formats values as tables that fit the width: columns if there is room, otherwise one map below the other.

use super::plain::{cell, fields, inline};
use super::{DisplayArea, more, truncated_lines};
use crate::repl::width::{cut, escaped, padded, width};
use crate::value::Value;

/// The maximum width of a cell.
const MAX_CELL_WIDTH: usize = 40;

/// The number of blanks between columns.
const GAP: usize = 2;

/// The fields of a map or an object.
type Fields<'a> = Vec<(&'a str, &'a Value)>;

/// A value as a table, without a final line end.
pub(super) fn table(value: &Value, frame: DisplayArea) -> String {
    match (value, fields(value)) {
        (Value::Text(text), _) => truncated_lines(text, frame),
        (Value::List(items), _) if !items.is_empty() => {
            // Items that are not shown are not examined.
            let shown: Vec<&Value> = items.iter().take(frame.limit).collect();
            list(&shown, items.len(), frame)
        }
        (value, Some(fields)) if !fields.is_empty() => {
            let below = vertical(&fields, frame);
            match value {
                Value::Object(object) => format!("{}\n{below}", object.kind),
                _ => below,
            }
        }
        (other, _) => inline(other),
    }
}

/// Formats a list; `items` are the first of `count` items.
fn list(items: &[&Value], count: usize, frame: DisplayArea) -> String {
    let maps: Option<Vec<Fields<'_>>> = items.iter().map(|item| fields(item)).collect();
    match maps {
        Some(maps) => rows(&maps, count, frame),
        None => lines(items, count, frame),
    }
}

/// Formats items that are not maps: on one line if they fit, otherwise one per line.
fn lines(items: &[&Value], count: usize, frame: DisplayArea) -> String {
    let all: Vec<String> = items.iter().map(|item| inline(item)).collect();
    let line = format!("[{}]", all.join(","));
    if count <= frame.limit && width(&line) <= frame.columns {
        return line;
    }
    let mut lines: Vec<String> = items.iter().map(|item| cut(&cell(item), frame.columns)).collect();
    if count > items.len() {
        lines.push(more(count - items.len(), "item"));
    }
    lines.join("\n")
}

/// Formats maps as one table with all their names, or one below the other if that is too wide.
fn rows(maps: &[Fields<'_>], count: usize, frame: DisplayArea) -> String {
    let names = names(maps);
    let cells: Vec<Vec<String>> = maps
        .iter()
        .map(|map| {
            let held = |name: &&str| map.iter().find(|(known, _)| known == name);
            let cells = names
                .iter()
                .map(|name| held(name).map_or(String::new(), |(_, value)| cell(value)));
            cells.map(|text| cut(&text, MAX_CELL_WIDTH)).collect()
        })
        .collect();
    let titles: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    let widths: Vec<usize> = titles
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let widest = cells.iter().map(|row| width(&row[column])).max().unwrap_or(0);
            widest.max(width(name))
        })
        .collect();
    let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let mut lines = if total <= frame.columns {
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

/// The names in all maps, in order of appearance.
fn names<'a>(maps: &[Fields<'a>]) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    let all = maps.iter().flatten().map(|(name, _)| *name);
    all.filter(|name| seen.insert(*name)).collect()
}

/// Names and values, one per line.
fn vertical(fields: &[(&str, &Value)], frame: DisplayArea) -> String {
    let shown = fields.iter().take(frame.limit);
    let shown: Vec<(String, &Value)> = shown.map(|(name, value)| (escaped(name), *value)).collect();
    let widest = shown.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let column = widest.min(frame.columns / 2).max(1);
    let room = frame.columns.saturating_sub(column + GAP).max(1);
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in &shown {
        let name = padded(&cut(name, column), column);
        let line = format!("{name}{:GAP$}{}", "", cut(&cell(value), room));
        lines.push(line.trim_end().to_owned());
    }
    if fields.len() > frame.limit {
        lines.push(more(fields.len() - frame.limit, "key"));
    }
    lines.join("\n")
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(text, width)| padded(text, *width));
    let line = padded.collect::<Vec<_>>().join(&" ".repeat(GAP));
    line.trim_end().to_owned()
}

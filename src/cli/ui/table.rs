//! Tables that fit.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, ContentArrangement, Table};
use serde_json::Value as Json;

use super::printable;
use crate::value::Value;

/// The width of the terminal that standard output is, in characters.
pub(super) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

/// A table with a header line, its columns two blanks apart.
pub(super) fn with_header(header: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = plain(width);
    let titles = header.iter().map(|title| Cell::new(title.to_uppercase()));
    table.set_header(titles.collect::<Vec<_>>());
    for row in rows {
        table.add_row(cells(row));
    }
    text_of(&table)
}

/// A value for people.
pub(super) fn of_value(value: &Value, width: Option<u16>) -> String {
    match value.to_masked_json() {
        Json::Object(fields) if !fields.is_empty() => {
            let mut table = plain(width);
            for (name, field) in &fields {
                table.add_row(cells(&[name.clone(), shown(field)]));
            }
            text_of(&table)
        }
        Json::Array(items) if !items.is_empty() => of_list(&items, width),
        other => printable(&shown(&other)).into_owned(),
    }
}

/// Named values, a line each.
pub(super) fn of_fields(fields: &[(String, Value)], width: Option<u16>) -> String {
    let mut table = plain(width);
    for (name, value) in fields {
        table.add_row(cells(&[name.clone(), shown(&value.to_masked_json())]));
    }
    text_of(&table)
}

/// Maps as a table with all their names; otherwise a line for each item.
fn of_list(items: &[Json], width: Option<u16>) -> String {
    let maps: Option<Vec<_>> = items.iter().map(Json::as_object).collect();
    let Some(maps) = maps else {
        let lines: Vec<String> = items
            .iter()
            .map(|item| printable(&shown(item)).into_owned())
            .collect();
        return lines.join("\n");
    };
    let mut names: Vec<&str> = Vec::new();
    for name in maps.iter().flat_map(|map| map.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let row = |map: &&serde_json::Map<String, Json>| {
        names
            .iter()
            .map(|name| map.get(*name).map_or(String::new(), shown))
            .collect()
    };
    let rows: Vec<Vec<String>> = maps.iter().map(row).collect();
    with_header(&names, &rows, width)
}

fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).force_no_tty();
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table
}

fn cells(row: &[String]) -> Vec<Cell> {
    row.iter().map(|text| Cell::new(printable(text))).collect()
}

/// Columns start at the edge, and lines end without blanks.
fn text_of(table: &Table) -> String {
    let lines: Vec<String> = table.lines().collect();
    let trimmed = lines
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    trimmed.collect::<Vec<_>>().join("\n")
}

fn shown(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;

//! Tables that fit the terminal's width.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width};
use serde_json::Value as Json;
use unicode_width::UnicodeWidthStr;

use super::printable;
use crate::value::Value;

/// The width of the terminal on stdout, in characters.
pub(super) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

/// A table with a header, its columns two blanks apart. If its words do not fit side by side, each row becomes a block.
pub(super) fn with_header(header: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let widest = widest_words(header, rows);
    if let Some(width) = width
        && widest.iter().map(|word| word + PADDING).sum::<usize>() > width.into()
    {
        return format_blocks(header, rows, width);
    }
    let mut table = plain(width);
    let titles = header.iter().map(|title| Cell::new(title.to_uppercase()));
    table.set_header(titles.collect::<Vec<_>>());
    for row in rows {
        table.add_row(cells(row));
    }
    for (column, word) in table.column_iter_mut().zip(widest) {
        let least = u16::try_from(word + PADDING).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
    text_of(&table)
}

/// The number of blanks around each cell.
const PADDING: usize = 2;

/// The longest word of each column, in terminal characters.
fn widest_words(header: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |text: &str| text.split_whitespace().map(UnicodeWidthStr::width).max();
    let column = |at: usize| {
        let cells = rows.iter().filter_map(|row| widest(&printable(row.get(at)?)));
        cells.chain(widest(header[at])).max().unwrap_or_default()
    };
    (0..header.len()).map(column).collect()
}

/// Each row as a block with a line for each non-empty cell, separated by empty lines.
fn format_blocks(header: &[&str], rows: &[Vec<String>], width: u16) -> String {
    let block = |row: &Vec<String>| {
        let mut table = plain(Some(width));
        for (name, cell) in header.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            table.add_row(cells(&[(*name).to_owned(), cell.clone()]));
        }
        text_of(&table)
    };
    let blocks: Vec<String> = rows.iter().map(block).collect();
    blocks.join("\n\n")
}

/// Formats a value for display.
pub(super) fn format_value(value: &Value, width: Option<u16>) -> String {
    match value.to_masked_json() {
        Json::Object(fields) if !fields.is_empty() => {
            let mut table = plain(width);
            for (name, field) in &fields {
                table.add_row(cells(&[name.clone(), shown(field)]));
            }
            text_of(&table)
        }
        Json::Array(items) if !items.is_empty() => format_list(&items, width),
        other => printable(&shown(&other)).into_owned(),
    }
}

/// Formats named values, one per line.
pub(super) fn format_fields(fields: &[(String, Value)], width: Option<u16>) -> String {
    let mut table = plain(width);
    for (name, value) in fields {
        table.add_row(cells(&[name.clone(), shown(&value.to_masked_json())]));
    }
    text_of(&table)
}

/// A list of maps as a table with all their names; any other list with one item per line.
fn format_list(items: &[Json], width: Option<u16>) -> String {
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

/// The table's text, without a left margin or trailing blanks.
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

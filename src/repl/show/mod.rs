//! Formats values for display.
//!
//! At a terminal, lists of maps are shown as tables, truncated and counted; elsewhere a value is one complete line of
//! JSON. `:set format` selects another format. Secrets are masked in every format.

mod plain;
mod separated;
mod table;
mod tree;

use serde_json::Value as Json;

use super::host::Screen;
use crate::script::interactive::Answer;
use crate::value::Value;

/// The display format of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// Tables at a terminal, JSON lines elsewhere.
    #[default]
    Auto,
    /// Tables that fit the terminal's width.
    Table,
    /// Indented JSON.
    Json,
    /// Trees.
    Tree,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// All formats.
    pub(super) const ALL: [Format; 5] = [
        Format::Auto,
        Format::Table,
        Format::Json,
        Format::Tree,
        Format::Csv,
    ];

    /// The name of the format.
    pub(super) fn word(self) -> &'static str {
        match self {
            Format::Auto => "auto",
            Format::Table => "table",
            Format::Json => "json",
            Format::Tree => "tree",
            Format::Csv => "csv",
        }
    }
}

/// How values are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct DisplayOptions {
    /// The format.
    pub(super) format: Format,
    /// The maximum number of rows or lines of a value, at a terminal.
    pub(super) rows: usize,
}

impl Default for DisplayOptions {
    fn default() -> DisplayOptions {
        DisplayOptions {
            format: Format::Auto,
            rows: 20,
        }
    }
}

/// The number of columns if the terminal's width is unknown.
const DEFAULT_WIDTH: usize = 80;

/// The result of an input as text; `None` for no result.
pub(super) fn rendered(screen: &dyn Screen, look: DisplayOptions, answer: &Answer) -> Option<String> {
    match answer {
        Answer::Nothing => None,
        Answer::Value(value) | Answer::Mixed(value) => Some(shown(screen, look, value)),
        Answer::Other(what) => Some(format!("<{what}>")),
    }
}

fn shown(screen: &dyn Screen, look: DisplayOptions, value: &Value) -> String {
    let typed = screen.is_terminal();
    let limit = if typed { look.rows } else { usize::MAX };
    let columns = match screen.width() {
        Some(columns) => columns,
        None if typed => DEFAULT_WIDTH,
        None => usize::MAX,
    };
    let frame = DisplayArea { columns, limit };
    match look.format {
        Format::Auto if !typed => text(value),
        Format::Auto | Format::Table => table::table(value, frame),
        Format::Json => truncated_lines(&pretty(&value.to_masked_json()), frame),
        Format::Tree => truncated_lines(&tree::tree(value), frame),
        Format::Csv => separated::csv(value, frame),
    }
}

/// The space that a value must fit into.
#[derive(Debug, Clone, Copy)]
struct DisplayArea {
    columns: usize,
    /// The maximum number of rows.
    limit: usize,
}

/// A value as one line for display, except for line ends in a string; secrets masked.
pub(super) fn line(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => plain::inline(value),
    }
}

/// A value as one line of JSON, or a string unchanged; secrets masked.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => value.to_masked_json().to_string(),
    }
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_else(|_| json.to_string())
}

/// The first lines of the text, as many as may be shown, and the number of the others.
fn truncated_lines(text: &str, frame: DisplayArea) -> String {
    let count = text.lines().count();
    if count <= frame.limit {
        return text.to_owned();
    }
    let mut lines: Vec<String> = text.lines().take(frame.limit).map(str::to_owned).collect();
    lines.push(more(count - frame.limit, "line"));
    lines.join("\n")
}

/// A line such as ``… 37 more rows; `:set rows N` shows N of them``.
fn more(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("… {count} more {what}{s}; `:set rows N` shows N of them")
}

#[cfg(test)]
mod tests;

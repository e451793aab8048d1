//! Values as people see them.
//!
//! At a terminal lists of maps are tables, cut and counted; elsewhere a value is one line of JSON, whole. `:set format`
//! chooses otherwise. Secrets are masked in every form.

mod plain;
mod separated;
mod table;
mod tree;

use serde_json::Value as Json;

use super::around::Screen;
use crate::script::interactive::Answer;
use crate::value::Value;

/// The form in which values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// Tables at a terminal, JSON lines elsewhere.
    #[default]
    Auto,
    /// Tables that fit the width.
    Table,
    /// JSON, indented.
    Json,
    /// Branches.
    Tree,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// Every form.
    pub(super) const ALL: [Format; 5] = [
        Format::Auto,
        Format::Table,
        Format::Json,
        Format::Tree,
        Format::Csv,
    ];

    /// The word for it.
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
pub(super) struct Look {
    /// The form.
    pub(super) format: Format,
    /// The most rows or lines of a value, at a terminal.
    pub(super) rows: usize,
}

impl Default for Look {
    fn default() -> Look {
        Look {
            format: Format::Auto,
            rows: 20,
        }
    }
}

/// Where no width is known.
const USUAL: usize = 80;

/// What an input gave as text; nothing for nothing.
pub(super) fn rendered(screen: &dyn Screen, look: Look, answer: &Answer) -> Option<String> {
    match answer {
        Answer::Nothing => None,
        Answer::Value(value) | Answer::Mixed(value) => Some(shown(screen, look, value)),
        Answer::Other(what) => Some(format!("<{what}>")),
    }
}

fn shown(screen: &dyn Screen, look: Look, value: &Value) -> String {
    let typed = screen.is_terminal();
    let most = if typed { look.rows } else { usize::MAX };
    let columns = match screen.width() {
        Some(columns) => columns,
        None if typed => USUAL,
        None => usize::MAX,
    };
    let frame = Frame { columns, most };
    match look.format {
        Format::Auto if !typed => text(value),
        Format::Auto | Format::Table => table::table(value, frame),
        Format::Json => whole_or_cut(&pretty(&value.to_masked_json()), frame),
        Format::Tree => whole_or_cut(&tree::tree(value), frame),
        Format::Csv => separated::csv(value, frame),
    }
}

/// Into what a value is to fit.
#[derive(Debug, Clone, Copy)]
struct Frame {
    columns: usize,
    /// The most rows.
    most: usize,
}

/// A value as one line for people, but for the line ends of a text; secrets masked.
pub(super) fn line(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => plain::inline(value),
    }
}

/// A value as one line of JSON, and a text as it is; secrets masked.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => value.to_masked_json().to_string(),
    }
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_else(|_| json.to_string())
}

/// As many lines as may be shown, and how many are not.
fn whole_or_cut(text: &str, frame: Frame) -> String {
    let count = text.lines().count();
    if count <= frame.most {
        return text.to_owned();
    }
    let mut lines: Vec<String> = text.lines().take(frame.most).map(str::to_owned).collect();
    lines.push(more(count - frame.most, "line"));
    lines.join("\n")
}

/// `… 37 more rows, :set rows 100`.
fn more(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("… {count} more {what}{s}; `:set rows N` shows N of them")
}

#[cfg(test)]
mod tests;

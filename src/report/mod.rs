//! Serialises finished data to bytes. Knows nothing of flags, files or terminals.

mod columns;
mod csv;
mod json;
mod json_lines;
pub(crate) mod reveal;
pub(crate) mod summary;
mod writer;

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value as Json;

pub(crate) use crate::value::status::RowStatus;
use crate::value::{Record, Value};
pub(crate) use columns::{Columns, OWN_COLUMNS};
pub(crate) use csv::CSV;
pub(crate) use json::JSON;
use reveal::Reveal;
pub(crate) use writer::{VALUE, Writer, columns_of, record_json, records_of, write_records, write_value};

/// An output format: how it writes a header, rows and an end. Each is a file of this module, and an entry in
/// [`FORMATS`].
pub(crate) trait Format: std::fmt::Debug + Sync {
    /// The names in `--format`, which are the file extensions, too; the usual one first.
    fn names(&self) -> &'static [&'static str];

    /// Whether the header fixes the columns: no row may add one.
    fn has_header(&self) -> bool {
        false
    }

    /// Whether a reader can use each row as soon as it is written.
    fn is_streamed(&self) -> bool {
        false
    }

    /// The variant whose fields no spreadsheet takes for formulas, if that is another.
    fn spreadsheet_safe(&self) -> Option<&'static dyn Format> {
        None
    }

    /// The lines that hold a value which is not a row; `None` for a format that has only rows.
    fn lines(&self, _value: &Value, _reveal: &Reveal) -> Option<Vec<Json>> {
        None
    }

    fn begin(&self, _titles: &[&str], _sink: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes the cells of the row at this position, from 0.
    fn row(&self, position: u64, cells: &[(&str, Json)], sink: &mut dyn Write) -> io::Result<()>;

    /// Ends a report of so many rows.
    fn end(&self, _rows: u64, _sink: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// All formats; the first is the default.
pub(crate) const FORMATS: &[&dyn Format] = &[CSV, JSON, json_lines::JSON_LINES];

/// Returns the format of a name, or of a file with this extension; case-insensitive.
pub(crate) fn format_named(name: &str) -> Option<&'static dyn Format> {
    let name = name.to_lowercase();
    let mut formats = FORMATS.iter().copied();
    formats.find(|format| format.names().contains(&name.as_str()))
}

/// Returns the format of a file, by its extension.
pub(crate) fn format_of(path: &Path) -> Option<&'static dyn Format> {
    format_named(path.extension()?.to_str()?)
}

/// Returns the usual names of all formats, each after this prefix: `.csv, .json or .jsonl`.
pub(crate) fn format_names(prefix: &str) -> String {
    let names = FORMATS.iter().filter_map(|format| format.names().first());
    let names: Vec<String> = names.map(|name| format!("{prefix}{name}")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// An error that occurs while writing results.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// Writing to the destination failed.
    #[error("the results cannot be written: {0}")]
    Write(#[from] io::Error),
    /// A row has an output column that is missing from the header, which is already written.
    #[error("row {} returns `{column}`, which is not among the columns written so far", .position + 1)]
    NewColumn {
        /// The row's position, from 0; messages count from 1.
        position: u64,
        /// The column's name.
        column: String,
    },
}

/// One row of the results.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResultRow {
    /// The position among the input rows, from 0.
    pub position: u64,
    /// The input cells.
    pub input: Vec<(String, Value)>,
    /// The map that `main` returned; empty if it did not return.
    pub output: Record,
    /// The final status.
    pub status: RowStatus,
    /// Why the row is not done, without secrets.
    pub error: Option<String>,
    /// The ID of the run.
    pub run: String,
}

#[cfg(test)]
mod tests;

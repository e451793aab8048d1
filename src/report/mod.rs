//! Serialises finished data to bytes. Knows nothing of flags, files or terminals.

mod columns;
pub(crate) mod reveal;
pub(crate) mod summary;
mod writer;

use std::io;
use std::path::Path;

pub(crate) use crate::value::status::RowStatus;
use crate::value::{Record, Value};
pub(crate) use columns::{Columns, OWN_COLUMNS};
pub(crate) use writer::{Writer, record_json, write_records};

/// An output format for results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Comma-separated values with a header line; lists and maps as compact JSON, null as an empty field.
    Csv,
    /// CSV for a spreadsheet: a field that would be evaluated as a formula is prefixed with an apostrophe.
    InertCsv,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    JsonLines,
}

impl Format {
    /// Returns the spreadsheet-safe variant of this format.
    #[must_use]
    pub(crate) fn spreadsheet_safe(self) -> Format {
        match self {
            Format::Csv => Format::InertCsv,
            other => other,
        }
    }

    /// Returns the format for the extension of `path`: `csv`, `json`, `jsonl` or `ndjson`, case-insensitive.
    pub(crate) fn of(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        match ending.as_str() {
            "csv" => Some(Format::Csv),
            "json" => Some(Format::Json),
            "jsonl" | "ndjson" => Some(Format::JsonLines),
            _ => None,
        }
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

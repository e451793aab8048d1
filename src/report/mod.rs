//! Finished data in, bytes out. Knows no flags, no files and no terminal.

mod cells;
mod columns;
mod csv;
mod json;
pub(crate) mod records;
pub(crate) mod reveal;
mod row;
pub(crate) mod summary;
mod writer;

use std::io;
use std::path::Path;

pub(crate) use crate::value::status::RowStatus;
pub(crate) use columns::{Columns, OWN};
pub(crate) use row::ResultRow;
pub(crate) use writer::Writer;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Comma-separated values with a header line; lists and maps as compact JSON, nothing as an empty field.
    Csv,
    /// The same for a spreadsheet: a field that it would take for a formula has an apostrophe before it.
    InertCsv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// The same format for a spreadsheet.
    #[must_use]
    pub(crate) fn inert(self) -> Format {
        match self {
            Format::Csv => Format::InertCsv,
            other => other,
        }
    }

    /// The format that the ending of `path` stands for: `csv`, `json`, `jsonl` or `ndjson`, in any case.
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

/// Why results cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The destination refuses.
    #[error("the results cannot be written: {0}")]
    Write(#[from] io::Error),
    /// A row has an output column that the header, which is written already, does not have.
    #[error("row {} returns `{column}`, which is not among the columns written so far", .position + 1)]
    NewColumn {
        /// The row, from 0; messages count from 1.
        position: u64,
        /// The column.
        column: String,
    },
}

#[cfg(test)]
mod tests;

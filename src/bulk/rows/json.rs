//! Rows of JSON objects: one array of them, or one per line.
//!
//! The array is split into its elements by brackets and strings alone, so that only one of them is in memory.

mod elements;
mod fields;
mod nesting;

use std::collections::VecDeque;
use std::io::BufReader;

use self::elements::{ElementReader, RawElement};
use super::source::Stream;
use super::{InputRow, RowsError, UNREAD, guessed};
use crate::value::Value;

/// The number of wrong rows accepted before the first good one, which determines the columns.
const LOOK_AHEAD: usize = 1000;

/// A file of JSON objects, read object by object.
pub(super) struct JsonRows {
    cutter: ElementReader,
    /// Rows read in advance to find the columns.
    look_ahead: VecDeque<Result<InputRow, RowsError>>,
    columns: Vec<String>,
    position: u64,
}

impl JsonRows {
    /// Opens an array of objects.
    pub(super) fn open_array(stream: Stream) -> Result<JsonRows, RowsError> {
        let mut cutter = ElementReader::new(BufReader::with_capacity(64 * 1024, stream));
        cutter.enter_array()?;
        JsonRows::open(cutter)
    }

    /// Opens objects that are written one per line.
    pub(super) fn open_lines(stream: Stream) -> Result<JsonRows, RowsError> {
        JsonRows::open(ElementReader::new(BufReader::with_capacity(64 * 1024, stream)))
    }

    fn open(cutter: ElementReader) -> Result<JsonRows, RowsError> {
        let mut rows = JsonRows {
            cutter,
            look_ahead: VecDeque::new(),
            columns: Vec::new(),
            position: 0,
        };
        while let Some(row) = rows.next_row() {
            let first = row.as_ref().ok().map(|row| names(&row.cells));
            match row {
                Err(error) if error.position().is_none() => return Err(error),
                row => rows.look_ahead.push_back(row),
            }
            if let Some(columns) = first {
                rows.columns = columns;
                break;
            }
            if rows.look_ahead.len() == LOOK_AHEAD {
                break;
            }
        }
        Ok(rows)
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn read(&mut self) -> Option<Result<InputRow, RowsError>> {
        self.look_ahead.pop_front().or_else(|| self.next_row())
    }

    fn next_row(&mut self) -> Option<Result<InputRow, RowsError>> {
        let cut = match self.cutter.next()? {
            Ok(cut) => cut,
            Err(error) => return Some(Err(error)),
        };
        let position = self.position;
        self.position += 1;
        Some(self.row(position, &cut))
    }

    fn row(&self, position: u64, cut: &RawElement) -> Result<InputRow, RowsError> {
        match fields::read(&cut.text) {
            Ok(cells) => Ok(InputRow {
                position,
                line: Some(cut.line),
                cells,
            }),
            // If an array is not valid JSON, its brackets may be wrong too: what follows cannot be trusted.
            Err(wrong) if wrong.syntax && self.cutter.in_array() => Err(RowsError::Broken {
                line: cut.line + wrong.lines_below,
                problem: format!("row {}: {}", position + 1, wrong.problem),
            }),
            Err(wrong) => Err(RowsError::Row {
                position,
                line: cut.line,
                problem: wrong.problem,
                cells: vec![(UNREAD.to_owned(), text(&cut.text))],
            }),
        }
    }
}

fn text(row: &[u8]) -> Value {
    Value::Text(guessed(row).trim().to_owned())
}

fn names(cells: &[(String, Value)]) -> Vec<String> {
    cells.iter().map(|(name, _)| name.clone()).collect()
}

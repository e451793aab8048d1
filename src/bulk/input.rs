//! The source of the journal's queue: rows read from an input, or the single row of a run without rows.

mod resumed;
mod stored;
mod stream;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use resumed::InputChanged;
pub(super) use stored::StoredRow;
pub(crate) use stored::{Cells, cells_of};

use self::stream::{Next, Stream};
use super::rows::{InputRow, Rows, RowsError};
use crate::journal::NewRow;
use crate::script::program::Script;

/// Rows that are not in the journal yet.
pub(crate) struct Input {
    source: Source,
    /// Whether the cells come from a delimited file, where an absent value is written as blanks.
    separated: bool,
    next: u64,
    /// Selects the rows to skip.
    is_done: Option<Box<IsDone>>,
    left_out: Arc<AtomicU64>,
}

/// Whether the row with these cells is already done.
type IsDone = dyn Fn(&Cells) -> bool + Send;

enum Source {
    Cells(Box<dyn Iterator<Item = Cells> + Send>),
    Rows(Box<Rows>),
    Stream(Stream),
}

/// The next few rows.
pub(super) struct Batch {
    pub(super) rows: Vec<NewRow>,
    pub(super) then: AfterBatch,
}

/// What follows a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AfterBatch {
    /// There may be more rows.
    More,
    /// These were the last.
    End,
    /// There are more, but they cannot be read.
    ReadFailed(String),
}

impl Input {
    /// Creates the input of a run without rows: a single row.
    pub(crate) fn one(cells: Cells) -> Input {
        Input::from_cells([cells])
    }

    /// Creates an input from rows in memory.
    pub(crate) fn from_cells(rows: impl IntoIterator<Item = Cells, IntoIter: Send + 'static>) -> Input {
        Input::of(Source::Cells(Box::new(rows.into_iter())), false)
    }

    fn of(source: Source, separated: bool) -> Input {
        Input {
            source,
            separated,
            next: 0,
            is_done: None,
            left_out: Arc::default(),
        }
    }

    /// Skips the rows that are already done. The others keep their numbers.
    #[must_use]
    pub(crate) fn without(self, is_done: impl Fn(&Cells) -> bool + Send + 'static) -> Input {
        let is_done: Box<IsDone> = Box::new(is_done);
        Input {
            is_done: Some(is_done),
            ..self
        }
    }

    /// Returns the number of rows skipped so far because they are already done.
    pub(crate) fn left_out(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.left_out)
    }

    /// Creates an input from the rows of a file.
    pub(crate) fn rows(rows: Rows) -> Input {
        let separated = rows.is_delimited();
        Input::of(Source::Rows(Box::new(rows)), separated)
    }

    /// Creates an input from rows that may arrive slowly or never end, such as standard input: they are read on a
    /// separate thread. Fails if the thread cannot be started.
    pub(crate) fn stream(rows: Rows) -> io::Result<Input> {
        let separated = rows.is_delimited();
        Ok(Input::of(Source::Stream(Stream::start(rows)?), separated))
    }

    /// Returns the number of rows taken, excluding skipped ones.
    pub(super) fn taken(&self) -> u64 {
        self.next - self.left_out.load(Ordering::SeqCst)
    }

    /// Returns up to `limit` further rows. A stream returns the rows that have arrived, possibly none.
    pub(super) fn batch(&mut self, limit: usize, script: &Script) -> Batch {
        let mut rows = Vec::new();
        if let Source::Stream(stream) = &mut self.source {
            stream.open_batch();
        }
        while rows.len() < limit {
            let next = match &mut self.source {
                Source::Stream(stream) => stream.next(),
                _ => Next::Read(self.read_row()),
            };
            let then = match next {
                Next::Read(Some(Ok(row))) if self.skips_done(&row) => continue,
                Next::NotYet => {
                    return Batch {
                        rows,
                        then: AfterBatch::More,
                    };
                }
                Next::Read(None) => AfterBatch::End,
                Next::Read(Some(row)) => match self.take(row, script) {
                    Ok(row) => {
                        rows.push(row);
                        continue;
                    }
                    Err(reason) => AfterBatch::ReadFailed(reason),
                },
            };
            return Batch { rows, then };
        }
        Batch {
            rows,
            then: AfterBatch::More,
        }
    }

    /// Returns the next row, waiting for it if needed, or `None` after the last one.
    fn next(&mut self, script: &Script) -> Result<Option<NewRow>, String> {
        loop {
            match self.read_row() {
                Some(Ok(row)) if self.skips_done(&row) => {}
                row => return row.map(|row| self.take(row, script)).transpose(),
            }
        }
    }

    /// Whether the row is already done; if so, it is counted and skipped.
    fn skips_done(&mut self, row: &InputRow) -> bool {
        let is_done = self.is_done.as_ref().is_some_and(|is_done| is_done(&row.cells));
        if is_done {
            self.next += 1;
            self.left_out.fetch_add(1, Ordering::SeqCst);
        }
        is_done
    }

    fn read_row(&mut self) -> Option<Result<InputRow, RowsError>> {
        match &mut self.source {
            Source::Cells(rows) => rows.next().map(|cells| {
                Ok(InputRow {
                    position: self.next,
                    line: None,
                    cells,
                })
            }),
            Source::Rows(rows) => rows.next(),
            Source::Stream(stream) => stream.wait(),
        }
    }

    /// Converts a row for the queue. A row with an error of its own is queued as well and fails when it is executed.
    fn take(&mut self, row: Result<InputRow, RowsError>, script: &Script) -> Result<NewRow, String> {
        let row = match row {
            Ok(row) => StoredRow::Cells(row.cells),
            Err(error) if error.position().is_none() => return Err(error.to_string()),
            Err(error) => StoredRow::Unreadable {
                reason: error.to_string(),
                cells: error.into_cells(),
            },
        };
        let row = if self.separated {
            row.without_blanks(script)
        } else {
            row
        };
        let row = row.with_secrets_sealed(script);
        let content = row.identity(script);
        let position = self.next;
        self.next += 1;
        Ok(NewRow {
            position,
            content: Some(content),
            input: row.write(),
        })
    }
}

#[cfg(test)]
mod tests;

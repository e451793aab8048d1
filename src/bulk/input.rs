//! What goes into the journal's queue: rows read from an input, or the one row of a run without rows.

mod behind;
mod stored;
mod stream;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use behind::InputChanged;
pub(super) use stored::StoredRow;
pub(crate) use stored::{Cells, cells_of};

use self::stream::{Next, Stream};
use super::rows::{InputRow, Rows, RowsError};
use crate::journal::{NewRow, Sealer};
use crate::script::program::Script;

/// Rows that are not in the journal yet.
pub(crate) struct Input {
    source: Source,
    /// Are the cells a separated file's, where nothing is written as a blank?
    separated: bool,
    next: u64,
    /// Which rows are not taken.
    is_done: Option<Box<IsDone>>,
    left_out: Arc<AtomicU64>,
}

/// Is the row of these cells done already?
type IsDone = dyn Fn(&Cells) -> bool + Send;

enum Source {
    Cells(Box<dyn Iterator<Item = Cells> + Send>),
    Rows(Box<Rows>),
    Stream(Stream),
}

/// Some further rows.
pub(super) struct Batch {
    pub(super) rows: Vec<NewRow>,
    pub(super) then: Then,
}

/// What comes behind a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// There may be more rows.
    More,
    /// These were the last.
    End,
    /// There are more, and they cannot be read.
    Lost(String),
}

impl Input {
    /// The one row of a run without rows.
    pub(crate) fn one(cells: Cells) -> Input {
        Input::of_cells([cells])
    }

    /// Rows that are at hand.
    pub(crate) fn of_cells(rows: impl IntoIterator<Item = Cells, IntoIter: Send + 'static>) -> Input {
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

    /// The same input without the rows that are done already. The others keep their numbers.
    #[must_use]
    pub(crate) fn without(self, is_done: impl Fn(&Cells) -> bool + Send + 'static) -> Input {
        let is_done: Box<IsDone> = Box::new(is_done);
        Input {
            is_done: Some(is_done),
            ..self
        }
    }

    /// How many rows are left out since they are done already, as far as it has been read.
    pub(crate) fn left_out(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.left_out)
    }

    /// The rows of a file.
    pub(crate) fn rows(rows: Rows) -> Input {
        let separated = rows.are_separated();
        Input::of(Source::Rows(Box::new(rows)), separated)
    }

    /// The rows of an input that may be slow, or never end, such as standard input: they are read on a thread of their
    /// own. The error says why there is none.
    pub(crate) fn stream(rows: Rows) -> io::Result<Input> {
        let separated = rows.are_separated();
        Ok(Input::of(Source::Stream(Stream::start(rows)?), separated))
    }

    /// How many rows have been taken.
    pub(super) fn taken(&self) -> u64 {
        self.next - self.left_out.load(Ordering::SeqCst)
    }

    /// Up to `most` further rows. A stream gives what is there, which may be nothing yet.
    pub(super) fn batch(&mut self, most: usize, script: &Script, sealer: &Sealer) -> Batch {
        let mut rows = Vec::new();
        if let Source::Stream(stream) = &mut self.source {
            stream.open_batch();
        }
        while rows.len() < most {
            let next = match &mut self.source {
                Source::Stream(stream) => stream.next(),
                _ => Next::Read(self.read_row()),
            };
            let then = match next {
                Next::Read(Some(Ok(row))) if self.leaves_out(&row) => continue,
                Next::NotYet => {
                    return Batch {
                        rows,
                        then: Then::More,
                    };
                }
                Next::Read(None) => Then::End,
                Next::Read(Some(row)) => match self.take(row, script, sealer) {
                    Ok(row) => {
                        rows.push(row);
                        continue;
                    }
                    Err(why) => Then::Lost(why),
                },
            };
            return Batch { rows, then };
        }
        Batch {
            rows,
            then: Then::More,
        }
    }

    /// The next row, waited for; `None` behind the last one.
    fn next(&mut self, script: &Script, sealer: &Sealer) -> Result<Option<NewRow>, String> {
        loop {
            match self.read_row() {
                Some(Ok(row)) if self.leaves_out(&row) => {}
                row => return row.map(|row| self.take(row, script, sealer)).transpose(),
            }
        }
    }

    /// Is the row done already? Then it is counted, and not taken.
    fn leaves_out(&mut self, row: &InputRow) -> bool {
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

    /// The row as it enters the queue. One that is wrong for itself alone enters it, too, and fails there.
    fn take(
        &mut self,
        row: Result<InputRow, RowsError>,
        script: &Script,
        sealer: &Sealer,
    ) -> Result<NewRow, String> {
        let row = match row {
            Ok(row) => StoredRow::Cells(row.cells),
            Err(error) if error.position().is_none() => return Err(error.to_string()),
            Err(error) => StoredRow::Unreadable {
                why: error.to_string(),
                cells: error.into_cells(),
            },
        };
        let row = if self.separated {
            row.without_blanks(script)
        } else {
            row
        };
        let row = row.with_secrets_sealed(script);
        // Equal rows get equal scopes here; the journal tells them apart.
        let scope = sealer.digest(&row.identity(script));
        let position = self.next;
        self.next += 1;
        Ok(NewRow {
            position,
            scope,
            input: row.write(),
        })
    }
}

#[cfg(test)]
mod tests;

//! Resumed inputs: the rows already in the journal must still come first.

use super::Input;
use crate::journal::{Journal, JournalError, RowFilter, RunId};
use crate::script::program::Script;
use crate::value::Value;

/// Why an input cannot be resumed where a run has stopped reading it. Messages count rows from 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputChanged {
    /// A row differs from the one the run has read.
    #[error("row {} is not what it was when the run read it", .0 + 1)]
    Row(u64),
    /// Rows are missing.
    #[error("it has {rows} rows, and the run has read {known}")]
    Shorter {
        /// The number of rows in the input.
        rows: u64,
        /// The number of rows the run has read.
        known: u64,
    },
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Rows per read from the journal.
const PAGE: usize = 512;

impl Input {
    /// Skips the rows that the journal already has of the run, each of which must be unchanged and in its place.
    /// `script` is the one the run read them with.
    pub(crate) fn skip_recorded(
        mut self,
        journal: &Journal,
        run: &RunId,
        script: &Script,
    ) -> Result<Input, InputChanged> {
        let mut after = None;
        loop {
            let page = journal.rows(run, after, PAGE, RowFilter::All)?;
            let Some(last) = page.last() else { return Ok(self) };
            after = Some(last.position);
            for known in page {
                let row = self.next(script).map_err(InputChanged::Unreadable)?;
                match row {
                    // A recorded row that can no longer be read cannot be compared.
                    Some(row)
                        if row.position == known.position
                            && (row.input == known.input || known.input == Value::Null) => {}
                    Some(_) => return Err(InputChanged::Row(known.position)),
                    None => {
                        return Err(InputChanged::Shorter {
                            rows: self.next,
                            known: journal.row_counts(run)?.all(),
                        });
                    }
                }
            }
        }
    }
}

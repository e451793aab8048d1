//! An input whose first rows the journal has already: it must still begin with them.

use super::Input;
use crate::journal::{Journal, JournalError, RowFilter, RunId};
use crate::script::program::Script;
use crate::value::Value;

/// Why an input cannot go on where a run has stopped reading it. Rows count from 1 in messages.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputChanged {
    /// A row is another one than the run has read.
    #[error("row {} is not what it was when the run read it", .0 + 1)]
    Row(u64),
    /// Rows are gone.
    #[error("it has {rows} rows, and the run has read {known}")]
    Shorter {
        /// How many rows there are.
        rows: u64,
        /// How many the run has read.
        known: u64,
    },
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Rows read from the journal at once.
const PAGE: usize = 512;

impl Input {
    /// The rows behind those that the journal has of the run, every one of which must still be in its place. `script`
    /// is the one that the run read them with.
    pub(crate) fn behind(
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
                let row = self
                    .next(script, journal.sealer())
                    .map_err(InputChanged::Unreadable)?;
                match row {
                    // What cannot be read any more cannot be compared.
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

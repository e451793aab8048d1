//! The rows that a resume would carry out, gone through without doing anything.

use std::thread;

use super::schedule::arguments;
use crate::journal::{JournalError, RowFilter, RowRecord, RowStatus};
use crate::run::rehearsal::Rehearsal;
use crate::run::{RowPlan, Runner};
use crate::script::STACK_SIZE;
use crate::value::Record;

/// One row, and what it would do.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    /// Its place in the input, from 0.
    pub position: u64,
    /// How it stands.
    pub status: RowStatus,
    /// What it would do.
    pub does: Does,
}

/// What a row would do.
#[derive(Debug)]
pub(crate) enum Does {
    /// Nothing is recorded of it, and enough such rows were looked at already.
    Begins,
    /// Its cells do not fit the script.
    Misfits(String),
    /// What its script asks for.
    Goes(Rehearsal),
}

/// Why the rows cannot be gone through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RehearsalError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Rows without a recorded step that are gone through; later ones are told as [`Does::Begins`].
const MOST_FRESH: usize = 1000;

/// Rows read from the journal at once.
const PAGE: usize = 256;

/// Goes through the rows that are not finished and, when `retrying`, those that failed. `each` sees every one.
pub(crate) fn rehearse(
    runner: &Runner,
    constants: &Record,
    retrying: bool,
    each: &mut (dyn FnMut(Rehearsed) + Send),
) -> Result<(), RehearsalError> {
    let work = move || -> Result<(), JournalError> {
        let mut fresh = 0;
        let failed = retrying.then_some(RowFilter::Only(RowStatus::Failed));
        for filter in [Some(RowFilter::Unfinished), failed].into_iter().flatten() {
            let mut after = None;
            loop {
                let page = runner.journal.rows(runner.run.id(), after, PAGE, filter)?;
                let Some(last) = page.last() else { break };
                after = Some(last.position);
                for row in page {
                    each(go_through(runner, constants, retrying, &mut fresh, row)?);
                }
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_SIZE);
        let thread = thread.spawn_scoped(scope, work).map_err(RehearsalError::Thread)?;
        let done = thread.join();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            .map_err(RehearsalError::Journal)
    })
}

fn go_through(
    runner: &Runner,
    constants: &Record,
    retrying: bool,
    fresh: &mut usize,
    row: RowRecord,
) -> Result<Rehearsed, JournalError> {
    let (position, status) = (row.position, row.status);
    let does = match arguments(&runner.script, constants, &row) {
        Err((_, why)) => Does::Misfits(why),
        Ok((_, args)) => {
            let plan = RowPlan {
                position,
                scope: row.scope,
                args,
                resumed: true,
            };
            match runner.rehearse(&plan, *fresh >= MOST_FRESH, retrying) {
                // It stops this row alone.
                Err(error @ JournalError::Sealed { .. }) => Does::Misfits(error.to_string()),
                Err(error) => return Err(error),
                Ok(None) => Does::Begins,
                Ok(Some(rehearsal)) => {
                    *fresh += usize::from(rehearsal.matched.is_empty());
                    Does::Goes(rehearsal)
                }
            }
        }
    };
    Ok(Rehearsed {
        position,
        status,
        does,
    })
}

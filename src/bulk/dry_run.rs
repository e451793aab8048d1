//! Dry run of the rows that a resume would execute.

use std::thread;

use super::schedule::arguments;
use crate::journal::{JournalError, RowFilter, RowRecord, RowStatus};
use crate::run::dry_run::DryRun;
use crate::run::{RowPlan, Runner};
use crate::script::STACK_SIZE;
use crate::value::Record;

/// A row and what it would do.
#[derive(Debug)]
pub(crate) struct DryRunRow {
    /// Its position in the input, from 0.
    pub position: u64,
    /// Its status.
    pub status: RowStatus,
    /// What it would do.
    pub does: RowPreview,
}

/// What a row would do.
#[derive(Debug)]
pub(crate) enum RowPreview {
    /// It has no recorded steps, and enough such rows were examined already.
    Begins,
    /// Its cells do not match the script's parameters.
    InvalidRow(String),
    /// The requests of its script.
    Predicted(DryRun),
}

/// Why the dry run failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DryRunError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The number of rows without recorded steps that are examined; later ones are reported as [`Does::Begins`].
const MAX_NEW_ROWS: usize = 1000;

/// Rows per read from the journal.
const PAGE: usize = 256;

/// Examines the unfinished rows and, if `retrying`, the failed ones. `each` receives every one.
pub(crate) fn dry_run(
    runner: &Runner,
    constants: &Record,
    retrying: bool,
    each: &mut (dyn FnMut(DryRunRow) + Send),
) -> Result<(), DryRunError> {
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
                    each(run_dry(runner, constants, retrying, &mut fresh, row)?);
                }
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_SIZE);
        let thread = thread.spawn_scoped(scope, work).map_err(DryRunError::Thread)?;
        let done = thread.join();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            .map_err(DryRunError::Journal)
    })
}

fn run_dry(
    runner: &Runner,
    constants: &Record,
    retrying: bool,
    fresh: &mut usize,
    row: RowRecord,
) -> Result<DryRunRow, JournalError> {
    let (position, status) = (row.position, row.status);
    let does = match arguments(&runner.script, constants, &row) {
        Err((_, reason)) => RowPreview::InvalidRow(reason),
        Ok((_, args)) => {
            let plan = RowPlan {
                position,
                scope: row.scope,
                repeat: row.repeat,
                args,
                resumed: true,
            };
            match runner.dry_run(&plan, *fresh >= MAX_NEW_ROWS, retrying) {
                // It affects only this row.
                Err(error @ JournalError::Sealed { .. }) => RowPreview::InvalidRow(error.to_string()),
                Err(error) => return Err(error),
                Ok(None) => RowPreview::Begins,
                Ok(Some(dry_run)) => {
                    *fresh += usize::from(dry_run.matched.is_empty());
                    RowPreview::Predicted(dry_run)
                }
            }
        }
    };
    Ok(DryRunRow {
        position,
        status,
        does,
    })
}

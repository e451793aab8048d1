//! Follows the rows as they finish: progress, summary and errors.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::report::is_script_error;
use crate::bulk::schedule::Finished;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::plan::RunPlan;
use crate::cli::runs::for_each_row;
use crate::cli::ui::Progress;
use crate::journal::{Journal, JournalError, RowCounts, RowFilter, RowStatus, RunId};
use crate::operation::error::Code;
use crate::report::summary::Summary;
use crate::value::Value;
use crate::waiting::Waits;

/// Why rows failed in this process, as far as the way to continue depends on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Failures {
    /// Rows that failed because of an error in the script.
    pub(super) scripts: u64,
    /// Rows that failed because their input is invalid.
    pub(super) invalid: u64,
    /// The hint for the first row that failed because a resource already exists.
    pub(super) exists: Option<String>,
}

/// Counts and shows the finished rows.
pub(super) struct RowObserver {
    summary: Summary,
    progress: Option<Progress>,
    last: Option<Finished>,
    failures: Failures,
    started: Instant,
    unwritable: Mutex<Option<CommandError>>,
}

impl RowObserver {
    /// `before` has the row counts that earlier processes of the run left.
    pub(super) fn new(
        app: &App,
        plan: &RunPlan,
        total: Option<u64>,
        (before, waits): (RowCounts, &Waits),
    ) -> RowObserver {
        let progress = plan.rows.is_some().then(|| app.ui.progress(total, waits.clone()));
        if let Some(progress) = &progress {
            let failed = before.of(RowStatus::Failed);
            progress.before(before.of(RowStatus::Done) + failed, failed);
        }
        RowObserver {
            summary: Summary::new(),
            progress,
            last: None,
            failures: Failures::default(),
            started: Instant::now(),
            unwritable: Mutex::default(),
        }
    }

    /// Adds the errors of rows that failed in earlier processes.
    pub(super) fn recall(
        &mut self,
        journal: &Journal,
        run: &RunId,
        cancel: &CancellationToken,
    ) -> Result<(), JournalError> {
        let read = for_each_row(journal, run, RowFilter::Only(RowStatus::Failed), |row| {
            if cancel.is_cancelled() {
                return Err(None);
            }
            let error = row.error.as_ref().and_then(Value::as_text).unwrap_or_default();
            self.summary.earlier(row.position, RowStatus::Failed, error);
            Ok(())
        });
        match read {
            Err(Some(error)) => Err(error),
            Ok(()) | Err(None) => Ok(()),
        }
    }

    pub(super) fn row(&mut self, finished: &Finished) {
        let status = finished.status;
        self.summary
            .row(finished.position, status, finished.error.as_deref());
        if let Some(progress) = &self.progress {
            progress.row(status != RowStatus::Done);
        }
        let failures = &mut self.failures;
        failures.scripts += u64::from(status == RowStatus::Failed && is_script_error(finished));
        failures.invalid += u64::from(finished.invalid);
        if let Some(failed) = finished.diagnostic.as_ref().filter(|_| failures.exists.is_none())
            && failed.code == Some(Code::AlreadyExists)
            && let Some(hint) = failed.hints.first()
        {
            failures.exists = Some(format!("row {}: {hint}", finished.position + 1));
        }
        self.last = Some(finished.clone());
    }

    /// Why rows failed in this process.
    pub(super) fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// Records that the results cannot be written: no new rows start, and the error is reported at the end.
    pub(super) fn unwritable(&self, error: CommandError, cancel: &CancellationToken) {
        cancel.cancel();
        self.unwritable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }

    /// Ends the progress display. `left_out` input rows were done by an earlier run.
    pub(super) fn close(&mut self, left_out: u64) {
        self.summary.left_out(left_out);
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
        self.summary.set_duration(self.started.elapsed());
    }

    pub(super) fn into_parts(self) -> (Summary, Option<Finished>, Option<CommandError>) {
        let unwritable = self
            .unwritable
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (self.summary, self.last, unwritable)
    }
}

//! The report at the end of a run, and the program's exit code.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Execution;
use super::progress::{Failures, RowObserver};
use crate::bulk::schedule::{Finished, RunEnd};
use crate::cli::app::stdout_error;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::rows::is_stream;
use crate::cli::runs::for_each_row;
use crate::client::error::Cause;
use crate::journal::{JournalError, RowCounts, RowFilter, RowStatus, StepFilter, StepRecord, StepState};
use crate::operation::error::Code;
use crate::report::reveal::Reveal;
use crate::run::Runner;
use crate::sabotage::Sabotage;
use crate::value::{Record, Value};

/// The state of a run when its work has ended.
pub(super) struct Outcome {
    pub(super) ended: RunEnd,
    /// The row counts of the whole run.
    pub(super) counts: RowCounts,
    /// Why rows failed in this process.
    pub(super) failures: Failures,
    /// The number of rows that were read, if more remain.
    pub(super) unread: Option<u64>,
    /// The file with the finished rows, if the results are not in place.
    pub(super) partial: Option<PathBuf>,
}

impl Outcome {
    /// How many rows of the whole run have this status; rows that have not started are [`RowStatus::Skipped`].
    fn rows(&self, status: RowStatus) -> u64 {
        let queued = match status {
            RowStatus::Skipped => self.counts.of(RowStatus::Queued),
            _ => 0,
        };
        self.counts.of(status) + queued
    }
}

fn untouched_file_note(out: &str, partial: &Path) -> String {
    format!(
        "`{out}` is unchanged; finished rows are in `{}`",
        partial.display()
    )
}

/// Whether an error in the script failed the row, so that it would fail again on every retry.
pub(super) fn is_script_error(row: &Finished) -> bool {
    let by_itself = |code: Code| match code {
        Code::AlreadyExists | Code::BadArgument | Code::BadAddress => true,
        Code::Own(own) => own.cause == Cause::Protection,
        _ => false,
    };
    let failed = row.diagnostic.as_ref();
    failed.is_some_and(|failed| failed.code.is_none_or(by_itself))
}

impl Execution<'_> {
    pub(super) fn report_outcome(
        &self,
        runner: &Runner,
        outcome: &Outcome,
        observer: RowObserver,
    ) -> Result<Exit, CommandError> {
        let ui = &self.app.ui;
        let (mut summary, mut last, unwritable) = observer.into_parts();
        if let Some(error) = unwritable {
            return Err(error.hint(format!("the run is in the journal: {}", self.resume())));
        }
        if self.plan.rows.is_some() {
            for (kind, outcome, count) in runner.tally.counts() {
                summary.outcome(&kind, &outcome, count);
            }
            if self.resumed.is_some() {
                summary.whole(RowStatus::REPORTED.map(|status| (status, outcome.rows(status))));
            } else {
                summary.open(
                    outcome.rows(RowStatus::Interrupted),
                    outcome.rows(RowStatus::Skipped),
                );
            }
            ui.summary(&summary, self.id().as_str());
        } else {
            if last.is_none() {
                last = Finished::recorded(&self.engine.journal, self.id())?;
            }
            if let Some(last) = &last {
                self.show_single(last)?;
            }
        }
        match &outcome.ended {
            RunEnd::InputLost(reason) => Err(self.input_lost(outcome, reason)),
            RunEnd::NoThreads(reason) => Err(CommandError::new(
                Exit::Aborted,
                format!("cannot start a thread: {reason}"),
            )
            .hint(format!("try fewer rows at once: {} --jobs 1", self.resume()))),
            _ => Ok(self.hint(outcome, last.as_ref())),
        }
    }

    /// Whether the platform can look up any of the steps in doubt.
    fn can_be_looked_up(&self) -> bool {
        self.has_step(&StepFilter::Open, |step| {
            self.app
                .catalogue()
                .operation(&step.op)
                .is_none_or(|op| op.can_be_looked_up(step.resource.is_some()))
        })
    }

    /// Whether a failed call left something on the platform that a retry would duplicate.
    fn has_leftovers(&self) -> bool {
        self.has_step(&StepFilter::Resolvable, |step| step.state == StepState::HalfDone)
    }

    /// Whether the run has such a step. Steps that cannot be read are ignored.
    fn has_step(&self, filter: &StepFilter, is_wanted: impl Fn(&StepRecord) -> bool) -> bool {
        let mut found = false;
        let looked = self.engine.journal.for_each_step(self.id(), filter, &mut |step| {
            found = is_wanted(&step);
            if found {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        looked.is_ok() && found
    }

    fn hint_at_leftovers(&self) {
        self.app.ui.hint(&format!(
            "some failed steps left something behind and are not retried until you record their outcome: provisor runs show {}",
            self.id()
        ));
    }

    /// Shows how to continue, and chooses the exit code.
    fn hint(&self, outcome: &Outcome, last: Option<&Finished>) -> Exit {
        let (ui, resume) = (&self.app.ui, self.resume());
        let is_read_once = self.plan.rows.as_deref().is_some_and(is_stream);
        if let (Some(partial), Some(out)) = (&outcome.partial, &self.plan.out) {
            ui.note(&untouched_file_note(out, partial));
        }
        if let (Some(read), true) = (outcome.unread, is_read_once) {
            ui.warn(&format!(
                "{read} rows were read; the rows after that are not in the journal"
            ));
            ui.hint(&format!("pass the whole input again: {resume} --rows FILE"));
            ui.hint("or start a new run with the remaining rows");
        }
        let failed = outcome.rows(RowStatus::Failed);
        match outcome.ended {
            RunEnd::Interrupted => {
                ui.hint(&format!("to continue: {resume}"));
                Exit::Interrupted
            }
            RunEnd::Complete if self.missing => Exit::Aborted,
            _ if outcome.rows(RowStatus::Parked) > 0 => {
                if self.can_be_looked_up() {
                    ui.hint(&format!("to look up the steps in doubt again: {resume}"));
                }
                ui.hint(&format!(
                    "some steps may need your decision; list them: provisor runs show {}",
                    self.id()
                ));
                if Sabotage::ParkedIsFinished.is_on() {
                    return Exit::Ok;
                }
                Exit::InDoubt
            }
            RunEnd::StoppedAfterFailures => {
                ui.hint(&format!(
                    "stopped after failures; {} rows not started. To continue: {resume}",
                    outcome.rows(RowStatus::Skipped)
                ));
                Exit::Aborted
            }
            _ if failed > 0 && self.plan.rows.is_none() => {
                let code = last.and_then(|last| last.diagnostic.as_ref()?.code);
                if self.has_leftovers() {
                    self.hint_at_leftovers();
                } else if self.has_step(&StepFilter::All, |_| true) {
                    let scripts = last.is_some_and(is_script_error) && self.has_file();
                    ui.hint(&if scripts {
                        format!("completed steps are saved. Fix the script, then run: {resume} --retry-failed --with-current")
                    } else {
                        format!("completed steps are saved. To continue: {resume} --retry-failed")
                    });
                }
                code.map_or(Exit::Script, Exit::of)
            }
            _ if failed > 0 => {
                self.hint_at_failed_rows(outcome);
                Exit::RowsFailed
            }
            _ => Exit::Ok,
        }
    }

    /// Shows a hint for each kind of failure: those that need a person's decision, a change to the script or the input,
    /// or only a retry.
    fn hint_at_failed_rows(&self, outcome: &Outcome) {
        let (ui, resume, failures) = (&self.app.ui, self.resume(), &outcome.failures);
        let half_done = self.rows_left_half_done();
        if half_done > 0 || self.has_leftovers() {
            self.hint_at_leftovers();
        }
        let scripts = if self.has_file() { failures.scripts } else { 0 };
        if outcome.rows(RowStatus::Failed) > half_done + scripts + failures.invalid {
            ui.hint(&format!("to retry the failed rows: {resume} --retry-failed"));
        }
        if failures.invalid > 0 {
            ui.hint(&format!(
                "invalid rows fail again: fix them in the results file, and use it as the input of a new run: provisor run {} --rows RESULTS",
                self.plan.script
            ));
        }
        if let Some(hint) = &failures.exists {
            ui.hint(hint);
        }
        if scripts > 0 {
            ui.hint(&format!(
                "errors in the script recur: fix it, then run: {resume} --retry-failed --with-current"
            ));
        }
    }

    /// The number of failed rows with a failed call that left something behind.
    fn rows_left_half_done(&self) -> u64 {
        let journal = &self.engine.journal;
        let mut half_done_rows: BTreeSet<u64> = BTreeSet::new();
        let _ = journal.for_each_step(self.id(), &StepFilter::Resolvable, &mut |step| {
            if step.state == StepState::HalfDone {
                half_done_rows.insert(step.position);
            }
            ControlFlow::Continue(())
        });
        let mut count = 0;
        if !half_done_rows.is_empty() {
            // Rows that cannot be read are ignored.
            let failed = RowFilter::Only(RowStatus::Failed);
            let _ = for_each_row(journal, self.id(), failed, |row| {
                count += u64::from(half_done_rows.contains(&row.position));
                Ok::<_, JournalError>(())
            });
        }
        count
    }

    /// Whether the script comes from a file that can be fixed.
    fn has_file(&self) -> bool {
        self.plan.script != "-"
    }

    fn input_lost(&self, outcome: &Outcome, reason: &str) -> CommandError {
        let mut error = CommandError::usage(format!("the rows cannot be read: {reason}"));
        if let (Some(partial), Some(out)) = (&outcome.partial, &self.plan.out) {
            error = error.hint(untouched_file_note(out, partial));
        }
        let again = match self.plan.rows.as_deref() {
            Some(rows) if !is_stream(rows) => self.resume(),
            _ => format!("{} --rows FILE", self.resume()),
        };
        error.hint(format!(
            "the rows before this point have run; fix the input, then: {again}"
        ))
    }

    fn resume(&self) -> String {
        self.app.resume(self.id())
    }

    fn show_single(&self, last: &Finished) -> Result<(), CommandError> {
        let ui = &self.app.ui;
        let shown = match (last.status, &last.diagnostic) {
            (RowStatus::Done, _) if self.plan.out.is_some() => Ok(()),
            (RowStatus::Done, _) if self.plan.json => ui.json(&self.revealed(last)),
            (RowStatus::Done, _) => {
                ui.record(&self.revealed(last), &self.script.declaration().output_columns)
            }
            (_, Some(diagnostic)) => {
                ui.diagnostic(diagnostic);
                Ok(())
            }
            (_, None) => {
                ui.error(last.error.as_deref().unwrap_or("the row failed"), &[]);
                Ok(())
            }
        };
        shown.map_err(stdout_error)
    }

    /// The output, with the secrets named in `--reveal` in clear.
    fn revealed(&self, last: &Finished) -> Record {
        let lacks = |name: &&String| !last.output.contains_key(*name);
        for name in self.plan.reveal.iter().filter(lacks) {
            self.app
                .ui
                .warn(&format!("--reveal {name}: no result has this column"));
        }
        let reveal = Reveal::columns(self.plan.reveal.iter().cloned());
        let output = last.output.iter();
        output
            .map(|(name, value)| (name.clone(), Value::from_json(reveal.json(name, value))))
            .collect()
    }
}

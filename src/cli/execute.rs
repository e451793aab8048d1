//! Executes a run, new or resumed, from its plan to its exit code.

mod progress;
mod report;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio_util::sync::CancellationToken;

use self::progress::RowObserver;
use self::report::Outcome;
use super::app::{App, Engine, stdout_error};
use super::error::CommandError;
use super::exit::Exit;
use super::interrupt;
use super::plan::RunPlan;
use super::results::Results;
use super::torture::KillPoint;
use crate::bulk::input::Input;
use crate::bulk::schedule::{self, RunEnd};
use crate::journal::{RowCounts, RowFilter, RunId, RunLock, RunStatus};
use crate::run::Runner;
use crate::run::tally::Tally;
use crate::sabotage::Sabotage;
use crate::script::program::Script;

/// A run that is ready to start.
pub(super) struct Execution<'a> {
    pub(super) app: &'a App,
    pub(super) engine: &'a Engine,
    pub(super) script: Script,
    pub(super) run: RunLock,
    pub(super) plan: RunPlan,
    /// Rows that are not in the journal yet.
    pub(super) input: Option<Input>,
    /// The total number of rows, if known.
    pub(super) total: Option<u64>,
    /// The row counts that earlier processes of the run left.
    pub(super) before: RowCounts,
    /// The rows of a resumed run to process; `None` for a new run.
    pub(super) resumed: Option<RowFilter>,
    /// Whether some rows are not in the journal and cannot be read.
    pub(super) missing: bool,
    /// Whether completed acts may be repeated.
    pub(super) again: bool,
    /// Where the results are written, if anywhere.
    pub(super) results: Option<Results>,
}

impl Execution<'_> {
    /// Executes the run.
    pub(super) fn carry_out(mut self) -> Result<Exit, CommandError> {
        let journal = &self.engine.journal;
        let rows = self.plan.rows.is_some();
        journal.set_run_status(&self.run, RunStatus::Running)?;
        let cancel = CancellationToken::new();
        let runner = self.runner(&cancel);
        let resume = self.app.resume(self.id());
        // Watched until the end: writing the results may also take long.
        let _watch = interrupt::watch(&runner.runtime, &self.app.ui, &cancel, resume);
        let mut observer = RowObserver::new(self.app, &self.plan, self.total, (self.before, journal.waits()));
        if rows && self.resumed.is_some() {
            observer.recall(journal, self.id(), &cancel)?;
            runner
                .tally
                .recall(self.app.catalogue(), journal, self.id(), &cancel)?;
        }
        let plan = schedule::Plan {
            jobs: if rows { self.plan.jobs.max(1) } else { 1 },
            stop_after: self.plan.stop_after,
            resumed: self.resumed.is_some(),
            before: self.before,
            only: self.resumed.unwrap_or(RowFilter::All),
            constants: self.plan.constants.clone(),
        };
        let (input, mut results) = (self.input.take(), self.results.take());
        let left_out = input.as_ref().map(Input::left_out);
        let id = self.id().clone();
        let worked = schedule::work(&runner, &plan, input, &mut |finished| {
            if let Some(finished) = finished {
                observer.row(finished);
            }
            let Some(results) = &mut results else { return };
            let written = match finished {
                Some(finished) => results.row(&id, finished),
                None => results.flush(),
            };
            if let Err(error) = written {
                observer.unwritable(error, &cancel);
            }
        });
        observer.close(left_out.map_or(0, |rows| rows.load(Ordering::SeqCst)));
        self.conclude(&runner, worked, observer, results)
    }

    fn id(&self) -> &RunId {
        self.run.id()
    }

    fn runner(&self, cancel: &CancellationToken) -> Runner {
        self.run.limit_changes(self.plan.max_changes);
        let (ui, prints_to_stderr) = (self.app.ui.clone(), self.plan.rows.is_some() || self.plan.json);
        let stop = cancel.clone();
        Runner {
            script: self.script.clone(),
            journal: self.engine.journal.clone(),
            run: self.run.clone(),
            context: self.engine.context.clone(),
            runtime: self.engine.handle().clone(),
            again: self.again || self.plan.again,
            workflow: self.plan.rows.is_some().then(|| self.plan.workflow()),
            cancel: cancel.clone(),
            tally: Arc::new(Tally::default()),
            print: Arc::new(move |line: &str| {
                if prints_to_stderr {
                    ui.note(line);
                } else {
                    // Printing to a closed stdout could go on forever. The run can be resumed.
                    let is_lost = ui.out(line).is_err();
                    if (ui.is_closed() || is_lost) && !stop.is_cancelled() {
                        if !is_lost {
                            ui.note("the reader of standard output has closed it, so the script was stopped");
                        }
                        stop.cancel();
                    }
                }
            }),
        }
    }

    /// Puts the results in place, records the run's status, and shows what to do next.
    fn conclude(
        &self,
        runner: &Runner,
        (ended, counts): (RunEnd, RowCounts),
        observer: RowObserver,
        results: Option<Results>,
    ) -> Result<Exit, CommandError> {
        let journal = &self.engine.journal;
        if let RunEnd::JournalLost(reason) = ended {
            if let Err(taken_over) = self.run.check_owned() {
                return Err(CommandError::from(taken_over));
            }
            return Err(
                CommandError::new(Exit::Aborted, format!("the journal cannot be written: {reason}"))
                    .hint("nothing more was sent; free some space or repair the disk, then continue")
                    .hint(self.app.resume(self.id())),
            );
        }
        let record = journal.run(self.id())?;
        let status = ended.status(&counts, record.as_ref().is_none_or(|run| run.total.is_some()));
        let mut outcome = Outcome {
            counts,
            failures: observer.failures(),
            unread: record
                .is_some_and(|run| run.total.is_none())
                .then(|| counts.all()),
            ended,
            partial: None,
        };
        // If the process is killed from here on, a resume finds the run unfinished and writes the results again.
        self.app.kill_switch.pass(KillPoint::BeforeResults);
        let shown = self.show_results(&mut outcome, results);
        let reported = self.report_outcome(runner, &outcome, observer);
        self.app.kill_switch.pass(KillPoint::AfterResults);
        // A run whose results could not be put in place can be resumed.
        let status = shown.as_ref().map_or(RunStatus::Interrupted, |()| status);
        journal.set_run_status(&self.run, status)?;
        let exit = shown
            .map_err(|error| error.hint(format!("to continue: {}", self.app.resume(self.id()))))
            .and(reported)?;
        match self.app.ui.output_error() {
            Some(reason) => Err(stdout_error(reason)),
            None => Ok(exit),
        }
    }

    /// Leaves an existing results file untouched while rows could not be read or the run can be resumed: it may hold
    /// the only copy of some data.
    fn show_results(&self, outcome: &mut Outcome, results: Option<Results>) -> Result<(), CommandError> {
        let (journal, ui) = (&self.engine.journal, &self.app.ui);
        let Some(results) = results else { return Ok(()) };
        let leaves = match outcome.ended {
            RunEnd::Interrupted => !Sabotage::ResultsReplaced.is_on(),
            RunEnd::InputLost(_) => results.goes_to_file(),
            _ => false,
        };
        if leaves {
            outcome.partial = results.abandon()?;
            return Ok(());
        }
        for column in results.finish(self.id(), journal)? {
            ui.warn(&format!("--reveal {column}: no result has this column"));
        }
        Ok(())
    }
}

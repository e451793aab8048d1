//! Runs of scripts that a program starts, stops, awaits and resumes.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::session::is_session;
use super::{Error, Runtime};
use crate::bulk::input::{Cells, Input};
use crate::bulk::schedule::{self, Finished, RunEnd};
use crate::journal::{NewRun, RowCounts, RowFilter, RunId, RunLock, RunStatus};
use crate::run::Runner;
use crate::run::tally::Tally;
use crate::script::STACK_SIZE;
use crate::script::bundle::Bundle;
use crate::script::program::Script;
use crate::value::{Record, Value};

/// The number of rows of a run that are executed concurrently.
const JOBS: u16 = 8;

/// A run that is under way. It continues after this is dropped, as long as the process lives.
#[derive(Debug)]
pub struct Run {
    id: RunId,
    cancel: CancellationToken,
    ended: oneshot::Receiver<Result<Outcome, Error>>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The name of the run: `r7f3k`.
    pub run: String,
    /// Its status. [`Runtime::resume`] continues an interrupted or parked run; for a parked one it first looks up the
    /// steps in doubt.
    pub status: RunStatus,
    /// The number of rows by status. A run without rows counts as one.
    pub rows: RowCounts,
    /// The row of a run without rows.
    single: Option<Finished>,
}

impl Outcome {
    /// The outcome of a run with rows.
    pub(super) fn from_row_counts(id: &RunId, status: RunStatus, rows: RowCounts) -> Outcome {
        Outcome {
            run: id.to_string(),
            status,
            rows,
            single: None,
        }
    }

    /// Returns the row of a run without rows; `None` if it did not end.
    pub(crate) fn single(&self) -> Option<&Finished> {
        self.single.as_ref()
    }

    /// Returns what `main` returned in a run without rows: its map, or its value as `result`.
    ///
    /// Errors: the reason why the run is not done; a run with rows has no output of its own.
    pub fn output(&self) -> Result<&Record, Error> {
        let row = self.single.as_ref();
        match row {
            Some(row) if self.status == RunStatus::Done => Ok(&row.output),
            _ => {
                let reason = row.and_then(|row| row.error.clone());
                let reason =
                    reason.unwrap_or_else(|| format!("the run {} is {}", self.run, self.status.as_str()));
                Err(Error::NoResult(reason))
            }
        }
    }
}

impl Run {
    /// Returns the name for [`Runtime::resume`]: `r7f3k`.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Cancels the run: no new step begins, reads and waits end, and the outcome of what was sent is recorded.
    pub fn stop(&self) {
        self.cancel.cancel();
    }

    /// Returns the token whose cancellation does the same as [`Run::stop`], also while somebody waits for the run.
    pub(crate) fn stopper(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Blocks until the run has ended. Do not call it on a thread of an asynchronous runtime: see [`Run::ended`].
    ///
    /// Errors: the journal cannot be written. A script that fails is an [`Outcome`].
    pub fn wait(self) -> Result<Outcome, Error> {
        self.ended
            .blocking_recv()
            .unwrap_or_else(|_| Err(thread_ended_error()))
    }

    /// Waits asynchronously until the run has ended; returns the same as [`Run::wait`].
    pub async fn ended(self) -> Result<Outcome, Error> {
        self.ended.await.unwrap_or_else(|_| Err(thread_ended_error()))
    }
}

fn thread_ended_error() -> Error {
    Error::Setup("the run's thread ended unexpectedly; resume the run".to_owned())
}

impl Runtime {
    /// Starts a run: one call of the script's `main` with these parameters.
    ///
    /// Errors: a parameter is missing, unknown or invalid; the journal cannot be written; no thread can be started.
    pub fn start<K: Into<String>, V: Into<Value>>(
        &self,
        script: &Script,
        params: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Run, Error> {
        let params: Record = params
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        script.bind(&params).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Error::Parameters(errors.join("; "))
        })?;
        let input = Input::one(params.clone().into_iter().collect());
        let begun = self.begin(script, Value::Record(params), false)?;
        self.carry_out(script, begun, Some(input), |_| {})
    }

    /// Starts a run over rows: one call of `main` for each, several at once. What a row repeats with equal parameters,
    /// in this or another run of the script, is done once. `each` gets the ended rows, on a run thread.
    ///
    /// Errors: the journal cannot be written; no thread can be started. Errors of a row are in its outcome.
    pub fn start_rows(
        &self,
        script: &Script,
        rows: impl IntoIterator<Item = Record, IntoIter: Send + 'static>,
        each: impl FnMut(&Finished) + Send + 'static,
    ) -> Result<Run, Error> {
        let begun = self.begin(script, Value::Null, true)?;
        self.carry_out(script, begun, Some(input_of(rows)), each)
    }

    /// Resumes a run: recorded steps are answered from the journal, steps whose response was lost are looked up, and
    /// unfinished rows are executed. The run keeps the script that it was started with. The inputs of a
    /// [`Session`](super::Session) are not run again.
    ///
    /// Errors: the run does not exist, another process executes it, or it stopped before all its rows were recorded:
    /// see [`Runtime::resume_rows`].
    pub fn resume(&self, run: &str) -> Result<Run, Error> {
        self.continue_run(run, None, |_| {})
    }

    /// Resumes a run over rows, which may have stopped before it had recorded all of them. `rows` are all rows that it
    /// was started with, from the first one; those that are recorded are compared and skipped. If all of them were
    /// recorded, `rows` is not read. `each` gets the rows that end, on a run thread.
    ///
    /// Errors: as for [`Runtime::resume`]; the rows differ from the recorded ones.
    pub fn resume_rows(
        &self,
        run: &str,
        rows: impl IntoIterator<Item = Record, IntoIter: Send + 'static>,
        each: impl FnMut(&Finished) + Send + 'static,
    ) -> Result<Run, Error> {
        self.continue_run(run, Some(input_of(rows)), each)
    }

    fn continue_run(
        &self,
        run: &str,
        rows: Option<Input>,
        each: impl FnMut(&Finished) + Send + 'static,
    ) -> Result<Run, Error> {
        let id = RunId::new(run);
        let record = self
            .journal
            .run(&id)?
            .ok_or_else(|| Error::Setup(format!("there is no run `{run}`")))?;
        let lock = self.journal.lock_run(&id)?;
        if is_session(&record) {
            return self.settle(lock);
        }
        let imports = Bundle::imports_of(record.plan.as_record().and_then(|plan| plan.get("imports")));
        let bundle = Bundle::from_parts(self.journal.sources(&id)?, imports)
            .ok_or_else(|| Error::Setup(format!("the script of run `{run}` is no longer in the journal")))?;
        let script = Script::compile_recorded(self.host(), bundle)?;
        let input = match (record.total, record.has_rows, rows) {
            (Some(_), ..) => None,
            (None, false, _) => {
                let params = record.params.as_record().cloned().unwrap_or_default();
                Some(Input::one(params.into_iter().collect()))
            }
            (None, true, Some(rows)) => {
                let changed =
                    |reason| Error::Parameters(format!("these are not the rows of run `{run}`: {reason}"));
                Some(rows.skip_recorded(&self.journal, &id, &script).map_err(changed)?)
            }
            (None, true, None) => {
                return Err(Error::Setup(format!(
                    "the rows of run `{run}` were not all recorded; give them to `resume_rows`"
                )));
            }
        };
        let has_rows = record.has_rows;
        self.carry_out(
            &script,
            LockedRun {
                lock,
                has_rows,
                resumed: true,
            },
            input,
            each,
        )
    }

    fn begin(&self, script: &Script, params: Value, has_rows: bool) -> Result<LockedRun, Error> {
        let (sources, imports) = script.bundle().parts();
        let name = script.bundle().main().name.clone();
        let plan = Record::from([
            ("script".to_owned(), name.as_str().into()),
            ("imports".to_owned(), Bundle::imports_to_value(&imports)),
            ("jobs".to_owned(), Value::Int(JOBS.into())),
        ]);
        let lock = self.journal.begin_run(NewRun {
            name,
            sources,
            params,
            plan: Value::Record(plan),
            has_rows,
        })?;
        Ok(LockedRun {
            lock,
            has_rows,
            resumed: false,
        })
    }

    fn carry_out(
        &self,
        script: &Script,
        begun: LockedRun,
        input: Option<Input>,
        mut each: impl FnMut(&Finished) + Send + 'static,
    ) -> Result<Run, Error> {
        let (id, cancel) = (begun.lock.id().clone(), CancellationToken::new());
        let journal = self.journal.clone();
        journal.set_run_status(&begun.lock, RunStatus::Running)?;
        let runner = Runner {
            script: script.clone(),
            journal: journal.clone(),
            run: begun.lock,
            context: Arc::clone(&self.context),
            runtime: self.handle().clone(),
            again: false,
            workflow: begun.has_rows.then(|| script.bundle().main().name.clone()),
            cancel: cancel.clone(),
            tally: Arc::new(Tally::default()),
            print: Arc::clone(&self.print),
        };
        let plan = schedule::Plan {
            jobs: if begun.has_rows { JOBS.into() } else { 1 },
            stop_after: None,
            resumed: begun.resumed,
            before: journal.row_counts(&id)?,
            only: RowFilter::Unfinished,
            constants: Record::new(),
        };
        self.spawn(id, cancel, move || {
            let mut single = None;
            let (ended, counts) = schedule::work(&runner, &plan, input, &mut |row| {
                let Some(row) = row else { return };
                each(row);
                if !begun.has_rows {
                    single = Some(row.clone());
                }
            });
            conclude(&runner, begun.has_rows, ended, counts, single)
        })
    }

    /// Executes a run on a thread of its own. `work` owns the lock of the run: whoever gets the outcome may resume the
    /// run at once.
    pub(super) fn spawn(
        &self,
        id: RunId,
        cancel: CancellationToken,
        work: impl FnOnce() -> Result<Outcome, Error> + Send + 'static,
    ) -> Result<Run, Error> {
        let (sender, ended) = oneshot::channel();
        let executor = Arc::clone(&self.executor);
        std::thread::Builder::new()
            .name(format!("run {id}"))
            .stack_size(STACK_SIZE)
            .spawn(move || {
                let outcome = work();
                drop(executor);
                // The receiver may have been dropped.
                let _ = sender.send(outcome);
            })
            .map_err(|error| Error::Setup(format!("cannot start a thread: {error}")))?;
        Ok(Run { id, cancel, ended })
    }
}

fn input_of(rows: impl IntoIterator<Item = Record, IntoIter: Send + 'static>) -> Input {
    let cells = |row: Record| -> Cells { row.into_iter().collect() };
    Input::from_cells(rows.into_iter().map(cells))
}

/// A run that this process has locked.
struct LockedRun {
    lock: RunLock,
    has_rows: bool,
    resumed: bool,
}

/// Records how a run ended.
fn conclude(
    runner: &Runner,
    has_rows: bool,
    ended: RunEnd,
    rows: RowCounts,
    single: Option<Finished>,
) -> Result<Outcome, Error> {
    let (journal, id) = (&runner.journal, runner.run.id());
    match ended {
        RunEnd::JournalLost(reason) => {
            runner.run.check_owned()?;
            return Err(Error::Setup(format!("the journal cannot be written: {reason}")));
        }
        RunEnd::NoThreads(reason) => return Err(Error::Setup(format!("cannot start a thread: {reason}"))),
        RunEnd::InputLost(_) | RunEnd::Complete | RunEnd::Interrupted | RunEnd::StoppedAfterFailures => {}
    }
    let all_read = journal.run(id)?.is_some_and(|run| run.total.is_some());
    let status = ended.status(&rows, all_read);
    journal.set_run_status(&runner.run, status)?;
    journal.flush()?;
    let single = match single {
        None if !has_rows => Finished::recorded(journal, id)?,
        single => single,
    };
    Ok(Outcome {
        run: id.to_string(),
        status,
        rows,
        single,
    })
}

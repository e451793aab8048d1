//! Rows to calls of `main`: a queue in the journal, so many rows at once, and the rules for stopping.

mod bind;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, Scope, scope};
use std::time::Duration;

pub(super) use self::bind::arguments;
pub use self::bind::columns;
use super::input::{Cells, Input, Then, cells_of};
use crate::journal::{JournalError, NewRow, RowFilter, RowRecord, RowStatus};
use crate::run::{RowEnd, RowPlan, Runner};
use crate::script::STACK_SIZE;
use crate::script::error::Diagnostic;
use crate::value::{Record, Value};

/// How to work through the rows of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Rows at once.
    pub jobs: usize,
    /// Stop taking rows after so many failures.
    pub stop_after: Option<u64>,
    /// Is the run continued, so that rows may have steps already?
    pub resumed: bool,
    /// Which rows to take.
    pub only: RowFilter,
    /// Parameters that are the same for every row, where the row does not give them.
    pub constants: Record,
}

/// A row that has ended, or that never started.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The position in the input, from 0.
    pub position: u64,
    /// The input's cells.
    pub input: Cells,
    /// How it ended.
    pub status: RowStatus,
    /// What `main` returned, as columns.
    pub output: Record,
    /// What went wrong, in a line.
    pub error: Option<String>,
    /// The script error behind it, with its place; only in the process that ran the row.
    pub diagnostic: Option<Arc<Diagnostic>>,
}

/// Sees the rows as they end.
pub type Each<'a> = &'a mut dyn FnMut(Option<&Finished>);

/// How the work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// All rows were taken.
    Complete,
    /// The user interrupted it.
    Interrupted,
    /// Too many rows failed.
    StoppedAfterFailures,
    /// The journal could not be written.
    JournalLost(String),
    /// The input could not be read to its end.
    InputLost(String),
    /// The system gave no thread to run rows on.
    NoThreads(String),
}

/// Works through the rows: spools `input` (if any is left to read) into the journal, and runs every row the filter
/// takes. `each` sees every row as it ends, on the calling thread, and nothing when none has ended for a moment.
pub fn work(runner: &Runner, plan: &Plan, input: Option<Input>, each: Each<'_>) -> Ended {
    let desk = Desk::new(runner.clone(), plan.clone(), input.is_none());
    let (rows, queue) = sync_channel::<RowRecord>(plan.jobs * 2);
    let (done, ended) = sync_channel::<Finished>(plan.jobs * 4);
    // The workers alone hold the queue, so that nobody waits to feed it when they are gone.
    let queue = Arc::new(Mutex::new(queue));
    scope(|scope| {
        let started = desk.start(scope, input, rows, &queue, &done);
        drop((queue, done));
        if let Err(error) = started {
            desk.fail(Ended::NoThreads(error.to_string()));
        }
        desk.collect(&ended, each);
    });
    desk.ended()
}

/// Starts up to `most` workers, and says how many: fewer do as well. The error says why there is none.
fn start_workers(most: usize, mut start: impl FnMut() -> io::Result<()>) -> io::Result<usize> {
    for count in 0..most {
        match start() {
            Err(error) if count == 0 => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "only {count} of {most} rows at once: the system gives no more threads");
                return Ok(count);
            }
            Ok(()) => {}
        }
    }
    Ok(most)
}

/// What the threads of one piece of work share.
struct Desk {
    runner: Runner,
    plan: Plan,
    /// How many rows lie in the journal's queue, and whether no more will.
    spooled: Mutex<(u64, bool)>,
    more: Condvar,
    failures: AtomicU64,
    stop: AtomicBool,
    why: Mutex<Option<Ended>>,
}

/// How long nothing ends until that is told.
const MOMENT: Duration = Duration::from_millis(200);
/// Rows read from the journal at once.
const PAGE: usize = 128;
/// Rows written to the journal at once.
const BATCH: usize = 256;

impl Desk {
    fn new(runner: Runner, plan: Plan, all_spooled: bool) -> Desk {
        Desk {
            runner,
            plan,
            spooled: Mutex::new((0, all_spooled)),
            more: Condvar::new(),
            failures: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            why: Mutex::default(),
        }
    }

    /// Starts the threads: those that run rows, the one that feeds them, and the one that reads the input. On an error
    /// `rows` is let go, so that those that were started end.
    fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        input: Option<Input>,
        rows: SyncSender<RowRecord>,
        queue: &Arc<Mutex<Receiver<RowRecord>>>,
        done: &SyncSender<Finished>,
    ) -> io::Result<()> {
        start_workers(self.plan.jobs, || {
            let (queue, done) = (queue.clone(), done.clone());
            Builder::new()
                .stack_size(STACK_SIZE)
                .spawn_scoped(scope, move || self.run_rows(&queue, &done))
                .map(drop)
        })?;
        Builder::new().spawn_scoped(scope, move || self.feed(&rows))?;
        if let Some(input) = input {
            Builder::new().spawn_scoped(scope, move || self.spool(input))?;
        }
        Ok(())
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.runner.cancel.requested()
    }

    /// Ends the work: no more rows are taken.
    fn fail(&self, why: Ended) {
        self.note(why);
        self.stop.store(true, Ordering::SeqCst);
        self.more.notify_all();
    }

    /// The first reason counts.
    fn note(&self, why: Ended) {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(why);
    }

    fn ended(&self) -> Ended {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match why {
            Some(why) => why,
            None if self.runner.cancel.requested() => Ended::Interrupted,
            None => Ended::Complete,
        }
    }

    /// Reads the input into the journal's queue. Goes on when no more rows are started, so that a resume needs no file.
    fn spool(&self, mut input: Input) {
        loop {
            let sealer = self.runner.journal.sealer();
            let batch = input.batch(BATCH, &self.runner.script, sealer);
            let count = batch.rows.len() as u64;
            let total = (batch.then == Then::End).then(|| input.read());
            if let Err(error) = self.store(batch.rows, total) {
                return self.fail(Ended::JournalLost(error.to_string()));
            }
            let over = batch.then != Then::More;
            if let Then::Lost(why) = batch.then {
                // The rows before that place are good, and run.
                self.note(Ended::InputLost(why));
            }
            let mut spooled = self.spooled.lock().unwrap_or_else(PoisonError::into_inner);
            *spooled = (spooled.0 + count, over);
            self.more.notify_all();
            if over || (self.stopping() && input.endless()) {
                return;
            }
        }
    }

    fn store(&self, rows: Vec<NewRow>, total: Option<u64>) -> Result<(), JournalError> {
        let (journal, run) = (&self.runner.journal, self.runner.run.id());
        journal.spool_rows(run, rows)?;
        match total {
            Some(total) => journal.spool_complete(run, total),
            None => Ok(()),
        }
    }

    /// Hands rows from the journal's queue to the workers, in the order of the input.
    fn feed(&self, rows: &SyncSender<RowRecord>) {
        let mut after = None;
        while !self.stopping() {
            // Looked at before the page is read: what is spooled meanwhile is not waited for.
            let seen = *self.spooled.lock().unwrap_or_else(PoisonError::into_inner);
            let page = self
                .runner
                .journal
                .rows(self.runner.run.id(), after, PAGE, self.plan.only);
            let page = match page {
                Ok(page) => page,
                Err(error) => return self.fail(Ended::JournalLost(error.to_string())),
            };
            if page.is_empty() {
                if seen.1 {
                    return;
                }
                self.wait_for_rows(seen);
                continue;
            }
            for row in page {
                after = Some(row.position);
                if self.stopping() || rows.send(row).is_err() {
                    return;
                }
            }
        }
    }

    /// Waits until more is spooled than was seen; for a moment at most, as the wish to stop wakes nobody.
    fn wait_for_rows(&self, seen: (u64, bool)) {
        let spooled = self.spooled.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = Duration::from_millis(50);
        let same = |now: &mut (u64, bool)| *now == seen && !self.stopping();
        drop(self.more.wait_timeout_while(spooled, moment, same));
    }

    fn run_rows(&self, queue: &Mutex<Receiver<RowRecord>>, done: &SyncSender<Finished>) {
        loop {
            let row = {
                let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.recv()
            };
            let Ok(row) = row else { return };
            if self.stopping() {
                continue;
            }
            if let Some(finished) = self.run_row(row) {
                let failed = finished.status == RowStatus::Failed;
                if failed {
                    self.count_failure();
                }
                if done.send(finished).is_err() {
                    return;
                }
            }
        }
    }

    fn count_failure(&self) {
        let failures = self.failures.fetch_add(1, Ordering::SeqCst) + 1;
        if self.plan.stop_after.is_some_and(|most| failures >= most) {
            self.fail(Ended::StoppedAfterFailures);
        }
    }

    /// Runs one row and records its end; `None` when it was interrupted and stays open.
    fn run_row(&self, row: RowRecord) -> Option<Finished> {
        let before = row.status;
        let (input, args) = match arguments(&self.runner.script, &self.plan.constants, &row) {
            Ok(bound) => bound,
            Err((input, why)) => {
                let mut finished = Finished::new(row.position, input, RowStatus::Failed);
                finished.error = Some(why);
                return self.record(finished);
            }
        };
        let end = self.runner.row(&RowPlan {
            position: row.position,
            scope: row.scope,
            args,
            resumed: self.plan.resumed,
        });
        let mut finished = Finished::new(row.position, input, RowStatus::Failed);
        match end {
            RowEnd::Done(value) => {
                finished.status = RowStatus::Done;
                finished.output = columns(value);
            }
            RowEnd::Failed(diagnostic) => {
                finished.error = Some(diagnostic.summary_with_repair());
                finished.diagnostic = Some(Arc::from(diagnostic));
            }
            RowEnd::Parked { step, why } => {
                finished.status = RowStatus::Parked;
                finished.error = Some(format!("in doubt: {why} (step {step})"));
            }
            RowEnd::Bug(what) => finished.error = Some(format!("a fault of provisor: {what}")),
            RowEnd::Interrupted => {
                // A parked row has more to tell.
                if before != RowStatus::Parked {
                    finished.status = RowStatus::Interrupted;
                    self.record(finished);
                }
                return None;
            }
            RowEnd::JournalLost(why) => {
                self.fail(Ended::JournalLost(why));
                return None;
            }
        }
        self.record(finished)
    }

    fn record(&self, finished: Finished) -> Option<Finished> {
        let recorded = self.runner.journal.finish_row(
            self.runner.run.id(),
            finished.position,
            finished.status,
            Some(&Value::Record(finished.output.clone())),
            finished.error.as_deref().map(Value::from).as_ref(),
        );
        if let Err(error) = recorded {
            self.fail(Ended::JournalLost(error.to_string()));
            return None;
        }
        Some(finished)
    }

    fn collect(&self, ended: &Receiver<Finished>, each: Each<'_>) {
        loop {
            match ended.recv_timeout(MOMENT) {
                Ok(finished) => each(Some(&finished)),
                Err(RecvTimeoutError::Timeout) => each(None),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // Whatever rode with a later commit is on disk before anybody is told that the work ended.
        if let Err(error) = self.runner.journal.flush() {
            self.fail(Ended::JournalLost(error.to_string()));
        }
    }
}

impl Finished {
    fn new(position: u64, input: Cells, status: RowStatus) -> Finished {
        Finished {
            position,
            input,
            status,
            output: Record::new(),
            error: None,
            diagnostic: None,
        }
    }
}

/// A row that ended in another process.
impl From<RowRecord> for Finished {
    fn from(row: RowRecord) -> Finished {
        let error = row.error.as_ref().and_then(Value::as_text).map(str::to_owned);
        Finished {
            output: row.output.map(columns).unwrap_or_default(),
            error,
            ..Finished::new(row.position, cells_of(&row.input), row.status)
        }
    }
}

#[cfg(test)]
mod tests;

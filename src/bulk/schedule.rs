//! Schedules rows as calls of `main`: workers that take rows from the journal, and the rules for stopping.

mod bind;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::{Builder, Scope, scope};
use std::time::Duration;

pub(super) use self::bind::arguments;
pub(crate) use self::bind::columns;
use super::input::{AfterBatch, Cells, Input, cells_of};
use crate::journal::{
    Journal, JournalError, NewRow, RowCounts, RowFilter, RowRecord, RowStatus, RunId, RunStatus, StepFilter,
};
use crate::run::{RowPlan, Runner};
use crate::script::STACK_SIZE;
use crate::script::error::Diagnostic;
use crate::script::host_calls::Stop;
use crate::script::memory::OUT_OF_MEMORY;
use crate::script::program::ScriptEnd;
use crate::value::{Record, Value};

/// How to process the rows of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The number of concurrent rows.
    pub jobs: usize,
    /// Take no more rows after this many failures.
    pub stop_after: Option<u64>,
    /// Whether the run is resumed, so that rows may already have steps.
    pub resumed: bool,
    /// The counts of the rows that the journal already has.
    pub before: RowCounts,
    /// Which rows to take.
    pub only: RowFilter,
    /// Parameters shared by all rows, used where the row does not give them.
    pub constants: Record,
}

/// A row that has ended, or that never started.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The position in the input, from 0.
    pub position: u64,
    /// The cells of the input.
    pub input: Cells,
    /// Its final status.
    pub status: RowStatus,
    /// What `main` returned, as columns.
    pub output: Record,
    /// The error, in one line.
    pub error: Option<String>,
    /// The script error behind it, with its location; only in the process that ran the row.
    pub diagnostic: Option<Arc<Diagnostic>>,
    /// Whether the row cannot be read or its cells do not fit the parameters. It then fails every time it is retried.
    pub invalid: bool,
}

/// A callback that receives the rows as they end.
pub(crate) type RowCallback<'a> = &'a mut dyn FnMut(Option<&Finished>);

/// How processing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// All rows were taken.
    Complete,
    /// The user interrupted the run.
    Interrupted,
    /// Too many rows failed.
    StoppedAfterFailures,
    /// The journal could not be written.
    JournalLost(String),
    /// The input could not be read to its end.
    InputLost(String),
    /// No thread could be started to run rows on.
    NoThreads(String),
}

impl RunEnd {
    /// Returns the status of a run with these row counts. `all_read`: every row of the input is recorded.
    pub(crate) fn status(&self, rows: &RowCounts, all_read: bool) -> RunStatus {
        let has = |statuses: &[RowStatus]| statuses.iter().any(|status| rows.of(*status) > 0);
        let open = [RowStatus::Interrupted, RowStatus::Queued, RowStatus::Skipped];
        match self {
            RunEnd::Complete if has(&open) || !all_read => RunStatus::Interrupted,
            RunEnd::Complete if has(&[RowStatus::Parked]) => RunStatus::Parked,
            RunEnd::Complete if has(&[RowStatus::Failed]) => RunStatus::Failed,
            RunEnd::Complete => RunStatus::Done,
            _ => RunStatus::Interrupted,
        }
    }
}

/// Processes the rows: spools the rest of `input`, if any, into the journal, and runs every row selected by the filter.
/// `each` is called on the calling thread for every row that ends, and with `None` when none has ended for a moment.
/// Also returns the final row counts: counted here, as counting them in the journal takes longer the more rows there
/// are, and a user who interrupts a run waits for it.
pub(crate) fn work(
    runner: &Runner,
    plan: &Plan,
    input: Option<Input>,
    each: RowCallback<'_>,
) -> (RunEnd, RowCounts) {
    let scheduler = Scheduler::new(runner.clone(), plan.clone(), input.is_none());
    scheduler.run_together(input, each);
    let suspects = std::mem::take(&mut *lock(&scheduler.suspects));
    scheduler.run_alone(&suspects, each);
    scheduler.run_memory_retries(each);
    // Everything due with a later commit must be on disk before the end is reported.
    if let Err(error) = runner.journal.flush() {
        scheduler.fail(RunEnd::JournalLost(error.to_string()));
    }
    (scheduler.ended(), *scheduler.counts())
}

/// Starts up to `limit` workers and returns their number; fewer are accepted. Fails if none could be started.
fn start_workers(limit: usize, mut start: impl FnMut() -> io::Result<()>) -> io::Result<usize> {
    for count in 0..limit {
        match start() {
            Err(error) if count == 0 => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "only {count} of {limit} rows at once: the system allows no more threads");
                return Ok(count);
            }
            Ok(()) => {}
        }
    }
    Ok(limit)
}

/// The state shared by the threads of a run.
struct Scheduler {
    runner: Runner,
    plan: Plan,
    queue: Mutex<Queue>,
    /// Whether the whole input is in the journal.
    is_read: AtomicBool,
    /// Read by each row that runs beside others, so that whoever writes waits until they have ended.
    running: RwLock<()>,
    /// Rows that may have killed earlier processes. They run alone, after the others.
    suspects: Mutex<Vec<u64>>,
    /// Rows that exceeded the memory limit beside others. They share it, so these run again alone, after the others.
    memory_retries: Mutex<Vec<u64>>,
    /// Whether only those are left.
    serial: AtomicBool,
    failures: AtomicU64,
    /// The rows of the run by status.
    counts: Mutex<RowCounts>,
    stop: AtomicBool,
    reason: Mutex<Option<RunEnd>>,
}

/// The rows that this process has taken from the journal and not begun. The worker that finds none takes the next.
struct Queue {
    rows: VecDeque<RowRecord>,
    /// The position of the last row taken.
    after: Option<u64>,
    /// Signals that there are more rows in the journal, and closes when they are all there.
    more: Receiver<()>,
    /// Whether all rows are in the journal.
    is_complete: bool,
    /// The number of rows that had exceeded the memory limit when a row was last begun.
    deferred: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long no row may end before `each` is called without one.
const MOMENT: Duration = Duration::from_millis(200);
/// Rows that are taken from the journal at once.
const PAGE: usize = 128;
/// Rows per write to the journal.
const BATCH: usize = 256;
/// The number of process deaths during a row after which it runs alone, after the others.
const SUSPECT_CRASHES: u64 = 2;
/// The number of process deaths during a row's script, alone at the last one, after which it is not run again.
const MAX_CRASHES: u64 = 3;
/// The polling interval of waits that a cancellation does not wake.
const WAIT: Duration = Duration::from_millis(50);

impl Scheduler {
    fn new(runner: Runner, plan: Plan, is_read: bool) -> Scheduler {
        Scheduler {
            queue: Mutex::new(Queue {
                rows: VecDeque::new(),
                after: None,
                more: sync_channel(1).1,
                is_complete: is_read,
                deferred: 0,
            }),
            is_read: AtomicBool::new(is_read),
            running: RwLock::default(),
            suspects: Mutex::default(),
            memory_retries: Mutex::default(),
            serial: AtomicBool::new(false),
            counts: Mutex::new(plan.before),
            runner,
            plan,
            failures: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            reason: Mutex::default(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, RowCounts> {
        lock(&self.counts)
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.runner.cancel.is_cancelled()
    }

    /// Stops processing: no more rows are taken.
    fn fail(&self, reason: RunEnd) {
        self.note(reason);
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Records the reason; the first one counts.
    fn note(&self, reason: RunEnd) {
        lock(&self.reason).get_or_insert(reason);
    }

    fn ended(&self) -> RunEnd {
        let reason = lock(&self.reason).clone();
        match reason {
            Some(reason) => reason,
            None if self.runner.cancel.is_cancelled() && !self.is_all_done() => RunEnd::Interrupted,
            None => RunEnd::Complete,
        }
    }

    /// Whether every row of the whole input has ended for good, although the run was cancelled.
    fn is_all_done(&self) -> bool {
        let counts = self.counts();
        self.is_read.load(Ordering::SeqCst)
            && counts.all() > 0
            && counts.of(RowStatus::Done) + counts.of(RowStatus::Failed) == counts.all()
    }

    /// Reads the input into the journal until no more rows are started; a resume continues from there. `more` signals
    /// each time that there are more rows.
    fn spool(&self, mut input: Input, more: &SyncSender<()>) {
        loop {
            let batch = input.batch(BATCH, &self.runner.script);
            let count = batch.rows.len() as u64;
            let total = (batch.then == AfterBatch::End).then(|| input.taken());
            if let Err(error) = self.store(batch.rows, total) {
                return self.fail(RunEnd::JournalLost(error.to_string()));
            }
            self.counts().add(RowStatus::Queued, count);
            let is_last = batch.then != AfterBatch::More;
            if let AfterBatch::ReadFailed(reason) = batch.then {
                // The rows before the error are good and are run.
                self.note(RunEnd::InputLost(reason));
            }
            self.is_read.store(is_last, Ordering::SeqCst);
            // If it is full, whoever waits is woken already.
            let _ = more.try_send(());
            if is_last || self.stopping() {
                return;
            }
        }
    }

    fn store(&self, rows: Vec<NewRow>, total: Option<u64>) -> Result<(), JournalError> {
        let (journal, run) = (&self.runner.journal, &self.runner.run);
        journal.spool_rows(run, rows)?;
        match total {
            Some(total) => journal.spool_complete(run, total),
            None => Ok(()),
        }
    }

    /// Runs rows side by side, in the order of the input, until none are left. Rows that may have killed the process, and
    /// those that exceed the memory limit, are left for later.
    ///
    /// Open steps are not settled beforehand: a step keeps just a digest of its request, so only the script knows what
    /// to look up. The effect is the same: a row is answered from the journal up to its open step, which it settles
    /// first. After an edit of the script, another change of the operation
    /// [is refused](crate::journal::RowJournal::step) while that step is open. A row that dies earlier is
    /// [given up](Scheduler::abandon_row) and parks.
    fn run_together(&self, input: Option<Input>, each: RowCallback<'_>) {
        let (done, ended) = sync_channel(self.plan.jobs * 4);
        scope(|scope| {
            let started = self.start(scope, input, &done);
            drop(done);
            if let Err(error) = started {
                self.fail(RunEnd::NoThreads(error.to_string()));
            }
            collect(&ended, each);
        });
    }

    /// Starts the threads that run rows and read the input.
    fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        input: Option<Input>,
        done: &SyncSender<Finished>,
    ) -> io::Result<()> {
        let (more, signalled) = sync_channel(1);
        lock(&self.queue).more = signalled;
        start_workers(self.plan.jobs, || {
            let done = done.clone();
            Builder::new()
                .stack_size(STACK_SIZE)
                .spawn_scoped(scope, move || self.run_rows(&done))
                .map(drop)
        })?;
        if let Some(input) = input {
            Builder::new().spawn_scoped(scope, move || self.spool(input, &more))?;
        }
        Ok(())
    }

    fn run_rows(&self, done: &SyncSender<Finished>) {
        while let Some((row, running)) = self.next_row() {
            let finished = self.run_row(row);
            drop(running);
            if !self.report(finished, done) {
                return;
            }
        }
    }

    /// Counts a failed row, and reports the end of a row. Returns `false` if nobody takes the report.
    fn report(&self, finished: Option<Finished>, done: &SyncSender<Finished>) -> bool {
        let Some(finished) = finished else { return true };
        if finished.status == RowStatus::Failed {
            self.count_failure();
        }
        done.send(finished).is_ok()
    }

    /// Returns the next row to run, and what shows that it runs. Waits until there is one; `None` if there is none left,
    /// or no more are to be started.
    fn next_row(&self) -> Option<(RowRecord, RwLockReadGuard<'_, ()>)> {
        let mut queue = lock(&self.queue);
        loop {
            if self.stopping() {
                return None;
            }
            // Scripts that run at once count memory from a common start. Without any, the next one begins anew, so
            // that what the process itself keeps does not count for ever.
            let deferred = lock(&self.memory_retries).len();
            if std::mem::replace(&mut queue.deferred, deferred) < deferred {
                drop(self.running.write().unwrap_or_else(PoisonError::into_inner));
            }
            if let Some(row) = queue.rows.pop_front() {
                return Some((row, self.running.read().unwrap_or_else(PoisonError::into_inner)));
            }
            self.claim(&mut queue)?;
        }
    }

    /// Takes more rows from the journal, or waits for them. `None` if there are none left.
    fn claim(&self, queue: &mut Queue) -> Option<()> {
        // Before the claim: rows that are recorded after it must not be missed.
        let is_complete = queue.is_complete;
        let (journal, run) = (&self.runner.journal, &self.runner.run);
        let rows = match journal.claim_rows(run, queue.after, PAGE, self.plan.only) {
            Ok(rows) => rows,
            Err(error) => {
                self.fail(RunEnd::JournalLost(error.to_string()));
                return None;
            }
        };
        if let Some(last) = rows.last() {
            queue.after = Some(last.position);
            let (suspects, rows): (Vec<_>, Vec<_>) = rows
                .into_iter()
                .partition(|row| row.crashes.all >= SUSPECT_CRASHES);
            lock(&self.suspects).extend(suspects.iter().map(|row| row.position));
            queue.rows.extend(rows);
            return Some(());
        }
        if is_complete {
            return None;
        }
        // A cancellation does not signal.
        while !self.stopping() {
            match queue.more.recv_timeout(WAIT) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    queue.is_complete = true;
                    break;
                }
            }
        }
        Some(())
    }

    /// Runs the rows that exceeded the memory limit beside others. Each finds what it recorded before.
    fn run_memory_retries(&self, each: RowCallback<'_>) {
        let memory_retries = std::mem::take(&mut *lock(&self.memory_retries));
        if memory_retries.is_empty() {
            return;
        }
        if let Err(error) = self.runner.journal.flush() {
            return self.fail(RunEnd::JournalLost(error.to_string()));
        }
        self.serial.store(true, Ordering::SeqCst);
        self.run_alone(&memory_retries, each);
    }

    /// Runs rows that were taken before, one after the other.
    fn run_alone(&self, positions: &[u64], each: RowCallback<'_>) {
        if positions.is_empty() || self.stopping() {
            return;
        }
        let (done, ended) = sync_channel(1);
        scope(|scope| {
            let worker = Builder::new().stack_size(STACK_SIZE);
            let started = worker.spawn_scoped(scope, move || {
                for position in positions {
                    if self.stopping() || !self.run_one(*position, &done) {
                        return;
                    }
                }
            });
            if let Err(error) = started {
                self.fail(RunEnd::NoThreads(error.to_string()));
            }
            collect(&ended, each);
        });
    }

    fn run_one(&self, position: u64, done: &SyncSender<Finished>) -> bool {
        let (journal, run) = (&self.runner.journal, self.runner.run.id());
        let page = match journal.rows(run, position.checked_sub(1), 1, self.plan.only) {
            Ok(page) => page,
            Err(error) => {
                self.fail(RunEnd::JournalLost(error.to_string()));
                return false;
            }
        };
        match page.into_iter().find(|row| row.position == position) {
            Some(row) => self.report(self.run_row(row), done),
            None => true,
        }
    }

    /// Whether a row that exceeded the memory limit runs again alone: if others ran beside it, and it is not the failure
    /// after which the run stops.
    fn defers_for_memory(&self, position: u64) -> bool {
        if self.plan.jobs == 1 || self.serial.load(Ordering::SeqCst) {
            return false;
        }
        let mut memory_retries = lock(&self.memory_retries);
        let failures = self.failures.load(Ordering::SeqCst) + memory_retries.len() as u64 + 1;
        let stops = self.plan.stop_after.is_some_and(|limit| failures >= limit);
        if !stops {
            memory_retries.push(position);
        }
        !stops
    }

    fn count_failure(&self) {
        let failures = self.failures.fetch_add(1, Ordering::SeqCst) + 1;
        if self.plan.stop_after.is_some_and(|limit| failures >= limit) {
            self.fail(RunEnd::StoppedAfterFailures);
        }
    }

    /// Runs one row and records its end. Returns `None` if it was interrupted and stays open.
    fn run_row(&self, row: RowRecord) -> Option<Finished> {
        if row.crashes.computing >= MAX_CRASHES {
            return self.abandon_row(&row);
        }
        let before = row.status;
        let (input, args) = match arguments(&self.runner.script, &self.plan.constants, &row) {
            Ok(bound) => bound,
            Err((input, reason)) => {
                let mut finished = Finished::new(row.position, input, RowStatus::Failed);
                finished.error = Some(reason);
                finished.invalid = true;
                return self.record(before, finished);
            }
        };
        let end = self.runner.row(&RowPlan {
            position: row.position,
            scope: row.scope,
            repeat: row.repeat,
            args,
            // Steps that a row recorded before it exceeded the memory limit are not made again.
            resumed: self.plan.resumed || self.serial.load(Ordering::SeqCst),
        });
        let mut finished = Finished::new(row.position, input, RowStatus::Failed);
        match end {
            Ok(value) => {
                finished.status = RowStatus::Done;
                finished.output = columns(value);
            }
            Err(ScriptEnd::Failed(diagnostic))
                if diagnostic.kind == OUT_OF_MEMORY && self.defers_for_memory(row.position) =>
            {
                return None;
            }
            Err(ScriptEnd::Failed(diagnostic)) => {
                finished.error = Some(diagnostic.summary_with_repair());
                finished.diagnostic = Some(Arc::from(diagnostic));
            }
            Err(ScriptEnd::Stopped(Stop::InDoubt { step, reason })) => {
                finished.status = RowStatus::Parked;
                finished.error = Some(format!("in doubt: {reason} (step {step})"));
            }
            Err(ScriptEnd::Bug(what)) => finished.error = Some(format!("a bug in provisor: {what}")),
            Err(ScriptEnd::Stopped(Stop::Cancelled)) => {
                // A parked row's record is more informative.
                if before != RowStatus::Parked {
                    finished.status = RowStatus::Interrupted;
                    self.record(before, finished);
                }
                return None;
            }
            Err(ScriptEnd::Stopped(Stop::JournalLost(reason))) => {
                self.fail(RunEnd::JournalLost(reason));
                return None;
            }
        }
        self.record(before, finished)
    }

    /// Ends a row that kills the process whenever it runs. If one of its steps is open, a person must check it first.
    fn abandon_row(&self, row: &RowRecord) -> Option<Finished> {
        let of_row = StepFilter::Row(row.position);
        let steps = match self.runner.journal.steps(self.runner.run.id(), &of_row) {
            Ok(steps) => steps,
            Err(error) => {
                self.fail(RunEnd::JournalLost(error.to_string()));
                return None;
            }
        };
        let reason = format!(
            "the process died {} times while the script of this row was running, the last time alone",
            row.crashes.computing
        );
        let mut finished = Finished::new(row.position, cells_of(&row.input), RowStatus::Failed);
        finished.error = Some(match steps.iter().find(|step| step.state.is_open()) {
            Some(open) => {
                finished.status = RowStatus::Parked;
                format!("in doubt: {reason} (step {})", open.key)
            }
            None => {
                format!("{reason}; fix the script, then retry the row with --retry-failed --with-current")
            }
        });
        self.record(row.status, finished)
    }

    fn record(&self, before: RowStatus, finished: Finished) -> Option<Finished> {
        let recorded = self.runner.journal.finish_row(
            &self.runner.run,
            finished.position,
            finished.status,
            Some(&Value::Record(finished.output.clone())),
            finished.error.as_deref().map(Value::from).as_ref(),
        );
        if let Err(error) = recorded {
            self.fail(RunEnd::JournalLost(error.to_string()));
            return None;
        }
        self.counts().change(before, finished.status);
        Some(finished)
    }
}

/// Passes on the rows as they end, until no more can.
fn collect(ended: &Receiver<Finished>, each: RowCallback<'_>) {
    loop {
        match ended.recv_timeout(MOMENT) {
            Ok(finished) => each(Some(&finished)),
            Err(RecvTimeoutError::Timeout) => each(None),
            Err(RecvTimeoutError::Disconnected) => return,
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
            invalid: false,
        }
    }

    /// Returns the row of a run without rows, if it ended in another process.
    pub fn recorded(journal: &Journal, run: &RunId) -> Result<Option<Finished>, JournalError> {
        let rows = journal.rows(run, None, 1, RowFilter::All)?.into_iter();
        let mut ended = rows.filter(|row| matches!(row.status, RowStatus::Done | RowStatus::Failed));
        Ok(ended.next().map(Finished::from))
    }
}

/// Converts a row that ended in another process.
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

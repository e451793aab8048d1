//! Schedules rows as calls of `main`: a queue in the journal, a number of concurrent rows, and the rules for stopping.

mod bind;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
    let (rows, queue) = sync_channel::<RowRecord>(plan.jobs * 2);
    let (done, ended) = sync_channel::<Finished>(plan.jobs * 4);
    // Only the workers hold the queue, so feeding it fails instead of blocking once they are gone.
    let queue = Arc::new(Mutex::new(queue));
    scope(|scope| {
        let started = scheduler.start(scope, input, rows, &queue, &done);
        drop((queue, done));
        if let Err(error) = started {
            scheduler.fail(RunEnd::NoThreads(error.to_string()));
        }
        scheduler.collect(&ended, each);
    });
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
    /// The number of rows in the journal's queue, and whether it is complete.
    spooled: Mutex<(u64, bool)>,
    more: Condvar,
    /// Rows that exceeded the memory limit beside others. They share it, so these run again alone, after the others.
    memory_retries: Mutex<Vec<u64>>,
    /// Whether only those are left.
    serial: AtomicBool,
    /// Rows handed to the workers that have not ended.
    rows_in_flight: Mutex<u64>,
    one_ended: Condvar,
    failures: AtomicU64,
    /// The rows of the run by status.
    counts: Mutex<RowCounts>,
    stop: AtomicBool,
    reason: Mutex<Option<RunEnd>>,
}

/// A row that was handed out, until it ends: even if its worker panics, nobody waits for it.
struct RowEndGuard<'a>(&'a Scheduler);

impl Drop for RowEndGuard<'_> {
    fn drop(&mut self) {
        *self
            .0
            .rows_in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.one_ended.notify_all();
    }
}

/// How long no row may end before `each` is called without one.
const MOMENT: Duration = Duration::from_millis(200);
/// Rows per read from the journal.
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
    fn new(runner: Runner, plan: Plan, all_spooled: bool) -> Scheduler {
        Scheduler {
            memory_retries: Mutex::default(),
            serial: AtomicBool::new(false),
            rows_in_flight: Mutex::default(),
            one_ended: Condvar::new(),
            counts: Mutex::new(plan.before),
            runner,
            plan,
            spooled: Mutex::new((0, all_spooled)),
            more: Condvar::new(),
            failures: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            reason: Mutex::default(),
        }
    }

    /// Starts the threads that run rows, feed them, and read the input. On an error `rows` is dropped, so that the
    /// threads already started end.
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

    fn counts(&self) -> MutexGuard<'_, RowCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.runner.cancel.is_cancelled()
    }

    /// Stops processing: no more rows are taken.
    fn fail(&self, reason: RunEnd) {
        self.note(reason);
        self.stop.store(true, Ordering::SeqCst);
        self.more.notify_all();
    }

    /// Records the reason; the first one counts.
    fn note(&self, reason: RunEnd) {
        self.reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason);
    }

    fn ended(&self) -> RunEnd {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match reason {
            Some(reason) => reason,
            None if self.runner.cancel.is_cancelled() && !self.is_all_done() => RunEnd::Interrupted,
            None => RunEnd::Complete,
        }
    }

    /// Whether every row of the whole input has ended for good, although the run was cancelled.
    fn is_all_done(&self) -> bool {
        let is_read = self.spooled.lock().unwrap_or_else(PoisonError::into_inner).1;
        let counts = self.counts();
        is_read
            && counts.all() > 0
            && counts.of(RowStatus::Done) + counts.of(RowStatus::Failed) == counts.all()
    }

    /// Reads the input into the journal's queue until no more rows are started; a resume continues from there.
    fn spool(&self, mut input: Input) {
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
            let mut spooled = self.spooled.lock().unwrap_or_else(PoisonError::into_inner);
            *spooled = (spooled.0 + count, is_last);
            self.more.notify_all();
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

    /// Hands rows from the journal's queue to the workers, in input order. Rows that may have killed the process, and
    /// those that exceeded the memory limit, come last, one at a time.
    ///
    /// Open steps are not settled beforehand: a step keeps just a digest of its request, so only the script knows what
    /// to look up. The effect is the same: a row is answered from the journal up to its open step, which it settles
    /// first. After an edit of the script, another change of the operation
    /// [is refused](crate::journal::RowJournal::step) while that step is open. A row that dies earlier is
    /// [given up](Scheduler::give_up) and parks.
    fn feed(&self, rows: &SyncSender<RowRecord>) {
        let mut suspects = Vec::new();
        let mut after = None;
        let mut deferred = 0;
        while !self.stopping() {
            // Read before the page: rows spooled after that must not be waited for.
            let spooled_before = *self.spooled.lock().unwrap_or_else(PoisonError::into_inner);
            let page = self
                .runner
                .journal
                .rows(self.runner.run.id(), after, PAGE, self.plan.only);
            let page = match page {
                Ok(page) => page,
                Err(error) => return self.fail(RunEnd::JournalLost(error.to_string())),
            };
            if page.is_empty() {
                if spooled_before.1 {
                    self.feed_alone(rows, &suspects);
                    self.wait_until_all_ended();
                    return self.feed_memory_retries(rows);
                }
                self.wait_for_rows(spooled_before);
                continue;
            }
            for row in page {
                after = Some(row.position);
                // Scripts that run at once count memory from a common start. Without any, the next one begins anew, so
                // that what the process itself keeps does not count for ever.
                let retries = self.memory_retries().len();
                if std::mem::replace(&mut deferred, retries) < retries {
                    self.wait_until_all_ended();
                }
                if row.crashes.all >= SUSPECT_CRASHES {
                    suspects.push(row.position);
                } else if !self.send_to_workers(rows, row) {
                    return;
                }
            }
        }
    }

    /// Hands out the rows that exceeded the memory limit beside others, one at a time. Each finds what it recorded before.
    fn feed_memory_retries(&self, rows: &SyncSender<RowRecord>) {
        let memory_retries = std::mem::take(&mut *self.memory_retries());
        if memory_retries.is_empty() {
            return;
        }
        if let Err(error) = self.runner.journal.flush() {
            return self.fail(RunEnd::JournalLost(error.to_string()));
        }
        self.serial.store(true, Ordering::SeqCst);
        self.feed_alone(rows, &memory_retries);
    }

    fn feed_alone(&self, rows: &SyncSender<RowRecord>, positions: &[u64]) {
        let (journal, run) = (&self.runner.journal, self.runner.run.id());
        for position in positions {
            self.wait_until_all_ended();
            let page = match journal.rows(run, position.checked_sub(1), 1, self.plan.only) {
                Ok(page) => page,
                Err(error) => return self.fail(RunEnd::JournalLost(error.to_string())),
            };
            let row = page.into_iter().find(|row| row.position == *position);
            if row.is_some_and(|row| !self.send_to_workers(rows, row)) {
                return;
            }
        }
    }

    /// Hands a row to the workers; returns `false` if they take no more.
    fn send_to_workers(&self, rows: &SyncSender<RowRecord>, row: RowRecord) -> bool {
        if self.stopping() {
            return false;
        }
        *self.rows_in_flight.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        rows.send(row).is_ok()
    }

    fn memory_retries(&self) -> MutexGuard<'_, Vec<u64>> {
        self.memory_retries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until_all_ended(&self) {
        let mut rows_in_flight = self.rows_in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        while *rows_in_flight > 0 && !self.stopping() {
            // A cancellation wakes no waiter.
            let waited = self.one_ended.wait_timeout(rows_in_flight, WAIT);
            rows_in_flight = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until more rows are spooled than in `spooled_before`, but only briefly, as a cancellation wakes no waiter.
    fn wait_for_rows(&self, spooled_before: (u64, bool)) {
        let spooled = self.spooled.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |now: &mut (u64, bool)| *now == spooled_before && !self.stopping();
        drop(self.more.wait_timeout_while(spooled, WAIT, same));
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
            let ending = RowEndGuard(self);
            let finished = self.run_row(row);
            drop(ending);
            if let Some(finished) = finished {
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

    /// Whether a row that exceeded the memory limit runs again alone: if others ran beside it, and it is not the failure
    /// after which the run stops.
    fn defers_for_memory(&self, position: u64) -> bool {
        if self.plan.jobs == 1 || self.serial.load(Ordering::SeqCst) {
            return false;
        }
        let mut memory_retries = self.memory_retries();
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

    fn collect(&self, ended: &Receiver<Finished>, each: RowCallback<'_>) {
        loop {
            match ended.recv_timeout(MOMENT) {
                Ok(finished) => each(Some(&finished)),
                Err(RecvTimeoutError::Timeout) => each(None),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // Everything due with a later commit must be on disk before the end is reported.
        if let Err(error) = self.runner.journal.flush() {
            self.fail(RunEnd::JournalLost(error.to_string()));
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

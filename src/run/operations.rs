//! Handles the operation calls of one row: turns each call into a recorded step and applies the rules for stopping.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Runner;
use super::read_only::ReadOnlyOperations;
use crate::journal::{RowInProgress, RowJournal};
use crate::operation::call::Call;
use crate::operation::perform::{Performed, perform};
use crate::script::host_calls::{CallError, CallRequest, Operations, Stop};
use crate::value::Value;

/// How long a script may run without calling an operation after the run is cancelled: time to return.
const MAX_IDLE: Duration = Duration::from_millis(100);

/// Keeps the first reason to stop in `stop`, which every later call returns as well.
pub(super) fn call_error(stop: &OnceLock<Stop>, error: impl Into<CallError>) -> CallError {
    match error.into() {
        CallError::Stopped(reason) => CallError::Stopped(stop.get_or_init(|| reason).clone()),
        failed @ (CallError::Failed(_) | CallError::Thrown(_)) => failed,
    }
}

/// The calls of one row.
pub(crate) struct RowOperations {
    runner: Runner,
    row: RowJournal,
    /// Marks the row as under way for the next process, in case this one dies.
    under_way: RowInProgress,
    /// The reason the row stopped; set once.
    stop: OnceLock<Stop>,
    started: Instant,
    /// When the last operation ended, in milliseconds after `started`.
    last: AtomicU64,
}

impl RowOperations {
    pub(super) fn new(runner: Runner, row: RowJournal, position: u64) -> RowOperations {
        RowOperations {
            under_way: runner.run.begin_row(position),
            runner,
            row,
            stop: OnceLock::new(),
            started: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// Returns why the row stopped, if the script did not end by itself.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.stop.get().cloned()
    }

    /// Returns the key and operation of the first step in doubt that the script has not requested.
    pub(super) fn left_open(&self) -> Option<(String, String)> {
        self.row.left_open()
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Carries out a call. A read is abandoned when the run is cancelled; a change is awaited, so that it is recorded.
    async fn carry_out(&self, call: Call) -> Result<Performed, CallError> {
        let cancel = &self.runner.cancel;
        let call = call.in_limited_run(self.row.limits_changes());
        let changes = call.effect().changes();
        let work = perform(&self.runner.context, &self.row, call, cancel);
        if changes {
            return work.await;
        }
        tokio::select! {
            done = work => done,
            () = cancel.cancelled() => Err(Stop::Cancelled.into()),
        }
    }
}

impl Operations for RowOperations {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        if let Some(stop) = self.stopped() {
            return Err(CallError::Stopped(stop));
        }
        // A row stops between two steps.
        if self.runner.cancel.is_cancelled() {
            return Err(call_error(&self.stop, Stop::Cancelled));
        }
        let call = ask.into_call().map_err(CallError::Failed)?;
        let op = call.op;
        let carried_out = || self.runner.runtime.block_on(self.carry_out(call));
        let done = self.under_way.track_call(carried_out);
        self.last.store(self.millis(), Ordering::Relaxed);
        match done {
            Ok(performed) => {
                self.runner.tally.count(&op, &performed);
                Ok(performed.value)
            }
            Err(halt) => Err(call_error(&self.stop, halt)),
        }
    }

    fn stopping(&self) -> Option<Stop> {
        if let Some(stop) = self.stop.get() {
            return Some(stop.clone());
        }
        if !self.runner.cancel.is_cancelled() {
            return None;
        }
        let idle = self.millis().saturating_sub(self.last.load(Ordering::Relaxed));
        let computing = u128::from(idle) >= MAX_IDLE.as_millis();
        // A row that calls no more operations may end.
        computing.then(|| self.stop.get_or_init(|| Stop::Cancelled).clone())
    }

    fn read_only(&self, caller_alive: watch::Receiver<()>) -> Arc<dyn Operations> {
        Arc::new(ReadOnlyOperations {
            context: Arc::clone(&self.runner.context),
            runtime: self.runner.runtime.clone(),
            limits_changes: self.row.limits_changes(),
            caller_alive,
            print: Arc::clone(&self.runner.print),
        })
    }

    fn print(&self, line: &str) {
        (self.runner.print)(line);
    }
}

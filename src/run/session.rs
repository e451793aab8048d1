//! A session: a run whose rows are entered one by one.
//!
//! Each input is a row at the position of its number: a call that it makes twice is carried out twice, and the row is
//! pinned to the input's text. Before a change is sent, the call itself is stored in the row, sealed, so that a killed
//! session can be settled from the journal alone, without running any input again.

mod operations;
mod settle;
mod undo;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

pub(crate) use self::operations::{ChangeRequest, Decision, InputOperations, LookUp, Notice, SessionEvents};
pub(crate) use self::settle::{LookUps, SettledAs, SettledStep, settle};
pub(crate) use self::undo::{Change, UndoHint};
use super::interrupt::Interrupt;
use super::tally::Tally;
use crate::journal::{
    Journal, JournalError, NewRow, NewRun, RowStatus, RunLock, RunStatus, StepFilter, row_scope,
};
use crate::operation::context::OpContext;
use crate::operation::spec::Effect;
use crate::value::{Record, Value};

/// A session that has begun. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Session {
    /// Records the steps.
    pub journal: Journal,
    /// The lock on the run, which permits adding to it.
    pub run: RunLock,
    /// The world that operations act on.
    pub context: Arc<OpContext>,
    /// Drives the operations' I/O.
    pub runtime: tokio::runtime::Handle,
    /// The number of recorded inputs.
    rows: Arc<AtomicU64>,
    /// Lookup functions for calls in doubt that only the session has.
    functions: Arc<Mutex<LookUps>>,
}

/// An input as it is recorded.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// Its number in the session, from 1.
    pub number: u64,
    /// Its text; a secret if it may contain one.
    pub text: Value,
}

/// How an input ended.
#[derive(Debug, Clone)]
pub(crate) enum InputEnd {
    /// It returned this value; `None` if the value cannot be stored.
    Done(Option<Value>),
    /// It failed or was stopped, for this one-line reason.
    Failed(String),
    /// One of its steps is in doubt, for this one-line reason.
    Parked(String),
}

impl Session {
    /// Begins a session and records the inputs entered before it began, which called no operation.
    pub(crate) fn begin(
        journal: &Journal,
        context: &Arc<OpContext>,
        runtime: &tokio::runtime::Handle,
        new: NewRun,
        earlier: Vec<(Input, InputEnd)>,
    ) -> Result<Session, JournalError> {
        let run = journal.begin_run(new)?;
        let session = Session {
            journal: journal.clone(),
            run,
            context: context.clone(),
            runtime: runtime.clone(),
            rows: Arc::default(),
            functions: Arc::default(),
        };
        for (input, end) in earlier {
            session.enter(&input)?;
            session.end(input.number, &end)?;
        }
        Ok(session)
    }

    /// Returns the name of its run.
    pub(crate) fn id(&self) -> String {
        self.run.id().to_string()
    }

    /// Records an input as the next row.
    pub(crate) fn enter(&self, input: &Input) -> Result<(), JournalError> {
        let row = NewRow {
            position: input.number - 1,
            content: None,
            input: Value::Record(Record::from([("input".into(), input.text.clone())])),
        };
        self.rows.fetch_add(1, Ordering::SeqCst);
        self.journal.spool_rows(&self.run, vec![row])
    }

    /// Returns the interface through which a recorded input calls operations.
    pub(crate) fn host_operations(
        &self,
        number: u64,
        interrupt: &Interrupt,
        events: Arc<dyn SessionEvents>,
    ) -> Result<InputOperations, JournalError> {
        let row = self
            .journal
            .open_row(&self.run, number - 1, &row_scope(number - 1), true)?;
        Ok(InputOperations::new(
            self.clone(),
            row,
            number,
            interrupt.clone(),
            events,
        ))
    }

    /// Records how an input ended, with the next commit.
    pub(crate) fn end(&self, number: u64, end: &InputEnd) -> Result<(), JournalError> {
        if !matches!(end, InputEnd::Parked(_)) {
            self.functions().remove(&number);
        }
        let (status, output, error) = match end {
            InputEnd::Done(value) => (RowStatus::Done, value.clone(), None),
            InputEnd::Failed(reason) => (RowStatus::Failed, None, Some(reason)),
            InputEnd::Parked(reason) => (RowStatus::Parked, self.asked(number)?, Some(reason)),
        };
        let error = error.map(|reason| Value::from(reason.as_str()));
        self.journal
            .finish_row(&self.run, number - 1, status, output.as_ref(), error.as_ref())
    }

    /// Returns what this session changed or may have changed, in order, and how to undo it.
    pub(crate) fn changes(&self) -> Result<Vec<Change>, JournalError> {
        self.journal.flush()?;
        let steps = self.journal.steps(self.run.id(), &StepFilter::All)?;
        let changes = steps
            .iter()
            .map(|step| undo::change(self.context.catalogue(), &self.journal, step));
        changes.filter_map(Result::transpose).collect()
    }

    /// Looks up the steps in doubt and reports each to `each`. No request is repeated.
    pub(crate) fn settle(
        &self,
        interrupt: &Interrupt,
        each: &mut dyn FnMut(&SettledStep),
    ) -> Result<(), JournalError> {
        self.journal.flush()?;
        let functions = self.functions().clone();
        settle::settle(
            (&self.journal, &self.run),
            &self.context,
            &self.runtime,
            interrupt.first(),
            &functions,
            each,
        )
    }

    fn functions(&self) -> MutexGuard<'_, LookUps> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what it created and found from its recorded steps, because an outcome may be settled late.
    pub(crate) fn tally(&self) -> Result<Tally, JournalError> {
        let tally = Tally::default();
        tally.recall(
            self.context.catalogue(),
            &self.journal,
            self.run.id(),
            &CancellationToken::new(),
        )?;
        Ok(tally)
    }

    /// Ends the session and returns the number of steps in doubt. A step in doubt keeps the run open for a resume.
    pub(crate) fn close(&self) -> Result<usize, JournalError> {
        // They hold the session, and with it the lock on its run.
        let functions = std::mem::take(&mut *self.functions());
        drop(functions);
        let rows = self.rows.load(Ordering::SeqCst);
        self.journal.spool_complete(&self.run, rows)?;
        self.journal.flush()?;
        settle::close_settled_rows(&self.journal, &self.run)?;
        let open = self.journal.steps(self.run.id(), &StepFilter::Open)?.len();
        let status = if open > 0 {
            RunStatus::Parked
        } else {
            RunStatus::Done
        };
        self.journal.set_run_status(&self.run, status)?;
        Ok(open)
    }

    /// Whether a step in doubt can still be looked up after the session ends. Functions of the session do not count.
    pub(crate) fn has_pending_lookups(&self) -> Result<bool, JournalError> {
        let open = self.journal.steps(self.run.id(), &StepFilter::Open)?;
        let can = |op: &str, names: bool| {
            let operation = self.context.catalogue().operation(op);
            operation.is_none_or(|operation| {
                !matches!(operation.effect, Effect::ByCall(_)) && operation.can_be_looked_up(names)
            })
        };
        Ok(open.iter().any(|step| can(&step.op, step.resource.is_some())))
    }

    /// Returns the calls stored in the row of an input.
    fn asked(&self, number: u64) -> Result<Option<Value>, JournalError> {
        self.journal.flush()?;
        let after = (number > 1).then(|| number - 2);
        let rows = self
            .journal
            .rows(self.run.id(), after, 1, crate::journal::RowFilter::All)?;
        let row = rows.into_iter().find(|row| row.position == number - 1);
        Ok(row.and_then(|row| row.output))
    }
}

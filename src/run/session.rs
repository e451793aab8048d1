//! A session: a run whose rows are typed one after the other.
//!
//! Each input is a row of its own, at the place of its number: what it asks for twice is asked twice, and its text is what
//! the row is pinned to. Before a change leaves, the call itself is recorded with the row, sealed: so a session that was
//! killed can be settled from the journal alone, without running any input anew.

mod door;
mod settle;
mod undo;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::door::{Consent, InputDoor, LookUp, Permit, Tell, Told};
pub(crate) use self::settle::{Fate, LookUps, Settling, settle};
pub(crate) use self::undo::{Change, UndoHint};
use super::cancel::Cancel;
use super::interrupt::Interrupt;
use super::tally::Tally;
use crate::journal::{Journal, JournalError, NewRow, NewRun, RowStatus, RunLock, RunStatus, StepFilter};
use crate::operation::spec::Effect;
use crate::operation::world::World;
use crate::value::{Record, Value};

/// A session that has begun. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Session {
    /// Where steps are recorded.
    pub journal: Journal,
    /// The run, and the right to add to it.
    pub run: RunLock,
    /// What operations act on.
    pub world: Arc<World>,
    /// Drives the operations' I/O.
    pub runtime: tokio::runtime::Handle,
    /// How many inputs are recorded.
    rows: Arc<AtomicU64>,
    /// How to look up what is in doubt, where only the session knows.
    functions: Arc<Mutex<LookUps>>,
}

/// One input, as it is recorded.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// Its number in the session, from 1.
    pub number: u64,
    /// Its text; a secret when it may hold one.
    pub text: Value,
}

/// How an input ended.
#[derive(Debug, Clone)]
pub(crate) enum InputEnd {
    /// With this value; nothing when it cannot be kept.
    Done(Option<Value>),
    /// It failed or was stopped: why, in a line.
    Failed(String),
    /// A step of it is in doubt: why, in a line.
    Parked(String),
}

impl Session {
    /// Begins a session, with the inputs that asked for nothing before it began.
    pub(crate) fn begin(
        journal: &Journal,
        world: &Arc<World>,
        runtime: &tokio::runtime::Handle,
        new: NewRun,
        earlier: Vec<(Input, InputEnd)>,
    ) -> Result<Session, JournalError> {
        let run = journal.begin_run(new)?;
        let session = Session {
            journal: journal.clone(),
            run,
            world: world.clone(),
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

    /// The name of its run.
    pub(crate) fn id(&self) -> String {
        self.run.id().to_string()
    }

    /// Records an input as the next row.
    pub(crate) fn enter(&self, input: &Input) -> Result<(), JournalError> {
        let row = NewRow {
            position: input.number - 1,
            scope: scope(input.number),
            input: Value::Record(Record::from([("input".into(), input.text.clone())])),
        };
        self.rows.fetch_add(1, Ordering::SeqCst);
        self.journal.spool_rows(self.run.id(), vec![row])
    }

    /// The door of an input that was entered.
    pub(crate) fn door(
        &self,
        number: u64,
        interrupt: &Interrupt,
        tell: Arc<dyn Tell>,
    ) -> Result<InputDoor, JournalError> {
        let row = self
            .journal
            .open_row(&self.run, number - 1, &scope(number), true)?;
        Ok(InputDoor::new(self.clone(), row, number, interrupt.clone(), tell))
    }

    /// Records how an input ended, with the next commit.
    pub(crate) fn end(&self, number: u64, end: &InputEnd) -> Result<(), JournalError> {
        if !matches!(end, InputEnd::Parked(_)) {
            self.functions().remove(&number);
        }
        let (status, output, error) = match end {
            InputEnd::Done(value) => (RowStatus::Done, value.clone(), None),
            InputEnd::Failed(why) => (RowStatus::Failed, None, Some(why)),
            InputEnd::Parked(why) => (RowStatus::Parked, self.asked(number)?, Some(why)),
        };
        let error = error.map(|why| Value::from(why.as_str()));
        self.journal
            .finish_row(self.run.id(), number - 1, status, output.as_ref(), error.as_ref())
    }

    /// What this session changed or may have changed, in order, and how it could be undone.
    pub(crate) fn changes(&self) -> Result<Vec<Change>, JournalError> {
        self.journal.flush()?;
        let steps = self.journal.steps(self.run.id(), &StepFilter::All)?;
        let changes = steps
            .iter()
            .map(|step| undo::change(self.world.catalogue(), &self.journal, step));
        changes.filter_map(Result::transpose).collect()
    }

    /// Looks up what is in doubt, and tells `each`. Nothing is sent again.
    pub(crate) fn settle(
        &self,
        interrupt: &Interrupt,
        each: &mut dyn FnMut(&Settling),
    ) -> Result<(), JournalError> {
        self.journal.flush()?;
        let functions = self.functions().clone();
        settle::settle(
            (&self.journal, &self.run),
            &self.world,
            &self.runtime,
            interrupt.first(),
            &functions,
            each,
        )
    }

    fn functions(&self) -> MutexGuard<'_, LookUps> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it created and what it found, by its steps' records: what became of one may have been found out later.
    pub(crate) fn tally(&self) -> Result<Tally, JournalError> {
        let tally = Tally::default();
        tally.recall(
            self.world.catalogue(),
            &self.journal,
            self.run.id(),
            &Cancel::new(),
        )?;
        Ok(tally)
    }

    /// Ends it. A step that is in doubt keeps it open for a resume. Gives how many are.
    pub(crate) fn close(&self) -> Result<usize, JournalError> {
        let rows = self.rows.load(Ordering::SeqCst);
        self.journal.spool_complete(self.run.id(), rows)?;
        self.journal.flush()?;
        settle::tidy(&self.journal, &self.run)?;
        let open = self.journal.steps(self.run.id(), &StepFilter::Open)?.len();
        let status = if open > 0 {
            RunStatus::Parked
        } else {
            RunStatus::Done
        };
        self.journal.set_run_status(self.run.id(), status)?;
        Ok(open)
    }

    /// Can anything that it leaves in doubt be looked up when it has ended? What functions of the session look for cannot.
    pub(crate) fn leaves_look_ups(&self) -> Result<bool, JournalError> {
        let open = self.journal.steps(self.run.id(), &StepFilter::Open)?;
        let can = |op: &str, names: bool| {
            let operation = self.world.catalogue().operation(op);
            operation.is_none_or(|operation| {
                !matches!(operation.effect, Effect::ByCall(_)) && operation.can_be_looked_up(names)
            })
        };
        Ok(open.iter().any(|step| can(&step.op, step.thing.is_some())))
    }

    /// The calls that an input is about to make or has made, as the row keeps them.
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

/// What the keys of an input's steps begin with.
fn scope(number: u64) -> String {
    format!("i{number}")
}

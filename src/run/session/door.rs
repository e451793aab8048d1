//! The door of one input: what it asks for is recorded, and it can be stopped in the middle of a call.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::super::looking::Looking;
use super::Session;
use super::settle::to_value;
use crate::journal::{Cancel, JournalError, RowJournal, RowStatus};
use crate::ops::call::Call;
use crate::ops::error::{Code, OpError};
use crate::ops::foresee::{Foreseen, foresee};
use crate::ops::perform::{Halt, Performed, perform};
use crate::ops::spec::OpSpec;
use crate::run::interrupt::Interrupt;
use crate::script::door::{Ask, Denied, Door, Stop};
use crate::value::{Object, Value};

/// How long a call that was stopped before anything left may take to end by itself.
const MOMENT: Duration = Duration::from_millis(60);

/// What the person at the session is told, and asked.
pub trait Tell: Send + Sync {
    /// The script printed a line.
    fn print(&self, line: &str);

    /// Something happened that must not be overlooked.
    fn told(&self, told: Told);

    /// Is anything asked about, or refused?
    fn asks(&self) -> bool;

    /// May this change be made?
    fn consent(&self, permit: &Permit<'_>) -> Consent;
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The input is to stop, and a change had been sent: its outcome is waited for, or looked up.
    AlreadySent,
    /// That was given up: the change is in doubt.
    LeftInDoubt,
}

/// A change that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Permit<'a> {
    /// The operation.
    pub op: &'static OpSpec,
    /// The account it is asked of.
    pub receiver: Option<&'a Object>,
    /// What it is given.
    pub args: &'a [Value],
    /// What it brings into being, by name.
    pub thing: Option<&'a str>,
    /// Ends the question.
    pub interrupt: &'a Interrupt,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// Make it.
    Yes,
    /// The input is to stop here.
    No,
    /// It must not be made.
    Refused {
        /// What kind of failure it is.
        code: Code,
        /// Why, in a sentence without a full stop.
        message: String,
        /// What to do, in a sentence without a full stop.
        hint: String,
    },
}

/// What one input reaches the world through.
pub struct InputDoor {
    session: Session,
    row: RowJournal,
    number: u64,
    interrupt: Interrupt,
    tell: Arc<dyn Tell>,
    /// What ended the input; sticky.
    stop: OnceLock<Stop>,
    /// The changes it has asked for, as they are recorded with the row.
    asked: Mutex<Vec<Value>>,
}

impl InputDoor {
    pub(super) fn new(
        session: Session,
        row: RowJournal,
        number: u64,
        interrupt: Interrupt,
        tell: Arc<dyn Tell>,
    ) -> InputDoor {
        InputDoor {
            session,
            row,
            number,
            interrupt,
            tell,
            stop: OnceLock::new(),
            asked: Mutex::default(),
        }
    }

    /// What ended the input, if it did not end by itself.
    pub fn stopped(&self) -> Option<Stop> {
        self.stop.get().cloned()
    }

    fn halt(&self, stop: Stop) -> Denied {
        Denied::Stop(self.stop.get_or_init(|| stop).clone())
    }

    /// Asks about a change, unless nothing would be sent for it.
    fn consent(&self, ask: &Ask, call: &Call) -> Result<(), Denied> {
        let (session, lost) = (&self.session, |error: JournalError| {
            self.halt(Stop::JournalLost(error.to_string()))
        });
        // A row that nothing was asked of yet: what this one asked before does not matter here.
        let blank = session
            .journal
            .open_row(&session.run, self.number - 1, "consent", true)
            .map_err(lost)?;
        let foreseen = session
            .runtime
            .block_on(foresee(&session.world, &blank, call, false))
            .map_err(lost)?;
        let Foreseen::Acts(coming) = foreseen else {
            return Ok(());
        };
        let permit = Permit {
            op: call.op,
            receiver: ask.receiver.as_ref(),
            args: &ask.args,
            thing: coming.thing.as_deref(),
            interrupt: &self.interrupt,
        };
        match self.tell.consent(&permit) {
            Consent::Yes => Ok(()),
            Consent::No => Err(self.halt(Stop::Cancelled)),
            Consent::Refused { code, message, hint } => {
                Err(Denied::Failed(OpError::new(code, message).hint(hint)))
            }
        }
    }

    /// Records the call with the row; on disk no later than the call's intent.
    fn remember(&self, ask: &Ask) -> Result<(), Denied> {
        let asked = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(to_value(ask));
            Value::List(asked.clone())
        };
        let (journal, run) = (&self.session.journal, self.session.run.id());
        journal
            .finish_row(run, self.number - 1, RowStatus::Queued, Some(&asked), None)
            .map_err(|error| self.halt(Stop::JournalLost(error.to_string())))
    }

    async fn carry_out(&self, call: Call) -> Result<Performed, Halt> {
        let (changes, departure) = (call.effect().changes(), call.departure.clone());
        let stop = Cancel::new();
        let mut work = std::pin::pin!(perform(&self.session.world, &self.row, call, &stop));
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = self.interrupt.asked() => {}
        }
        if changes && !departure.keep_back() {
            self.tell.told(Told::AlreadySent);
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.interrupt.insisted() => {}
            }
            self.tell.told(Told::LeftInDoubt);
            return Err(Halt::InDoubt {
                step: String::new(),
                why: "it was given up before its outcome was known".into(),
            });
        }
        stop.cancel();
        match tokio::time::timeout(MOMENT, &mut work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(Halt::InDoubt { step, why })) => Err(Halt::InDoubt { step, why }),
            Ok(Err(Halt::Journal(error))) => Err(Halt::Journal(error)),
            Ok(Err(Halt::Failed(_) | Halt::Cancelled)) | Err(_) => Err(Halt::Cancelled),
        }
    }
}

impl Door for InputDoor {
    fn ask(&self, ask: Ask) -> Result<Value, Denied> {
        if let Some(stop) = self.stopping() {
            return Err(Denied::Stop(stop));
        }
        let call = Call::check(ask.op, ask.receiver.clone(), ask.args.clone()).map_err(Denied::Failed)?;
        let call = call.with_functions(ask.functions.clone());
        let op = call.op;
        if call.effect().changes() {
            if self.tell.asks() {
                self.consent(&ask, &call)?;
            }
            self.remember(&ask)?;
        }
        match self.session.runtime.block_on(self.carry_out(call)) {
            Ok(performed) => {
                self.session.tally.count(op, &performed);
                Ok(performed.value)
            }
            Err(Halt::Failed(error)) => Err(Denied::Failed(error)),
            Err(Halt::Cancelled) => Err(self.halt(Stop::Cancelled)),
            Err(Halt::InDoubt { step, why }) => Err(self.halt(Stop::Parked { step, why })),
            Err(Halt::Journal(error)) => Err(self.halt(Stop::JournalLost(error.to_string()))),
        }
    }

    fn stopping(&self) -> Option<Stop> {
        if let Some(stop) = self.stop.get() {
            return Some(stop.clone());
        }
        let asked = self.interrupt.is_asked();
        asked.then(|| self.stop.get_or_init(|| Stop::Cancelled).clone())
    }

    fn looking(&self, waited_for: watch::Receiver<()>) -> Arc<dyn Door> {
        let tell = Arc::clone(&self.tell);
        Arc::new(Looking {
            world: Arc::clone(&self.session.world),
            runtime: self.session.runtime.clone(),
            waited_for,
            print: Arc::new(move |line| tell.print(line)),
        })
    }

    fn print(&self, line: &str) {
        self.tell.print(line);
    }
}

//! The session behind the inputs: opened when an input first asks for an operation.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use super::around::{Outside, Trouble};
use super::asking;
use crate::run::interrupt::Interrupt;
use crate::run::session::{Consent, Input, InputDoor, InputEnd, LookUp, Permit, Session, Tell, Told};
use crate::script::door::{Ask, Denied, Door, Stop};
use crate::value::Value;

/// The session, or the inputs that wait for it. Clones share it.
#[derive(Clone)]
pub(super) struct Desk {
    outside: Outside,
    state: Arc<Mutex<State>>,
    closing: Arc<Mutex<()>>,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    /// Inputs that have ended before there was a session.
    earlier: Vec<(Input, InputEnd)>,
    /// The input that is under way.
    current: Option<Input>,
    /// Is the current input recorded?
    entered: bool,
}

impl Desk {
    pub(super) fn new(outside: &Outside) -> Desk {
        Desk {
            outside: outside.clone(),
            state: Arc::default(),
            closing: Arc::default(),
        }
    }

    /// The right to end the session, held until that is told.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, when one has begun.
    pub(super) fn session(&self) -> Option<Session> {
        self.lock().session.clone()
    }

    /// An input begins.
    pub(super) fn enter(&self, input: Input) -> Result<(), Trouble> {
        let mut state = self.lock();
        state.entered = false;
        if let Some(session) = &state.session {
            session.enter(&input).map_err(lost)?;
            state.entered = true;
        }
        state.current = Some(input);
        Ok(())
    }

    /// The input that is under way has ended.
    pub(super) fn end(&self, end: InputEnd) -> Result<(), Trouble> {
        let mut state = self.lock();
        let Some(input) = state.current.take() else {
            return Ok(());
        };
        if let Some(session) = &state.session {
            return session.end(input.number, &end).map_err(lost);
        }
        state.earlier.push((input, end));
        Ok(())
    }

    /// Ends the session, and gives it, and how many of its steps are in doubt.
    pub(super) fn close(&self) -> Result<Option<(Session, usize)>, Trouble> {
        let Some(session) = self.lock().session.take() else {
            return Ok(None);
        };
        let open = session.close().map_err(lost)?;
        Ok(Some((session, open)))
    }

    /// The session, begun when there is none yet, with the current input in it.
    fn begun(&self) -> Result<Session, Trouble> {
        let mut state = self.lock();
        let session = if let Some(session) = &state.session {
            session.clone()
        } else {
            let session = self.outside.around.begin(state.earlier.clone())?;
            state.earlier.clear();
            state.session = Some(session.clone());
            session
        };
        if let (false, Some(input)) = (state.entered, state.current.clone()) {
            session.enter(&input).map_err(lost)?;
            state.entered = true;
        }
        Ok(session)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost(error: impl std::fmt::Display) -> Trouble {
    Trouble {
        message: format!("the journal cannot be written: {error}"),
        hints: Vec::new(),
    }
}

/// The door of one input, which opens the session when it is first knocked at.
pub(super) struct LazyDoor {
    desk: Desk,
    number: u64,
    interrupt: Interrupt,
    opened: OnceLock<InputDoor>,
    /// Why there is no session.
    trouble: OnceLock<Trouble>,
}

impl LazyDoor {
    pub(super) fn new(desk: &Desk, number: u64, interrupt: &Interrupt) -> LazyDoor {
        LazyDoor {
            desk: desk.clone(),
            number,
            interrupt: interrupt.clone(),
            opened: OnceLock::new(),
            trouble: OnceLock::new(),
        }
    }

    /// Why there is no session, when one was asked for in vain.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.get().cloned()
    }

    /// Who can look up the change that was asked for last.
    pub(super) fn look_up(&self) -> LookUp {
        self.opened.get().map_or(LookUp::Nobody, InputDoor::look_up)
    }

    fn open(&self) -> Result<&InputDoor, Trouble> {
        if let Some(door) = self.opened.get() {
            return Ok(door);
        }
        let session = self.desk.begun()?;
        let tell = Arc::new(Telling(self.desk.outside.clone()));
        let door = session.door(self.number, &self.interrupt, tell).map_err(lost)?;
        Ok(self.opened.get_or_init(|| door))
    }
}

impl Door for LazyDoor {
    fn ask(&self, ask: Ask) -> Result<Value, Denied> {
        match self.open() {
            Ok(door) => door.ask(ask),
            Err(trouble) => {
                let why = trouble.message.clone();
                self.trouble.get_or_init(|| trouble);
                Err(Denied::Stop(Stop::JournalLost(why)))
            }
        }
    }

    fn stopping(&self) -> Option<Stop> {
        match self.opened.get() {
            Some(door) => door.stopping(),
            None => self.interrupt.is_asked().then_some(Stop::Cancelled),
        }
    }

    /// Only an operation that is being carried out has functions to call, so the door is open.
    fn looking(&self, waited_for: watch::Receiver<()>) -> Arc<dyn Door> {
        match self.opened.get() {
            Some(door) => door.looking(waited_for),
            None => Arc::new(LazyDoor::new(&self.desk, self.number, &self.interrupt)),
        }
    }

    fn print(&self, line: &str) {
        let screen = &self.desk.outside.screen;
        screen.out(line);
        // Nobody reads it any more: to go on could mean for ever.
        if screen.is_closed() && !self.interrupt.is_asked() {
            self.interrupt.ask();
        }
    }
}

struct Telling(Outside);

impl Tell for Telling {
    fn print(&self, line: &str) {
        self.0.screen.out(line);
    }

    fn told(&self, told: Told) {
        self.0.screen.note(match &told {
            Told::Answered(answer) => answer,
            Told::AlreadySent => {
                "request already sent; looking up its outcome (Ctrl-C again leaves it in doubt)"
            }
            Told::LeftInDoubt(LookUp::Anybody) => "left in doubt: :resume or `provisor resume` looks it up",
            Told::LeftInDoubt(LookUp::Session) => "left in doubt: :resume looks it up, in this session only",
            Told::LeftInDoubt(LookUp::Nobody) => {
                "left in doubt: provisor cannot look it up; check the platform yourself"
            }
            Told::CarriedOut => "looked up: it was carried out; it is on record",
            Told::NotCarriedOut => "looked up: it was not carried out, and is not sent again",
        });
    }

    fn asks(&self) -> bool {
        asking::asks(&self.0)
    }

    fn consent(&self, permit: &Permit<'_>) -> Consent {
        asking::consent(&self.0, permit)
    }
}

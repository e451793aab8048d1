//! The session that inputs run in, opened when an input first calls an operation.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use super::asking;
use super::host::{HostError, Ports};
use crate::run::interrupt::Interrupt;
use crate::run::session::{
    ChangeRequest, Decision, Input, InputEnd, InputOperations, LookUp, Notice, Session, SessionEvents,
};
use crate::script::host_calls::{CallError, CallRequest, Operations, Stop};
use crate::value::Value;

/// The session, or the inputs before it was opened. Clones share it.
#[derive(Clone)]
pub(super) struct LazySession {
    ports: Ports,
    state: Arc<Mutex<State>>,
    closing_lock: Arc<Mutex<()>>,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    /// Inputs that ended before the session was opened.
    earlier: Vec<(Input, InputEnd)>,
    /// The input in progress.
    current: Option<Input>,
    /// Whether the current input is recorded.
    is_recorded: bool,
}

impl LazySession {
    pub(super) fn new(ports: &Ports) -> LazySession {
        LazySession {
            ports: ports.clone(),
            state: Arc::default(),
            closing_lock: Arc::default(),
        }
    }

    /// Locks the end of the session; hold the guard until the end has been reported.
    pub(super) fn lock_end(&self) -> MutexGuard<'_, ()> {
        self.closing_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, if it is open.
    pub(super) fn session(&self) -> Option<Session> {
        self.lock().session.clone()
    }

    /// Starts an input.
    pub(super) fn enter(&self, input: Input) -> Result<(), HostError> {
        let mut state = self.lock();
        state.is_recorded = false;
        if let Some(session) = &state.session {
            session.enter(&input).map_err(lost)?;
            state.is_recorded = true;
        }
        state.current = Some(input);
        Ok(())
    }

    /// Ends the input in progress.
    pub(super) fn end(&self, end: InputEnd) -> Result<(), HostError> {
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

    /// Ends the session, and returns it with the number of its steps in doubt.
    pub(super) fn close(&self) -> Result<Option<(Session, usize)>, HostError> {
        let Some(session) = self.lock().session.take() else {
            return Ok(None);
        };
        let open = session.close().map_err(lost)?;
        Ok(Some((session, open)))
    }

    /// Returns the session with the current input recorded; opens it first if necessary.
    fn begin_input(&self) -> Result<Session, HostError> {
        let mut state = self.lock();
        let session = if let Some(session) = &state.session {
            session.clone()
        } else {
            let session = self.ports.host.begin(state.earlier.clone())?;
            state.earlier.clear();
            state.session = Some(session.clone());
            session
        };
        if let (false, Some(input)) = (state.is_recorded, state.current.clone()) {
            session.enter(&input).map_err(lost)?;
            state.is_recorded = true;
        }
        Ok(session)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost(error: impl std::fmt::Display) -> HostError {
    HostError {
        message: format!("the journal cannot be written: {error}"),
        hints: Vec::new(),
    }
}

/// The operations of one input; opens the session at the first call.
pub(super) struct LazyOperations {
    lazy_session: LazySession,
    number: u64,
    interrupt: Interrupt,
    opened: OnceLock<InputOperations>,
    /// Why the session could not be opened.
    host_error: OnceLock<HostError>,
}

impl LazyOperations {
    pub(super) fn new(lazy_session: &LazySession, number: u64, interrupt: &Interrupt) -> LazyOperations {
        LazyOperations {
            lazy_session: lazy_session.clone(),
            number,
            interrupt: interrupt.clone(),
            opened: OnceLock::new(),
            host_error: OnceLock::new(),
        }
    }

    /// Why the session could not be opened, if that was tried.
    pub(super) fn host_error(&self) -> Option<HostError> {
        self.host_error.get().cloned()
    }

    /// Who can look up the outcome of the last change.
    pub(super) fn look_up(&self) -> LookUp {
        self.opened.get().map_or(LookUp::Nobody, InputOperations::look_up)
    }

    fn open(&self) -> Result<&InputOperations, HostError> {
        if let Some(host_operations) = self.opened.get() {
            return Ok(host_operations);
        }
        let session = self.lazy_session.begin_input()?;
        let events = Arc::new(ScreenEvents(self.lazy_session.ports.clone()));
        let host_operations = session
            .host_operations(self.number, &self.interrupt, events)
            .map_err(lost)?;
        Ok(self.opened.get_or_init(|| host_operations))
    }
}

impl Operations for LazyOperations {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        match self.open() {
            Ok(host_operations) => host_operations.ask(ask),
            Err(host_error) => {
                let reason = host_error.message.clone();
                self.host_error.get_or_init(|| host_error);
                Err(CallError::Stopped(Stop::JournalLost(reason)))
            }
        }
    }

    fn stopping(&self) -> Option<Stop> {
        match self.opened.get() {
            Some(host_operations) => host_operations.stopping(),
            None => self.interrupt.is_requested().then_some(Stop::Cancelled),
        }
    }

    /// Only a running operation calls functions, so the session is open.
    fn read_only(&self, caller_alive: watch::Receiver<()>) -> Arc<dyn Operations> {
        match self.opened.get() {
            Some(host_operations) => host_operations.read_only(caller_alive),
            None => Arc::new(LazyOperations::new(
                &self.lazy_session,
                self.number,
                &self.interrupt,
            )),
        }
    }

    fn print(&self, line: &str) {
        let screen = &self.lazy_session.ports.screen;
        screen.out(line);
        // The reader of stdout has gone: without it, the input might run forever.
        if screen.is_closed() && !self.interrupt.is_requested() {
            self.interrupt.ask();
        }
    }
}

struct ScreenEvents(Ports);

impl SessionEvents for ScreenEvents {
    fn print(&self, line: &str) {
        self.0.screen.out(line);
    }

    fn report(&self, report: Notice) {
        self.0.screen.note(match &report {
            Notice::Answered(answer) => answer,
            Notice::AlreadySent => {
                "request already sent; looking up its outcome (Ctrl-C again leaves it in doubt)"
            }
            Notice::LeftInDoubt(LookUp::Anybody) => "left in doubt: :resume or `provisor resume` looks it up",
            Notice::LeftInDoubt(LookUp::Session) => {
                "left in doubt: :resume looks it up, in this session only"
            }
            Notice::LeftInDoubt(LookUp::Nobody) => {
                "left in doubt: provisor cannot look it up; check the platform yourself"
            }
            Notice::CarriedOut => "looked up: it was carried out; it is on record",
            Notice::NotCarriedOut => "looked up: it was not carried out, and is not sent again",
        });
    }

    fn reviews_changes(&self) -> bool {
        asking::reviews_changes(&self.0)
    }

    fn consent(&self, permit: &ChangeRequest<'_>) -> Decision {
        asking::consent(&self.0, permit)
    }
}

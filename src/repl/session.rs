//! The session that inputs run in, opened when an input first calls an operation: its events, the confirmation of
//! changes, and its end.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use super::host::{HostError, Ports};
use super::{SessionExit, show};
use crate::operation::context::Mode;
use crate::operation::error::Code;
use crate::run::interrupt::Interrupt;
use crate::run::session::{
    ChangeRequest, Decision, Input, InputEnd, InputOperations, LookUp, Notice, Session, SessionEvents,
};
use crate::script::host_calls::{CallError, CallRequest, Operations, Stop};
use crate::value::Value;
use crate::value::visible::counted;

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

    /// Ends the session's run, if there is one, and reports what it created. Returns how it ended unless it ended well.
    pub(super) fn shut_down(&self) -> Option<SessionExit> {
        // A second caller waits until the report is complete.
        let _turn = self.closing_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let session = self.lock().session.take()?;
        let screen = &self.ports.screen;
        let open = match session.close().map_err(lost) {
            Ok(open) => open,
            Err(host_error) => {
                screen.host_error(&host_error);
                return Some(SessionExit::Broken);
            }
        };
        let counts = match session.tally() {
            Ok(tally) => tally.counts(),
            Err(error) => {
                screen.error(&format!("the journal cannot be read: {error}"), &[]);
                return Some(SessionExit::Broken);
            }
        };
        let made: Vec<String> = counts
            .iter()
            .map(|(kind, outcome, count)| format!("{} {outcome}", counted(*count, kind)))
            .collect();
        let id = session.id();
        if self.ports.terminal.typed || !made.is_empty() {
            let made = if made.is_empty() {
                "nothing was created".to_owned()
            } else {
                made.join(", ")
            };
            screen.note(&format!("session {id}: {made}"));
        }
        if open == 0 {
            return None;
        }
        screen.warn(&if session.has_pending_lookups().unwrap_or(true) {
            format!("{open} in doubt; provisor resume {id} looks it up without running anything again")
        } else {
            format!("{open} in doubt; once you know the outcome, record it: provisor runs show {id}")
        });
        Some(SessionExit::InDoubt)
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

/// The error of a journal that cannot be written, for this reason.
pub(super) fn lost(error: impl std::fmt::Display) -> HostError {
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
        matches!(self.0.host.place().mode, Mode::Prod | Mode::ReadOnly)
    }

    /// On a real account every change is shown and confirmed, each time.
    fn consent(&self, permit: &ChangeRequest<'_>) -> Decision {
        let place = self.0.host.place();
        let profile = permit.to.profile.clone().or_else(|| place.profile.clone());
        let profile = profile.unwrap_or_default();
        match place.mode {
            Mode::Sandbox | Mode::Dev => Decision::Yes,
            Mode::ReadOnly => Decision::Refused {
                code: Code::Forbidden,
                message: format!(
                    "`{}` changes the account, and this session is read-only",
                    permit.op.signature()
                ),
                hint: "choose another :mode or another :profile".into(),
            },
            Mode::Prod if place.agreed => Decision::Yes,
            Mode::Prod if !self.0.terminal.prompts => Decision::Refused {
                code: Code::NoTerminal,
                message: format!("{profile} is a real account, and there is no terminal to ask at"),
                hint: "pass --yes to confirm changes".into(),
            },
            Mode::Prod => {
                for line in effect(permit, &profile) {
                    self.0.screen.note(&line);
                }
                let question = format!("Type {profile} to carry it out, anything else to stop: ");
                match self.0.host.ask(&question, permit.interrupt) {
                    Some(answer) if answer.trim() == profile => Decision::Yes,
                    _ => Decision::No,
                }
            }
        }
    }
}

/// Describes the change and the account it applies to.
fn effect(permit: &ChangeRequest<'_>, profile: &str) -> Vec<String> {
    let args: Vec<String> = permit
        .args
        .iter()
        .map(|arg| match arg {
            Value::Text(text) => format!("{text:?}"),
            value => show::text(value),
        })
        .collect();
    let op = permit.op;
    let mut lines = vec![format!("{}({})", op.id(), args.join(", "))];
    let resource = permit
        .resource
        .map(|resource| format!(": {resource}"))
        .unwrap_or_default();
    lines.push(format!("  {}{resource}", op.summary));
    let login = permit.receiver.map(|session| session.text("login"));
    let login = login.filter(|login| !login.is_empty());
    let login = login.map_or_else(String::new, |login| format!(" as {login}"));
    if !permit.to.url.is_empty() {
        lines.push(format!(
            "  on {}{login} (profile {profile}, mode prod)",
            permit.to.url
        ));
    }
    lines
}

//! Sessions: inputs that a program evaluates one after the other, over shared variables.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use tokio_util::sync::CancellationToken;

use super::{Error, Executor, Outcome, Print, Run, Runtime};
use crate::journal::{NewRun, RunLock, RunRecord, RunStatus, StepFilter};
use crate::run::interrupt::{CurrentInput, Interrupt};
use crate::run::session::{self, ChangeRequest, Decision, Input, InputEnd, Notice, SessionEvents};
use crate::script::bundle::Loader;
use crate::script::host_calls::Stop;
use crate::script::interactive::{Answer, Workspace, holds_credential};
use crate::script::program::ScriptEnd;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// Evaluates inputs one after the other. Variables, functions and imports of one are there for the next, as in the
/// REPL. Every step is recorded in the journal; an input is never run again.
///
/// ```
/// # fn main() -> Result<(), provisor::Error> {
/// use provisor::Runtime;
///
/// let runtime = Runtime::builder().in_memory()?;
/// let mut session = runtime.session()?;
/// session.eval("fn double(n) { 2 * n }  let n = 4")?;
/// assert_eq!(session.eval("double(n)")?, 8.into());
/// # Ok(())
/// # }
/// ```
pub struct Session {
    workspace: Workspace,
    recorded: session::Session,
    /// The number of inputs.
    count: u64,
    current: CurrentInput,
    loader: Box<dyn Loader + Send>,
    print: Arc<Print>,
    /// Drives the requests of its steps.
    _executor: Arc<Executor>,
    is_closed: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.id()).finish()
    }
}

impl Runtime {
    /// Begins a session.
    ///
    /// Errors: the journal cannot be written.
    pub fn session(&self) -> Result<Session, Error> {
        let plan = Record::from([
            ("script".to_owned(), NAME.into()),
            ("session".to_owned(), true.into()),
        ]);
        let new = NewRun {
            name: NAME.to_owned(),
            sources: Vec::new(),
            params: Value::Record(Record::new()),
            plan: Value::Record(plan),
            has_rows: true,
        };
        let recorded = session::Session::begin(&self.journal, &self.context, self.handle(), new, Vec::new())?;
        Ok(Session {
            workspace: Workspace::new(self.host()),
            recorded,
            count: 0,
            current: CurrentInput::default(),
            loader: Box::new(()),
            print: Arc::clone(&self.print),
            _executor: Arc::clone(&self.executor),
            is_closed: false,
        })
    }

    /// Looks up the steps that a session left in doubt. None of its inputs is run again.
    pub(super) fn settle(&self, lock: RunLock) -> Result<Run, Error> {
        let cancel = CancellationToken::new();
        let (journal, context) = (self.journal.clone(), Arc::clone(&self.context));
        let (handle, signal) = (self.handle().clone(), cancel.clone());
        self.spawn(lock.id().clone(), cancel, move || {
            let id = lock.id();
            let none = session::LookUps::new();
            session::settle((&journal, &lock), &context, &handle, &signal, &none, &mut |_| {})?;
            let status = match journal.steps(id, &StepFilter::Open)?.len() {
                0 => RunStatus::Done,
                _ if signal.is_cancelled() => RunStatus::Interrupted,
                _ => RunStatus::Parked,
            };
            journal.set_run_status(&lock, status)?;
            journal.flush()?;
            Ok(Outcome::from_row_counts(id, status, journal.row_counts(id)?))
        })
    }
}

/// Whether a run is a session, whose rows are inputs.
pub(super) fn is_session(run: &RunRecord) -> bool {
    let plan = run.plan.as_record();
    plan.and_then(|plan| plan.get("session")) == Some(&Value::Bool(true))
}

/// The name of a session's run in listings.
const NAME: &str = "session";

impl Session {
    /// Sets what finds the sources of `import`. Without it, inputs can import nothing.
    #[must_use]
    pub fn loader(mut self, loader: impl Loader + Send + 'static) -> Session {
        self.loader = Box::new(loader);
        self
    }

    /// Returns the name of its run: `r7f3k`. After a crash, [`Runtime::resume`] looks up the steps that it left in
    /// doubt.
    pub fn id(&self) -> String {
        self.recorded.id()
    }

    /// Returns a function that stops the input that is evaluated at the time of the call: reads and waits end, nothing
    /// more is sent, and the outcome of what was sent is looked up. A second call abandons the lookup, which leaves the
    /// step in doubt. Does nothing between inputs.
    pub fn stopper(&self) -> impl Fn() + Send + Sync + use<> {
        let current = self.current.clone();
        move || {
            // How often it was asked is of no interest here.
            let _ = current.cancel();
        }
    }

    /// Evaluates an input: statements, definitions or an expression. Blocks. Returns its value, `Null` for none and for
    /// one that is not data, such as a closure. What an input defined before it failed remains.
    ///
    /// Errors: the input is not valid, or an operation failed and the input did not catch it ([`Error::Script`]); it was
    /// stopped, or a step is in doubt ([`Error::NoResult`]); the journal cannot be written.
    pub fn eval(&mut self, text: &str) -> Result<Value, Error> {
        self.count += 1;
        let hidden = holds_credential(text) || self.workspace.passes_credential(text);
        self.recorded.enter(&Input {
            number: self.count,
            text: if hidden {
                Value::Secret(Secret::new(text))
            } else {
                text.into()
            },
        })?;
        let ended = self.evaluate(text)?;
        let (end, result) = self.conclude(ended);
        self.recorded.end(self.count, &end)?;
        result
    }

    fn evaluate(&mut self, text: &str) -> Result<Result<Answer, ScriptEnd>, Error> {
        let name = format!("input {}", self.count);
        let ready = match self.workspace.prepare(&name, 1, text, &*self.loader) {
            Ok(ready) => ready,
            Err(diagnostic) => return Ok(Err(ScriptEnd::Failed(diagnostic))),
        };
        let (interrupt, events) = (Interrupt::new(), Arc::new(Events(Arc::clone(&self.print))));
        let operations = self.recorded.host_operations(self.count, &interrupt, events)?;
        let number = usize::try_from(self.count).unwrap_or(usize::MAX);
        self.current.set(&interrupt);
        let ended = self.workspace.evaluate(&ready, number, Arc::new(operations));
        self.current.clear();
        Ok(ended)
    }

    fn conclude(&self, ended: Result<Answer, ScriptEnd>) -> (InputEnd, Result<Value, Error>) {
        match ended {
            Ok(Answer::Value(value)) => (InputEnd::Done(Some(value.clone())), Ok(value)),
            Ok(Answer::Mixed(value)) => (InputEnd::Done(None), Ok(value)),
            Ok(Answer::Nothing | Answer::Other(_)) => (InputEnd::Done(None), Ok(Value::Null)),
            Err(ScriptEnd::Failed(diagnostic)) => {
                let reason = diagnostic.summary_with_repair();
                (InputEnd::Failed(reason), Err(Error::Script(diagnostic)))
            }
            Err(ScriptEnd::Stopped(Stop::Cancelled)) => {
                let reason = "the input was stopped".to_owned();
                (InputEnd::Failed(reason.clone()), Err(Error::NoResult(reason)))
            }
            Err(ScriptEnd::Stopped(Stop::InDoubt { reason, .. })) => {
                let message = format!("a step is in doubt: {reason}; resume the run {}", self.id());
                (InputEnd::Parked(reason), Err(Error::NoResult(message)))
            }
            Err(ScriptEnd::Stopped(Stop::JournalLost(reason))) => {
                let message = format!("the journal cannot be written: {reason}");
                (InputEnd::Failed(reason), Err(Error::Setup(message)))
            }
            Err(ScriptEnd::Bug(what)) => {
                let message = format!("a bug in provisor: {what}");
                (InputEnd::Failed(what), Err(Error::Setup(message)))
            }
        }
    }

    /// Looks up the steps in doubt, and ends the session. Dropping a session ends it without looking anything up.
    /// Returns the number of steps that stay in doubt.
    ///
    /// Errors: the journal cannot be written.
    pub fn close(mut self) -> Result<usize, Error> {
        let interrupt = Interrupt::new();
        self.current.set(&interrupt);
        // Lookups block, which a thread of an asynchronous runtime may not do.
        let settled = thread::scope(|scope| {
            let looking = scope.spawn(|| self.recorded.settle(&interrupt, &mut |_| {}));
            looking.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        self.current.clear();
        settled?;
        self.is_closed = true;
        Ok(self.recorded.close()?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_closed {
            // If the journal cannot be written, the run stays open, as after a crash.
            let _ = self.recorded.close();
        }
    }
}

/// Passes on what an input prints. A program that wants to be asked before a change registers operations that ask.
struct Events(Arc<Print>);

impl SessionEvents for Events {
    fn print(&self, line: &str) {
        (self.0)(line);
    }

    fn report(&self, _: Notice) {}

    fn reviews_changes(&self) -> bool {
        false
    }

    fn consent(&self, _: &ChangeRequest<'_>) -> Decision {
        Decision::Yes
    }
}

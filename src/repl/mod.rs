//! The interactive loop (REPL): reads inputs, evaluates them, and shows the results.
//!
//! ```text
//! a terminal ─▶ prompt (rustyline, helper) ─┐                   ┌─▶ commands: `:name`, from a table
//! a pipe, a file ─▶ lines (statements) ─────┴─▶ Repl::enter ────┴─▶ evaluate ─▶ script::interactive ─(LazyOperations)─▶ session
//!                                                                       └─▶ show: the answer, or the diagnostic
//! ```
//!
//! * **The language** is [`crate::script::interactive`]: variables, functions and imports persist. All inputs are lines
//!   of one virtual document, so that an error inside a function is shown in the input that defined it.
//! * **The session is a run** ([`crate::run::session`]): each input is a row of its own, whose text is its pinned
//!   source. The run starts at the first operation and includes the inputs before it; until then neither journal nor
//!   sandbox is open. A resume of a killed session looks up open steps and reruns no input.
//! * **The host program** (profiles, files, the editor, signals) is the command line's, behind
//!   [`host::ReplHost`]; all output goes through [`host::Screen`]. Nothing here prints.
//! * **Ctrl-C** clears the line while typing. During evaluation it cancels the [`crate::run::interrupt::CurrentInput`]:
//!   reads end at once, and a request already sent is settled; a second Ctrl-C leaves it in doubt.
//! * **Without a terminal** an input is a statement with all lines that continue it (`.`, `else`, an operator). The
//!   first failure ends the loop. `provisor repl < FILE` behaves like `provisor run FILE` of a script without `main`;
//!   functions of text that arrives at once are known from its start; `return` or `exit` ends it. A `main` is only
//!   defined, with a note.

pub(crate) mod host;

mod commands;
mod complete;
mod evaluate;
mod help;
mod helper;
mod highlight;
mod hint;
mod history;
mod lines;
mod paste;
mod piped;
mod pitfalls;
mod prompt;
mod session;
mod show;
mod width;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commands::Settings;
use evaluate::{EvaluatedInput, Failure, Outcome};
use host::{HostError, Ports};
use session::LazySession;

use crate::operation::error::Code;
use crate::run::interrupt::{CurrentInput, Interrupt};
use crate::script::host::Host;
use crate::script::interactive::Workspace;

/// The options of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Scripts to load first.
    pub load: Vec<String>,
    /// Inputs to evaluate after that.
    pub eval: Vec<String>,
    /// The scripts that every session starts with, before all of these, as name and text.
    pub rc: Vec<(String, String)>,
    /// Messages about such scripts that are not run.
    pub notes: Vec<String>,
    /// The history file, or `None` if no history is kept. Only a terminal needs one.
    pub history: Option<PathBuf>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionExit {
    /// The user left, or the input ended.
    Ended,
    /// An input failed, with this code if an operation failed. Only without a terminal.
    Failed(Option<Code>),
    /// A step is left in doubt.
    InDoubt,
    /// The session was interrupted.
    Interrupted,
    /// The journal cannot be used, or provisor itself failed.
    Broken,
    /// A command was used incorrectly.
    Usage,
    /// A program that a command ran returned this exit code.
    Code(u8),
}

/// Runs a session to its end. `input` is read if no user types.
pub(crate) fn run(ports: Ports, host: &Host, options: &Options, input: Option<lines::Lines>) -> SessionExit {
    let mut repl = Repl::new(ports, host);
    let left = repl.begin(options).and_then(|()| match input {
        Some(input) => repl.read_all(input),
        None if repl.ports.terminal.interactive => repl.read_eval_loop(options.history.clone()),
        None => repl.read_eval_plain(),
    });
    let left = left.err().unwrap_or(SessionExit::Ended);
    repl.leave(left)
}

pub(crate) use lines::Lines;

/// A session.
struct Repl {
    ports: Ports,
    host: Host,
    space: Arc<Mutex<Workspace>>,
    lazy_session: LazySession,
    current_input: CurrentInput,
    inputs: Vec<EvaluatedInput>,
    settings: Settings,
    /// Whether the last input returned a value.
    has_value: bool,
    /// The last failure.
    failure: Option<Failure>,
}

/// What to do after an input.
#[derive(Debug, Clone, PartialEq)]
enum Next {
    /// Read the next input.
    Go,
    /// End the session.
    Quit,
    /// The input failed.
    Failed(SessionExit),
    /// Read the next input, starting with this text.
    Offer(String),
    /// Read the next input verbatim, up to an end marker.
    Paste,
}

impl Repl {
    fn new(ports: Ports, host: &Host) -> Repl {
        Repl {
            lazy_session: LazySession::new(&ports),
            ports,
            host: host.clone(),
            space: Arc::new(Mutex::new(Workspace::new(host))),
            current_input: CurrentInput::default(),
            inputs: Vec::new(),
            settings: Settings::default(),
            has_value: false,
            failure: None,
        }
    }

    fn space(&self) -> MutexGuard<'_, Workspace> {
        self.space.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs everything that precedes the first input. Fails only without a terminal.
    fn begin(&mut self, options: &Options) -> Result<(), SessionExit> {
        let lazy_session = self.lazy_session.clone();
        let leave = move || {
            let _ = lazy_session.shut_down();
        };
        self.ports.host.watch(&self.current_input, Box::new(leave));
        for note in &options.notes {
            self.note(note);
        }
        for (name, text) in &options.rc {
            let outcome = self.evaluate_as(name, 1, text);
            if self.ports.terminal.typed {
                let number = self.inputs.len();
                self.note(&format!("{name} ran as input {number}"));
            }
            self.follow(&Repl::next(&outcome))?;
        }
        for path in &options.load {
            let next = self.load(path);
            self.follow(&next)?;
        }
        for text in &options.eval {
            let next = self.enter(text);
            self.follow(&next)?;
        }
        Ok(())
    }

    /// Evaluates an input or runs a command.
    fn enter(&mut self, text: &str) -> Next {
        let name = format!("[{}]", self.inputs.len() + 1);
        self.enter_from(&name, 1, text)
    }

    /// Like [`Repl::enter`], for an input that starts at this line of the source `name`, as shown in messages.
    fn enter_from(&mut self, name: &str, line: usize, text: &str) -> Next {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let typed = text.trim();
        if typed.is_empty() {
            return Next::Go;
        }
        if lines::is_given_up(typed) {
            return self.note("discarded; nothing was run");
        }
        if let Some(command) = typed.strip_prefix(':').filter(|rest| !rest.starts_with(':')) {
            return self.command(command);
        }
        if let Some(name) = help::asked(typed) {
            return self.help(name);
        }
        if let Some(next) = self.explain_bare_word(typed) {
            return next;
        }
        let outcome = self.evaluate_as(name, line, &text);
        Repl::next(&outcome)
    }

    /// Converts the outcome of an input to the next action.
    fn next(outcome: &Outcome) -> Next {
        Next::Failed(match *outcome {
            Outcome::Done => return Next::Go,
            Outcome::Failed(code) => SessionExit::Failed(code),
            Outcome::InDoubt => SessionExit::InDoubt,
            Outcome::Stopped => SessionExit::Interrupted,
            Outcome::Broken => SessionExit::Broken,
        })
    }

    /// Explains `exit`, `quit` and `help`, which users try, unless a variable has that name.
    fn explain_bare_word(&self, typed: &str) -> Option<Next> {
        let (word, hint) = command_word(typed)?;
        let is_variable = self.space().variable(word).is_some();
        if is_variable || !self.ports.terminal.interactive {
            return None;
        }
        Some(self.note(hint))
    }

    /// Whether to continue: at a terminal after a failure, too; never after a request to end.
    fn follow(&self, next: &Next) -> Result<(), SessionExit> {
        if self.current_input.is_ending() {
            return Err(SessionExit::Interrupted);
        }
        match next {
            Next::Failed(left) if !self.ports.terminal.typed => Err(*left),
            Next::Quit => Err(SessionExit::Ended),
            _ => Ok(()),
        }
    }

    /// Evaluates a file in the session's scope.
    fn load(&mut self, path: &str) -> Next {
        match self.ports.host.read(path) {
            Ok((name, text)) => {
                let outcome = self.evaluate_as(&name, 1, &text);
                Repl::next(&outcome)
            }
            Err(host_error) => self.refuse(&host_error),
        }
    }

    fn refuse(&self, host_error: &HostError) -> Next {
        self.ports.screen.host_error(host_error);
        Next::Failed(SessionExit::Usage)
    }

    /// Shows the error of a command of the host program, if it failed.
    fn done(&self, result: Result<(), HostError>) -> Next {
        match result {
            Ok(()) => Next::Go,
            Err(host_error) => self.refuse(&host_error),
        }
    }

    /// Shows a message, and goes on.
    fn note(&self, text: &str) -> Next {
        self.ports.screen.note(text);
        Next::Go
    }

    /// Writes data, and goes on.
    fn out(&self, text: &str) -> Next {
        self.ports.screen.out(text);
        Next::Go
    }

    /// Calls `to` with an interrupt that Ctrl-C triggers.
    fn interruptible<T>(&self, to: impl FnOnce(&Interrupt) -> T) -> T {
        let interrupt = Interrupt::new();
        self.current_input.set(&interrupt);
        let done = to(&interrupt);
        self.current_input.clear();
        done
    }

    /// Ends the session's run and reports what it created.
    fn leave(&mut self, left: SessionExit) -> SessionExit {
        let close_error = self.lazy_session.shut_down();
        if let Some(reason) = self.ports.screen.output_error() {
            let message = format!("cannot write to standard output: {reason}");
            self.ports.screen.error(&message, &[]);
            return SessionExit::Broken;
        }
        match close_error {
            Some(close_error) if left == SessionExit::Ended => close_error,
            _ => left,
        }
    }
}

/// Returns the word of an input that is only `exit`, `quit` or `help`, and the hint for it.
fn command_word(typed: &str) -> Option<(&str, &'static str)> {
    let word = typed.trim_end_matches([';', '(', ')']);
    let hint = match word {
        "exit" | "quit" => ":quit or Ctrl-D leaves",
        "help" => ":help lists everything; :help NAME describes one",
        _ => return None,
    };
    Some((word, hint))
}

//! The interfaces that the REPL requires from its host program; the command line implements them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::operation::context::Mode;
use crate::run::interrupt::{CurrentInput, Interrupt};
use crate::run::session::{Input, InputEnd, Session};
use crate::script::bundle::Loader;
use crate::script::error::Diagnostic;
use crate::value::Value;

/// What stays the same of a terminal while a session lasts.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Terminal {
    /// Whether a user types at a terminal.
    pub typed: bool,
    /// Whether a user types at a terminal and the output goes there too.
    pub interactive: bool,
    /// Whether a user can see and answer a question. Questions go to stderr.
    pub prompts: bool,
    /// Whether stdout may be coloured.
    pub colour: bool,
    /// Whether written lines can be redrawn. A dumb terminal cannot do that.
    pub redraws: bool,
}

/// The output of a session. Data goes to stdout, everything else to stderr.
pub(crate) trait Screen: Send + Sync {
    /// The number of columns of stdout, or `None` if there is no limit.
    fn width(&self) -> Option<usize>;

    /// Whether the reader of stdout has gone, or writing fails.
    fn is_closed(&self) -> bool;

    /// Why data could not be written, unless the reader has gone on purpose.
    fn output_error(&self) -> Option<String>;

    /// The number of lines of the terminal, or `None` if there is none.
    fn height(&self) -> Option<usize>;

    /// Writes data.
    fn out(&self, text: &str);

    /// Writes a prompt without a line end, and only where a user sees it.
    fn prompt(&self, text: &str);

    /// Writes documentation: our own text, with its styles kept.
    fn page(&self, text: &str);

    /// Shows a message.
    fn note(&self, text: &str);

    /// Shows a warning.
    fn warn(&self, text: &str);

    /// Shows an error and hints what to do about it.
    fn error(&self, message: &str, hints: &[String]);

    /// Shows an error of the host program.
    fn host_error(&self, error: &HostError) {
        self.error(&error.message, &error.hints);
    }

    /// Shows an error of an input, with its location.
    fn diagnostic(&self, diagnostic: &Diagnostic);
}

/// The account that the session works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveAccount {
    /// The profile, or `None` if none is chosen.
    pub profile: Option<String>,
    /// The mode.
    pub mode: Mode,
    /// Whether every change was approved in advance, for this profile in its own mode only.
    pub agreed: bool,
}

impl ActiveAccount {
    /// The label in the prompt: `acme:prod`, `sandbox`; `acme:prod!` if changes are not confirmed.
    pub(crate) fn label(&self) -> String {
        match (&self.profile, self.mode) {
            (_, Mode::Sandbox) => "sandbox".into(),
            (Some(profile), Mode::Prod) if self.agreed => format!("{profile}:prod!"),
            (Some(profile), mode) => format!("{profile}:{}", mode.name()),
            (None, _) => "provisor".into(),
        }
    }

    /// The account in words: the sandbox, or a profile's.
    pub(crate) fn account(&self) -> String {
        match (&self.profile, self.mode) {
            (_, Mode::Sandbox) => "the sandbox".into(),
            (Some(profile), _) => format!("profile {profile}"),
            (None, _) => "no profile".into(),
        }
    }
}

/// An error: what failed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct HostError {
    /// What failed and why: a sentence without a full stop.
    pub message: String,
    /// What to do, one sentence each.
    pub hints: Vec<String>,
}

/// A change of the account that the session works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Switch {
    /// To this profile.
    Profile(String),
    /// To this mode; it is never less careful than the profile requires.
    Mode(Mode),
    /// To the sandbox, or back to the profile.
    Sandbox(bool),
    /// To the sandbox, with an additional fault.
    Fault(String),
    /// To the sandbox, with its state deleted.
    Reset,
}

/// The export of a value to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Export {
    /// The value's name.
    pub name: String,
    /// The file; its extension determines the format.
    pub file: String,
    /// Whether secrets are written in clear.
    pub reveal: bool,
    /// Whether an existing file is replaced without confirmation.
    pub replace: bool,
}

/// The host program of the REPL.
pub(crate) trait ReplHost: Send + Sync {
    /// The account that the session works on.
    fn place(&self) -> ActiveAccount;

    /// Opens the journal and the accounts, and starts a session with the inputs so far. Called at the first operation.
    fn begin(&self, earlier: Vec<(Input, InputEnd)>) -> Result<Session, HostError>;

    /// Asks the user at the terminal a question and returns the line typed; `None` if there is no terminal, the input
    /// ends, or the interrupt comes first.
    fn ask(&self, question: &str, interrupt: &Interrupt) -> Option<String>;

    /// The names of the profiles.
    fn profiles(&self) -> Vec<String>;

    /// The recorded runs, newest first, each with a short description. Creates nothing and sends no request.
    fn runs(&self) -> Vec<(String, String)>;

    /// Switches the session if it can and `proceed` then agrees. Returns whether it did.
    fn switch(&self, to: &Switch, proceed: &mut dyn FnMut() -> bool) -> Result<bool, HostError>;

    /// The sandbox routes that can have a fault, and the kinds of faults, as they are written.
    fn faults(&self) -> (Vec<String>, Vec<String>);

    /// The flags that make the program work on the session's account: `--sandbox`, `--profile acme`.
    fn account_flags(&self) -> Vec<String>;

    /// The names that no script parameter may have, because they are flags of the program.
    fn flag_names(&self) -> BTreeSet<String>;

    /// Runs the program with these arguments on the same home and terminal, and returns its exit code.
    fn provisor(&self, words: &[String]) -> Result<u8, HostError>;

    /// Opens a text in the user's editor and returns the edited text.
    fn edit(&self, text: &str) -> Result<String, HostError>;

    /// Writes a user's file; an existing one is replaced only if `replace` is set.
    fn write(&self, path: &str, text: &str, replace: bool) -> Result<(), HostError>;

    /// Trusts the current version of the project's rc file, and returns its name and text.
    fn trust(&self) -> Result<(String, String), HostError>;

    /// Turns the tracing of requests on or off.
    fn trace(&self, on: bool) -> Result<(), HostError>;

    /// The requests since the last call, one line each.
    fn requests(&self) -> Vec<String>;

    /// Shows a text in the user's pager and returns when the user leaves it. `styled` text is documentation, whose
    /// styles are kept.
    fn page(&self, text: &str, styled: bool) -> Result<(), HostError>;

    /// Returns a value with its secrets in clear. Asks first, and records it.
    fn reveal(&self, what: &str, value: &Value, interrupt: &Interrupt) -> Result<String, HostError>;

    /// Exports a value to a file readable by its owner only, and returns the number of records. Asks before replacing a
    /// file and before writing a secret.
    fn export(&self, export: &Export, value: &Value, interrupt: &Interrupt) -> Result<usize, HostError>;

    /// The loader of imports.
    fn loader(&self) -> Box<dyn Loader>;

    /// Connects Ctrl-C to this from now on. If the process is asked to end while nothing is evaluated,
    /// `shut_down` is called first.
    fn watch(&self, current_input: &CurrentInput, shut_down: Box<dyn Fn() + Send + Sync>);

    /// Reads a script file and returns its name for messages and its text.
    fn read(&self, path: &str) -> Result<(String, String), HostError>;
}

/// The host program, the output and the terminal, shared by the parts of the REPL.
#[derive(Clone)]
pub(crate) struct Ports {
    /// The host program.
    pub host: Arc<dyn ReplHost>,
    /// The output.
    pub screen: Arc<dyn Screen>,
    /// The terminal.
    pub terminal: Terminal,
}

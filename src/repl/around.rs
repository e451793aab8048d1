//! What the loop needs of the program around it; the command line implements it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::run::interrupt::{Interrupt, Reins};
use crate::run::session::{Input, InputEnd, Session};
use crate::script::bundle::Loader;
use crate::script::error::Diagnostic;
use crate::value::Value;

/// What people see. Data goes to standard output, everything else to standard error.
pub(crate) trait Screen: Send + Sync {
    /// Is a person at a terminal typing?
    fn is_typed(&self) -> bool;

    /// Is a person at a terminal typing, and sees what comes of it there?
    fn is_terminal(&self) -> bool;

    /// Is there somebody who sees a question and can answer it? Questions go to standard error.
    fn can_ask(&self) -> bool;

    /// May standard output be coloured?
    fn has_colour(&self) -> bool;

    /// How many columns fit on a line of standard output; `None` when there is no limit.
    fn width(&self) -> Option<usize>;

    /// Has the reader of the data gone away, or can it not be written?
    fn is_closed(&self) -> bool;

    /// Why data could not be written, when it was to be read by somebody.
    fn lost(&self) -> Option<String>;

    /// How many lines fit on the terminal; `None` where there is none.
    fn height(&self) -> Option<usize>;

    /// Can lines that were written be drawn again? A dumb terminal cannot.
    fn redraws(&self) -> bool;

    /// Writes data.
    fn out(&self, text: &str);

    /// Writes a prompt, and no line end: where a person sees it, and nowhere else.
    fn prompt(&self, text: &str);

    /// Writes documentation: text of our own, whose styles are kept.
    fn page(&self, text: &str);

    /// Tells something.
    fn note(&self, text: &str);

    /// Tells something to look at.
    fn warn(&self, text: &str);

    /// Tells of a failure, and what to do about it.
    fn error(&self, message: &str, hints: &[String]);

    /// Tells of a failure of an input, with its place.
    fn diagnostic(&self, diagnostic: &Diagnostic);
}

/// How careful the session is with its account, the most careful last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Simulated platforms.
    Sandbox,
    /// An account for trying things.
    Dev,
    /// A real account: changes are asked about.
    Prod,
    /// Nothing may be changed.
    ReadOnly,
}

impl Mode {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mode::Sandbox => "sandbox",
            Mode::Dev => "dev",
            Mode::Prod => "prod",
            Mode::ReadOnly => "read-only",
        }
    }
}

/// Where the session works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The profile; `None` while none is chosen.
    pub profile: Option<String>,
    /// How careful to be.
    pub mode: Mode,
    /// Was consent to every change given beforehand, for just this profile in its own mode?
    pub agreed: bool,
}

impl Place {
    /// The place as the prompt names it: `acme:prod`, `sandbox`; `acme:prod!` where nothing is asked.
    pub(crate) fn label(&self) -> String {
        match (&self.profile, self.mode) {
            (_, Mode::Sandbox) => "sandbox".into(),
            (Some(profile), Mode::Prod) if self.agreed => format!("{profile}:prod!"),
            (Some(profile), mode) => format!("{profile}:{}", mode.word()),
            (None, _) => "provisor".into(),
        }
    }

    /// Which account is worked with: the sandbox, or a profile's.
    pub(crate) fn account(&self) -> String {
        match (&self.profile, self.mode) {
            (_, Mode::Sandbox) => "the sandbox".into(),
            (Some(profile), _) => format!("profile {profile}"),
            (None, _) => "no profile".into(),
        }
    }
}

/// Why something cannot be had: what failed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Trouble {
    /// What failed and why, in a sentence without a full stop.
    pub message: String,
    /// What to do, a sentence each.
    pub hints: Vec<String>,
}

/// Where to work from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Switch {
    /// With this profile.
    Profile(String),
    /// This carefully; never less than the profile asks for.
    Mode(Mode),
    /// On the sandbox, or on the profile again.
    Sandbox(bool),
    /// On the sandbox, with one more of its faults.
    Fault(String),
    /// On the sandbox, whose world is forgotten and begun anew.
    Reset,
}

/// A value that is to become a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Export {
    /// What the value is called.
    pub name: String,
    /// The file; its ending names the format.
    pub file: String,
    /// Are secrets to be written in clear?
    pub reveal: bool,
    /// May a file of that name be replaced without a question?
    pub replace: bool,
}

/// The program around the loop.
pub(crate) trait Surroundings: Send + Sync {
    /// Where the session works now.
    fn place(&self) -> Place;

    /// What the banner says behind the program's name: its version.
    fn version(&self) -> String;

    /// Opens the journal and the accounts, and begins a session with the inputs so far. Called at the first operation.
    fn begin(&self, earlier: Vec<(Input, InputEnd)>) -> Result<Session, Trouble>;

    /// A line that the person at the terminal types, with the question before it; `None` when there is no terminal, the
    /// input ends, or the interrupt comes first.
    fn ask(&self, question: &str, interrupt: &Interrupt) -> Option<String>;

    /// The next line that the person at the terminal types, with its end; `None` at the end of the input.
    fn line(&self) -> Result<Option<String>, Trouble>;

    /// The profiles there are, by name.
    fn profiles(&self) -> Vec<String>;

    /// The runs on record, the newest first, each with a few words about it. Nothing is made or asked for it.
    fn runs(&self) -> Vec<(String, String)>;

    /// Could the session work there?
    fn check(&self, to: &Switch) -> Result<(), Trouble>;

    /// Works there from now on.
    fn switch(&self, to: &Switch) -> Result<(), Trouble>;

    /// The routes of the sandbox that can have a fault, and the kinds of faults, as they are written.
    fn faults(&self) -> (Vec<String>, Vec<String>);

    /// The flags by which the program works where the session does: `--sandbox`, `--profile acme`.
    fn account_flags(&self) -> Vec<String>;

    /// The names that no parameter of a script may have, because the program's own flags have them.
    fn flag_names(&self) -> BTreeSet<String>;

    /// Runs the program itself with these words, on the same home and terminal, and gives its exit code.
    fn provisor(&self, words: &[String]) -> Result<u8, Trouble>;

    /// Opens a text in the user's editor, and gives what it became.
    fn edit(&self, text: &str) -> Result<String, Trouble>;

    /// Writes a file of the user's; an existing one only when it may be replaced.
    fn write(&self, path: &str, text: &str, replace: bool) -> Result<(), Trouble>;

    /// Trusts the project's rc file as it is now, and gives its name and text.
    fn trust(&self) -> Result<(String, String), Trouble>;

    /// Tells each request from now on, or no more.
    fn trace(&self, on: bool) -> Result<(), Trouble>;

    /// The requests since this was last asked, each in a line.
    fn requests(&self) -> Vec<String>;

    /// Shows a text in the user's pager, and comes back when they have left it. `styled` is documentation, whose styles are
    /// kept.
    fn page(&self, text: &str, styled: bool) -> Result<(), Trouble>;

    /// A value with its secrets in clear. Asks first, and records it.
    fn reveal(&self, what: &str, value: &Value, interrupt: &Interrupt) -> Result<String, Trouble>;

    /// Writes a value as a file for its owner alone, and gives how many records it has. Asks before a file is replaced,
    /// and before a secret is written.
    fn export(&self, export: &Export, value: &Value, interrupt: &Interrupt) -> Result<usize, Trouble>;

    /// Where imports come from.
    fn loader(&self) -> Box<dyn Loader>;

    /// The file of the history; `None` when none is kept.
    fn history(&self) -> Option<PathBuf>;

    /// Lets Ctrl-C pull these reins from now on. When the process is asked to end while nothing is evaluated, `farewell`
    /// is said before it does.
    fn watch(&self, reins: &Reins, farewell: Box<dyn Fn() + Send + Sync>);

    /// Reads a script file: its name for messages, and its text.
    fn read(&self, path: &str) -> Result<(String, String), Trouble>;

    /// The scripts that every session begins with, as name and text, and what is to be told about others.
    fn rc(&self) -> (Vec<(String, String)>, Vec<String>);
}

/// The surroundings and the screen, shared by those who need them.
#[derive(Clone)]
pub(crate) struct Outside {
    /// The program around the loop.
    pub around: Arc<dyn Surroundings>,
    /// What people see.
    pub screen: Arc<dyn Screen>,
}

//! The host program of a session: profiles, journal, editor, pager, the program itself, and files.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::editor::{self, Editing, EditorDraft};
use super::terminal::{self, Keyboard};
use super::trace::Trace;
use crate::cli::app::{Accounts, App, Engine};
use crate::cli::approval::Approvals;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::parent_session::{self, ParentSession};
use crate::cli::plan::RunPlan;
use crate::cli::ui::{Stream, printable};
use crate::cli::{line_input, private_file, profiles, sources};
use crate::config::{self, Trust};
use crate::journal::NewRun;
use crate::operation::context::Mode;
use crate::package::loader::ScriptLoader;
use crate::repl::host::{ActiveAccount, Export, HostError, ReplHost, Switch};
use crate::report::reveal::Reveal;
use crate::report::{VALUE, columns_of, records_of, write_value};
use crate::run::interrupt::{CurrentInput, Interrupt};
use crate::run::session::{Input, InputEnd, Session};
use crate::runtime::Executor;
use crate::script::bundle::Loader;
use crate::value::{Record, Value};

/// The command line's implementation of the REPL's host program.
pub(super) struct CliHost {
    pub(super) app: App,
    pub(super) accounts: Mutex<Accounts>,
    pub(super) place: Mutex<Option<ActiveAccount>>,
    /// The requested mode, if more careful than the profile's.
    pub(super) stricter_mode: Mutex<Option<Mode>>,
    /// The place whose changes were approved in advance, if any: the one where the session started.
    pub(super) agreed: Mutex<Option<ActiveAccount>>,
    /// Journal, accounts and sandbox, once an input has needed them.
    pub(super) engine: Mutex<Option<Arc<Engine>>>,
    /// Whether a user is typing.
    typed: bool,
    /// The terminal, if lines are edited on it.
    keyboard: Option<Keyboard>,
    /// The editor in progress.
    editing: Editing,
    /// The runtime that watches signals.
    runtime: OnceLock<Executor>,
    trace: Trace,
}

impl CliHost {
    pub(super) fn new(
        app: &App,
        accounts: Accounts,
        typed: bool,
        keyboard: Option<Keyboard>,
    ) -> Result<CliHost, CommandError> {
        if !accounts.sandbox && !accounts.faults.is_empty() {
            return Err(CommandError::usage("--fault works only with the sandbox").hint("add --sandbox"));
        }
        let host = CliHost {
            app: app.with_env(app.env.clone()),
            accounts: Mutex::new(accounts),
            place: Mutex::default(),
            stricter_mode: Mutex::default(),
            agreed: Mutex::default(),
            typed,
            keyboard,
            engine: Mutex::default(),
            editing: Editing::default(),
            runtime: OnceLock::new(),
            trace: Trace::begin(&app.ui),
        };
        host.find_place()?;
        Ok(host)
    }

    fn engine(&self) -> Result<Arc<Engine>, CommandError> {
        let mut engine = lock(&self.engine);
        if let Some(engine) = &*engine {
            return Ok(engine.clone());
        }
        let mut accounts = lock(&self.accounts).clone();
        // Every change is confirmed individually, so this profile is approved as a whole; others are not.
        accounts.agreed = Approvals::to(self.place().profile);
        let made = Arc::new(self.app.engine(&accounts)?);
        *engine = Some(made.clone());
        Ok(made)
    }

    fn plan(&self) -> RunPlan {
        let accounts = lock(&self.accounts).clone();
        let mut plan = RunPlan {
            script: NAME.into(),
            session: true,
            sandbox: accounts.sandbox,
            faults: accounts.faults,
            profile: accounts.profile.clone(),
            folder: Some(self.app.env.folder().display().to_string()),
            jobs: 1,
            ..RunPlan::default()
        };
        if !accounts.sandbox
            && let Some((name, address)) = profiles::active(&self.app, accounts.profile.as_deref())
        {
            plan.profile = Some(name);
            plan.address = Some(address);
        }
        plan
    }

    /// The history file, or `None` if no history is kept.
    pub(super) fn history(&self) -> Option<PathBuf> {
        if self.app.env.is_set_empty("PROVISOR_HISTORY") {
            return None;
        }
        if let Some(file) = self.app.env.os("PROVISOR_HISTORY") {
            return Some(self.app.env.folder().join(file));
        }
        let state = self.app.paths().ok()?.state().to_owned();
        App::make_private(&state).ok()?;
        Some(state.join("history"))
    }

    /// The scripts that every session starts with, as name and text, and messages about scripts that are not run.
    pub(super) fn rc(&self) -> (Vec<(String, String)>, Vec<String>) {
        let mut scripts = Vec::new();
        let mut notes = Vec::new();
        let Ok(paths) = self.app.paths() else {
            return (scripts, notes);
        };
        let own = paths.config().join(RC);
        match fs::read_to_string(&own) {
            Ok(text) => scripts.push((own.display().to_string(), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => notes.push(format!("`{}` cannot be read: {error}", own.display())),
        }
        let project = self.project_rc();
        if let Ok(text) = fs::read_to_string(&project) {
            if Trust::of(paths).covers(&project, &text) {
                scripts.push((self.shown(&project), text));
            } else {
                notes.push(format!(
                    "{} was not loaded, because its current text is not trusted; review it, then enter :trust",
                    self.shown(&project)
                ));
            }
        }
        (scripts, notes)
    }

    /// Runs the program itself and returns its exit code.
    fn run_self(&self, words: &[String]) -> Result<u8, CommandError> {
        let failed = |error: io::Error| {
            CommandError::new(Exit::Aborted, format!("provisor cannot be started: {error}"))
        };
        let program = std::env::current_exe().map_err(failed)?;
        let colour = if self.app.ui.has_colour(Stream::Out) {
            "always"
        } else {
            "never"
        };
        let mut command = Command::new(program);
        command.args(["--color", colour]).args(words);
        command.env(parent_session::VARIABLE, ParentSession::written(&self.place()));
        if !self.typed {
            // The rest of stdin belongs to this session.
            command.stdin(Stdio::null());
        }
        // Ctrl-C stops the program; anything else typed waits for the next prompt.
        let status = match &self.keyboard {
            Some(keyboard) => {
                keyboard.signal(true);
                let status = command.status();
                keyboard.signal(false);
                status
            }
            None => command.status(),
        };
        let status = status.map_err(failed)?;
        let code = status.code().unwrap_or(Exit::Interrupted.code().into());
        Ok(u8::try_from(code).unwrap_or(Exit::Aborted.code()))
    }

    /// Calls `to` with the terminal in the state from before the session.
    fn with_original_terminal<T>(&self, to: impl FnOnce() -> T) -> T {
        match &self.keyboard {
            Some(keyboard) => keyboard.with_original_state(to),
            None => to(),
        }
    }

    /// The project's file: beside its `provisor.toml`, or else in the current folder.
    fn project_rc(&self) -> PathBuf {
        let project = config::project_file(&self.app.env);
        let folder = project.as_deref().and_then(Path::parent);
        folder.unwrap_or(self.app.env.folder()).join(RC)
    }

    fn shown(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.app.env.folder()).unwrap_or(path);
        below.display().to_string()
    }

    fn may_reveal(
        &self,
        what: &str,
        columns: &[String],
        interrupt: &Interrupt,
    ) -> Result<Reveal, CommandError> {
        if !line_input::has_terminal() {
            let error = CommandError::usage(format!("{what} are shown at a terminal only"));
            return Err(error.hint("`provisor tenants export --reveal --yes` writes passwords into a file"));
        }
        if !confirmed(&format!("Show {what} in clear?"), interrupt) {
            return Err(CommandError::new(Exit::Aborted, "nothing was shown"));
        }
        let actor = self.app.actor();
        let engine = lock(&self.engine).clone();
        match engine {
            Some(engine) => engine.journal.audit("reveal", &actor, &what.into())?,
            None => self.app.journal()?.audit("reveal", &actor, &what.into())?,
        }
        self.app.ui.note("this is recorded: see provisor audit");
        Ok(Reveal::columns(columns.iter().cloned()))
    }

    /// The recorded runs, newest first; creates no journal.
    fn known_runs(&self) -> Option<Vec<(String, String)>> {
        let engine = lock(&self.engine).clone();
        let journal = match engine {
            Some(engine) => engine.journal.clone(),
            None if self.app.paths().ok()?.journal().exists() => self.app.journal().ok()?,
            None => return None,
        };
        let runs = journal.runs().ok()?.into_iter();
        let described = runs.map(|run| {
            let about = format!(
                "{}, {}{}",
                run.name,
                run.status.as_str(),
                describe_account(&run.plan)
            );
            (run.id.to_string(), about)
        });
        Some(described.collect())
    }
}

/// The name of a session in listings.
const NAME: &str = "repl";

/// The name of the scripts that every session starts with.
const RC: &str = "repl.rhai";

impl ReplHost for CliHost {
    fn place(&self) -> ActiveAccount {
        lock(&self.place).clone().unwrap_or(ActiveAccount {
            profile: None,
            mode: Mode::Dev,
            agreed: false,
        })
    }

    fn begin(&self, earlier: Vec<(Input, InputEnd)>) -> Result<Session, HostError> {
        let engine = self.engine()?;
        let new = NewRun {
            name: NAME.into(),
            sources: Vec::new(),
            params: Value::Record(Record::new()),
            plan: self.plan().to_value(),
            has_rows: true,
        };
        let begun = Session::begin(&engine.journal, &engine.context, engine.handle(), new, earlier);
        Ok(begun.map_err(CommandError::from)?)
    }

    fn ask(&self, question: &str, interrupt: &Interrupt) -> Option<String> {
        let line = line_input::read_confirmation(question, || interrupt.is_requested());
        line.map(|line| line.to_string())
    }

    fn profiles(&self) -> Vec<String> {
        let config = self.app.config();
        config.map_or(Vec::new(), |config| config.profiles().keys().cloned().collect())
    }

    fn switch(&self, to: &Switch, proceed: &mut dyn FnMut() -> bool) -> Result<bool, HostError> {
        Ok(self.switch_to(to, proceed)?)
    }

    fn faults(&self) -> (Vec<String>, Vec<String>) {
        crate::cli::sandbox::known_faults()
    }

    fn runs(&self) -> Vec<(String, String)> {
        self.known_runs().unwrap_or_default()
    }

    fn flag_names(&self) -> BTreeSet<String> {
        crate::cli::run::own_names()
    }

    fn account_flags(&self) -> Vec<String> {
        let accounts = lock(&self.accounts).clone();
        let mut flags = Vec::new();
        if accounts.sandbox {
            flags.push("--sandbox".to_owned());
            for fault in accounts.faults {
                flags.extend(["--fault".to_owned(), fault]);
            }
        } else if let Some(profile) = self.place().profile {
            flags.extend(["--profile".to_owned(), profile]);
        }
        flags
    }

    fn provisor(&self, words: &[String]) -> Result<u8, HostError> {
        Ok(self.run_self(words)?)
    }

    /// Opens the text in `$VISUAL`, `$EDITOR` or vi.
    fn edit(&self, text: &str) -> Result<String, HostError> {
        let unusable = |error: io::Error| {
            CommandError::new(
                Exit::Aborted,
                format!("the text for the editor cannot be stored: {error}"),
            )
        };
        let folder = self.app.paths()?.state();
        App::make_private(folder)?;
        let draft = EditorDraft::make(folder, text).map_err(unusable)?;
        let env = &self.app.env;
        let editor = env.get("VISUAL").or_else(|| env.get("EDITOR")).unwrap_or("vi");
        let mut words = editor.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("vi"));
        command.args(words).arg(draft.file());
        match self.with_original_terminal(|| self.editing.run(&mut command, draft)) {
            Ok((status, text)) if status.success() => Ok(text.map_err(unusable)?),
            Ok(_) => {
                let failed = format!("the editor `{editor}` failed; the input is unchanged");
                Err(CommandError::usage(failed).into())
            }
            Err(error) => Err(CommandError::usage(format!(
                "the editor `{editor}` cannot be started: {error}"
            ))
            .hint("set EDITOR to an installed editor")
            .into()),
        }
    }

    fn write(&self, path: &str, text: &str, replace: bool) -> Result<(), HostError> {
        let path = self.app.env.folder().join(path);
        if path.exists() && !replace {
            return Err(already_exists(path.display()));
        }
        private_file::write(&path, |sink| Ok(sink.write_all(text.as_bytes())?))?;
        Ok(())
    }

    fn trust(&self) -> Result<(String, String), HostError> {
        let file = self.project_rc();
        let text = fs::read_to_string(&file)
            .map_err(|error| CommandError::usage(format!("`{}` cannot be read: {error}", file.display())))?;
        let words = ["trust", &file.display().to_string(), "--yes"].map(str::to_owned);
        match self.run_self(&words)? {
            0 => Ok((self.shown(&file), text)),
            _ => Err(CommandError::usage(format!("{} is not trusted", file.display())).into()),
        }
    }

    fn trace(&self, on: bool) -> Result<(), HostError> {
        let set = self.trace.set_enabled(on).map_err(CommandError::usage);
        Ok(set?)
    }

    fn requests(&self) -> Vec<String> {
        self.trace.take()
    }

    /// Shows the text in `$PAGER`, or in less.
    fn page(&self, text: &str, styled: bool) -> Result<(), HostError> {
        let text = if styled { text.into() } else { printable(text) };
        let env = &self.app.env;
        let pager = env.get("PAGER").filter(|pager| !pager.trim().is_empty());
        let pager = pager.unwrap_or("less");
        let mut words = pager.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("less"));
        command.args(words).stdin(Stdio::piped());
        if env.get("LESS").is_none() {
            // Wide tables scroll sideways, and colours are kept.
            command.env("LESS", "-RS");
        }
        self.with_original_terminal(|| -> Result<(), HostError> {
            let mut child = command.spawn().map_err(|error| {
                CommandError::usage(format!("the pager `{pager}` cannot be started: {error}"))
                    .hint("set PAGER to an installed pager")
            })?;
            if let Some(mut stdin) = child.stdin.take() {
                // The user may leave the pager early.
                let _ = stdin.write_all(text.as_bytes());
            }
            let ended = child.wait();
            ended.map_err(|error| CommandError::usage(format!("the pager `{pager}` failed: {error}")))?;
            Ok(())
        })
    }

    fn reveal(&self, what: &str, value: &Value, interrupt: &Interrupt) -> Result<String, HostError> {
        let what = format!("the secrets of `{what}`");
        let reveal = self.may_reveal(&what, &[VALUE.to_owned()], interrupt)?;
        Ok(match reveal.json(VALUE, value) {
            serde_json::Value::String(text) => text,
            json => serde_json::to_string_pretty(&json).unwrap_or_default(),
        })
    }

    fn export(&self, export: &Export, value: &Value, interrupt: &Interrupt) -> Result<usize, HostError> {
        let path = self.app.env.folder().join(&export.file);
        let format = private_file::format_of(Path::new(&export.file))?;
        if path.exists() && !export.replace && !confirmed(&format!("Replace `{}`?", export.file), interrupt) {
            return Err(already_exists(&export.file));
        }
        let records = records_of(value);
        let reveal = if export.reveal {
            let what = format!("the secrets of `{}`, written to {},", export.name, export.file);
            let mut columns = columns_of(&records);
            columns.push(VALUE.to_owned());
            self.may_reveal(&what, &columns, interrupt)?
        } else {
            Reveal::nothing()
        };
        private_file::write(&path, |sink: &mut dyn Write| {
            Ok(write_value(sink, format, value, &reveal)?)
        })?;
        Ok(records.len())
    }

    fn loader(&self) -> Box<dyn Loader> {
        Box::new(ScriptLoader::beside(
            Path::new("repl"),
            sources::surroundings(&self.app),
        ))
    }

    fn watch(&self, current_input: &CurrentInput, shut_down: Box<dyn Fn() + Send + Sync>) {
        if let Ok(paths) = self.app.paths() {
            editor::remove_stale(paths.state());
        }
        let editing = self.editing.clone();
        let shut_down = Box::new(move || {
            editing.end();
            shut_down();
        });
        // Without its thread, Ctrl-C ends the process as usual.
        if let Ok(runtime) = Executor::start(1) {
            let runtime = self.runtime.get_or_init(|| runtime);
            let keyboard = self.keyboard.clone();
            terminal::watch(
                runtime.handle(),
                &self.app.ui,
                current_input,
                shut_down,
                self.typed,
                keyboard,
            );
        }
        if let Some(keyboard) = self.keyboard.clone() {
            current_input.on_busy(move |busy| keyboard.signal(busy));
        }
    }

    fn read(&self, path: &str) -> Result<(String, String), HostError> {
        let source = sources::read_main(Path::new(path))?;
        Ok((source.name, source.text))
    }
}

impl From<CommandError> for HostError {
    fn from(error: CommandError) -> HostError {
        HostError {
            message: error.message,
            hints: error.hints,
        }
    }
}

fn already_exists(file: impl std::fmt::Display) -> HostError {
    let error = CommandError::usage(format!("`{file}` exists"));
    error
        .hint("choose another name, or add --force to replace it")
        .into()
}

/// Asks a yes-or-no question, unless the interrupt comes first.
fn confirmed(question: &str, interrupt: &Interrupt) -> bool {
    line_input::confirmed(question, || interrupt.is_requested())
}

/// Locks the mutex, even if another thread panicked while holding it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Describes the account of a run.
fn describe_account(plan: &Value) -> String {
    let plan = RunPlan::from_value(plan);
    match plan.profile {
        _ if plan.sandbox => ", on the sandbox".to_owned(),
        Some(profile) => format!(", on {profile}"),
        None => String::new(),
    }
}

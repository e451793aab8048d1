//! The host program of a session: profiles, journal, files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::draft::{self, Editing};
use super::keyboard::Keyboard;
use super::trace::Trace;
use super::{ask, signals};
use crate::cli::app::{Accounts, App, Engine};
use crate::cli::approval::Approvals;
use crate::cli::error::CommandError;
use crate::cli::plan::RunPlan;
use crate::cli::ui::printable;
use crate::cli::{profiles, sources};
use crate::journal::NewRun;
use crate::operation::context::Mode;
use crate::repl::host::{ActiveAccount, Export, HostError, ReplHost, Switch};
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
    pub(super) typed: bool,
    /// The terminal, if lines are edited on it.
    pub(super) keyboard: Option<Keyboard>,
    /// The editor in progress.
    pub(super) editing: Editing,
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
}

/// The name of a session in listings.
const NAME: &str = "repl";

impl ReplHost for CliHost {
    fn place(&self) -> ActiveAccount {
        lock(&self.place).clone().unwrap_or(ActiveAccount {
            profile: None,
            mode: Mode::Dev,
            agreed: false,
        })
    }

    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn begin(&self, earlier: Vec<(Input, InputEnd)>) -> Result<Session, HostError> {
        let engine = self.engine().map_err(host_error)?;
        let new = NewRun {
            name: NAME.into(),
            sources: Vec::new(),
            params: Value::Record(Record::new()),
            plan: self.plan().to_value(),
            has_rows: true,
        };
        Session::begin(&engine.journal, &engine.context, engine.handle(), new, earlier)
            .map_err(|error| host_error(error.into()))
    }

    fn ask(&self, question: &str, interrupt: &Interrupt) -> Option<String> {
        ask::ask(question, interrupt)
    }

    fn line(&self) -> Result<Option<String>, HostError> {
        let mut line = String::new();
        match std::io::stdin().read_line(&mut line) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(line)),
            Err(error) => Err(HostError {
                message: format!("the terminal cannot be read: {error}"),
                hints: Vec::new(),
            }),
        }
    }

    fn profiles(&self) -> Vec<String> {
        let config = self.config();
        config.map_or(Vec::new(), |config| config.profiles().keys().cloned().collect())
    }

    fn check(&self, to: &Switch) -> Result<(), HostError> {
        self.may_switch(to).map_err(host_error)
    }

    fn switch(&self, to: &Switch) -> Result<(), HostError> {
        self.switch_to(to).map_err(host_error)
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
        self.run_self(words).map_err(host_error)
    }

    fn edit(&self, text: &str) -> Result<String, HostError> {
        self.edit_text(text).map_err(host_error)
    }

    fn write(&self, path: &str, text: &str, replace: bool) -> Result<(), HostError> {
        self.write_file(path, text, replace).map_err(host_error)
    }

    fn trust(&self) -> Result<(String, String), HostError> {
        self.trust_rc().map_err(host_error)
    }

    fn trace(&self, on: bool) -> Result<(), HostError> {
        self.trace.set_enabled(on).map_err(|reason| HostError {
            message: reason,
            hints: Vec::new(),
        })
    }

    fn requests(&self) -> Vec<String> {
        self.trace.take()
    }

    fn page(&self, text: &str, styled: bool) -> Result<(), HostError> {
        let text = if styled { text.into() } else { printable(text) };
        self.page_text(&text).map_err(host_error)
    }

    fn reveal(&self, what: &str, value: &Value, interrupt: &Interrupt) -> Result<String, HostError> {
        self.reveal_value(what, value, interrupt).map_err(host_error)
    }

    fn export(&self, export: &Export, value: &Value, interrupt: &Interrupt) -> Result<usize, HostError> {
        self.export_value(export, value, interrupt).map_err(host_error)
    }

    fn loader(&self) -> Box<dyn Loader> {
        Box::new(sources::Folder::of(Path::new("repl")))
    }

    fn history(&self) -> Option<PathBuf> {
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

    fn watch(&self, current_input: &CurrentInput, shut_down: Box<dyn Fn() + Send + Sync>) {
        if let Ok(paths) = self.app.paths() {
            draft::remove_stale(paths.state());
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
            signals::watch(
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
        let source = sources::read_main(Path::new(path)).map_err(host_error)?;
        Ok((source.name, source.text))
    }

    fn rc(&self) -> (Vec<(String, String)>, Vec<String>) {
        self.rc_files()
    }
}

fn host_error(error: CommandError) -> HostError {
    HostError {
        message: error.message,
        hints: error.hints,
    }
}

/// Locks the mutex, even if another thread panicked while holding it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

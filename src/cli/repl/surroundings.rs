//! The program around a session: profiles, journal, files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::runtime::Runtime;

use super::signals;
use crate::cli::app::{Accounts, App, Engine};
use crate::cli::config::{self, Config};
use crate::cli::error::CommandError;
use crate::cli::plan::RunPlan;
use crate::cli::{profiles, sources};
use crate::journal::NewRun;
use crate::repl::around::{Mode, Place, Surroundings, Trouble};
use crate::run::interrupt::Reins;
use crate::run::session::{Consent, Input, InputEnd, Permit, Session};
use crate::script::bundle::Loader;
use crate::value::Value;

/// The command line's side of a session.
pub(super) struct CliSurroundings {
    app: App,
    accounts: Mutex<Accounts>,
    place: Mutex<Option<Place>>,
    /// Journal, accounts and sandbox, once an input needed them.
    engine: Mutex<Option<Arc<Engine>>>,
    /// Watches signals.
    runtime: OnceLock<Runtime>,
}

impl CliSurroundings {
    pub(super) fn new(app: &App, accounts: Accounts) -> Result<CliSurroundings, CommandError> {
        if !accounts.sandbox && !accounts.faults.is_empty() {
            return Err(CommandError::usage("--fault is for the sandbox").hint("add --sandbox"));
        }
        let around = CliSurroundings {
            app: app.with_env(app.env.clone()),
            accounts: Mutex::new(accounts),
            place: Mutex::default(),
            engine: Mutex::default(),
            runtime: OnceLock::new(),
        };
        around.find_place()?;
        Ok(around)
    }

    /// Reads which profile is meant. One that was asked for by name must be there; none at all is fine.
    fn find_place(&self) -> Result<(), CommandError> {
        let accounts = lock(&self.accounts).clone();
        let place = if accounts.sandbox {
            Place {
                profile: accounts.profile,
                mode: Mode::Sandbox,
            }
        } else {
            let config = Config::load(self.app.paths()?, &self.app.env);
            let asked = accounts.profile.as_deref();
            let chosen = match &config {
                Ok(config) => config.choose(asked, &self.app.env).map(Some),
                Err(error) => return Err(bad_config(error)),
            };
            match chosen {
                Ok(profile) => Place {
                    profile: profile.map(|profile| profile.name.clone()),
                    mode: profile.map_or(Mode::Dev, mode_of),
                },
                Err(error) if asked.is_some() => return Err(bad_config(&error)),
                Err(_) => Place {
                    profile: None,
                    mode: Mode::Dev,
                },
            }
        };
        *lock(&self.place) = Some(place);
        Ok(())
    }

    fn engine(&self) -> Result<Arc<Engine>, CommandError> {
        let mut engine = lock(&self.engine);
        if let Some(engine) = &*engine {
            return Ok(engine.clone());
        }
        let made = Arc::new(self.app.engine(&lock(&self.accounts).clone())?);
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

/// What listings call a session.
const NAME: &str = "repl";

impl Surroundings for CliSurroundings {
    fn place(&self) -> Place {
        lock(&self.place).clone().unwrap_or(Place {
            profile: None,
            mode: Mode::Dev,
        })
    }

    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn begin(&self, earlier: Vec<(Input, InputEnd)>) -> Result<Session, Trouble> {
        let engine = self.engine().map_err(trouble)?;
        let new = NewRun {
            name: NAME.into(),
            sources: Vec::new(),
            params: Value::Record(Default::default()),
            plan: self.plan().to_value(),
            has_rows: true,
        };
        Session::begin(
            &engine.journal,
            &engine.world,
            engine.runtime.handle(),
            new,
            earlier,
        )
        .map_err(|error| trouble(error.into()))
    }

    fn consent(&self, _: &Permit<'_>) -> Consent {
        Consent::Yes
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

    fn watch(&self, reins: &Reins) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        // Without a thread for it, Ctrl-C ends the process as it does everywhere.
        if let Ok(runtime) = runtime {
            let runtime = self.runtime.get_or_init(|| runtime);
            signals::watch(runtime.handle(), &self.app.ui, reins);
        }
    }

    fn read(&self, path: &str) -> Result<(String, String), Trouble> {
        let source = sources::read_main(Path::new(path)).map_err(trouble)?;
        Ok((source.name, source.text))
    }

    fn rc(&self) -> (Vec<(String, String)>, Vec<String>) {
        (Vec::new(), Vec::new())
    }
}

fn mode_of(profile: &config::Profile) -> Mode {
    match profile.mode.as_ref().map(|mode| mode.value) {
        Some(config::Mode::Sandbox) => Mode::Sandbox,
        Some(config::Mode::Prod) => Mode::Prod,
        Some(config::Mode::ReadOnly) => Mode::ReadOnly,
        Some(config::Mode::Dev) | None => Mode::Dev,
    }
}

fn bad_config(error: &config::ConfigError) -> CommandError {
    let failed = CommandError::usage(error);
    match error.hint() {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

fn trouble(error: CommandError) -> Trouble {
    Trouble {
        message: error.message,
        hints: error.hints,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

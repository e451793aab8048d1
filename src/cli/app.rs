//! The composition root: builds what a command needs from the environment and the configuration, lazily and once.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use tracing_subscriber::EnvFilter;

use super::approval::Approvals;
use super::error::CommandError;
use super::exit::Exit;
use super::parent_session::ParentSession;
use super::profiles::ConfiguredProfiles;
use super::prompt::TerminalPrompter;
use super::torture::{self, KillSwitch};
use super::ui::{Colour, Ui, Visible};
use crate::client::{Credential, TokenKey, TokenStore};
use crate::clock::Ids;
use crate::config::{self, Config, ConfigDraft, ConfigError, Env, Paths, make_private_folder};
use crate::journal::{Damage, Journal, JournalError, Sealer, Vault, WeakJournal};
use crate::operation::catalogue::Catalogue;
use crate::operation::files::Project;
use crate::operation::naming;
use crate::operation::platform::Platform;
use crate::runtime::Runtime;
use crate::sandbox::{Sandbox, SandboxError};
use crate::value::Value;
use crate::value::secret::Secret;

/// The context of every command.
pub(super) struct App {
    /// The command-line arguments after the program's name.
    pub(super) words: Vec<OsString>,
    pub(super) env: Env,
    pub(super) ui: Ui,
    /// The point at which the process is killed under `provisor torture`.
    pub(super) kill_switch: KillSwitch,
    /// The platforms the program works with.
    catalogue: Catalogue,
    paths: Option<Paths>,
    /// Whether a command has shown incomplete data.
    incomplete: AtomicBool,
    /// The opened journals, each with the damage found while reading it.
    journals: Mutex<Vec<(WeakJournal, Arc<Damage>)>>,
}

/// The accounts a command works with.
#[derive(Debug, Clone, Default)]
pub(super) struct Accounts {
    /// Use the embedded sandbox, whatever the profile.
    pub(super) sandbox: bool,
    /// The requested profile.
    pub(super) profile: Option<String>,
    /// Its password, if it is tried before it is stored.
    pub(super) password: Option<Secret>,
    /// The faults the sandbox simulates.
    pub(super) faults: Vec<String>,
    /// The seed of the faults.
    pub(super) seed: Option<u64>,
    /// The `prod` profiles that may be changed.
    pub(super) agreed: Approvals,
    /// Whether the work is spread over rows, so that an unreachable platform is waited for.
    pub(super) rows: bool,
    /// What the scripts may read of this machine.
    pub(super) project: Option<Project>,
}

/// The runtime of a run, and the sandbox it may use.
pub(super) struct Engine {
    runtime: Runtime,
    /// Keeps the sandbox running while a command uses it.
    _sandbox: Option<Arc<Sandbox>>,
}

impl Deref for Engine {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        &self.runtime
    }
}

/// The error for data that could not be written to stdout.
pub(super) fn stdout_error(reason: impl std::fmt::Display) -> CommandError {
    CommandError::new(
        Exit::Aborted,
        format!("cannot write to standard output: {reason}"),
    )
}

impl App {
    /// The command line's view of the process, read once.
    pub(super) fn from_process(catalogue: Catalogue, colour: Colour, verbose: u8) -> App {
        let env = Env::capture();
        start_logging(&env, verbose);
        #[allow(clippy::disallowed_methods, reason = "the arguments are read here")]
        let (words, ui) = (std::env::args_os().skip(1).collect(), Ui::new(&env, colour));
        let kill_switch = KillSwitch::from_env(&env);
        App::new(catalogue, env, words, ui, kill_switch)
    }

    /// The same app with another environment, such as another home folder.
    pub(super) fn with_env(&self, env: Env) -> App {
        App::new(
            self.catalogue.clone(),
            env,
            Vec::new(),
            self.ui.clone(),
            KillSwitch::default(),
        )
    }

    fn new(catalogue: Catalogue, env: Env, words: Vec<OsString>, ui: Ui, kill_switch: KillSwitch) -> App {
        App {
            catalogue,
            words,
            ui,
            kill_switch,
            paths: Paths::from_env(&env),
            incomplete: AtomicBool::new(false),
            journals: Mutex::default(),
            env,
        }
    }

    /// The platforms the program works with.
    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Returns the platform with this name. An error if it is unknown or has no accounts.
    pub(super) fn platform(&self, name: &str) -> Result<&'static Platform, CommandError> {
        let mut known = self.catalogue.with_accounts();
        known.find(|platform| platform.name == name).ok_or_else(|| {
            CommandError::usage(format!("`{name}` is not a platform"))
                .hint(format!("the platforms are {}", self.platform_names("and")))
        })
    }

    /// The names of the platforms that have accounts, joined with `and` or `or` before the last.
    pub(super) fn platform_names(&self, word: &str) -> String {
        let known = self.catalogue.with_accounts();
        let names: Vec<&str> = known.map(|platform| platform.name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
            None => String::new(),
        }
    }

    /// The folders and files provisor uses.
    pub(super) fn paths(&self) -> Result<&Paths, CommandError> {
        self.paths.as_ref().ok_or_else(|| ConfigError::NoHome.into())
    }

    /// Loads the configuration.
    pub(super) fn config(&self) -> Result<Config, CommandError> {
        Ok(Config::load(&self.catalogue, self.paths()?, &self.env)?)
    }

    /// Opens the user's configuration to change it.
    pub(super) fn config_draft(&self) -> Result<ConfigDraft, CommandError> {
        Ok(ConfigDraft::open(&self.catalogue, &self.paths()?.config_file())?)
    }

    /// The command that continues a run; inside a session, the session's own command.
    pub(super) fn resume(&self, run: &impl std::fmt::Display) -> String {
        match ParentSession::of(&self.env) {
            Some(_) => format!(":resume {run}"),
            None => format!("provisor resume {run}"),
        }
    }

    /// Writes a line of data to stdout.
    pub(super) fn print(&self, line: &str) -> Result<(), CommandError> {
        self.ui.out(line).map_err(stdout_error)
    }

    /// The same for text that provisor styled itself: the styles are kept.
    pub(super) fn print_styled(&self, text: &str) -> Result<(), CommandError> {
        self.ui.out_styled(text).map_err(stdout_error)
    }

    /// The user and the machine: `ann (uid 1000) on desk`. The name comes from the environment, the number from the
    /// system.
    pub(super) fn actor(&self) -> String {
        let named = ["USER", "LOGNAME", "USERNAME"]
            .into_iter()
            .find_map(|name| self.env.get(name));
        let uid = rustix::process::getuid().as_raw();
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy();
        format!("{} (uid {uid}) on {host}", named.unwrap_or("somebody"))
    }

    /// Writes a document of `--json` to stdout.
    pub(super) fn print_json(&self, document: &Json) -> Result<Exit, CommandError> {
        self.print(&document.to_string())?;
        Ok(Exit::Ok)
    }

    /// Writes a row for each item to stdout, below a header; without items, the message `none` to stderr.
    pub(super) fn print_table<T>(
        &self,
        items: &[T],
        none: &str,
        header: &[&str],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<Exit, CommandError> {
        if items.is_empty() {
            self.ui.note(none);
            return Ok(Exit::Ok);
        }
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        self.print(&self.ui.table(header, &rows))?;
        Ok(Exit::Ok)
    }

    /// Creates one of provisor's folders if it is missing, accessible by the user only.
    pub(super) fn make_private(folder: &Path) -> Result<(), CommandError> {
        Ok(make_private_folder(folder)?)
    }

    /// The cipher for everything at rest: from `PROVISOR_KEY`, else from the key file, which is created at first use.
    pub(super) fn sealer(&self) -> Result<Sealer, CommandError> {
        Ok(config::sealer(&self.env, self.paths()?)?)
    }

    /// Opens the journal, for commands that run nothing.
    pub(super) fn journal(&self) -> Result<Journal, CommandError> {
        let journal = self.open_journal()??;
        for notice in journal.notices() {
            self.ui.warn(notice);
        }
        if let Some(copy) = journal.migrated() {
            self.ui.note(&format!(
                "the journal was migrated; a copy of the old one is in {}",
                copy.display()
            ));
            for double in naming::doubles(&self.catalogue, &journal)? {
                self.ui.warn(&double);
            }
        }
        Ok(journal)
    }

    /// Records in the audit log what the user did.
    pub(super) fn audit(&self, kind: &str, what: &str) -> Result<(), CommandError> {
        Ok(self.journal()?.audit(kind, &self.actor(), &what.into())?)
    }

    /// The journal for a command that only shows records. If there is none, returns an empty one in memory and creates
    /// no file. Missing data is reported, and makes the exit code [`Exit::Check`] instead of 0.
    pub(super) fn recorded(&self) -> Result<Journal, CommandError> {
        match self.lost_journal()? {
            Some(gone @ JournalError::Gone { .. }) => return Err(gone.into()),
            Some(missing) => self.warn_of_missing(&missing),
            None => {}
        }
        if self.paths()?.journal().exists() {
            let journal = self.journal()?;
            if let Err(incomplete @ JournalError::Incomplete { .. }) = journal.check_writable() {
                self.warn_of_missing(&incomplete);
            }
            return Ok(journal);
        }
        let nothing = Sealer::new(&[0; 32]);
        let journal = Journal::in_memory(nothing, torture::clock(&self.env), Ids::random())?;
        Ok(journal)
    }

    /// Why the journal is missing, if there was one.
    pub(super) fn lost_journal(&self) -> Result<Option<JournalError>, CommandError> {
        let paths = self.paths()?;
        // Finish a restore that was killed.
        let _ = crate::journal::finish_replacement(paths.state());
        let path = paths.journal();
        // In this order: another process may be creating the journal right now.
        let was_there = Journal::held_journal(&path);
        let is_there = path.try_exists().map_err(|error| {
            let found = format!("{} cannot be checked: {error}", path.display());
            CommandError::new(Exit::Aborted, found).hint(format!(
                "make sure that you own the folder {} and that its mode is 0700",
                paths.state().display()
            ))
        })?;
        if !was_there || is_there {
            return Ok(None);
        }
        let is_sealed = Journal::beside(&path).iter().any(|file| file.exists());
        let sealer = is_sealed.then(|| self.sealer()).transpose()?;
        Ok(Some(Journal::lost(&path, sealer.as_ref())))
    }

    fn warn_of_missing(&self, error: &JournalError) {
        self.ui.warn(&error.to_string());
        if let Some(hint) = error.hint() {
            self.ui.hint(&hint);
        }
        self.incomplete.store(true, Ordering::Relaxed);
    }

    /// The same, for callers that need to know why the file cannot be used.
    pub(super) fn open_journal(&self) -> Result<Result<Journal, JournalError>, CommandError> {
        let paths = self.paths()?;
        App::make_private(paths.state())?;
        let sealer = self.sealer()?;
        let (clock, ids) = (torture::clock(&self.env), Ids::random());
        let opened = Journal::open(&paths.journal(), sealer, clock, ids);
        if let Ok(journal) = &opened {
            let ui = self.ui.clone();
            journal.waits().set_listener(move |wait| ui.wait(wait));
            let mut journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
            journals.push((journal.downgrade(), journal.damage()));
        }
        Ok(opened)
    }

    /// At the end of a command: checkpoints the journals' logs, and reports what could not be read; the exit code is
    /// then [`Exit::Check`] instead of 0.
    pub(super) fn close_journals(&self, exit: Exit) -> Exit {
        let journals = std::mem::take(&mut *self.journals.lock().unwrap_or_else(PoisonError::into_inner));
        let mut sentences = BTreeSet::new();
        for (journal, damage) in journals {
            // Another holder may still have it open.
            if let Some(journal) = journal.upgrade() {
                journal.checkpoint();
            }
            sentences.extend(damage.sentences());
        }
        for sentence in &sentences {
            self.ui.warn(sentence);
        }
        if !sentences.is_empty() {
            self.ui
                .hint("list all damage with `provisor journal check`; restore a backup with `provisor journal restore`");
        }
        let is_whole = sentences.is_empty() && !self.incomplete.load(Ordering::Relaxed);
        if exit == Exit::Ok && !is_whole {
            Exit::Check
        } else {
            exit
        }
    }

    /// Builds everything a run needs. Starts the sandbox if requested; signs in to nothing.
    pub(super) fn engine(&self, accounts: &Accounts) -> Result<Engine, CommandError> {
        self.engine_on_journal(self.journal()?, accounts)
    }

    /// The same, on a journal that is already open.
    pub(super) fn engine_on_journal(
        &self,
        journal: Journal,
        accounts: &Accounts,
    ) -> Result<Engine, CommandError> {
        if let (false, Some(within)) = (accounts.sandbox, ParentSession::of(&self.env)) {
            within.check_real_accounts_allowed()?;
        }
        self.kill_switch.watch(&journal);
        let sandbox = match accounts.sandbox {
            true => Some(Arc::new(self.start_sandbox(accounts)?)),
            false if !accounts.faults.is_empty() => {
                return Err(CommandError::usage("--fault works only with the sandbox").hint("add --sandbox"));
            }
            false => None,
        };
        let http = super::network::config(self, accounts, sandbox.as_ref());
        let tokens = Tokens(Vault::open(&self.paths()?.tokens(), self.sealer()?));
        let profiles = ConfiguredProfiles::new(self, accounts, sandbox.as_deref())?;
        let builder = Runtime::builder()
            .clock(torture::clock(&self.env))
            .http(http)
            .tokens(Arc::new(tokens))
            .profiles(Arc::new(profiles))
            .prompter(Arc::new(TerminalPrompter::default()));
        let builder = match &accounts.project {
            Some(project) => builder.project(project.clone()),
            None => builder,
        };
        Ok(Engine {
            runtime: builder.build_on(self.catalogue.clone(), journal)?,
            _sandbox: sandbox,
        })
    }

    fn start_sandbox(&self, accounts: &Accounts) -> Result<Sandbox, CommandError> {
        let folder = self.paths()?.sandbox();
        App::make_private(&folder)?;
        let mut options = super::sandbox::options(&self.catalogue, folder, accounts.seed.unwrap_or_default());
        options.faults = super::sandbox::faults(&accounts.faults)?;
        let sandbox = Sandbox::start(options).map_err(|error| {
            let exit = match &error {
                SandboxError::Unanswered { .. } => Exit::Aborted,
                _ => Exit::Usage,
            };
            CommandError::new(exit, error)
        })?;
        self.ui.enter_sandbox();
        self.ui.banner(&match super::profiles::sandboxed(self, accounts.profile.as_deref()) {
            Some(name) => format!(
                "sandbox: simulated platforms replace `{name}`; nothing real is changed (to end this: provisor \
                 profile use {name} --no-sandbox)"
            ),
            None => "sandbox: simulated platforms; nothing real is changed".to_owned(),
        });
        if sandbox.shares_faults() {
            self.ui.warn(&format!(
                "another process serves the sandbox; until this command ends, requests to it are subject to {} too",
                accounts.faults.join(" and ")
            ));
        }
        Ok(sandbox)
    }
}

/// Starts logging if it was requested.
fn start_logging(env: &Env, verbose: u8) {
    let setting = env.get("PROVISOR_LOG").map(str::to_owned);
    let level = match verbose {
        0 => "",
        1 => "provisor=info",
        2 => "provisor=debug",
        _ => "provisor=trace",
    };
    let filter = setting.unwrap_or_else(|| level.to_owned());
    if filter.is_empty() {
        return;
    }
    let started = tracing_subscriber::fmt()
        .with_writer(|| Visible::new(std::io::stderr(), std::io::stderr().is_terminal()))
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(false)
        .without_time()
        .try_init();
    // Only a second start in one process can fail, and then the first one logs.
    drop(started);
}

/// The encrypted token cache. The vault creates its file, and the folder of it, when the first token is needed.
struct Tokens(Vault);

impl TokenStore for Tokens {
    fn load(&self, key: &TokenKey) -> Option<Value> {
        self.0.get(entry_key(key)).ok().flatten()
    }

    fn save(&self, key: &TokenKey, tokens: &Value) -> Result<(), String> {
        self.0
            .put(entry_key(key), tokens)
            .map_err(|error| error.to_string())
    }

    fn forget(&self, key: &TokenKey) {
        // A token that stays is rejected by the platform and replaced.
        let _ = self.0.remove(entry_key(key));
    }
}

/// The key of an entry; the vault stores only a keyed digest of it.
fn entry_key(key: &TokenKey) -> Value {
    let account = Value::from(key.account.as_str());
    match &key.credential {
        Credential::InlineSecret(given) => Value::List(vec![account, given.clone().into()]),
        Credential::StoredAt(place) => Value::List(vec![account, "kept".into(), place.as_ref().into()]),
    }
}

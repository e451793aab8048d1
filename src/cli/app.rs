//! The composition root: what a command needs, built from the environment and the configuration, late and once.

use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Platform;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::approval::Approvals;
use super::asker::TerminalPrompter;
use super::error::CommandError;
use super::exit::Exit;
use super::paths::{Env, Paths, make_private_folder};
use super::profiles::Configured;
use super::tokens::Tokens;
use super::torture::{self, Trap};
use super::ui::{Colour, Ui};
use super::within::Within;
use crate::clock::Ids;
use crate::journal::{Damage, Journal, JournalError, Sealer, WeakJournal};
use crate::operation::naming;
use crate::runtime::Runtime;
use crate::sandbox::{self, Sandbox, SandboxError};
use crate::value::secret::Secret;

/// What every command has.
pub(super) struct App {
    /// The words of the command line behind the program's name.
    pub(super) words: Vec<OsString>,
    pub(super) env: Env,
    pub(super) ui: Ui,
    /// Where the process is to die, when it is being tortured.
    pub(super) trap: Trap,
    /// The platforms that the program works with.
    catalogue: Catalogue,
    paths: Option<Paths>,
    /// Was something missing of what a command has shown?
    incomplete: AtomicBool,
    /// The journals that were opened, and what of them could not be read.
    journals: Mutex<Vec<(WeakJournal, Arc<Damage>)>>,
}

/// Which accounts a command works with.
#[derive(Debug, Clone, Default)]
pub(super) struct Accounts {
    /// Work on the embedded sandbox, whatever the profile.
    pub(super) sandbox: bool,
    /// The profile that was asked for.
    pub(super) profile: Option<String>,
    /// Its password, when that is tried before it is kept.
    pub(super) password: Option<Secret>,
    /// Faults of the sandbox.
    pub(super) faults: Vec<String>,
    /// The seed of the faults.
    pub(super) seed: Option<u64>,
    /// The `prod` profiles that may be changed.
    pub(super) agreed: Approvals,
    /// Is the work spread over rows, so that a platform that cannot be reached is waited for?
    pub(super) rows: bool,
}

/// What a run needs.
pub(super) struct Engine {
    runtime: Runtime,
    /// Serves the sandbox while a command uses it.
    _sandbox: Option<Arc<Sandbox>>,
}

impl Deref for Engine {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        &self.runtime
    }
}

/// Data could not be written to standard output, and why.
pub(super) fn output_lost(why: impl std::fmt::Display) -> CommandError {
    CommandError::new(Exit::Aborted, format!("cannot write to standard output: {why}"))
}

impl App {
    /// The command line's view of the process, read once.
    pub(super) fn from_process(catalogue: Catalogue, colour: Colour, verbose: u8) -> App {
        let env = Env::capture();
        super::logging::start(&env, verbose);
        let (words, ui) = (std::env::args_os().skip(1).collect(), Ui::new(&env, colour));
        let trap = Trap::from_env(&env);
        App::new(catalogue, env, words, ui, trap)
    }

    /// The same, seen from another environment: another home.
    pub(super) fn with_env(&self, env: Env) -> App {
        App::new(
            self.catalogue.clone(),
            env,
            Vec::new(),
            self.ui.clone(),
            Trap::default(),
        )
    }

    fn new(catalogue: Catalogue, env: Env, words: Vec<OsString>, ui: Ui, trap: Trap) -> App {
        App {
            catalogue,
            words,
            ui,
            trap,
            paths: Paths::from_env(&env),
            incomplete: AtomicBool::new(false),
            journals: Mutex::default(),
            env,
        }
    }

    /// The platforms that the program works with.
    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The platform of this name, when it has accounts.
    pub(super) fn platform(&self, name: &str) -> Result<&'static Platform, CommandError> {
        let mut known = self.catalogue.with_accounts();
        known.find(|platform| platform.name == name).ok_or_else(|| {
            CommandError::usage(format!("`{name}` is not a platform"))
                .hint(format!("the platforms are {}", self.platform_names("and")))
        })
    }

    /// The names of the platforms that have accounts, the last behind `and` or `or`.
    pub(super) fn platform_names(&self, word: &str) -> String {
        let known = self.catalogue.with_accounts();
        let names: Vec<&str> = known.map(|platform| platform.name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
            None => String::new(),
        }
    }

    /// Where files are kept.
    pub(super) fn paths(&self) -> Result<&Paths, CommandError> {
        self.paths.as_ref().ok_or_else(|| {
            CommandError::usage("there is no home folder to keep files in")
                .hint("set PROVISOR_HOME to a folder")
        })
    }

    /// The command by which people go on with a run: from the prompt of a session, which ran this, its own.
    pub(super) fn resume(&self, run: &impl std::fmt::Display) -> String {
        match Within::of(&self.env) {
            Some(_) => format!(":resume {run}"),
            None => format!("provisor resume {run}"),
        }
    }

    /// Writes a line of data to standard output.
    pub(super) fn print(&self, line: &str) -> Result<(), CommandError> {
        self.ui.out(line).map_err(output_lost)
    }

    /// The same for a text of our own: styles in it are kept.
    pub(super) fn print_styled(&self, text: &str) -> Result<(), CommandError> {
        self.ui.out_styled(text).map_err(output_lost)
    }

    /// Makes a folder of ours when it is missing, for the user alone.
    pub(super) fn make_private(folder: &Path) -> Result<(), CommandError> {
        make_private_folder(folder).map_err(|error| {
            CommandError::usage(format!(
                "the folder `{}` cannot be made: {error}",
                folder.display()
            ))
        })
    }

    /// The cipher for everything at rest: from `PROVISOR_KEY`, else from the key file, made at first use.
    pub(super) fn sealer(&self) -> Result<Sealer, CommandError> {
        super::sealer::sealer(&self.env, self.paths()?)
    }

    /// The journal alone, for commands that do not run anything.
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

    /// The journal for a command that only shows what is recorded. Where there is none, it is an empty one, and no file is
    /// made. What is missing is told, and then the command does not quite succeed.
    pub(super) fn recorded(&self) -> Result<Journal, CommandError> {
        match self.lost_journal()? {
            Some(gone @ JournalError::Gone { .. }) => return Err(gone.into()),
            Some(missing) => self.warn_of_missing(&missing),
            None => {}
        }
        if self.paths()?.journal().exists() {
            let journal = self.journal()?;
            if let Err(incomplete @ JournalError::Incomplete { .. }) = journal.healthy() {
                self.warn_of_missing(&incomplete);
            }
            return Ok(journal);
        }
        let nothing = Sealer::new(&[0; 32]);
        Ok(Journal::in_memory(
            nothing,
            torture::clock(&self.env),
            Ids::random(),
        ))
    }

    /// Why there is no journal, when there was one.
    pub(super) fn lost_journal(&self) -> Result<Option<JournalError>, CommandError> {
        let paths = self.paths()?;
        // A restore that was killed is finished first.
        let _ = crate::journal::finish_replacement(paths.state());
        let path = paths.journal();
        // In this order: a process that makes the journal may be at work.
        let was_there = Journal::was_in(&path);
        let is_there = path.try_exists().map_err(|error| {
            let found = format!("{} cannot be looked at: {error}", path.display());
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

    /// The same, for those who want to know why the file cannot be used.
    pub(super) fn open_journal(&self) -> Result<Result<Journal, JournalError>, CommandError> {
        let paths = self.paths()?;
        App::make_private(paths.state())?;
        let sealer = self.sealer()?;
        let (clock, ids) = (torture::clock(&self.env), Ids::random());
        let opened = Journal::open(&paths.journal(), sealer, clock, ids);
        if let Ok(journal) = &opened {
            let ui = self.ui.clone();
            journal.waits().tell_to(move |wait| ui.wait(wait));
            let mut journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
            journals.push((journal.downgrade(), journal.damage()));
        }
        Ok(opened)
    }

    /// At the end of a command: folds the journal's log in, and names what could not be read; then the command has not
    /// quite succeeded.
    pub(super) fn close_journals(&self, exit: Exit) -> Exit {
        let journals = std::mem::take(&mut *self.journals.lock().unwrap_or_else(PoisonError::into_inner));
        let mut sentences = BTreeSet::new();
        for (journal, damage) in journals {
            // Somebody may hold it still.
            if let Some(journal) = journal.upgrade() {
                journal.fold();
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

    /// Everything a run needs. Starts the sandbox when it was asked for; signs in to nothing.
    pub(super) fn engine(&self, accounts: &Accounts) -> Result<Engine, CommandError> {
        self.engine_over(self.journal()?, accounts)
    }

    /// The same, over a journal that is open already.
    pub(super) fn engine_over(&self, journal: Journal, accounts: &Accounts) -> Result<Engine, CommandError> {
        if let (false, Some(within)) = (accounts.sandbox, Within::of(&self.env)) {
            within.admit_real()?;
        }
        self.trap.watch(&journal);
        let sandbox = match accounts.sandbox {
            true => Some(Arc::new(self.start_sandbox(accounts)?)),
            false if !accounts.faults.is_empty() => {
                return Err(CommandError::usage("--fault works only with the sandbox").hint("add --sandbox"));
            }
            false => None,
        };
        let http = super::network::config(self, accounts, sandbox.as_ref());
        let tokens = Tokens::new(self.paths()?, self.sealer()?);
        let profiles = Configured::new(self, accounts, sandbox.as_deref())?;
        let builder = Runtime::builder()
            .clock(torture::clock(&self.env))
            .http(http)
            .tokens(Arc::new(tokens))
            .profiles(Arc::new(profiles))
            .prompter(Arc::new(TerminalPrompter::default()));
        Ok(Engine {
            runtime: builder.over(self.catalogue.clone(), journal)?,
            _sandbox: sandbox,
        })
    }

    fn start_sandbox(&self, accounts: &Accounts) -> Result<Sandbox, CommandError> {
        let folder = self.paths()?.sandbox();
        App::make_private(&folder)?;
        let mut options = sandbox::Options::new(folder);
        options.faults = super::sandbox::faults(&accounts.faults)?;
        options.seed = accounts.seed.unwrap_or_default();
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
                "sandbox: simulated platforms replace `{name}`; nothing real is changed (end this: provisor profile use {name} \
                 --no-sandbox)"
            ),
            None => "sandbox: simulated platforms; nothing real is changed".to_owned(),
        });
        if sandbox.shares_faults() {
            self.ui.warn(&format!(
                "another process serves the sandbox; until this command ends, its requests get {} too",
                accounts.faults.join(" and ")
            ));
        }
        Ok(sandbox)
    }
}

//! The runtime: platforms, a journal, accounts and a network, assembled once. It serves the command line and Rust
//! programs that embed provisor.

mod accounts;
mod own;
mod run;
mod session;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::client::tokens::MemoryTokens;
use crate::client::{Network, TokenStore};
use crate::clock::{Clock, Ids};
use crate::journal::{Journal, JournalError, Sealer};
use crate::operation::BASIC;
use crate::operation::catalogue::Catalogue;
use crate::operation::context::{OpContext, Profile, Profiles};
use crate::operation::files::Project;
use crate::operation::platform::Platform;
use crate::operation::prompt::Prompter;
use crate::operation::spec::OpSpec;
use crate::script::bundle::{Bundle, Loader, Source};
use crate::script::error::Diagnostic;
use crate::script::host::Host;
use crate::script::program::Script;
use crate::transport::{Http, HttpConfig};
use crate::value::secret::Secret;

use accounts::Accounts;
pub use run::{Outcome, Run};
pub use session::Session;

/// An error of a runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A script cannot be compiled, or an input of a session failed.
    #[error("{}", .0.summary())]
    Script(Box<Diagnostic>),
    /// The parameters of a run do not fit the script.
    #[error("{0}")]
    Parameters(String),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The parts do not make a valid runtime, or the system cannot start a thread.
    #[error("{0}")]
    Setup(String),
    /// The run or the input has no result: it failed, was interrupted, or left a step in doubt.
    #[error("{0}")]
    NoResult(String),
}

impl From<Box<Diagnostic>> for Error {
    fn from(diagnostic: Box<Diagnostic>) -> Error {
        Error::Script(diagnostic)
    }
}

/// Receives the lines that scripts print.
type Print = dyn Fn(&str) + Send + Sync;

/// Builds a [`Runtime`] from platforms, operations, accounts and the location of the journal.
#[derive(Clone, Default)]
pub struct Builder {
    platforms: Vec<&'static Platform>,
    operations: Vec<OpSpec>,
    accounts: Accounts,
    clock: Clock,
    print: Option<Arc<Print>>,
    prompter: Option<Arc<dyn Prompter>>,
    project: Option<Project>,
    profiles: Option<Arc<dyn Profiles>>,
    tokens: Option<Arc<dyn TokenStore>>,
    http: HttpConfig,
    ids: Ids,
    executor: Option<Arc<Executor>>,
}

impl Builder {
    /// Adds a platform: its accounts, operations and kinds of objects.
    #[must_use]
    pub fn platform(mut self, platform: &'static Platform) -> Builder {
        self.platforms.push(platform);
        self
    }

    /// Adds platforms, in the order in which they are listed to users.
    #[must_use]
    pub fn platforms(mut self, platforms: impl IntoIterator<Item = &'static Platform>) -> Builder {
        self.platforms.extend(platforms);
        self
    }

    /// Adds an operation that belongs to no platform; see [`OpSpec::observe`], [`OpSpec::act`] and [`OpSpec::ensure`].
    /// It is kept for the lifetime of the process.
    #[must_use]
    pub fn operation(mut self, operation: OpSpec) -> Builder {
        self.operations.push(operation);
        self
    }

    /// Adds an account. `connect()` of a platform uses the first account of that platform, `connect("name")` the
    /// account of that name.
    #[must_use]
    pub fn account(mut self, account: Profile) -> Builder {
        self.accounts.add(account);
        self
    }

    /// Sets the clock: [`Clock::frozen`] returns one that advances only when a test moves it.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Builder {
        self.clock = clock;
        self
    }

    /// Sets the receiver of the lines that scripts print. Without it they are dropped.
    #[must_use]
    pub fn print(mut self, print: impl Fn(&str) + Send + Sync + 'static) -> Builder {
        self.print = Some(Arc::new(print));
        self
    }

    /// Sets the prompter for `ask` and `ask_secret`. Without it they fail as they do without a terminal.
    #[must_use]
    pub fn prompter(mut self, prompter: Arc<dyn Prompter>) -> Builder {
        self.prompter = Some(prompter);
        self
    }

    /// Lets scripts read the files and variables of this project, with `read_text`, `env` and the like. Without it they
    /// read nothing of the machine.
    #[must_use]
    pub fn project(mut self, project: Project) -> Builder {
        self.project = Some(project);
        self
    }

    /// Uses these profiles instead of the added accounts.
    pub(crate) fn profiles(mut self, profiles: Arc<dyn Profiles>) -> Builder {
        self.profiles = Some(profiles);
        self
    }

    /// Stores tokens here instead of in memory.
    pub(crate) fn tokens(mut self, tokens: Arc<dyn TokenStore>) -> Builder {
        self.tokens = Some(tokens);
        self
    }

    /// Configures HTTP.
    pub(crate) fn http(mut self, http: HttpConfig) -> Builder {
        self.http = http;
        self
    }

    /// Takes identifiers and random numbers from here.
    pub(crate) fn ids(mut self, ids: Ids) -> Builder {
        self.ids = ids;
        self
    }

    /// Shares this executor with other runtimes instead of starting one.
    pub(crate) fn executor(mut self, executor: Arc<Executor>) -> Builder {
        self.executor = Some(executor);
        self
    }

    /// Returns the platforms and their operations. Errors: two platforms or operations have the same name, or a script
    /// cannot call a name.
    pub(crate) fn catalogue(&self) -> Result<Catalogue, Error> {
        let own = own::platforms(&self.operations)?;
        let all = self.platforms.iter().copied().chain(own).chain([&BASIC]);
        let catalogue = Catalogue::new(all);
        match catalogue.duplicate_name() {
            Some(duplicate_name) => Err(Error::Setup(duplicate_name)),
            None => Ok(catalogue),
        }
    }

    /// Builds a runtime whose journal is in memory: for tests, and for runs that leave nothing behind.
    ///
    /// Errors: see [`Builder::open`].
    pub fn in_memory(self) -> Result<Runtime, Error> {
        let catalogue = self.catalogue()?;
        // A journal in memory needs no secret key.
        let journal = Journal::in_memory(Sealer::new(&[0; 32]), self.clock.clone(), self.ids.clone())?;
        self.build_on(catalogue, journal)
    }

    /// Builds a runtime whose journal is in `folder`, which is created if missing. `key` seals all values in it: 64
    /// hexadecimal digits, base64 of 32 bytes, or a passphrase of at least 16 characters. Recorded credentials cannot
    /// be read without it.
    ///
    /// Errors: the journal cannot be used, the key has none of these forms, two platforms or operations have the same
    /// name, or the system cannot start a thread.
    pub fn open(self, folder: &Path, key: &Secret) -> Result<Runtime, Error> {
        let catalogue = self.catalogue()?;
        let sealer = Sealer::from_text(key).map_err(|error| Error::Setup(error.to_string()))?;
        std::fs::create_dir_all(folder).map_err(|error| {
            let folder = folder.display();
            Error::Setup(format!("the folder {folder} cannot be created: {error}"))
        })?;
        let path = folder.join("journal.db");
        let journal = Journal::open(&path, sealer, self.clock.clone(), self.ids.clone())?;
        self.build_on(catalogue, journal)
    }

    /// Builds a runtime over an open journal. Does not sign in.
    pub(crate) fn build_on(self, catalogue: Catalogue, journal: Journal) -> Result<Runtime, Error> {
        let executor = match self.executor {
            Some(executor) => executor,
            None => Arc::new(Executor::start(2)?),
        };
        let http = HttpConfig {
            waits: journal.waits().clone(),
            ..self.http
        };
        let http = Http::new(http, self.clock.clone());
        let tokens = self.tokens.unwrap_or_else(|| Arc::new(MemoryTokens::default()));
        let network = Network::new(http, tokens, self.clock.clone());
        let profiles = self.profiles.unwrap_or_else(|| Arc::new(self.accounts));
        let context = OpContext::new(catalogue, journal.clone(), network, profiles, self.ids);
        let context = context.with_project(self.project);
        let context = match self.prompter {
            Some(prompter) => context.with_prompter(prompter),
            None => context,
        };
        Ok(Runtime {
            journal,
            context: Arc::new(context),
            executor,
            host: OnceLock::new(),
            print: self.print.unwrap_or_else(|| Arc::new(|_: &str| {})),
        })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Builder").field(&self.platforms).finish()
    }
}

/// Runs scripts over the operations of its platforms, each step recorded in its journal.
///
/// ```
/// # fn main() -> Result<(), provisor::Error> {
/// use provisor::Runtime;
///
/// let runtime = Runtime::builder().in_memory()?;
/// let script = runtime.script("greet.rhai", "fn main(name) { `Hello, ${name}` }")?;
/// let outcome = runtime.start(&script, [("name", "Ann")])?.wait()?;
/// assert_eq!(outcome.output()?["result"].as_text(), Some("Hello, Ann"));
/// # Ok(())
/// # }
/// ```
pub struct Runtime {
    pub(crate) journal: Journal,
    pub(crate) context: Arc<OpContext>,
    executor: Arc<Executor>,
    host: OnceLock<Host>,
    print: Arc<Print>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Runtime")
    }
}

impl Runtime {
    /// Returns a builder without platforms.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Compiles a script that imports nothing. `name` identifies it in messages.
    ///
    /// Errors: the script is not valid Rhai, or its declaration is wrong.
    pub fn script(&self, name: &str, text: &str) -> Result<Script, Error> {
        self.compile(&Source::new(name, text), &())
    }

    /// Compiles a script and its imports, which `loader` finds.
    ///
    /// Errors: those of [`Runtime::script`], and an import that cannot be loaded.
    pub fn compile(&self, main: &Source, loader: &dyn Loader) -> Result<Script, Error> {
        Ok(Script::compile(self.host(), Bundle::collect(main, loader)?)?)
    }

    /// Returns the journal, which records steps, outcomes and the ledger.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns a handle to the executor that drives the requests of operations.
    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        self.executor.handle()
    }

    fn host(&self) -> &Host {
        self.host.get_or_init(|| Host::new(self.context.catalogue()))
    }
}

/// Drives requests. Dropping it does not wait for threads that block and cannot be interrupted, such as on a DNS lookup
/// or a password command: the requests that were sent have been awaited by then.
pub(crate) struct Executor {
    runtime: Option<tokio::runtime::Runtime>,
    handle: tokio::runtime::Handle,
}

impl Executor {
    /// Starts an executor with this many threads.
    pub(crate) fn start(threads: usize) -> Result<Executor, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .map_err(|error| Error::Setup(format!("cannot start a thread: {error}")))?;
        Ok(Executor {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        &self.handle
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests;

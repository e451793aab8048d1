//! The world of one test: simulated platforms in memory, a journal in memory, and a clock that only waits move.
//!
//! It is created at the first call of an operation; a test that only computes has none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::error::CommandError;
use super::super::profiles::simulated;
use super::super::sources::ScriptReader;
use crate::clock::{Clock, Ids};
use crate::journal::{Journal, NewRow, NewRun, RowStatus, RunStatus, Sealer};
use crate::operation::call::Call;
use crate::operation::context::{OpContext, Profile, Profiles};
use crate::operation::error::{CallError, Code, OpError, Stop, Thrown};
use crate::operation::platform::Platform;
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::run::tally::Tally;
use crate::run::{RowOperations, RowPlan, Runner};
use crate::runtime::{Executor, Outcome, Runtime};
use crate::sandbox::fault::Fault;
use crate::sandbox::{DirectAnswer, DirectRequest, Sandbox, SimulatedService, Timeline};
use crate::script::error::Diagnostic;
use crate::script::host::Host;
use crate::script::host_calls::{CallRequest, Operations};
use crate::script::program::Script;
use crate::transport::HttpConfig;
use crate::transport::in_process::{InProcess, InProcessAnswer, InProcessRequest};
use crate::value::secret::{Secret, is_credential_field};
use crate::value::{Record, Value};

/// The operations that only tests can call. They act on the test's own world and are not recorded in its journal.
pub(super) static TEST: Platform = Platform {
    operations: &[OPERATIONS],
    ..Platform::new("sandbox", "tests")
};

static OPERATIONS: &[OpSpec] = &[
    OpSpec {
        params: &[Param::required(
            "fault",
            Type::Text,
            "as for `provisor run --fault`: \"partners:drop-after:x1\"",
        )],
        ..operation("sandbox", "fault", "Inject a fault from now on", "()")
    },
    operation("sandbox", "snapshot", "What the simulated platforms hold", "map"),
    OpSpec {
        params: &[
            Param::required("file", Type::Text, "the script, from the folder of the test"),
            Param {
                name: "params",
                ty: Type::Map,
                required: false,
                doc: "the parameters of its `main`",
            },
        ],
        ..operation(
            "",
            "run_main",
            "Run another script's `main`, and return its result",
            "map",
        )
    },
];

const fn operation(
    module: &'static str,
    name: &'static str,
    summary: &'static str,
    result: &'static str,
) -> OpSpec {
    OpSpec {
        module,
        name,
        receiver: None,
        summary,
        doc: "",
        params: &[],
        result,
        errors: &[],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "",
        run: &outside_of_a_test,
    }
}

/// [`TestOperations`] answers these operations before they get here.
fn outside_of_a_test<'a>(_: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    let error = refused(format!("`{}` can be called by tests only", call.op.name));
    Box::pin(async move { Err(error) })
}

fn refused(message: String) -> OpError {
    OpError::new(Code::BadArgument, message)
}

/// The time at which each test starts: 2026-01-01T00:00:00Z, in milliseconds since the Unix epoch.
const START: i64 = 1_767_225_600_000;

/// The most lines that are kept of what a test prints, the last ones.
const MAX_LINES: usize = 200;

/// What the tests of one command share.
pub(super) struct Shared {
    /// The host of the tests and of the scripts that they run.
    host: Host,
    reader: ScriptReader,
    /// The platforms of a host program, which the sandbox simulates by their descriptions.
    services: Vec<SimulatedService>,
    executor: Arc<Executor>,
    /// The scripts that tests have run, by path.
    scripts: Mutex<BTreeMap<PathBuf, Script>>,
}

impl Shared {
    pub(super) fn new(
        host: &Host,
        reader: ScriptReader,
        services: Vec<SimulatedService>,
    ) -> Result<Shared, CommandError> {
        Ok(Shared {
            host: host.clone(),
            reader,
            services,
            executor: Arc::new(Executor::start(2)?),
            scripts: Mutex::default(),
        })
    }

    /// Drives the requests of all tests, and their time limits.
    pub(super) fn handle(&self) -> &tokio::runtime::Handle {
        self.executor.handle()
    }

    fn script(&self, path: &Path) -> Result<Script, ScriptFailure> {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(script) = scripts.get(path) {
            return Ok(script.clone());
        }
        let script = compile(&self.host, &self.reader, path)?;
        scripts.insert(path.to_owned(), script.clone());
        Ok(script)
    }
}

/// Why a script cannot be run.
enum ScriptFailure {
    Unreadable(String),
    Invalid(Box<Diagnostic>),
}

impl From<Box<Diagnostic>> for ScriptFailure {
    fn from(diagnostic: Box<Diagnostic>) -> ScriptFailure {
        ScriptFailure::Invalid(diagnostic)
    }
}

fn compile(host: &Host, reader: &ScriptReader, path: &Path) -> Result<Script, ScriptFailure> {
    let (bundle, _) = reader.read(path).map_err(|error| match error.diagnostic {
        Some(diagnostic) => ScriptFailure::Invalid(diagnostic),
        None => ScriptFailure::Unreadable(error.message),
    })?;
    Ok(Script::compile(host, bundle)?)
}

/// What a test calls.
pub(super) struct TestOperations {
    shared: Arc<Shared>,
    /// The script that holds the test.
    script: Script,
    /// Ends the test.
    cancel: CancellationToken,
    world: OnceLock<Result<World, String>>,
    printed: Arc<Mutex<Vec<String>>>,
    /// The failure of the last script that the test ran.
    failure: Mutex<Option<Arc<Diagnostic>>>,
}

struct World {
    sandbox: Arc<Sandbox>,
    runtime: Runtime,
    /// The calls of the test itself.
    row: Arc<RowOperations>,
}

impl TestOperations {
    pub(super) fn new(shared: &Arc<Shared>, script: &Script, cancel: CancellationToken) -> TestOperations {
        TestOperations {
            shared: Arc::clone(shared),
            script: script.clone(),
            cancel,
            world: OnceLock::new(),
            printed: Arc::default(),
            failure: Mutex::default(),
        }
    }

    /// Returns what the test and the scripts that it ran have printed.
    pub(super) fn printed(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.printed))
    }

    /// Returns the failure of the last script that the test ran.
    pub(super) fn failure(&self) -> Option<Arc<Diagnostic>> {
        lock(&self.failure).take()
    }

    fn world(&self) -> Result<&World, CallError> {
        let world = self
            .world
            .get_or_init(|| self.create().map_err(|error| error.message));
        // It holds nothing but memory and threads of this machine.
        let lost = |reason: &String| CallError::Stopped(Stop::JournalLost(reason.clone()));
        world.as_ref().map_err(lost)
    }

    fn create(&self) -> Result<World, CommandError> {
        let shared = &self.shared;
        let clock = Clock::frozen(START);
        let timeline = Arc::new(SharedClock(clock.clone()));
        let sandbox = Sandbox::in_process(timeline, &shared.services);
        let sandbox = Arc::new(sandbox.map_err(CommandError::usage)?);
        let profiles = SimulatedProfiles(simulated(&sandbox, shared.host.catalogue()));
        let http = HttpConfig {
            only_sandbox: true,
            in_process: Some(in_process(&sandbox)),
            ..HttpConfig::default()
        };
        let printed = Arc::clone(&self.printed);
        let journal = Journal::in_memory(Sealer::new(&[0; 32]), clock.clone(), Ids::seeded(1))?;
        let runtime = Runtime::builder()
            .clock(clock)
            .ids(Ids::seeded(2))
            .http(http)
            .executor(Arc::clone(&shared.executor))
            .profiles(Arc::new(profiles))
            .print(move |line| keep(&printed, line))
            .build_on(shared.host.catalogue().clone(), journal)?;
        let row = self.open_row(&runtime)?;
        Ok(World {
            sandbox,
            runtime,
            row,
        })
    }

    /// Begins the run of the test's own calls.
    fn open_row(&self, runtime: &Runtime) -> Result<Arc<RowOperations>, CommandError> {
        let journal = &runtime.journal;
        let name = self.script.bundle().main().name.clone();
        let run = journal.begin_run(NewRun {
            plan: Value::Record(Record::from([("script".to_owned(), name.as_str().into())])),
            name,
            sources: Vec::new(),
            params: Value::Record(Record::new()),
            has_rows: false,
        })?;
        journal.set_run_status(&run, RunStatus::Running)?;
        let plan = RowPlan {
            position: 0,
            scope: "0".to_owned(),
            repeat: 1,
            args: Vec::new(),
            resumed: false,
        };
        let row = NewRow {
            position: plan.position,
            content: None,
            input: Value::Record(Record::new()),
        };
        journal.spool_rows(&run, vec![row])?;
        let printed = Arc::clone(&self.printed);
        let runner = Runner {
            script: self.script.clone(),
            journal: journal.clone(),
            run,
            context: Arc::clone(&runtime.context),
            runtime: runtime.handle().clone(),
            again: false,
            workflow: None,
            cancel: self.cancel.clone(),
            tally: Arc::new(Tally::default()),
            print: Arc::new(move |line: &str| keep(&printed, line)),
        };
        runner
            .open_row(&plan)
            .map_err(|_| CommandError::usage("the journal in memory cannot be written"))
    }

    /// Answers an operation of [`TEST`].
    fn test_operation(&self, call: &Call) -> Result<Value, CallError> {
        let world = self.world()?;
        match call.op.name {
            "fault" => {
                let fault = call.text("fault").parse::<Fault>();
                let fault = fault.map_err(|error| CallError::Failed(refused(error.to_string())))?;
                let added = world.sandbox.add_faults(&[fault]);
                added.map_err(|error| CallError::Failed(refused(error.to_string())))?;
                Ok(Value::Null)
            }
            "snapshot" => {
                let snapshot = world.sandbox.snapshot();
                let snapshot = snapshot.map_err(|error| CallError::Failed(refused(error.to_string())))?;
                let json = serde_json::to_value(snapshot).unwrap_or_default();
                Ok(with_secrets(Value::from_json(json)))
            }
            _ => self.run_main(world, &call.text("file"), call.map("params")),
        }
    }

    /// Runs a script as a run of its own.
    fn run_main(&self, world: &World, file: &str, params: Record) -> Result<Value, CallError> {
        let folder = Path::new(&self.script.bundle().main().name).parent();
        let mut path = folder.unwrap_or(Path::new("")).join(file);
        if path.extension().is_none_or(|ending| ending != "rhai") {
            path.as_mut_os_string().push(".rhai");
        }
        let script = self.shared.script(&path).map_err(|failure| match failure {
            ScriptFailure::Unreadable(reason) => CallError::Failed(refused(reason)),
            ScriptFailure::Invalid(diagnostic) => self.failed(Arc::from(diagnostic)),
        })?;
        let run = world.runtime.start(&script, params);
        let run = run.map_err(|error| CallError::Failed(refused(format!("{}: {error}", path.display()))))?;
        let (ended, stopper) = (self.cancel.clone(), run.stopper());
        let linked = self.shared.handle().spawn(async move {
            ended.cancelled().await;
            stopper.cancel();
        });
        let outcome = run.wait();
        linked.abort();
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled.into());
        }
        match outcome {
            Ok(outcome) => self.result(&outcome),
            Err(error) => Err(Stop::JournalLost(error.to_string()).into()),
        }
    }

    fn result(&self, outcome: &Outcome) -> Result<Value, CallError> {
        if let Ok(output) = outcome.output() {
            return Ok(Value::Record(output.clone()));
        }
        let row = outcome.single();
        if let Some(diagnostic) = row.and_then(|row| row.diagnostic.clone()) {
            return Err(self.failed(diagnostic));
        }
        let reason = row.and_then(|row| row.error.clone()).unwrap_or_default();
        let code = match row.map(|row| row.status) {
            Some(RowStatus::Parked) => Code::InDoubt,
            _ => Code::BadArgument,
        };
        Err(CallError::Failed(OpError::new(code, reason)))
    }

    /// Converts the failure of a script to what its test can catch.
    fn failed(&self, diagnostic: Arc<Diagnostic>) -> CallError {
        let message = diagnostic.title.clone();
        let error = match diagnostic.code {
            Some(code) => {
                let error = OpError::new(code, message);
                CallError::Failed(OpError {
                    status: diagnostic.status,
                    ..error
                })
            }
            None => CallError::Thrown(Thrown {
                kind: diagnostic.kind.clone(),
                message,
            }),
        };
        *lock(&self.failure) = Some(diagnostic);
        error
    }
}

impl Operations for TestOperations {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        if let Some(stop) = self.stopping() {
            return Err(stop.into());
        }
        if ask.op.platform() != &TEST {
            return self.world()?.row.ask(ask);
        }
        let call = Call::check(ask.op, ask.receiver, ask.args).map_err(CallError::Failed)?;
        self.test_operation(&call)
    }

    fn stopping(&self) -> Option<Stop> {
        if self.cancel.is_cancelled() {
            return Some(Stop::Cancelled);
        }
        let world = self.world.get()?.as_ref().ok()?;
        world.row.stopping()
    }

    fn read_only(&self, caller_alive: watch::Receiver<()>) -> Arc<dyn Operations> {
        match self.world() {
            Ok(world) => world.row.read_only(caller_alive),
            // A function is passed to an operation only after the world was needed.
            Err(_) => Arc::new(TestOperations::new(
                &self.shared,
                &self.script,
                self.cancel.clone(),
            )),
        }
    }

    fn print(&self, line: &str) {
        keep(&self.printed, line);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(printed: &Mutex<Vec<String>>, line: &str) {
    let mut printed = lock(printed);
    if printed.len() == MAX_LINES {
        printed.remove(0);
    }
    printed.push(line.to_owned());
}

/// Turns the credentials in a snapshot into secrets, which nothing shows.
fn with_secrets(value: Value) -> Value {
    match value {
        Value::Record(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let value = match value {
                    Value::Text(text) if is_credential_field(&name) => Value::Secret(Secret::new(text)),
                    other => with_secrets(other),
                };
                (name, value)
            });
            Value::Record(fields.collect())
        }
        Value::List(items) => Value::List(items.into_iter().map(with_secrets).collect()),
        plain => plain,
    }
}

/// The clock of a test, which its sandbox shares.
#[derive(Debug)]
struct SharedClock(Clock);

impl Timeline for SharedClock {
    fn now_millis(&self) -> i64 {
        self.0.now_millis()
    }

    fn advance(&self, by: Duration) {
        // A frozen clock has advanced when this returns.
        drop(self.0.sleep(by));
    }
}

/// The accounts of the sandbox, whatever the profile.
struct SimulatedProfiles(BTreeMap<&'static str, Profile>);

impl Profiles for SimulatedProfiles {
    fn find(&self, platform: &str, _: Option<&str>) -> Result<Arc<Profile>, OpError> {
        let found = self.0.get(platform).cloned().map(Arc::new);
        found.ok_or_else(|| {
            let message = format!("the sandbox has no account of the platform `{platform}`");
            OpError::new(Code::BadProfile, message)
        })
    }
}

fn in_process(sandbox: &Arc<Sandbox>) -> InProcess {
    let sandbox = Arc::clone(sandbox);
    InProcess::new(move |request: InProcessRequest| {
        let sandbox = Arc::clone(&sandbox);
        async move {
            let answer = sandbox.answer(DirectRequest {
                method: request.method,
                target: request.target,
                headers: request.headers,
                body: request.body,
                patience: request.patience,
            });
            match answer.await {
                DirectAnswer::Whole(response) => InProcessAnswer::Response {
                    status: response.status,
                    headers: response.headers,
                    body: Some(response.body),
                },
                DirectAnswer::Truncated(response) => InProcessAnswer::Response {
                    status: response.status,
                    headers: response.headers,
                    body: None,
                },
                DirectAnswer::Cut => InProcessAnswer::Cut,
                DirectAnswer::Late => InProcessAnswer::Late,
            }
        }
    })
}

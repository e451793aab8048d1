//! `provisor test`: runs the tests of scripts.
//!
//! ```text
//! paths ─▶ files (compiled) ─▶ suite (several tests at once) ─▶ report
//!                                │ world: sandbox, journal and clock of one test, all in memory
//!                                └▶ lines of the scripts that ran
//! ```

mod report;
mod suite;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::interrupt::SignalHandlers;
use super::sources::ScriptReader;
use super::{memory, sandbox, sources};
use crate::operation::call::parse_duration;
use crate::operation::catalogue::Catalogue;
use crate::script::coverage::Coverage;
use crate::script::error::Diagnostic;
use crate::script::host::Host;
use crate::script::program::Script;
use report::{Case, Report};
use suite::{Suite, Test};
use world::{Shared, TEST};

/// Run the tests of scripts.
///
/// A test is a function whose name starts with `test_`, in a file whose name ends in `.test.rhai`. Each test has platforms of
/// its own, simulated in memory, a journal in memory, and a clock that only waits move; it needs no account, no network and
/// no configuration. Besides all operations it can call `assert`, `assert_eq`, `assert_fails`, `run_main`, `sandbox::fault`
/// and `sandbox::snapshot`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor test
  provisor test scripts/onboard.test.rhai --filter fault
  provisor test --coverage --lcov lcov.info --junit tests.xml

Exit codes: 0 all tests passed, 2 there are no tests, 3 a test failed, 130 interrupted")]
pub(super) struct TestCommand {
    /// Test files, and folders with test files in them.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Run only the tests whose file or name contains this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// The number of tests that run at once; by default the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// How long a test may take: seconds, or text such as 90s or 2m.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = time_limit)]
    timeout: Duration,
    /// Show which lines of the scripts ran.
    #[arg(long)]
    coverage: bool,
    /// Write which lines ran to this file, in the format of lcov.
    #[arg(long, value_name = "FILE")]
    lcov: Option<PathBuf>,
    /// Write the results to this file as XML, for continuous integration systems.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print the results as JSON: `passed`, `failed`, `seconds`, `tests` (`file`, `name`, `line`, `passed`, `seconds`, `failure`,
    /// `printed`) and `coverage` (`file`, `lines`, `ran`, `not_run`).
    #[arg(long)]
    json: bool,
}

fn time_limit(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<i64>().map(Into::into);
    let limit = parse_duration(&seconds.unwrap_or_else(|_| text.into()));
    limit
        .filter(|limit| !limit.is_zero())
        .ok_or_else(|| "write seconds as a number, or text such as 90s or 2m".to_owned())
}

/// Whether a script is a file of tests, by its name.
pub(super) fn is_test_file(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with(".test.rhai"))
}

/// The script host of test files.
pub(super) fn host(app: &App, coverage: Option<&Arc<Coverage>>) -> Host {
    let platforms = app.catalogue().platforms().iter().copied();
    let catalogue = Catalogue::new(platforms.chain([&TEST]));
    Host::for_tests(&catalogue, coverage).within(memory::memory())
}

pub(super) fn test(app: &App, command: &TestCommand) -> Result<Exit, CommandError> {
    let started = Instant::now();
    let files = find(&command.paths)?;
    let wants_coverage = command.coverage || command.lcov.is_some();
    let coverage = wants_coverage.then(Arc::<Coverage>::default);
    let host = host(app, coverage.as_ref());
    let mut report = Report::new(files);
    let reader = ScriptReader::new(app);
    let tests = load(command, &host, &reader, &mut report);
    if tests.is_empty() && report.is_empty() {
        return Err(no_tests(command));
    }
    let cancel = CancellationToken::new();
    watch_for_interrupts(&cancel);
    let suite = Suite {
        shared: Arc::new(Shared::new(&host, reader, sandbox::services(app.catalogue()))?),
        jobs: command.jobs.map_or_else(processors, usize::from),
        limit: command.timeout,
        cancel,
        tests,
    };
    report.expect(&suite.tests);
    suite.run(|index, result| {
        report.add(&suite.tests[index], result);
        if !command.json {
            report.show_ended_files(app);
        }
    })?;
    let interrupted = suite.cancel.is_cancelled();
    report.finish(started.elapsed(), coverage.as_deref().filter(|_| !interrupted));
    report.show(app, command.json, command.coverage)?;
    report.write(command.junit.as_deref(), command.lcov.as_deref())?;
    if interrupted {
        app.ui.note("interrupted: the other tests did not run");
        return Ok(Exit::Interrupted);
    }
    Ok(if report.all_passed() {
        Exit::Ok
    } else {
        Exit::Check
    })
}

/// Finds the test files.
fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        sources::collect(path, &mut found)?;
        if !path.is_dir() && !is_test_file(path) {
            let is_missing = !path.exists();
            let reason = if is_missing {
                "does not exist"
            } else {
                "is not a file of tests"
            };
            let error = CommandError::usage(format!("`{}` {reason}", path.display()));
            let beside = path.with_extension("test.rhai");
            return Err(if beside.is_file() {
                error.hint(format!("its tests are in `{}`", beside.display()))
            } else {
                error.hint("the name of such a file ends in `.test.rhai`")
            });
        }
        let found = found.into_iter().filter(|file| is_test_file(file));
        // Without the `./` that the current folder puts before its files.
        files.extend(found.map(|file| file.strip_prefix(".").map(Path::to_owned).unwrap_or(file)));
    }
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

/// Compiles the files and lists the tests that are to run. A file that cannot be compiled is a failure.
fn load(command: &TestCommand, host: &Host, reader: &ScriptReader, report: &mut Report) -> Vec<Test> {
    let mut tests = Vec::new();
    for (file, path) in report.files().to_vec().into_iter().enumerate() {
        let is_wanted = |name: &str| {
            let filter = command.filter.as_deref().unwrap_or_default();
            name.contains(filter) || path.display().to_string().contains(filter)
        };
        match compile(host, reader, &path) {
            Ok((script, found)) => {
                let wanted = found.into_iter().filter(|test| is_wanted(&test.name));
                tests.extend(wanted.map(|test| Test {
                    file,
                    script: script.clone(),
                    function: test,
                }));
            }
            Err(error) => report.add_case(Case::of_file(file, *error)),
        }
    }
    tests
}

fn compile(
    host: &Host,
    reader: &ScriptReader,
    path: &Path,
) -> Result<(Script, Vec<crate::script::program::ScriptTest>), Box<Diagnostic>> {
    let (bundle, _) = reader.read(path).map_err(|error| match error.diagnostic {
        Some(diagnostic) => diagnostic,
        None => Box::new(Diagnostic {
            hints: error.hints,
            ..suite::failure("unreadable", error.message, Vec::new())
        }),
    })?;
    let script = Script::compile(host, bundle)?;
    let tests = script.tests()?;
    Ok((script, tests))
}

fn no_tests(command: &TestCommand) -> CommandError {
    let places: Vec<String> = command
        .paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    let places = places.join(" and ");
    match &command.filter {
        Some(filter) => CommandError::usage(format!("no test in {places} contains `{filter}`")),
        None => CommandError::usage(format!("there are no tests in {places}"))
            .hint("a test is a function `fn test_…()` in a file whose name ends in `.test.rhai`"),
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Ends all tests at Ctrl-C.
fn watch_for_interrupts(cancel: &CancellationToken) {
    let cancel = cancel.clone();
    let watching = SignalHandlers::new().and_then(|signals| {
        let thread = thread::Builder::new().name("interrupts".to_owned());
        thread.spawn(move || {
            signals.wait();
            cancel.cancel();
        })
    });
    if let Err(error) = watching {
        tracing::warn!(%error, "Ctrl-C will not be noticed");
    }
}

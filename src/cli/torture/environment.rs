//! One world: a separate home of provisor, its sandbox, which this process serves, and the children that use them.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::child::{self, ChildFaults, End};
use super::harness::{Harness, Root, TIMINGS};
use super::observation::{Observation, Row};
use super::plan::Task;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::sandbox::options;
use crate::journal::{RunId, StepFilter, StepRecord, make_private_folder};
use crate::sandbox::{Role, Sandbox, Snapshot};

/// A world with everything in it. Its folder is removed with it, unless it is to be kept.
pub(super) struct Environment<'a> {
    harness: &'a Harness<'a>,
    folder: PathBuf,
    app: App,
    sandbox: Sandbox,
}

/// The maximum time to wait for effects that have not landed yet.
const LANDING_TIMEOUT: Duration = Duration::from_secs(10);

impl<'a> Environment<'a> {
    /// Creates the world and serves its sandbox from this process, so that it survives the children.
    pub(super) fn new(
        harness: &'a Harness<'a>,
        task: &Task,
        seed: u64,
    ) -> Result<Environment<'a>, CommandError> {
        let folder = harness
            .root
            .path()
            .join(task.name().replace(['/', ':', '*'], "-"));
        let home = folder.join("home");
        let env = harness.env(&home);
        let app = harness.app.with_env(env);
        let paths = app.paths()?;
        let made = make_private_folder(paths.config());
        let config = config(task.injected.lands_in_time());
        made.and_then(|()| fs::write(paths.config_file(), config))
            .map_err(broken)?;
        let mut options = options(app.catalogue(), paths.sandbox(), seed);
        options.faults = task.injected.faults(seed);
        let sandbox = Sandbox::start(options).map_err(broken)?;
        if sandbox.role() != Role::Serving {
            return Err(broken("another process serves its sandbox"));
        }
        Ok(Environment {
            harness,
            folder,
            app,
            sandbox,
        })
    }

    /// Runs the script.
    pub(super) fn run(&self, fate: &ChildFaults) -> Result<End, CommandError> {
        let mut words = self.harness.words.clone();
        let at = words.len().min(2);
        words.splice(at..at, ["--out".into(), self.results_file().into()]);
        self.child(&words, fate)
    }

    /// Resumes a run.
    pub(super) fn resume(
        &self,
        run: Option<&str>,
        retry: bool,
        fate: &ChildFaults,
    ) -> Result<End, CommandError> {
        let mut words: Vec<OsString> = vec!["resume".into()];
        words.extend(run.map(OsString::from));
        words.extend(retry.then(|| "--retry-failed".into()));
        self.child(&words, fate)
    }

    /// The results, if their file is in place.
    pub(super) fn results(&self) -> Result<Option<Vec<Row>>, CommandError> {
        let path = self.results_file();
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(broken)?;
        let rows = text.lines().map(serde_json::from_str::<Row>);
        rows.collect::<Result<_, _>>().map(Some).map_err(broken)
    }

    /// Whether the journal contains a run.
    pub(super) fn has_run(&self) -> Result<bool, CommandError> {
        Ok(!self.app.journal()?.runs()?.is_empty())
    }

    /// Whether none of the steps in doubt can be looked up, so that a person has to resolve them.
    pub(super) fn waits_for_a_person(&self, run: &str) -> Result<bool, CommandError> {
        let steps = self.app.journal()?.steps(&RunId::new(run), &StepFilter::Open)?;
        let acts = |step: &StepRecord| {
            let op = self.app.catalogue().operation(&step.op);
            op.is_some_and(|op| !op.can_be_looked_up(step.resource.is_some()))
        };
        Ok(!steps.is_empty() && steps.iter().all(acts))
    }

    /// The sandbox's records, after pending effects have landed.
    pub(super) fn settled_snapshot(&self) -> Result<Snapshot, CommandError> {
        let late = Instant::now();
        let mut snapshot = self.sandbox.snapshot().map_err(broken)?;
        while snapshot.pending > 0 && late.elapsed() < LANDING_TIMEOUT {
            std::thread::sleep(Duration::from_millis(20));
            snapshot = self.sandbox.snapshot().map_err(broken)?;
        }
        Ok(snapshot)
    }

    /// The final state, after pending effects have landed. No child may be running.
    pub(super) fn observation(&self, rows: Vec<Row>) -> Result<Observation, CommandError> {
        let snapshot = self.settled_snapshot()?;
        let journal = self.app.journal()?;
        Ok(Observation {
            rows,
            snapshot,
            ledger: journal.ledger_all()?,
            problems: journal.check()?,
        })
    }

    /// The last lines of the children's stderr.
    pub(super) fn stderr_tail(&self) -> String {
        let text = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(4).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    fn child(&self, words: &[OsString], fate: &ChildFaults) -> Result<End, CommandError> {
        let setting = child::ChildEnvironment {
            program: &self.harness.program,
            env: &self.app.env,
            log: &self.log_file(),
            stop: &self.harness.stop,
        };
        child::run(&setting, words, fate).map_err(broken)
    }

    fn results_file(&self) -> PathBuf {
        self.folder.join("results.jsonl")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("stderr.log")
    }
}

impl Drop for Environment<'_> {
    fn drop(&mut self) {
        if let Root::Temporary(_) = self.harness.root {
            // Anything that cannot be removed now is removed with the temporary folder around it.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The children's sandbox profile. If all effects land in time, it says so (`lands_within`), and a change that is lost
/// after a late response is sent again; otherwise such a row waits until the effect arrives.
fn config(lands_in_time: bool) -> String {
    let millis = |duration: Duration| format!("\"{}ms\"", duration.as_millis());
    let settle = millis(TIMINGS.settle);
    let landing_setting = if lands_in_time {
        format!("lands_within = {settle}\n")
    } else {
        String::new()
    };
    format!(
        "[profiles.sandbox]\nsettle = {settle}\nlook_for = {settle}\n{landing_setting}\n\
         [profiles.sandbox.timeouts]\nconnect = {connect}\nreply = {reply}\ntenant_creation = {reply}\n",
        connect = millis(TIMINGS.connect),
        reply = millis(TIMINGS.reply),
    )
}

fn broken(reason: impl std::fmt::Display) -> CommandError {
    CommandError::new(Exit::Aborted, format!("cannot create a world: {reason}"))
}

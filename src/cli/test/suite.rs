//! Runs tests, several at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::super::error::CommandError;
use super::super::exit::Exit;
use super::world::{Shared, TestOperations};
use crate::script::STACK_SIZE;
use crate::script::error::{Diagnostic, Frame};
use crate::script::host_calls::Stop;
use crate::script::program::{Script, ScriptEnd, ScriptTest};

/// A test of a file.
pub(super) struct Test {
    /// The index of its file.
    pub(super) file: usize,
    pub(super) script: Script,
    pub(super) function: ScriptTest,
}

/// How a test ended.
pub(super) struct TestResult {
    /// `None` if it passed.
    pub(super) failure: Option<Diagnostic>,
    pub(super) took: Duration,
    /// What it printed.
    pub(super) printed: Vec<String>,
}

/// How tests are run.
pub(super) struct Suite {
    pub(super) shared: Arc<Shared>,
    pub(super) tests: Vec<Test>,
    /// The number of tests that run at once.
    pub(super) jobs: usize,
    /// How long a test may take.
    pub(super) limit: Duration,
    /// Ends all tests.
    pub(super) cancel: CancellationToken,
}

impl Suite {
    /// Runs the tests. `each` gets the index of each test that has ended, and how; no test that was interrupted.
    pub(super) fn run(&self, mut each: impl FnMut(usize, TestResult)) -> Result<(), CommandError> {
        let next = AtomicUsize::new(0);
        let (sender, results) = channel();
        scope(|scope| {
            for started in 0..self.jobs.min(self.tests.len()) {
                let (sender, next) = (sender.clone(), &next);
                let worker = Builder::new().stack_size(STACK_SIZE);
                match worker.spawn_scoped(scope, move || self.work(next, &sender)) {
                    Err(error) if started == 0 => {
                        return Err(CommandError::new(
                            Exit::Aborted,
                            format!("cannot start a thread: {error}"),
                        ));
                    }
                    // Those that were started run all tests.
                    Err(_) => break,
                    Ok(_) => {}
                }
            }
            drop(sender);
            for (index, result) in results {
                each(index, result);
            }
            Ok(())
        })
    }

    fn work(&self, next: &AtomicUsize, results: &Sender<(usize, TestResult)>) {
        while !self.cancel.is_cancelled() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = self.tests.get(index) else { return };
            let Some(result) = self.run_one(test) else { return };
            if results.send((index, result)).is_err() {
                return;
            }
        }
    }

    /// Runs a test; `None` if it was interrupted.
    fn run_one(&self, test: &Test) -> Option<TestResult> {
        let cancel = self.cancel.child_token();
        let is_late = Arc::new(AtomicBool::new(false));
        let (limit, late, end) = (self.limit, Arc::clone(&is_late), cancel.clone());
        let timer = self.shared.handle().spawn(async move {
            tokio::time::sleep(limit).await;
            late.store(true, Ordering::SeqCst);
            end.cancel();
        });
        tracing::debug!(test = %test.function.name, file = %test.function.frame.source, "a test starts");
        let started = Instant::now();
        let operations = Arc::new(TestOperations::new(&self.shared, &test.script, cancel));
        let (ended, frames) = test.script.call_test(&test.function, operations.clone());
        let took = started.elapsed();
        timer.abort();
        let failure = match ended {
            Ok(()) => None,
            Err(ScriptEnd::Failed(diagnostic)) => Some(joined(*diagnostic, operations.failure())),
            Err(ScriptEnd::Stopped(Stop::Cancelled)) if is_late.load(Ordering::SeqCst) => {
                let title = format!("the test did not end within {}", seconds(self.limit));
                let mut failure = failure("timeout", title, frames);
                failure
                    .hints
                    .push("look for a loop without an end, or allow more time with --timeout".to_owned());
                Some(failure)
            }
            Err(ScriptEnd::Stopped(Stop::Cancelled)) => return None,
            Err(ScriptEnd::Stopped(Stop::InDoubt { reason, .. })) => {
                Some(failure("in_doubt", format!("in doubt: {reason}"), frames))
            }
            Err(ScriptEnd::Stopped(Stop::JournalLost(reason))) => Some(failure("internal", reason, frames)),
            Err(ScriptEnd::Bug(what)) => {
                Some(failure("internal", format!("a bug in provisor: {what}"), frames))
            }
        };
        Some(TestResult {
            failure,
            took,
            printed: operations.printed(),
        })
    }
}

/// Formats a time limit: `10 s`.
fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// A failure that is not an error of the test's own code.
pub(super) fn failure(kind: &str, title: String, frames: Vec<Frame>) -> Diagnostic {
    Diagnostic {
        kind: kind.to_owned(),
        code: None,
        status: None,
        title,
        frames,
        notes: Vec::new(),
        hints: Vec::new(),
    }
}

/// The failure of a test; if that of a script that it ran was not caught, with the place in that script.
fn joined(mut diagnostic: Diagnostic, of_run: Option<Arc<Diagnostic>>) -> Diagnostic {
    let same = of_run.filter(|run| run.kind == diagnostic.kind && run.title == diagnostic.title);
    let Some(run) = same else { return diagnostic };
    if let Some(call) = diagnostic.frames.first_mut().filter(|call| call.label.is_empty()) {
        "in this run".clone_into(&mut call.label);
    }
    let mut frames = run.frames.clone();
    frames.append(&mut diagnostic.frames);
    Diagnostic {
        frames,
        notes: run.notes.clone(),
        hints: run.hints.clone(),
        ..diagnostic
    }
}

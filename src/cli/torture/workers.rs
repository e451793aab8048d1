//! Runs several worlds at once, because a trial mostly waits.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::assertions::Expected;
use super::harness::Harness;
use super::plan::{Plan, Task};
use super::trial::{self, Outcome};
use crate::cli::error::CommandError;
use crate::cli::ui::Progress;
use crate::waiting::Waits;

/// The outcome of each world, in the order of completion.
pub(super) type Outcomes = Vec<(Task, Outcome)>;

/// Carries out the plan. If a world finishes before all its kills are spent, another one follows with the rest.
pub(super) fn carry_out(
    harness: &Harness<'_>,
    plan: &Plan,
    expected: &Expected,
) -> Result<Outcomes, CommandError> {
    let workers = Workers {
        tasks: Mutex::new(plan.tasks.iter().cloned().collect()),
        outcomes: Mutex::default(),
        failure: Mutex::default(),
        progress: harness
            .app
            .ui
            .progress(u64::try_from(plan.tasks.len()).ok(), Waits::default()),
    };
    thread::scope(|scope| {
        for _ in 0..harness.parallel {
            scope.spawn(|| workers.work(harness, expected));
        }
    });
    workers.progress.finish();
    let failure = workers
        .failure
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match failure {
        Some(error) => Err(error),
        None => Ok(workers
            .outcomes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)),
    }
}

struct Workers {
    tasks: Mutex<VecDeque<Task>>,
    outcomes: Mutex<Outcomes>,
    failure: Mutex<Option<CommandError>>,
    progress: Progress,
}

impl Workers {
    fn work(&self, harness: &Harness<'_>, expected: &Expected) {
        while !harness.stop.load(Ordering::SeqCst) && lock(&self.failure).is_none() {
            let Some(task) = lock(&self.tasks).pop_front() else {
                return;
            };
            match trial::carry_out(harness, &task, expected) {
                Ok(Some(outcome)) => {
                    self.progress.row(!outcome.wrong.is_empty());
                    let next = task.next(outcome.kills, outcome.lifetime);
                    if let Some(next) = next.filter(|_| outcome.wrong.is_empty()) {
                        lock(&self.tasks).push_back(next);
                    }
                    lock(&self.outcomes).push((task, outcome));
                }
                Ok(None) => return,
                Err(error) => {
                    lock(&self.failure).get_or_insert(error);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

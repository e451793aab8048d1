//! Runs several worlds at once, because a trial mostly waits.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::ordeal::{self, Outcome};
use super::plan::{Plan, Task};
use super::rig::Rig;
use super::verdict::Expected;
use crate::cli::error::CommandError;
use crate::cli::ui::Progress;
use crate::waiting::Waits;

/// The outcome of each world, in the order of completion.
pub(super) type Outcomes = Vec<(Task, Outcome)>;

/// Carries out the plan. If a world finishes before all its kills are spent, another one follows with the rest.
pub(super) fn carry_out(rig: &Rig<'_>, plan: &Plan, expected: &Expected) -> Result<Outcomes, CommandError> {
    let desk = Desk {
        tasks: Mutex::new(plan.tasks.iter().cloned().collect()),
        outcomes: Mutex::default(),
        failure: Mutex::default(),
        progress: rig
            .app
            .ui
            .progress(u64::try_from(plan.tasks.len()).ok(), Waits::default()),
    };
    thread::scope(|scope| {
        for _ in 0..rig.parallel {
            scope.spawn(|| desk.work(rig, expected));
        }
    });
    desk.progress.finish();
    let failure = desk.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
    match failure {
        Some(error) => Err(error),
        None => Ok(desk.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

struct Desk {
    tasks: Mutex<VecDeque<Task>>,
    outcomes: Mutex<Outcomes>,
    failure: Mutex<Option<CommandError>>,
    progress: Progress,
}

impl Desk {
    fn work(&self, rig: &Rig<'_>, expected: &Expected) {
        while !rig.stop.load(Ordering::SeqCst) && lock(&self.failure).is_none() {
            let Some(task) = lock(&self.tasks).pop_front() else {
                return;
            };
            match ordeal::carry_out(rig, &task, expected) {
                Ok(Some(outcome)) => {
                    self.progress.row(!outcome.wrong.is_empty());
                    let next = task.next(outcome.kills);
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

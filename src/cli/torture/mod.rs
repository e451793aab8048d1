//! `provisor torture`: kills and disturbs a script wherever possible; the result must be the same as without
//! disturbance.
//!
//! ```text
//! plan (what to inject) ─▶ pool (several worlds at once) ─▶ ordeal (run, kill, resume, …, end)
//!                                                             │ world: a home, a sandbox, a child process
//!                                                             └▶ facts (books, ledger, results) ─▶ verdict
//! ```

mod child;
mod credentials;
mod facts;
mod options;
mod ordeal;
mod plan;
mod pool;
mod report;
mod rig;
mod trap;
mod verdict;
mod world;

pub(super) use options::TortureCommand;
pub(super) use trap::{Moment, Trap, clock};

use std::sync::atomic::Ordering;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use plan::{Plan, Task};
use report::Report;
use rig::Rig;
use verdict::Expected;

/// Runs the command.
pub(super) fn torture(app: &App, command: &TortureCommand) -> Result<Exit, CommandError> {
    let rig = Rig::new(app, command)?;
    rig.watch_for_interrupts();
    let Some(expected) = undisturbed(&rig)? else {
        return Ok(interrupted(app));
    };
    app.ui.note(&format!(
        "undisturbed: {} rows, {} of them not done, {} credentials among the results",
        expected.rows(),
        expected.undone(),
        expected.credentials()
    ));
    let plan = Plan::new(command, expected.routes())?;
    app.ui.note(&format!(
        "torturing {}: {} kills, {} faults, seed {}",
        rig.script.display(),
        plan.kills(),
        plan.faults(),
        rig.seed
    ));
    let outcomes = pool::carry_out(&rig, &plan, &expected)?;
    if rig.stop.load(Ordering::SeqCst) {
        return Ok(interrupted(app));
    }
    let report = Report::new(&rig, command, &outcomes);
    report.show(app, command.json)?;
    Ok(if report.is_sound() { Exit::Ok } else { Exit::Check })
}

/// The script's results without disturbance. Two runs show what differs from run to run by itself.
fn undisturbed(rig: &Rig) -> Result<Option<Expected>, CommandError> {
    let mut quiet = Vec::new();
    for index in 1..=2 {
        let task = Task::undisturbed(index);
        match ordeal::quiet(rig, &task)? {
            Some(ended) => quiet.push(ended),
            None => return Ok(None),
        }
    }
    Expected::from_quiet(quiet).map(Some)
}

fn interrupted(app: &App) -> Exit {
    app.ui
        .note("interrupted; the child is dead, and its worlds are removed");
    Exit::Interrupted
}

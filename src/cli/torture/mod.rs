//! `provisor torture`: kills and disturbs a script wherever possible; the result must be the same as without
//! disturbance.
//!
//! ```text
//! plan (what to inject) ─▶ pool (several worlds at once) ─▶ ordeal (run, kill, resume, …, end)
//!                                                             │ world: a home, a sandbox, a child process
//!                                                             └▶ facts (books, ledger, results) ─▶ verdict
//! ```

mod assertions;
mod child;
mod credentials;
mod environment;
mod harness;
mod kill_switch;
mod observation;
mod options;
mod plan;
mod report;
mod trial;
mod workers;

pub(super) use kill_switch::{KillPoint, KillSwitch, clock};
pub(super) use options::TortureCommand;

use std::sync::atomic::Ordering;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use assertions::Expected;
use harness::Harness;
use plan::{Plan, Task};
use report::Report;

/// Runs the command.
pub(super) fn torture(app: &App, command: &TortureCommand) -> Result<Exit, CommandError> {
    let harness = Harness::new(app, command)?;
    harness.watch_for_interrupts();
    let Some(expected) = undisturbed(&harness)? else {
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
        harness.script.display(),
        plan.kills(),
        plan.faults(),
        harness.seed
    ));
    let outcomes = workers::carry_out(&harness, &plan, &expected)?;
    if harness.stop.load(Ordering::SeqCst) {
        return Ok(interrupted(app));
    }
    let report = Report::new(&harness, command, &outcomes);
    report.show(app, command.json)?;
    Ok(if report.all_survived() {
        Exit::Ok
    } else {
        Exit::Check
    })
}

/// The script's results without disturbance. Two runs show what differs from run to run by itself.
fn undisturbed(harness: &Harness) -> Result<Option<Expected>, CommandError> {
    let mut quiet = Vec::new();
    for index in 1..=2 {
        let task = Task::undisturbed(index);
        match trial::quiet(harness, &task)? {
            Some(ended) => quiet.push(ended),
            None => return Ok(None),
        }
    }
    Expected::from_undisturbed_runs(quiet).map(Some)
}

fn interrupted(app: &App) -> Exit {
    app.ui
        .note("interrupted; the child process is dead, and its worlds are removed");
    Exit::Interrupted
}

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
mod environment;
mod harness;
mod kill_switch;
mod observation;
mod plan;
mod report;
mod trial;
mod workers;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use assertions::Expected;
use clap::Args;
use harness::Harness;
pub(super) use kill_switch::{KillPoint, KillSwitch, clock};
use plan::{Plan, Task};
use report::Report;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;

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

/// Test a script against crashes and faults in the sandbox.
///
/// Each world is a fresh sandbox. The script runs there in its own process, which is killed (SIGKILL) at every boundary
/// of its journal and at random moments while the sandbox injects faults; then it is resumed until it has finished. The
/// sandbox's own records, the ledger and the results must equal those of an undisturbed run: nothing created twice,
/// nothing lost. Only sandboxes in a temporary folder are used.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  provisor torture scripts/onboard.rhai --rows scripts/clients.csv
  provisor torture mine.rhai --rows few.csv --kills 2000 --seed 7 --json
  provisor torture mine.rhai --faults partners:drop-late:400,auth:hang --kills 0 -- --email ann@example.com")]
pub(super) struct TortureCommand {
    /// The script.
    script: PathBuf,
    /// Call `main` once for each row of this file; a dozen rows are enough.
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// The number of kills, over all worlds.
    #[arg(long, value_name = "N", default_value_t = 200)]
    kills: u32,
    /// `all`, `none`, or faults as for `run --fault`, separated by commas.
    #[arg(long, value_name = "LIST", default_value = "all")]
    faults: String,
    /// The seed of kills and faults: the same seed injects the same ones.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The number of rows that run at once in each world.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=4096))]
    jobs: u16,
    /// The number of worlds that run at once; by default twice the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: Option<u16>,
    /// Run only this world, by the name that a failure shows.
    #[arg(long, value_name = "WORLD")]
    only: Option<String>,
    /// Keep the worlds in this folder for inspection.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// The script's parameters.
    #[arg(last = true, value_name = "PARAMETERS")]
    parameters: Vec<OsString>,
}

//! `provisor runs steps`: the steps of a run and their states.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::run_summary::{find_run, step_json};
use crate::cli::times;
use crate::journal::{StepFilter, StepRecord};

/// List the steps of a run and their state.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"run\": id,
   \"steps\": [{row, step, operation, changes, state, thing: {sort, name, account},
              attempts, started, ended, why}]}
  row counts from 1
  state is absent, intended, in doubt, done, refused or half done (it failed, and left something behind)
  thing is the object that the step creates, or null
  attempts counts the requests that were sent
  why is the reason for the doubt")]
pub(super) struct StepsCommand {
    /// The run.
    run: String,
    /// Only the steps of this row, counted from 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row: Option<u64>,
    /// Only the steps that need a decision: in doubt or half done.
    #[arg(long, conflicts_with = "row")]
    open: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn steps(app: &App, command: &StepsCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let run = find_run(&journal, &command.run)?;
    let filter = match command.row {
        Some(row) => StepFilter::Row(row - 1),
        None if command.open => StepFilter::Resolvable,
        None => StepFilter::All,
    };
    let steps = journal.steps(&run.id, &filter)?;
    if command.json {
        let steps: Vec<Json> = steps.iter().map(step_json).collect();
        app.print(&json!({"version": 1, "run": run.id.as_str(), "steps": steps}).to_string())?;
        return Ok(Exit::Ok);
    }
    if steps.is_empty() {
        app.ui.note("no such steps are recorded");
        return Ok(Exit::Ok);
    }
    let rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    let header = [
        "row",
        "operation",
        "state",
        "what",
        "sent",
        "started (UTC)",
        "took",
        "step",
    ];
    app.print(&app.ui.table(&header, &rows))?;
    Ok(Exit::Ok)
}

fn row(step: &StepRecord) -> Vec<String> {
    let what = step.resource.as_ref();
    vec![
        (step.position + 1).to_string(),
        step.op.clone(),
        step.state.name().to_owned(),
        what.map_or(String::new(), |resource| resource.name.clone()),
        step.attempts.to_string(),
        times::shown(step.started_ms),
        step.ended_ms.map_or(String::new(), |ended| {
            times::format_elapsed(step.started_ms, ended)
        }),
        short(&step.key).to_owned(),
    ]
}

/// The end of a step's key, which distinguishes it from most others: the digest of its arguments, and its occurrence.
fn short(key: &str) -> &str {
    key.rsplit_once(':').map_or(key, |(_, end)| end)
}

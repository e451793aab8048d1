//! `provisor runs list`: all runs, newest first.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::run_summary::RunSummary;
use crate::cli::times;
use crate::clock::Clock;
use crate::journal::RowStatus;

/// List the runs, newest first.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1,
   \"runs\": [{id, script, status, rows: {done, failed, parked, open, total},
             started, changed, sandbox, profile, pid}]}
  status is queued, running, killed, done, failed, parked, interrupted or cancelled
  rows.total is null until all rows are read
  started and changed are times in UTC, like all times
  pid is the process that executes the run, or null")]
pub(super) struct ListCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(app: &App, command: &ListCommand) -> Result<Exit, CommandError> {
    let journal = app.recorded()?;
    let mut runs = Vec::new();
    for record in journal.runs()? {
        runs.push(RunSummary::read(&journal, record)?);
    }
    if command.json {
        let runs: Vec<Json> = runs.iter().map(RunSummary::json).collect();
        app.print(&json!({"version": 1, "runs": runs}).to_string())?;
        return Ok(Exit::Ok);
    }
    if runs.is_empty() {
        app.ui.note("no runs yet; provisor run starts one");
        return Ok(Exit::Ok);
    }
    let now = Clock::system().now_millis();
    let rows: Vec<Vec<String>> = runs.iter().map(|run| row(run, now)).collect();
    let header = [
        "run",
        "status",
        "done",
        "failed",
        "parked",
        "open",
        "started (UTC)",
        "age",
        "on",
        "script",
    ];
    app.print(&app.ui.table(&header, &rows))?;
    Ok(Exit::Ok)
}

fn row(run: &RunSummary, now: i64) -> Vec<String> {
    let of = |status| run.counts.of(status).to_string();
    vec![
        run.record.id.to_string(),
        run.status().to_owned(),
        of(RowStatus::Done),
        of(RowStatus::Failed),
        of(RowStatus::Parked),
        run.open().to_string(),
        times::shown(run.record.created_ms),
        times::age(run.record.created_ms, now),
        run.place().to_owned(),
        run.record.name.clone(),
    ]
}

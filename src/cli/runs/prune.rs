//! `provisor runs prune`: deletes the details of old runs.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::journal::Journal;

/// Delete the details of old runs.
///
/// Deletes the rows, reads and sources of runs that ended long ago. Steps that changed something stay on record, and so
/// does the ledger with its credentials. Runs that can be resumed are kept.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document: {\"version\": 1, \"pruned\": number of runs}")]
pub(super) struct PruneCommand {
    /// Keep runs that ended within this time, for example `30d` or `12h`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    keep: Duration,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn prune(app: &App, command: &PruneCommand) -> Result<Exit, CommandError> {
    let journal = app.journal()?;
    let old = ended_before(&journal, command.keep)?;
    if old > 0 {
        let runs = if old == 1 {
            "1 run".to_owned()
        } else {
            format!("{old} runs")
        };
        app.consent(
            command.yes,
            &format!("Delete the rows, reads and sources of {runs}?"),
        )?;
    }
    let pruned = if old > 0 { journal.prune(command.keep)? } else { 0 };
    if command.json {
        app.print(&json!({"version": 1, "pruned": pruned}).to_string())?;
    } else {
        app.ui.note(&format!("pruned: {pruned}"));
    }
    Ok(Exit::Ok)
}

/// The number of runs that pruning would affect.
fn ended_before(journal: &Journal, keep: Duration) -> Result<usize, CommandError> {
    let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    let before = Clock::system().now_millis().saturating_sub(keep);
    let runs = journal.runs()?;
    let old = runs
        .iter()
        .filter(|run| run.status.is_finished() && run.changed_ms < before);
    Ok(old.count())
}

//! Chooses the run to resume, and checks whether it can be.

use super::ResumeCommand;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::plan::RunPlan;
use crate::cli::profiles;
use crate::cli::run_summary::find_run;
use crate::journal::{Journal, JournalError, RunRecord, RunStatus};
use crate::value::Value;

/// The named run, or the latest resumable one that no process is executing.
pub(super) fn run(journal: &Journal, command: &ResumeCommand) -> Result<Option<RunRecord>, CommandError> {
    if let Some(name) = &command.run {
        return find_run(journal, name).map(Some);
    }
    if !command.retry_failed {
        return Ok(journal.latest_unfinished()?);
    }
    let ended = |run: &RunRecord| matches!(run.status, RunStatus::Done | RunStatus::Cancelled);
    let can_go_on = |run: &RunRecord| !ended(run) && run.plan != Value::Null;
    let mut open = journal.runs()?.into_iter().filter(can_go_on);
    Ok(open.find(|run| !journal.is_run_alive(&run.id)))
}

/// Reports that there is no run to resume. Not a success if another process is executing one, or if the newest run has
/// failed rows.
pub(super) fn nothing(app: &App, journal: &Journal) -> Result<Exit, CommandError> {
    let runs = journal.runs()?;
    // An open session has nothing to resume yet.
    let is_session = |run: &RunRecord| RunPlan::from_value(&run.plan).session;
    let mut alive = runs.iter().filter(|run| journal.is_run_alive(&run.id));
    if let Some(run) = alive.find(|run| !is_session(run)) {
        return Err(JournalError::RunBusy {
            run: run.id.clone(),
            pid: journal.run_holder(&run.id),
        }
        .into());
    }
    app.ui.note("nothing to resume: every run is finished");
    if let Some(run) = runs.iter().find(|run| run.status == RunStatus::Failed) {
        let id = &run.id;
        app.ui.hint(&format!(
            "to retry the failed rows of run {id}: provisor resume {id} --retry-failed"
        ));
    }
    let newest_failed = runs.first().is_some_and(|run| run.status == RunStatus::Failed);
    Ok(if newest_failed { Exit::RowsFailed } else { Exit::Ok })
}

/// Checks that the run's plan can be read.
pub(super) fn check_plan_readable(record: &RunRecord) -> Result<(), CommandError> {
    if record.plan != Value::Null {
        return Ok(());
    }
    Err(CommandError::new(
        Exit::Aborted,
        format!("the plan of run {} cannot be read", record.id),
    ))
}

/// The exit code, if nothing is left to run.
pub(super) fn ended(
    app: &App,
    record: &RunRecord,
    command: &ResumeCommand,
) -> Result<Option<Exit>, CommandError> {
    let id = &record.id;
    if record.pruned {
        return Err(
            CommandError::usage(format!("run {id} was pruned: its rows were deleted"))
                .hint("run the command again: objects in the ledger stay unchanged"),
        );
    }
    match record.status {
        RunStatus::Done => {
            app.ui.note(&format!("run {id} is done; nothing is left to do"));
            Ok(Some(Exit::Ok))
        }
        RunStatus::Cancelled => Err(CommandError::usage(format!("run {id} was cancelled"))
            .hint("run the command again: objects in the ledger stay unchanged")),
        RunStatus::Failed if !command.retry_failed => {
            app.ui
                .note(&format!("every row of run {id} has ended, and some failed"));
            let edited = if command.with_current {
                " --with-current"
            } else {
                ""
            };
            app.ui.hint(&format!(
                "to retry them: provisor resume {id} --retry-failed{edited}"
            ));
            Ok(Some(Exit::RowsFailed))
        }
        _ => Ok(None),
    }
}

/// Rejects a profile that points elsewhere than when the run started: it would repeat everything in another account.
pub(super) fn same_account(app: &App, plan: &RunPlan) -> Result<(), CommandError> {
    let (false, Some(name), Some(then)) = (plan.sandbox, &plan.profile, &plan.address) else {
        return Ok(());
    };
    if profiles::sandboxed(app, Some(name)).is_some() {
        return Err(CommandError::usage(format!(
            "profile `{name}` now uses the sandbox, but the run started on the real account"
        ))
        .hint(format!("provisor profile use {name} --no-sandbox")));
    }
    match profiles::active(app, Some(name)) {
        Some((_, now)) if now != *then => Err(CommandError::usage(format!(
            "profile `{name}` points to {now}, but pointed to {then} when the run started"
        ))
        .hint("restore its address, or start a new run")),
        // A missing profile is reported when it is needed.
        _ => Ok(()),
    }
}

//! Closes a session that was killed or left something in doubt: looks up its open steps, and runs no input again.

use tokio_util::sync::CancellationToken;

use super::ResumeCommand;
use crate::cli::app::{Accounts, App};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::plan::RunPlan;
use crate::cli::runs::resolve_command;
use crate::journal::{Journal, RunRecord, RunStatus, StepFilter};
use crate::run::session::{LookUps, SettledAs, SettledStep, settle};
use crate::value::visible::counted;

/// Settles the open steps as far as possible, and closes the session's run if none is left.
pub(super) fn close(
    app: &App,
    journal: Journal,
    record: &RunRecord,
    command: &ResumeCommand,
) -> Result<Exit, CommandError> {
    if command.with_current || command.retry_failed || command.rows.is_some() || command.jobs.is_some() {
        return Err(CommandError::usage(format!(
            "run {} is a REPL session: its inputs are never run again",
            record.id
        ))
        .hint(format!("provisor resume {} settles its open steps", record.id)));
    }
    let id = record.id.clone();
    let run = journal.lock_run(&id)?;
    let open = journal.steps(&id, &StepFilter::Open)?;
    if command.plan {
        app.ui.note(&format!(
            "{} of session {id} would be looked up; nothing would be sent",
            counted(open.len(), "step")
        ));
        return Ok(Exit::Ok);
    }
    if open.is_empty() {
        journal.set_run_status(&run, RunStatus::Done)?;
        app.ui
            .note(&format!("session {id} left nothing open; it is closed"));
        return Ok(Exit::Ok);
    }
    let plan = RunPlan::from_value(&record.plan);
    super::same_account(app, &plan)?;
    let engine = app.engine_on_journal(
        journal,
        &Accounts {
            sandbox: plan.sandbox,
            profile: plan.profile.clone(),
            ..Accounts::default()
        },
    )?;
    app.ui.note(&format!(
        "looking up {} of session {id}; no input is run again",
        counted(open.len(), "step")
    ));
    let cancel = CancellationToken::new();
    let again = format!("provisor resume {id}");
    let _watch = interrupt::watch(engine.handle(), &app.ui, &cancel, again.clone());
    let journal = &engine.journal;
    let mut stopped = false;
    settle(
        (journal, &run),
        &engine.context,
        engine.handle(),
        &cancel,
        &LookUps::new(),
        &mut |settling| stopped |= !report_step(app, settling),
    )?;
    let left = journal.steps(&id, &StepFilter::Open)?;
    let status = match left.len() {
        0 => RunStatus::Done,
        _ if stopped => RunStatus::Interrupted,
        _ => RunStatus::Parked,
    };
    journal.set_run_status(&run, status)?;
    if left.is_empty() {
        app.ui.note(&format!("session {id} is closed"));
        return Ok(Exit::Ok);
    }
    if stopped {
        app.ui.hint(&format!("to continue: {again}"));
        return Ok(Exit::Interrupted);
    }
    for step in &left {
        app.ui.hint(&format!(
            "once you know the outcome: {}",
            resolve_command(app, &id, &step.key, &step.op)
        ));
    }
    Ok(Exit::InDoubt)
}

/// Reports the outcome of a step. Returns `false` if the user stopped the lookup.
fn report_step(app: &App, settling: &SettledStep) -> bool {
    let step = format!("{} of input {}", settling.op, settling.number);
    match &settling.settled_as {
        SettledAs::Done => app
            .ui
            .note(&format!("{step} was carried out; it is on record now")),
        SettledAs::Absent => app
            .ui
            .note(&format!("{step} was not carried out, and is not sent again")),
        SettledAs::Open(reason) => app.ui.warn(&format!("{step} stays in doubt: {reason}")),
        SettledAs::Stopped => return false,
    }
    true
}

//! `provisor cancel`: abandon a run.

use clap::Args;

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::runs::{described, find_run, resolve_command};
use crate::journal::{RunStatus, StepFilter};

/// Abandon a run.
///
/// `resume` ignores it from then on. Completed steps stay done and recorded, and steps in doubt stay in doubt until you or
/// another run settle them. A run that is still in progress cannot be cancelled: stop its process first.
#[derive(Args)]
pub(super) struct CancelCommand {
    /// The run.
    run: String,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

pub(super) fn cancel(app: &App, command: &CancelCommand) -> Result<Exit, CommandError> {
    let journal = app.journal()?;
    let record = find_run(&journal, &command.run)?;
    let run = journal.lock_run(&record.id)?;
    // Another process may have finished it while this one waited for the lock.
    let record = find_run(&journal, &command.run)?;
    let id = run.id();
    if matches!(record.status, RunStatus::Done | RunStatus::Cancelled) {
        app.ui.note(&format!(
            "run {id} is {}; there is nothing to cancel",
            record.status.as_str()
        ));
        return Ok(Exit::Ok);
    }
    app.consent(command.yes, &format!("Abandon run {id} for good?"))?;
    journal.set_run_status(&run, RunStatus::Cancelled)?;
    app.ui.note(&format!(
        "run {id} is cancelled; its completed steps stay on record"
    ));
    for step in journal.steps(id, &StepFilter::Resolvable)? {
        let state = if step.state.is_open() {
            "in doubt"
        } else {
            "half done"
        };
        app.ui
            .warn(&format!("{} stays {state} (step {})", described(&step), step.key));
        app.ui.hint(&format!(
            "once you know the outcome: {}",
            resolve_command(app, id, &step.key, &step.op)
        ));
    }
    Ok(Exit::Ok)
}

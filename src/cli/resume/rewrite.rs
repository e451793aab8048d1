//! Writes the results file of an ended run again.

use super::script::ResumeScript;
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::plan::RunPlan;
use crate::cli::results::Results;
use crate::journal::{Journal, RunRecord};

/// Writes the run's results to the file named in its plan, if any.
pub(super) fn results(app: &App, journal: &Journal, record: &RunRecord) -> Result<(), CommandError> {
    let plan = RunPlan::from_value(&record.plan).rebased_on(app.env.folder());
    let Some(out) = plan.out.as_deref().filter(|out| *out != "-") else {
        return Ok(());
    };
    let run = journal.lock_run(&record.id)?;
    let script = ResumeScript::read(app, journal, record, &plan)?.script;
    let Some(results) = Results::open_results(&app.ui, &plan, &script, true)? else {
        return Ok(());
    };
    Results::audit(app, journal, &plan, run.id())?;
    results.finish(run.id(), journal)?;
    app.ui.note(&format!("its results are written to `{out}` again"));
    Ok(())
}

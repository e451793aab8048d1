//! The script of a resumed run: the pinned one, or the current one.

use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::plan::RunPlan;
use crate::cli::{rows, run};
use crate::journal::{Journal, RunLock, RunRecord};
use crate::script::bundle::Bundle;
use crate::script::program::Script;

/// The script a run continues with.
pub(super) struct ResumeScript {
    pub(super) script: Script,
}

impl ResumeScript {
    /// Reads the script the run is pinned to.
    pub(super) fn read(
        app: &App,
        journal: &Journal,
        record: &RunRecord,
        plan: &RunPlan,
    ) -> Result<ResumeScript, CommandError> {
        let bundle =
            Bundle::from_parts(journal.sources(&record.id)?, plan.imports.clone()).ok_or_else(|| {
                CommandError::new(Exit::Aborted, "the run's script is no longer in the journal")
                    .hint("provisor journal check")
            })?;
        Ok(ResumeScript {
            script: Script::compile(&run::host(app), bundle)?,
        })
    }

    /// Whether the script's file has changed. False if it is missing or cannot be loaded.
    pub(super) fn has_changed(&self, app: &App, plan: &RunPlan) -> bool {
        plan.script != "-"
            && run::load(app, Path::new(&plan.script)).is_ok_and(|now| texts(&now) != texts(&self.script))
    }

    /// Switches to the current script if it has changed, and returns whether it has. It must accept the run's input.
    pub(super) fn take_current(&mut self, app: &App, plan: &RunPlan) -> Result<bool, CommandError> {
        if plan.script == "-" {
            return Err(CommandError::usage(
                "the script came from standard input, so there is no edited version",
            ));
        }
        let current = run::load(app, Path::new(&plan.script))?;
        if texts(&current) == texts(&self.script) {
            return Ok(false);
        }
        fits(plan, &current)?;
        self.script = current;
        Ok(true)
    }

    /// Pins the run to the current script. `recorded` is the plan in the journal.
    pub(super) fn pin_current_script(
        &self,
        app: &App,
        journal: &Journal,
        run: &RunLock,
        mut recorded: RunPlan,
    ) -> Result<(), CommandError> {
        let (sources, imports) = self.script.bundle().parts();
        recorded.imports = imports;
        Ok(journal.repin(run, &sources, &recorded.to_value(), &app.actor())?)
    }
}

/// Checks that the script accepts the run's parameters.
fn fits(plan: &RunPlan, script: &Script) -> Result<(), CommandError> {
    let refused = |reason: String| {
        CommandError::usage(format!(
            "the edited script does not accept the run's parameters: {reason}"
        ))
    };
    if plan.rows.is_none() {
        let errors = script.bind(&plan.constants).err().unwrap_or_default();
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return if errors.is_empty() {
            Ok(())
        } else {
            Err(refused(errors.join("; ")))
        };
    }
    let declared = script.declaration().params();
    let is_undeclared = |name: &&String| !declared.iter().any(|param| param.name == **name);
    if let Some(name) = plan.constants.keys().find(is_undeclared) {
        return Err(refused(format!("it has no parameter `{name}`")));
    }
    rows::check_columns(plan, script)
}

/// The texts of a script's sources, whatever their files are called.
fn texts(script: &Script) -> Vec<&str> {
    let sources = script.bundle().sources().iter();
    sources.map(|source| source.text.as_str()).collect()
}

//! The script of a resumed run: the one it is pinned to, or the one that is there now.

use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::plan::RunPlan;
use crate::cli::{rows, run};
use crate::journal::{Journal, RunLock, RunRecord};
use crate::script::bundle::Bundle;
use crate::script::program::Script;

/// The script that a run goes on with.
pub(super) struct Pinned {
    pub(super) script: Script,
}

impl Pinned {
    /// The script the run is pinned to.
    pub(super) fn read(
        app: &App,
        journal: &Journal,
        record: &RunRecord,
        plan: &RunPlan,
    ) -> Result<Pinned, CommandError> {
        let bundle =
            Bundle::from_parts(journal.sources(&record.id)?, plan.imports.clone()).ok_or_else(|| {
                CommandError::new(Exit::Aborted, "the run's script is no longer in the journal")
                    .hint("provisor journal check")
            })?;
        Ok(Pinned {
            script: Script::compile(&run::host(app), bundle)?,
        })
    }

    /// Is the script another one now? Not when there is no file any more, or none that can be read.
    pub(super) fn has_changed(&self, app: &App, plan: &RunPlan) -> bool {
        plan.script != "-"
            && run::load(app, Path::new(&plan.script)).is_ok_and(|now| texts(&now) != texts(&self.script))
    }

    /// Takes the script as it is now, when it is another one. It must fit what the run was given.
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

    /// Pins the run to the script that was taken. `recorded` is the plan as the journal has it.
    pub(super) fn keep(
        &self,
        app: &App,
        journal: &Journal,
        run: &RunLock,
        mut recorded: RunPlan,
    ) -> Result<(), CommandError> {
        let (sources, imports) = self.script.bundle().parts();
        recorded.imports = imports;
        Ok(journal.repin(run, &sources, &recorded.to_value(), &app.who())?)
    }
}

/// Does the script take what the run was given?
fn fits(plan: &RunPlan, script: &Script) -> Result<(), CommandError> {
    let refused = |why: String| {
        CommandError::usage(format!(
            "the edited script does not accept the run's parameters: {why}"
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
    let strange = |name: &&String| !declared.iter().any(|param| param.name == **name);
    if let Some(name) = plan.constants.keys().find(strange) {
        return Err(refused(format!("it has no parameter `{name}`")));
    }
    rows::check_columns(plan, script)
}

/// What a script says, whatever its files are called.
fn texts(script: &Script) -> Vec<&str> {
    let sources = script.bundle().sources().iter();
    sources.map(|source| source.text.as_str()).collect()
}

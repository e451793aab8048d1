//! What a resume would do, shown before it does anything.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::compare::Comparison;
use super::outlook::Outlook;
use super::unread::Unread;
use crate::bulk::rehearsal::{Rehearsed, rehearse};
use crate::cli::app::{App, Engine};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::plan::RunPlan;
use crate::cli::recorded::Listed;
use crate::journal::RunLock;
use crate::run::Runner;
use crate::run::cancel::Cancel;
use crate::run::tally::Tally;
use crate::script::program::Script;

/// What the rows would do with a script.
pub(super) struct Preview {
    outlook: Outlook,
    comparison: Comparison,
    /// Are there rows that the journal does not have?
    unread: bool,
}

impl Preview {
    /// Goes through the rows that would be carried out. Sends nothing and records nothing.
    pub(super) fn of(
        engine: &Engine,
        run: &RunLock,
        plan: &RunPlan,
        script: &Script,
        retrying: bool,
        unread: &Unread,
    ) -> Result<Preview, CommandError> {
        let runner = Runner {
            script: script.clone(),
            journal: engine.journal.clone(),
            run: run.clone(),
            world: engine.world.clone(),
            runtime: engine.runtime.handle().clone(),
            again: false,
            cancel: Cancel::new(),
            tally: Arc::new(Tally::default()),
            print: Arc::new(|_: &str| {}),
        };
        let mut outlook = Outlook::default();
        let mut comparison = Comparison::default();
        let mut each = |row: Rehearsed| {
            comparison.add(&row);
            outlook.add(row);
        };
        rehearse(&runner, &plan.constants, retrying, &mut each)
            .map_err(|error| CommandError::new(Exit::Aborted, error))?;
        Ok(Preview {
            outlook,
            comparison,
            unread: unread.is_any(),
        })
    }

    /// An edited script that would do again what is done needs more than consent to the script.
    pub(super) fn consent(&self, again: bool) -> Result<(), CommandError> {
        match self.comparison.repeats() {
            Some(what) if !again => Err(CommandError::usage(format!(
                "the edited script would do again what is done: {what}"
            ))
            .hint(
                "let it ask for what is recorded with the same arguments, or add --again to do it once more",
            )),
            _ => Ok(()),
        }
    }

    /// Shows it: on standard output when it is all that was asked for, else on standard error, before the question.
    pub(super) fn show(
        &self,
        app: &App,
        run: &Listed,
        edited: bool,
        (asked, json): (bool, bool),
    ) -> Result<(), CommandError> {
        if json {
            return app.print(&self.json(run, edited).to_string());
        }
        let mut text = Vec::new();
        if edited {
            text.push("the edited script, against the steps that are recorded:".to_owned());
            text.push(self.comparison.table(&app.ui));
        }
        if asked {
            text.push(self.outlook.table(&app.ui, run, edited));
        }
        if self.unread {
            text.push("rows that the run has not read yet come after these".to_owned());
        }
        let text = text.join("\n");
        if asked {
            app.print(&text)
        } else {
            app.ui.note(&text);
            Ok(())
        }
    }

    fn json(&self, run: &Listed, edited: bool) -> Json {
        json!({
            "version": 1,
            "run": run.json(),
            "script": if edited { "current" } else { "pinned" },
            "rows": self.outlook.rows(),
            "begins": self.outlook.begins(),
            "unread": self.unread,
            "comparison": edited.then(|| self.comparison.json()),
        })
    }
}

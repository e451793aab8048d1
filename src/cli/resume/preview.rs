//! Shows what a resume would do, before it does anything.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::compare::Comparison;
use super::preview_table::PreviewTable;
use super::remaining_rows::RemainingRows;
use crate::bulk::dry_run::{DryRunRow, dry_run};
use crate::cli::app::{App, Engine, stdout_error};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::plan::RunPlan;
use crate::cli::run_summary::RunSummary;
use crate::journal::RunLock;
use crate::run::Runner;
use crate::run::tally::Tally;
use crate::script::program::Script;

/// The result of a dry run of the rows with a script.
pub(super) struct Preview {
    table: PreviewTable,
    comparison: Comparison,
    /// Whether some rows are not in the journal.
    unread: bool,
}

impl Preview {
    /// Dry-runs the rows that would be executed. Sends and records nothing. `each` receives the rows as JSON.
    pub(super) fn of(
        engine: &Engine,
        run: &RunLock,
        plan: &RunPlan,
        script: &Script,
        (retrying, again, unread): (bool, bool, &RemainingRows),
        each: &mut (dyn FnMut(Json) + Send),
    ) -> Result<Preview, CommandError> {
        let runner = Runner {
            script: script.clone(),
            journal: engine.journal.clone(),
            run: run.clone(),
            context: engine.context.clone(),
            runtime: engine.handle().clone(),
            again: again || plan.again,
            workflow: plan.rows.is_some().then(|| plan.workflow()),
            cancel: CancellationToken::new(),
            tally: Arc::new(Tally::default()),
            print: Arc::new(|_: &str| {}),
        };
        let mut table = PreviewTable::default();
        let mut comparison = Comparison::default();
        let mut add = |row: DryRunRow| {
            comparison.add(&row);
            if let Some(json) = table.add(row) {
                each(json);
            }
        };
        dry_run(&runner, &plan.constants, retrying, &mut add)
            .map_err(|error| CommandError::new(Exit::Aborted, error))?;
        Ok(Preview {
            table,
            comparison,
            unread: unread.is_any(),
        })
    }

    /// Returns an error if an edited script would repeat completed steps without `again`.
    pub(super) fn consent(&self, again: bool) -> Result<(), CommandError> {
        match self.comparison.repeats() {
            Some(what) if !again => Err(CommandError::usage(format!(
                "the edited script would repeat finished steps: {what}"
            ))
            .hint("keep the arguments of recorded steps unchanged, or add --again to repeat them")),
            _ => Ok(()),
        }
    }

    /// Prints one JSON document row by row during the dry run, as there may be any number of rows.
    pub(super) fn print_json(
        app: &App,
        (run, edited): (&RunSummary, bool),
        go_through: impl FnOnce(&mut (dyn FnMut(Json) + Send)) -> Result<Preview, CommandError>,
    ) -> Result<(), CommandError> {
        let script = if edited { "current" } else { "pinned" };
        app.print(&format!(
            r#"{{"version":1,"run":{},"script":"{script}","rows":["#,
            run.json()
        ))?;
        let (ui, mut separator, mut printed) = (app.ui.clone(), "", Ok(()));
        let preview = go_through(&mut |row| {
            if printed.is_ok() {
                printed = ui.out(&format!("{separator}{row}")).map_err(stdout_error);
            }
            separator = ",";
        })?;
        printed?;
        let rest = json!({
            "begins": preview.table.unstarted_rows(),
            "unread": preview.unread,
            "comparison": edited.then(|| preview.comparison.json()),
        });
        let rest = rest.to_string();
        app.print(&format!("],{}", rest.strip_prefix('{').unwrap_or(&rest)))
    }

    /// Shows the preview: on stdout if only the plan was requested, else on stderr before the confirmation.
    pub(super) fn show(
        &self,
        app: &App,
        run: &RunSummary,
        edited: bool,
        was_requested: bool,
    ) -> Result<(), CommandError> {
        let mut text = Vec::new();
        if edited {
            text.push("the edited script compared with the recorded steps:".to_owned());
            text.push(self.comparison.table(&app.ui));
        }
        if was_requested {
            text.push(self.table.table(app, run, edited));
        }
        if self.unread {
            text.push("rows that the run has not read yet follow".to_owned());
        }
        let text = text.join("\n");
        if was_requested {
            app.print(&text)
        } else {
            app.ui.note(&text);
            Ok(())
        }
    }
}

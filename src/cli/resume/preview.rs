//! Shows what a resume would do, before it does anything.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::RemainingRows;
use crate::bulk::dry_run::{DryRunRow, RowPreview, dry_run};
use crate::cli::app::{App, Engine, stdout_error};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::plan::RunPlan;
use crate::cli::runs::{RunSummary, resolve_command};
use crate::cli::times;
use crate::cli::ui::Ui;
use crate::journal::{RowStatus, RunId, RunLock};
use crate::run::Runner;
use crate::run::dry_run::{DryRun, DryRunEnd, NextAction, NextCall};
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
            "begins": preview.table.unstarted_rows,
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

/// The next actions of the rows.
#[derive(Default)]
struct PreviewTable {
    groups: BTreeMap<(u8, &'static str, String), Group>,
    /// Recorded steps that need no request.
    recorded: usize,
    /// Failed rows that are retried.
    retried: u64,
    /// Rows without recorded steps; they are counted, not simulated.
    unstarted_rows: u64,
}

/// Rows with the same next action.
struct Group {
    rows: u64,
    first: DryRunRow,
}

impl PreviewTable {
    /// Adds a row. Returns it as JSON, unless it has no recorded steps.
    fn add(&mut self, row: DryRunRow) -> Option<Json> {
        if let RowPreview::Begins = row.does {
            self.unstarted_rows += 1;
            return None;
        }
        let json = row_json(&row);
        self.recorded += recorded(&row);
        self.retried += u64::from(row.status == RowStatus::Failed);
        match self.groups.entry(next_action(&row)) {
            Entry::Occupied(mut group) => group.get_mut().rows += 1,
            Entry::Vacant(group) => {
                group.insert(Group { rows: 1, first: row });
            }
        }
        Some(json)
    }

    /// Groups of rows as a table, below a line about the rows that stay as they are.
    fn table(&self, app: &App, run: &RunSummary, edited: bool) -> String {
        let script = if edited {
            "the edited script"
        } else {
            "the script it started with"
        };
        let done = run.counts.of(RowStatus::Done);
        let failed = run.counts.of(RowStatus::Failed);
        let recorded = self.recorded;
        let mut lines = vec![format!(
            "run {} with {script}; completed rows: {done}; recorded steps that need no request: {recorded}",
            run.record.id
        )];
        if failed > self.retried {
            lines.push(format!(
                "failed rows, not retried: {failed} (--retry-failed retries them)"
            ));
        }
        let groups = self.groups.iter();
        let mut cells: Vec<Vec<String>> = groups
            .map(|((_, next, operation), Group { rows, first })| {
                let number = (first.position + 1).to_string();
                vec![
                    (*next).to_owned(),
                    operation.clone(),
                    rows.to_string(),
                    number,
                    about(app, first, &run.record.id),
                ]
            })
            .collect();
        if self.unstarted_rows > 0 {
            let unstarted_rows = self.unstarted_rows.to_string();
            cells.push(vec![
                "begin".into(),
                String::new(),
                unstarted_rows,
                String::new(),
                String::new(),
            ]);
        }
        lines.push(if cells.is_empty() {
            "no rows are left to run".to_owned()
        } else {
            app.ui
                .table(&["next", "operation", "rows", "first row", "there"], &cells)
        });
        lines.join("\n")
    }
}

/// The next action of a row: its order in lists, a short description, and the operation.
fn next_action(row: &DryRunRow) -> (u8, &'static str, String) {
    let next_call = match &row.does {
        RowPreview::Begins => return (9, "begin", String::new()),
        RowPreview::InvalidRow(_) => return (7, "fail: the row is invalid", String::new()),
        RowPreview::Predicted(dry_run) => match &dry_run.then {
            DryRunEnd::Acts(next_call) => next_call,
            DryRunEnd::Returns => return (6, "end: everything is recorded", String::new()),
            DryRunEnd::Fails(_) => return (8, "fail", String::new()),
        },
    };
    let (order, next) = match &next_call.how {
        NextAction::Parks => (0, "ask a person"),
        NextAction::LooksUp { .. } => (1, "look up"),
        NextAction::Waits(_) => (2, "look up for another run"),
        NextAction::Sends => (3, "send"),
        NextAction::Repeats(_) => (3, "send again"),
        NextAction::Reads => (4, "read"),
    };
    (order, next, next_call.op.clone())
}

/// Details about the first row of a group.
fn about(app: &App, row: &DryRunRow, run: &RunId) -> String {
    let dry_run = match &row.does {
        RowPreview::Begins => return String::new(),
        RowPreview::InvalidRow(reason) => return reason.clone(),
        RowPreview::Predicted(dry_run) => dry_run,
    };
    let next_call = match &dry_run.then {
        DryRunEnd::Acts(next_call) => next_call,
        DryRunEnd::Returns => return String::new(),
        DryRunEnd::Fails(reason) => return reason.clone(),
    };
    let resource = next_call.resource.clone().unwrap_or_default();
    match &next_call.how {
        NextAction::Parks => resolve_command(app, run, &next_call.step, &next_call.op),
        NextAction::LooksUp { resends: false, .. } => {
            format!("{resource} (needs a decision if it is absent)")
        }
        NextAction::LooksUp { settled_ms, .. } => {
            format!(
                "{resource} (counts as absent after {} UTC)",
                times::shown(*settled_ms)
            )
        }
        NextAction::Waits(step) => format!("{resource} ({step})"),
        NextAction::Repeats(done) => format!("done: {done}"),
        NextAction::Sends | NextAction::Reads => resource,
    }
}

fn recorded(row: &DryRunRow) -> usize {
    match &row.does {
        RowPreview::Predicted(dry_run) => dry_run.matched.len(),
        _ => 0,
    }
}

fn row_json(row: &DryRunRow) -> Json {
    let (then, next, reason, unrequested_keys): (&str, Json, Option<&str>, &[String]) = match &row.does {
        RowPreview::Begins => ("begins", Json::Null, None, &[]),
        RowPreview::InvalidRow(reason) => ("misfits", Json::Null, Some(reason), &[]),
        RowPreview::Predicted(DryRun {
            then,
            unrequested_keys,
            ..
        }) => match then {
            DryRunEnd::Acts(next_call) => ("acts", next_json(next_call), None, unrequested_keys),
            DryRunEnd::Returns => ("returns", Json::Null, None, unrequested_keys),
            DryRunEnd::Fails(reason) => ("fails", Json::Null, Some(reason), unrequested_keys),
        },
    };
    json!({
        "row": row.position + 1,
        "status": row.status.as_str(),
        "recorded": recorded(row),
        "then": then,
        "next": next,
        "why": reason,
        "unasked": unrequested_keys,
    })
}

fn next_json(next_call: &NextCall) -> Json {
    let (how, not_before) = match &next_call.how {
        NextAction::Sends => ("send", Json::Null),
        NextAction::Repeats(_) => ("again", Json::Null),
        NextAction::Reads => ("read", Json::Null),
        NextAction::LooksUp { settled_ms, .. } => ("look-up", times::json(*settled_ms)),
        NextAction::Parks => ("person", Json::Null),
        NextAction::Waits(_) => ("other-run", Json::Null),
    };
    json!({
        "how": how,
        "operation": next_call.op,
        "thing": next_call.resource,
        "step": next_call.step,
        "not_before": not_before,
    })
}

/// Counts the steps of started rows, by comparison result and operation.
#[derive(Default)]
struct Comparison(BTreeMap<(Kind, String), Count>);

/// How a script treats a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Recorded, and called.
    Match,
    /// Called after recorded ones, and not recorded.
    New,
    /// Called and not recorded, while a completed act of the same operation is no longer called.
    Again,
    /// Recorded, and perhaps called after a new step: only executing that would show.
    NotReached,
    /// Recorded, and never called.
    LeftOver,
}

impl Kind {
    const ALL: [Kind; 5] = [
        Kind::Match,
        Kind::New,
        Kind::Again,
        Kind::NotReached,
        Kind::LeftOver,
    ];

    /// That of the first call that is not answered from the journal.
    fn of_next(how: &NextAction) -> Kind {
        match how {
            NextAction::Sends | NextAction::Reads | NextAction::Waits(_) => Kind::New,
            NextAction::Repeats(_) => Kind::Again,
            NextAction::LooksUp { .. } | NextAction::Parks => Kind::Match,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Match => "match",
            Kind::New => "new",
            Kind::Again => "again",
            Kind::NotReached => "not reached",
            Kind::LeftOver => "left over",
        }
    }
}

#[derive(Default)]
struct Count {
    steps: u64,
    rows: u64,
    /// The first row, counted from 0.
    first: u64,
    /// The row counted last.
    last: Option<u64>,
}

impl Comparison {
    /// Adds a row. One that has not started has nothing to compare.
    fn add(&mut self, row: &DryRunRow) {
        let RowPreview::Predicted(dry_run) = &row.does else {
            return;
        };
        let DryRun {
            matched,
            then,
            unrequested_keys,
        } = dry_run;
        let next = match then {
            DryRunEnd::Acts(next_call) => Some((Kind::of_next(&next_call.how), &next_call.op)),
            DryRunEnd::Returns | DryRunEnd::Fails(_) => None,
        };
        let begins = next.is_none_or(|(kind, _)| kind == Kind::New);
        if matched.is_empty() && unrequested_keys.is_empty() && begins {
            return;
        }
        for key in matched {
            self.count(Kind::Match, operation(key), row.position);
        }
        let rest = match next {
            Some((kind, op)) => {
                self.count(kind, op, row.position);
                Kind::NotReached
            }
            None => Kind::LeftOver,
        };
        for key in unrequested_keys {
            self.count(rest, operation(key), row.position);
        }
    }

    /// What would be repeated, and in how many rows; `None` if nothing would.
    fn repeats(&self) -> Option<String> {
        let again = self.0.iter().filter(|((kind, _), _)| *kind == Kind::Again);
        let parts = again.map(|((_, operation), count)| match count.rows {
            1 => format!("{operation} of row {}", count.first + 1),
            rows => format!("{operation} of {rows} rows"),
        });
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// The comparison as a table.
    fn table(&self, ui: &Ui) -> String {
        if self.0.is_empty() {
            return "no row that would run has a recorded step".to_owned();
        }
        let rows = self.0.iter().map(|((kind, operation), count)| {
            vec![
                kind.name().to_owned(),
                operation.clone(),
                count.steps.to_string(),
                count.rows.to_string(),
                (count.first + 1).to_string(),
            ]
        });
        let header = ["recorded steps", "operation", "steps", "rows", "first row"];
        ui.table(&header, &rows.collect::<Vec<_>>())
    }

    /// The comparison as JSON.
    fn json(&self) -> Json {
        let mut json = json!({});
        for kind in Kind::ALL {
            let of_sort = self.0.iter().filter(|((of, _), _)| *of == kind);
            let list = of_sort.map(|((_, operation), count)| {
                json!({
                    "operation": operation,
                    "steps": count.steps,
                    "rows": count.rows,
                    "first_row": count.first + 1,
                })
            });
            json[kind.name().replace(' ', "_")] = list.collect();
        }
        json
    }

    fn count(&mut self, kind: Kind, operation: &str, position: u64) {
        let count = self.0.entry((kind, operation.to_owned())).or_default();
        if count.steps == 0 {
            count.first = position;
        }
        count.steps += 1;
        count.first = count.first.min(position);
        if count.last.replace(position) != Some(position) {
            count.rows += 1;
        }
    }
}

/// The operation in a step's key, which is `scope/operation:arguments#occurrence`.
fn operation(key: &str) -> &str {
    let request = key.split_once('/').map_or(key, |(_, request)| request);
    request
        .rsplit_once(':')
        .map_or(request, |(operation, _)| operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_name_is_parsed_from_a_step_key() {
        assert_eq!(operation("17/mobsted::ensure_app:0123#1"), "mobsted::ensure_app");
        assert_eq!(operation("3f2a/now:0123#1"), "now");
    }
}

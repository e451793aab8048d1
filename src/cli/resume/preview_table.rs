//! What the rows of a resumed run would do next, in groups and one by one.

use crate::cli::app::App;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Value as Json, json};

use crate::bulk::dry_run::{DryRunRow, RowPreview};
use crate::cli::run_summary::{RunSummary, resolve_command};
use crate::cli::times;
use crate::journal::{RowStatus, RunId};
use crate::run::dry_run::{DryRun, DryRunEnd, NextAction, NextCall};

/// The next actions of the rows.
#[derive(Default)]
pub(super) struct PreviewTable {
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
    pub(super) fn add(&mut self, row: DryRunRow) -> Option<Json> {
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

    /// The number of rows without recorded steps.
    pub(super) fn unstarted_rows(&self) -> u64 {
        self.unstarted_rows
    }

    /// Groups of rows as a table, below a line about the rows that stay as they are.
    pub(super) fn table(&self, app: &App, run: &RunSummary, edited: bool) -> String {
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

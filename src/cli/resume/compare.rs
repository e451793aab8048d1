//! Compares the recorded steps with the calls of an edited script.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::bulk::dry_run::{DryRunRow, RowPreview};
use crate::cli::ui::Ui;
use crate::run::dry_run::{DryRun, DryRunEnd, NextAction};

/// Counts the steps of started rows, by comparison result and operation.
#[derive(Default)]
pub(super) struct Comparison(BTreeMap<(Kind, String), Count>);

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
    pub(super) fn add(&mut self, row: &DryRunRow) {
        let RowPreview::Predicted(dry_run) = &row.does else {
            return;
        };
        let DryRun {
            matched,
            then,
            unrequested_keys,
        } = dry_run;
        let begins = match then {
            DryRunEnd::Acts(next_call) => matches!(
                next_call.how,
                NextAction::Sends | NextAction::Reads | NextAction::Waits(_)
            ),
            DryRunEnd::Returns | DryRunEnd::Fails(_) => true,
        };
        if matched.is_empty() && unrequested_keys.is_empty() && begins {
            return;
        }
        for key in matched {
            self.count(Kind::Match, operation(key), row.position);
        }
        let rest = match then {
            DryRunEnd::Acts(next_call)
                if matches!(
                    next_call.how,
                    NextAction::Sends | NextAction::Reads | NextAction::Waits(_)
                ) =>
            {
                self.count(Kind::New, &next_call.op, row.position);
                Kind::NotReached
            }
            DryRunEnd::Acts(next_call) if matches!(next_call.how, NextAction::Repeats(_)) => {
                self.count(Kind::Again, &next_call.op, row.position);
                Kind::NotReached
            }
            DryRunEnd::Acts(next_call) => {
                self.count(Kind::Match, &next_call.op, row.position);
                Kind::NotReached
            }
            DryRunEnd::Returns | DryRunEnd::Fails(_) => Kind::LeftOver,
        };
        for key in unrequested_keys {
            self.count(rest, operation(key), row.position);
        }
    }

    /// What would be repeated, and in how many rows; `None` if nothing would.
    pub(super) fn repeats(&self) -> Option<String> {
        let again = self.0.iter().filter(|((kind, _), _)| *kind == Kind::Again);
        let parts = again.map(|((_, operation), count)| match count.rows {
            1 => format!("{operation} of row {}", count.first + 1),
            rows => format!("{operation} of {rows} rows"),
        });
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// The comparison as a table.
    pub(super) fn table(&self, ui: &Ui) -> String {
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
    pub(super) fn json(&self) -> Json {
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
mod tests;

//! Decides whether a world ended as if there had been no disturbance.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::observation::{Observation, Row};
use super::trial::UndisturbedRun;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::sandbox::Traffic;
use crate::sandbox::fault::Route;

/// The expected results, from the undisturbed runs.
pub(super) struct Expected {
    rows: Vec<Row>,
    /// Columns that differ from run to run by themselves: addresses, passwords, times.
    generated: BTreeSet<String>,
    credentials: Credentials,
    /// The resources that cells with sequential numbers refer to, by row and column.
    numbered: BTreeMap<(usize, String), BTreeSet<String>>,
    /// The resources of each kind. If their labels differ from run to run, only their number, which is then the `Err`,
    /// is compared.
    resources: BTreeMap<String, Result<Vec<String>, usize>>,
    entries: Result<BTreeSet<String>, usize>,
    /// Anomalies without disturbance: they come from the script and are not failures.
    flaws: BTreeSet<String>,
    routes: Vec<Route>,
    repeats: u64,
    violations: BTreeMap<&'static str, u64>,
    /// How long a run takes.
    pub(super) duration: Duration,
}

/// Columns about the run itself.
const RUN_COLUMNS: [&str; 2] = ["_run", "_error"];

impl Expected {
    /// Determines what two undisturbed runs have in common.
    pub(super) fn from_undisturbed_runs(mut quiet: Vec<UndisturbedRun>) -> Result<Expected, CommandError> {
        let (Some(second), Some(first)) = (quiet.pop(), quiet.pop()) else {
            return Err(CommandError::new(
                Exit::Aborted,
                "the undisturbed runs are missing",
            ));
        };
        let duration = first.duration.max(second.duration);
        let (first, second) = (first.observation, second.observation);
        if statuses(&first.rows) != statuses(&second.rows) {
            let message = "two runs of the script differ even without faults";
            return Err(CommandError::new(Exit::Check, message)
                .hint("torture needs a script whose results are the same for the same rows"));
        }
        if !first.rows.is_empty() && !statuses(&first.rows).contains(&"done") {
            let reason = Observation::text(&first.rows[0], "_error");
            let message = format!("no row succeeds even without faults; the first: {reason}");
            return Err(CommandError::usage(message).hint("make it run first: provisor run SCRIPT --sandbox"));
        }
        Ok(Expected {
            generated: generated(&first.rows, &second.rows),
            credentials: Credentials::of(&first),
            numbered: numbered(&first),
            resources: resources(first.resources(), &second.resources()),
            entries: same(first.entries(), &second.entries(), BTreeSet::len),
            flaws: first.flaws().into_iter().chain(second.flaws()).collect(),
            routes: routes(&first.snapshot.traffic),
            repeats: first
                .snapshot
                .traffic
                .repeats
                .max(second.snapshot.traffic.repeats),
            violations: second
                .snapshot
                .violations()
                .into_iter()
                .zip(first.snapshot.violations().into_values())
                .map(|((what, second), first)| (what, second.max(first)))
                .collect(),
            rows: first.rows,
            duration,
        })
    }

    /// Whether all rows ended as expected. Otherwise something is left to resume.
    pub(super) fn has_finished(&self, rows: &[Row]) -> bool {
        statuses(&self.rows) == statuses(rows)
    }

    /// Whether a row failed unexpectedly.
    pub(super) fn has_failed(&self, rows: &[Row]) -> bool {
        let pairs = statuses(rows).into_iter().zip(statuses(&self.rows));
        pairs
            .into_iter()
            .any(|(now, then)| now == "failed" && then != now)
    }

    /// Everything that is wrong with the final state of a world; empty if the script survived.
    pub(super) fn judge(&self, observation: &Observation) -> Vec<String> {
        let mut wrong: Vec<String> = observation.flaws();
        wrong.retain(|flaw| !self.flaws.contains(flaw));
        let repeats = observation.snapshot.traffic.repeats;
        if repeats > self.repeats {
            wrong.push(format!("{repeats} requests tried to create what already existed"));
        }
        let violations = observation.snapshot.violations().into_iter();
        let new = violations
            .filter(|(what, times)| *times > self.violations.get(what).copied().unwrap_or_default());
        wrong.extend(new.map(|(what, times)| format!("{what} ({times} times)")));
        let found = observation.resources();
        let kinds: BTreeSet<&str> = self
            .resources
            .keys()
            .chain(found.keys())
            .map(String::as_str)
            .collect();
        wrong.extend(kinds.into_iter().filter_map(|kind| {
            let expected = self.resources.get(kind).unwrap_or(&Err(0));
            let found = found.get(kind).cloned().unwrap_or_default();
            differs(&format!("resources of kind {kind}"), expected, &found, Vec::len)
        }));
        wrong.extend(differs(
            "ledger entries",
            &self.entries,
            &observation.entries(),
            BTreeSet::len,
        ));
        wrong.extend(self.other_results(observation));
        wrong.extend(self.credentials.wrong_cells(observation));
        wrong
    }

    /// Everything that is wrong with a world whose rows wait for a person: their effects may exist or not, but the rest
    /// must be correct.
    pub(super) fn violations_when_parked(&self, observation: &Observation) -> Vec<String> {
        let mut wrong = observation.flaws();
        wrong.retain(|flaw| !self.flaws.contains(flaw) && !flaw.starts_with("not in the ledger"));
        for (kind, found) in observation.resources() {
            let most = match self.resources.get(&kind) {
                Some(Ok(expected)) => expected.len(),
                Some(Err(count)) => *count,
                None => 0,
            };
            if found.len() > most {
                let count = found.len();
                wrong.push(format!(
                    "{count} resources of kind {kind}, and {most} after an undisturbed run"
                ));
            }
        }
        wrong
    }

    /// The routes that the script uses, or would use after an error.
    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The number of rows that do not end as done even without disturbance.
    pub(super) fn undone(&self) -> usize {
        let statuses = statuses(&self.rows);
        statuses.into_iter().filter(|status| *status != "done").count()
    }

    /// The number of rows in the results.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The number of credentials in the results.
    pub(super) fn credentials(&self) -> usize {
        self.credentials.len()
    }

    /// The cells that differ. Their contents are not shown: they were written in clear.
    fn other_results(&self, observation: &Observation) -> Vec<String> {
        let rows = &observation.rows;
        if rows.len() != self.rows.len() {
            return vec![format!(
                "{} rows in the results, not {}",
                rows.len(),
                self.rows.len()
            )];
        }
        let mut other = Vec::new();
        for (at, (now, then)) in rows.iter().zip(&self.rows).enumerate() {
            let columns: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
            for column in columns {
                let counts = !self.generated.contains(column) && !RUN_COLUMNS.contains(&column.as_str());
                let differs = match (self.numbered.get(&(at, column.clone())), now.get(column)) {
                    (Some(meant), Some(cell)) => observation.numbered(cell).is_disjoint(meant),
                    (_, cell) => counts && cell != then.get(column),
                };
                if differs {
                    other.push(format!("results, row {}: `{column}` differs", at + 1));
                }
            }
        }
        other
    }
}

/// The cells of the results that contain sequential numbers, with the resources they may refer to.
fn numbered(observation: &Observation) -> BTreeMap<(usize, String), BTreeSet<String>> {
    let rows = observation.rows.iter().enumerate();
    let cells = rows.flat_map(|(at, row)| row.iter().map(move |(column, cell)| ((at, column.clone()), cell)));
    let meant = cells.map(|(place, cell)| (place, observation.numbered(cell)));
    meant.filter(|(_, meant)| !meant.is_empty()).collect()
}

fn routes(traffic: &Traffic) -> Vec<Route> {
    let is_asked = |route: &Route| traffic.routes.contains_key(route.name());
    let signs_in = is_asked(&Route::AUTH);
    Route::all()
        .filter(|route| is_asked(route) || signs_in && *route == Route::REFRESH)
        .collect()
}

fn statuses(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| Observation::text(row, "_status")).collect()
}

fn generated(first: &[Row], second: &[Row]) -> BTreeSet<String> {
    let pairs = first.iter().zip(second);
    pairs
        .flat_map(|(first, second)| {
            let columns = first.keys().chain(second.keys());
            columns.filter(|column| first.get(*column) != second.get(*column))
        })
        .cloned()
        .collect()
}

/// The resources of each kind if they are the same in both, or else their number.
fn resources(
    first: BTreeMap<String, Vec<String>>,
    second: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<String, Result<Vec<String>, usize>> {
    let none = Vec::new();
    let each = first.into_iter().map(|(kind, labels)| {
        let others = second.get(&kind).unwrap_or(&none);
        (kind, same(labels, others, Vec::len))
    });
    each.collect()
}

/// The value if it is the same in both, or else its length.
fn same<T: PartialEq>(first: T, second: &T, len: fn(&T) -> usize) -> Result<T, usize> {
    if first == *second {
        Ok(first)
    } else {
        Err(len(&first))
    }
}

fn differs<T: PartialEq>(
    what: &str,
    expected: &Result<T, usize>,
    found: &T,
    len: fn(&T) -> usize,
) -> Option<String> {
    let (count, wanted) = match expected {
        Ok(expected) if expected == found => return None,
        Ok(expected) => (len(found), len(expected)),
        Err(wanted) if *wanted == len(found) => return None,
        Err(wanted) => (len(found), *wanted),
    };
    Some(if count == wanted {
        format!("the {what} differ from those of an undisturbed run")
    } else {
        format!("{count} {what}, and {wanted} after an undisturbed run")
    })
}

/// The cells of the results that contain a tenant's password, found by their values, so that the user need not name
/// their columns.
#[derive(Debug, Default, PartialEq)]
struct Credentials(Vec<Cell>);

#[derive(Debug, PartialEq)]
struct Cell {
    row: usize,
    column: String,
    tenant: String,
}

impl Credentials {
    /// Finds the cells that contain a password in this world.
    fn of(observation: &Observation) -> Credentials {
        let mut cells = Vec::new();
        let tenants = observation.snapshot.tenants();
        for (row, columns) in observation.rows.iter().enumerate() {
            for (column, cell) in columns {
                let text = cell.as_str().filter(|text| !text.is_empty());
                let owner = text.and_then(|text| tenants.iter().find(|tenant| tenant.password == text));
                cells.extend(owner.map(|tenant| Cell {
                    row,
                    column: column.clone(),
                    tenant: tenant.address(),
                }));
            }
        }
        Credentials(cells)
    }

    /// The number of cells.
    fn len(&self) -> usize {
        self.0.len()
    }

    /// The cells that should contain the same tenants' passwords in another world, but do not.
    fn wrong_cells(&self, observation: &Observation) -> Vec<String> {
        let tenants = observation.snapshot.tenants();
        let wrong = self.0.iter().filter(|cell| {
            let password = tenants
                .iter()
                .find(|tenant| tenant.address() == cell.tenant)
                .map(|tenant| tenant.password.as_str());
            let shown = observation
                .rows
                .get(cell.row)
                .map(|row| Observation::text(row, &cell.column));
            password.is_none() || password != shown
        });
        wrong
            .map(|cell| {
                format!(
                    "results, row {}: `{}` is not the credential of {}",
                    cell.row + 1,
                    cell.column,
                    cell.tenant
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;

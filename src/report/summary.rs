//! Summarises a run: row counts, resource outcomes, and errors with equal ones grouped.

mod grouping;

use std::collections::BTreeMap;
use std::time::Duration;

use self::grouping::Groups;
use super::RowStatus;

/// Accumulates the rows of a run. Its size does not depend on their number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    rows: BTreeMap<RowStatus, u64>,
    /// The row counts of the whole run, if earlier processes executed some of its rows.
    whole: Option<BTreeMap<RowStatus, u64>>,
    /// Counts by kind, then by outcome.
    outcomes: BTreeMap<String, BTreeMap<String, u64>>,
    groups: Groups,
    /// Input rows that an earlier run has done.
    left_out: u64,
    elapsed: Option<Duration>,
}

/// The outcomes that are listed in this order; others follow by name.
const OUTCOMES: [&str; 5] = ["sent", "created", "adopted", "found", "unchanged"];

impl Summary {
    /// Creates an empty summary.
    pub(crate) fn new() -> Summary {
        Summary::default()
    }

    /// Counts a row. `error` says why it is not done; each group's example is the error with the lowest `position`
    /// (from 0).
    pub(crate) fn row(&mut self, position: u64, status: RowStatus, error: Option<&str>) {
        *self.rows.entry(status).or_default() += 1;
        if let Some(error) = error {
            self.groups.add(status, position, error);
        }
    }

    /// Adds an error of a row that an earlier process executed, so that it is reported with the others.
    pub(crate) fn earlier(&mut self, position: u64, status: RowStatus, error: &str) {
        self.groups.add(status, position, error);
    }

    /// Counts unfinished rows: those interrupted and those not started.
    pub(crate) fn open(&mut self, interrupted: u64, not_begun: u64) {
        for (status, count) in [
            (RowStatus::Interrupted, interrupted),
            (RowStatus::Skipped, not_begun),
        ] {
            if count > 0 {
                *self.rows.entry(status).or_default() += count;
            }
        }
    }

    /// Sets the row counts of the whole run, with rows not started as [`RowStatus::Skipped`]. This separates the rows
    /// counted here from those of earlier processes.
    pub(crate) fn whole(&mut self, rows: impl IntoIterator<Item = (RowStatus, u64)>) {
        self.whole = Some(rows.into_iter().collect());
    }

    /// Counts resources of a kind (`tenant`, `app`) by outcome (`created`, `adopted`, `found`, `unchanged`).
    pub(crate) fn outcome(&mut self, kind: &str, outcome: &str, count: u64) {
        if count > 0 {
            let of_sort = self.outcomes.entry(kind.to_owned()).or_default();
            *of_sort.entry(outcome.to_owned()).or_default() += count;
        }
    }

    /// Counts input rows that are not part of the run because an earlier run has done them.
    pub(crate) fn left_out(&mut self, rows: u64) {
        self.left_out += rows;
    }

    /// Sets the duration of the run.
    pub(crate) fn set_duration(&mut self, elapsed: Duration) {
        self.elapsed = Some(elapsed);
    }

    /// How many rows of the whole run have this status.
    pub(crate) fn count(&self, status: RowStatus) -> u64 {
        let rows = self.whole.as_ref().unwrap_or(&self.rows);
        rows.get(&status).copied().unwrap_or_default()
    }

    /// How many rows the whole run has.
    pub(crate) fn total(&self) -> u64 {
        self.whole.as_ref().unwrap_or(&self.rows).values().sum()
    }

    /// The summary as lines of text: the counts, then a line for each kind of resource and for each group of errors.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.counts_line()];
        if self.left_out > 0 {
            let rows = plural("row", self.left_out);
            lines.push(format!(
                "left out: {} {rows} that an earlier run completed",
                self.left_out
            ));
        }
        for (kind, outcomes) in &self.outcomes {
            let total = outcomes.values().sum();
            // These counts come from the journal and cover the whole run.
            let place = if self.whole.is_some() {
                " in the whole run"
            } else {
                ""
            };
            lines.push(format!(
                "{}{place}: {}",
                plural(kind, total),
                outcome_words(kind, outcomes)
            ));
        }
        lines.extend(self.groups.lines());
        lines
    }

    fn counts_line(&self) -> String {
        let total = self.total();
        let counts: Vec<String> = RowStatus::REPORTED
            .into_iter()
            .filter(|status| self.count(*status) > 0)
            .map(|status| self.count_text(status))
            .collect();
        let mut line = format!("{total} {}", plural("row", total));
        if !counts.is_empty() {
            line = format!("{line}: {}", counts.join(", "));
        }
        match self.elapsed {
            Some(elapsed) => format!("{line}, in {}", format_duration(elapsed)),
            None => line,
        }
    }
}

impl Summary {
    /// `12 done`, or `12 done (7 before, 5 now)` if earlier processes executed some of the rows.
    fn count_text(&self, status: RowStatus) -> String {
        let count = self.count(status);
        if status == RowStatus::Skipped {
            return format!("{count} not started");
        }
        if self.whole.is_none() || status == RowStatus::Interrupted {
            return format!("{count} {}", status.as_str());
        }
        let now = self.rows.get(&status).copied().unwrap_or_default().min(count);
        let when = match count - now {
            0 => "now".to_owned(),
            _ if now == 0 => "before".to_owned(),
            before => format!("{before} before, {now} now"),
        };
        format!("{count} {} ({when})", status.as_str())
    }
}

fn outcome_words(kind: &str, outcomes: &BTreeMap<String, u64>) -> String {
    let word = |name: &str| match (kind, name) {
        ("message", "unchanged") => "sent earlier".to_owned(),
        _ => name.to_owned(),
    };
    let others = outcomes
        .keys()
        .map(String::as_str)
        .filter(|name| !OUTCOMES.contains(name));
    let parts: Vec<String> = OUTCOMES
        .into_iter()
        .chain(others)
        .filter_map(|name| outcomes.get(name).map(|count| format!("{count} {}", word(name))))
        .collect();
    parts.join(", ")
}

fn plural(noun: &str, count: u64) -> String {
    match (count, noun, noun.strip_suffix('y')) {
        (1, ..) => noun.to_owned(),
        (_, "person", _) => "people".to_owned(),
        (_, _, Some(stem)) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// Formats a duration: `850 ms`, `12.3 s`, `4 m 10 s`, `2 h 5 m`.
fn format_duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0 => format!("{} ms", elapsed.as_millis()),
        1..60 => format!("{seconds}.{} s", elapsed.subsec_millis() / 100),
        60..3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_lists_row_counts_outcomes_and_grouped_errors() {
        let mut summary = Summary::new();
        for position in 0..5 {
            summary.row(position, RowStatus::Done, None);
        }
        summary.row(
            5,
            RowStatus::Failed,
            Some("ann@example.com is already registered"),
        );
        summary.row(
            6,
            RowStatus::Failed,
            Some("bob@example.org is already registered"),
        );
        summary.row(
            7,
            RowStatus::Parked,
            Some("nobody knows whether `create_tenant` went through"),
        );
        summary.outcome("tenant", "unchanged", 1);
        summary.outcome("tenant", "created", 4);
        summary.outcome("app", "created", 1);
        summary.outcome("app", "adopted", 0);
        summary.set_duration(Duration::from_millis(12_345));
        assert_eq!(
            summary.lines(),
            [
                "8 rows: 5 done, 2 failed, 1 parked, in 12.3 s",
                "app: 1 created",
                "tenants: 4 created, 1 unchanged",
                "2 rows failed: … is already registered\n  the first, row 6: ann@example.com is already registered",
                "row 8 parked: nobody knows whether `create_tenant` went through",
            ]
        );
    }

    #[test]
    fn the_summary_of_a_resumed_run_includes_earlier_rows() {
        let mut summary = Summary::new();
        (7..12).for_each(|position| summary.row(position, RowStatus::Done, None));
        summary.whole([(RowStatus::Done, 12), (RowStatus::Failed, 0)]);
        assert_eq!(summary.lines(), ["12 rows: 12 done (7 before, 5 now)"]);
        summary.row(12, RowStatus::Parked, Some("nobody knows"));
        summary.earlier(3, RowStatus::Failed, "refused");
        let whole = [
            (RowStatus::Done, 12),
            (RowStatus::Failed, 1),
            (RowStatus::Parked, 1),
            (RowStatus::Interrupted, 2),
            (RowStatus::Skipped, 6),
        ];
        summary.whole(whole);
        assert_eq!(
            summary.lines(),
            [
                "22 rows: 12 done (7 before, 5 now), 1 failed (before), 1 parked (now), 2 interrupted, 6 not started",
                "row 4 failed: refused",
                "row 13 parked: nobody knows",
            ]
        );
        summary.outcome("message", "sent", 3);
        assert_eq!(summary.lines()[1], "messages in the whole run: 3 sent");
    }

    #[test]
    fn created_resources_are_counted_with_irregular_plurals() {
        let mut summary = Summary::new();
        for kind in ["company", "person", "administrator"] {
            summary.outcome(kind, "created", 2);
        }
        let lines = summary.lines();
        assert_eq!(
            lines[lines.len() - 3..],
            [
                "administrators: 2 created",
                "companies: 2 created",
                "people: 2 created"
            ]
        );
    }

    #[test]
    fn durations_are_formatted_in_readable_units() {
        let cases = [
            (850, "850 ms"),
            (1_000, "1.0 s"),
            (250_000, "4 m 10 s"),
            (7_500_000, "2 h 5 m"),
        ];
        for (millis, expected) in cases {
            assert_eq!(format_duration(Duration::from_millis(millis)), expected);
        }
    }
}

//! Groups errors that are equal once the values that differ between rows are left out.

use super::super::RowStatus;
use super::pattern::{BLANK, Part, parts, pattern, without_tries};

/// The most groups; errors beyond them are only counted.
const MAX_GROUPS: usize = 100;

/// The most groups that are written as lines.
const MAX_LINES: usize = 20;

/// Errors grouped by pattern, in order of first appearance.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// Rows with an error that fit no group after the limit was reached.
    others: u64,
}

#[derive(Debug, Clone)]
struct Group {
    status: RowStatus,
    pattern: String,
    /// The parts of the error; `differing` marks those that are not the same in all rows.
    parts: Vec<Part>,
    differing: Vec<bool>,
    /// The error of the row with the lowest position.
    example: String,
    first: u64,
    rows: u64,
}

impl Groups {
    pub(super) fn add(&mut self, status: RowStatus, position: u64, error: &str) {
        let error = error.lines().next().unwrap_or_default().trim();
        let parts = parts(&without_tries(error));
        let pattern = pattern(&parts);
        let known = |group: &&mut Group| group.status == status && group.pattern == pattern;
        if let Some(group) = self.groups.iter_mut().find(known) {
            group.rows += 1;
            let pairs = group.parts.iter().zip(&parts);
            for (differs, (one, other)) in group.differing.iter_mut().zip(pairs) {
                *differs |= one != other;
            }
            if position < group.first {
                group.first = position;
                error.clone_into(&mut group.example);
            }
        } else if self.groups.len() < MAX_GROUPS {
            self.groups.push(Group {
                status,
                pattern,
                differing: vec![false; parts.len()],
                parts,
                example: error.to_owned(),
                first: position,
                rows: 1,
            });
        } else {
            self.others += 1;
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let groups = self.most_frequent_first();
        let mut lines: Vec<String> = groups.iter().take(MAX_LINES).map(|group| group.line()).collect();
        let rest: u64 = groups.iter().skip(MAX_LINES).map(|group| group.rows).sum();
        match rest + self.others {
            0 => {}
            1 => lines.push("1 more row with another error".into()),
            rest => lines.push(format!("{rest} more rows with other errors")),
        }
        lines
    }

    fn most_frequent_first(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.rows), group.first));
        groups
    }
}

impl Group {
    /// The error, with a blank for each part that differs between rows.
    fn text(&self) -> String {
        let pieces = self.parts.iter().zip(&self.differing);
        let shown = pieces.map(|(part, differs)| if *differs { BLANK } else { &part.text });
        shown.collect()
    }

    fn line(&self) -> String {
        let (status, text, first) = (self.status.as_str(), self.text(), self.first + 1);
        match self.rows {
            // Errors about a row's input already begin with the row's number.
            1 => match text.strip_prefix(&format!("row {first}")) {
                Some(rest) if rest.starts_with([' ', ':', ',']) => format!("row {first} {status}{rest}"),
                _ => format!("row {first} {status}: {text}"),
            },
            rows if !self.differing.contains(&true) => {
                format!("{rows} rows {status}: {text} (first: row {first})")
            }
            rows => format!(
                "{rows} rows {status}: {text}\n  the first, row {first}: {}",
                self.example
            ),
        }
    }
}

#[cfg(test)]
mod tests;

//! One row of the results, and how it ended.

use crate::value::{Record, Value};

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowStatus {
    /// `main` returned.
    Done,
    /// It failed, and the failure is known.
    Failed,
    /// It cannot go on without a person: its last step is in doubt.
    Parked,
    /// It was begun, and stopped between two steps; what it did is on record.
    Interrupted,
    /// It was not started.
    Skipped,
}

impl RowStatus {
    /// Every status, in the order in which summaries list them.
    pub const ALL: [RowStatus; 5] = [
        RowStatus::Done,
        RowStatus::Failed,
        RowStatus::Parked,
        RowStatus::Interrupted,
        RowStatus::Skipped,
    ];

    /// The word that results carry in `_status`.
    pub fn as_str(self) -> &'static str {
        match self {
            RowStatus::Done => "done",
            RowStatus::Failed => "failed",
            RowStatus::Parked => "parked",
            RowStatus::Interrupted => "interrupted",
            RowStatus::Skipped => "skipped",
        }
    }

    /// The status with this word.
    pub fn parse(word: &str) -> Option<RowStatus> {
        RowStatus::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// One row of the results.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    /// Its place among the input rows, from 0.
    pub position: u64,
    /// The cells it came with.
    pub input: Vec<(String, Value)>,
    /// What `main` returned for it; empty when it did not.
    pub output: Record,
    /// How it ended.
    pub status: RowStatus,
    /// Why it is not done, without a secret.
    pub error: Option<String>,
    /// The run it belongs to.
    pub run: String,
}

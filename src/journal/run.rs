//! What the journal keeps of a run and its rows.

use std::fmt;

use crate::value::Value;
pub use crate::value::status::{RowStatus, RunStatus};

/// The short name of a run: `r7f3k`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(String);

impl RunId {
    /// The run with this name. It need not exist.
    pub fn new(text: impl Into<String>) -> RunId {
        RunId(text.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Can this be the name of a file? Names that people type reach the lock's path.
    pub(super) fn is_plain(&self) -> bool {
        (1..=64).contains(&self.0.len()) && self.0.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a run starts with.
#[derive(Debug, Clone, Default)]
pub struct NewRun {
    /// What listings call it: the script's name.
    pub name: String,
    /// The script, then the modules it imports: each a name and its text. The texts are stored once, by content, in
    /// clear.
    pub sources: Vec<(String, String)>,
    /// The script's parameters. Sealed.
    pub params: Value,
    /// What a resume needs to know. Sealed.
    pub plan: Value,
    /// Does it take rows from a file?
    pub has_rows: bool,
}

/// A run as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its name.
    pub id: RunId,
    /// What listings call it.
    pub name: String,
    /// Names and SHA-256 digests of its sources, the script first. [`super::Journal::sources`] has the texts.
    pub sources: Vec<(String, String)>,
    /// The script's parameters.
    pub params: Value,
    /// What a resume needs to know.
    pub plan: Value,
    /// Does it take rows from a file?
    pub has_rows: bool,
    /// The columns, once they are known.
    pub columns: Option<Vec<String>>,
    /// How many rows there are, once all are spooled.
    pub total: Option<u64>,
    /// How far it is.
    pub status: RunStatus,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_ms: i64,
    /// When its status last changed, in milliseconds since the Unix epoch.
    pub changed_ms: i64,
    /// What it was pinned to before, oldest first.
    pub earlier: Vec<EarlierSources>,
    /// Are its rows, reads and sources forgotten?
    pub pruned: bool,
}

/// Sources that a run was pinned to until it went on with edited ones.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierSources {
    /// When they were replaced, in milliseconds since the Unix epoch.
    pub until_ms: i64,
    /// Names and SHA-256 digests, the script first.
    pub sources: Vec<(String, String)>,
}

/// By which rules the keys of a run's steps are made. A run keeps those it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Those of version 1: everything that a call is given counts.
    Everything = 1,
    /// What is sent and to whom counts, not how it is sent.
    Request = 2,
}

impl Rules {
    pub(super) fn code(self) -> i64 {
        self as i64
    }

    pub(super) fn from_code(code: i64) -> Option<Rules> {
        [Rules::Everything, Rules::Request]
            .into_iter()
            .find(|rules| rules.code() == code)
    }
}

/// A row as it enters the queue.
#[derive(Debug, Clone)]
pub struct NewRow {
    /// Its place in the input, from 0.
    pub position: u64,
    /// What it is, whatever its place: a digest of its content or of its key column, without `/`. A row whose scope the
    /// run has already gets `~2`, `~3`, … appended.
    pub scope: String,
    /// Its columns. Sealed.
    pub input: Value,
}

/// A row as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct RowRecord {
    /// Its place in the input, from 0.
    pub position: u64,
    /// What it is, unique within its run.
    pub scope: String,
    /// How it stands.
    pub status: RowStatus,
    /// Its columns.
    pub input: Value,
    /// What `main` returned.
    pub output: Option<Value>,
    /// Why it failed or was parked.
    pub error: Option<Value>,
}

/// Which rows to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFilter {
    /// All of them.
    All,
    /// Those that a resume carries out: queued, parked, skipped and interrupted ones.
    Unfinished,
    /// Those with this status.
    Only(RowStatus),
}

impl RowFilter {
    pub(super) fn admits(self, status: RowStatus) -> bool {
        match self {
            RowFilter::All => true,
            RowFilter::Unfinished => !matches!(status, RowStatus::Done | RowStatus::Failed),
            RowFilter::Only(only) => status == only,
        }
    }
}

/// How many rows of a run have each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowCounts([u64; RowStatus::ALL.len()]);

impl RowCounts {
    /// Rows with this status.
    pub fn of(&self, status: RowStatus) -> u64 {
        self.slot(status).copied().unwrap_or_default()
    }

    /// All rows that are recorded so far.
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Counts so many rows more with this status.
    pub fn add(&mut self, status: RowStatus, rows: u64) {
        if let Some(slot) = self.slot_mut(status) {
            *slot += rows;
        }
    }

    /// Counts that a row has another status now.
    pub fn change(&mut self, before: RowStatus, now: RowStatus) {
        if let Some(slot) = self.slot_mut(before) {
            *slot = slot.saturating_sub(1);
        }
        self.add(now, 1);
    }

    fn slot_mut(&mut self, status: RowStatus) -> Option<&mut u64> {
        usize::try_from(status.code())
            .ok()
            .and_then(|at| self.0.get_mut(at))
    }

    fn slot(&self, status: RowStatus) -> Option<&u64> {
        usize::try_from(status.code()).ok().and_then(|at| self.0.get(at))
    }
}

//! The journal's records of a run and its rows.

use std::fmt;

use super::progress_notes::CrashCounts;
use crate::value::Value;
pub use crate::value::status::{RowStatus, RunStatus};

/// The short id of a run: `r7f3k`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(String);

impl RunId {
    /// Creates the id from its text. The run need not exist.
    pub fn new(text: impl Into<String>) -> RunId {
        RunId(text.into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is safe as a file name. Ids typed by users reach the path of the lock.
    pub(super) fn is_safe_file_name(&self) -> bool {
        (1..=64).contains(&self.0.len()) && self.0.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The initial data of a run.
#[derive(Debug, Clone, Default)]
pub struct NewRun {
    /// Its name in listings: the script's name.
    pub name: String,
    /// The script, then the modules it imports, each as a name and its text. The texts are stored once, by content,
    /// unencrypted.
    pub sources: Vec<(String, String)>,
    /// The script's parameters. Sealed.
    pub params: Value,
    /// The data a resume needs. Sealed.
    pub plan: Value,
    /// Whether it takes rows from a file.
    pub has_rows: bool,
}

/// A recorded run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Its name in listings.
    pub name: String,
    /// The names and SHA-256 digests of its sources, the script first. [`super::Journal::sources`] has the texts.
    pub sources: Vec<(String, String)>,
    /// The script's parameters.
    pub params: Value,
    /// The data a resume needs.
    pub plan: Value,
    /// Whether it takes rows from a file.
    pub has_rows: bool,
    /// The columns, once they are known.
    pub columns: Option<Vec<String>>,
    /// The number of rows, once all are spooled.
    pub total: Option<u64>,
    /// Its status.
    pub status: RunStatus,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_ms: i64,
    /// When its status last changed, in milliseconds since the Unix epoch.
    pub changed_ms: i64,
    /// The sources it was pinned to before, oldest first.
    pub earlier: Vec<EarlierSources>,
    /// Whether its rows, reads and sources were dropped.
    pub pruned: bool,
}

/// Sources that a run was pinned to until it was continued with edited ones.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierSources {
    /// When they were replaced, in milliseconds since the Unix epoch.
    pub until_ms: i64,
    /// Names and SHA-256 digests, the script first.
    pub sources: Vec<(String, String)>,
}

/// The rules by which the keys of a run's steps are made. A run keeps the rules it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// The rules of version 1: all arguments of a call count.
    Everything = 1,
    /// Only the content and target of the request count, not how it is sent.
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

/// A row to be queued.
#[derive(Debug, Clone)]
pub struct NewRow {
    /// Its position in the input, from 0.
    pub position: u64,
    /// Its content regardless of its position. Rows with equal contents are counted. Only a keyed digest is stored.
    pub content: Option<Value>,
    /// Its columns. Sealed.
    pub input: Value,
}

/// A recorded row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowRecord {
    /// Its position in the input, from 0.
    pub position: u64,
    /// The first part of the keys of its steps, unique within its run.
    pub scope: String,
    /// How many rows of the run, up to this one, have the same content.
    pub repeat: u64,
    /// How often the process died while it was in progress, since it last ended.
    pub crashes: CrashCounts,
    /// Its status.
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
    /// Those that a resume executes: queued, parked, skipped and interrupted ones.
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
    /// Returns the number of rows with this status.
    pub fn of(&self, status: RowStatus) -> u64 {
        self.slot(status).copied().unwrap_or_default()
    }

    /// Returns the number of rows recorded so far.
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds this many rows with this status.
    pub fn add(&mut self, status: RowStatus, rows: u64) {
        if let Some(slot) = self.slot_mut(status) {
            *slot += rows;
        }
    }

    /// Moves one row from one status to another.
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

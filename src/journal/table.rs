//! The stored form of the data: states unencrypted, payloads sealed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::NaturalKey;
use super::attempt::LedgerEntry;
use super::progress_notes::{CrashCounts, InterruptedRow};
use super::run::{EarlierSources, RowCounts, RowFilter, RowStatus, Rules, RunId, RunStatus};
use super::seal::Sealed;
use super::step::StepState;

/// An error of a store. The store's path is added by the caller.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error("{0}")]
    Data(String),
    /// A copy of the database cannot be written.
    #[error("{reason}")]
    Copy { path: PathBuf, reason: String },
}

pub(super) type Res<T> = Result<T, StoreError>;

/// A stored [`NaturalKey`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceKey {
    /// The account that holds it.
    pub account: String,
    /// The kind of resource: `tenant`, `app`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl From<&NaturalKey> for ResourceKey {
    fn from(key: &NaturalKey) -> ResourceKey {
        ResourceKey {
            account: key.account.clone(),
            kind: key.kind.to_owned(),
            name: key.name.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct RunData {
    pub(super) id: RunId,
    pub(super) name: String,
    pub(super) sources: Vec<(String, String)>,
    pub(super) params: Sealed,
    pub(super) plan: Sealed,
    pub(super) columns: Option<Sealed>,
    pub(super) has_rows: bool,
    pub(super) total: Option<u64>,
    pub(super) status: RunStatus,
    pub(super) created_ms: i64,
    pub(super) changed_ms: i64,
    /// Its rows and reads were dropped.
    pub(super) pruned: bool,
    /// The sources it was pinned to before.
    pub(super) earlier: Vec<EarlierSources>,
    /// The rules by which its steps' keys are made.
    pub(super) rules: Rules,
}

/// A row to be queued.
#[derive(Debug, Clone)]
pub(super) struct QueuedRow {
    pub(super) position: u64,
    /// A digest of its content, by which equal rows are counted.
    pub(super) digest: Option<RowDigest>,
    pub(super) input: Sealed,
}

/// How often a run has changed its owner. A write of an earlier epoch than the current one is refused: its process was
/// paused while another one took the run over.
pub(super) type Epoch = i64;

/// A keyed digest of a row's content.
pub(super) type RowDigest = [u8; 8];

#[derive(Debug, Clone)]
pub(super) struct RowData {
    pub(super) position: u64,
    /// The first part of the keys of its steps.
    pub(super) scope: String,
    /// How many rows up to this one have the same content.
    pub(super) repeat: u64,
    pub(super) status: RowStatus,
    /// How often the process died while it was in progress, since it last ended.
    pub(super) crashes: CrashCounts,
    pub(super) input: Sealed,
    pub(super) output: Option<Sealed>,
    pub(super) error: Option<Sealed>,
}

/// Returns the first part of the keys of the steps of the row at a position: its number. Rows of a journal before version
/// 4 have others.
pub fn row_scope(position: u64) -> String {
    position.saturating_add(1).to_string()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepData {
    /// Its number in the store; `None` until it is recorded.
    pub(super) id: Option<StepId>,
    pub(super) run: RunId,
    pub(super) key: String,
    pub(super) position: u64,
    /// Its place in the order of the row's requests, for display.
    pub(super) seq: u32,
    pub(super) op: String,
    /// Whether it can change anything on the platform. Such steps are kept permanently.
    pub(super) changes: bool,
    /// Whether its outcome is inserted into the ledger.
    pub(super) ledger: bool,
    /// The entries it removes from the ledger when it is done.
    pub(super) ledger_removals: Vec<LedgerEntry>,
    pub(super) state: StepState,
    /// No process is working on it: others may settle it. Only while it is open.
    pub(super) parked: bool,
    /// The resource it creates or works on. While it is open, no other step may work on that resource.
    pub(super) resource: Option<ResourceKey>,
    /// A digest of the request under a key that the script gives.
    pub(super) request: Option<String>,
    /// The key under which the act is remembered.
    pub(super) act: Option<String>,
    /// The number of requests sent.
    pub(super) attempts: u32,
    pub(super) times: StepTimes,
    /// The outcome or the refusal.
    pub(super) outcome: Option<Sealed>,
    /// Why it is in doubt.
    pub(super) reason: Option<Sealed>,
}

/// The number of a step in its store.
pub(super) type StepId = i64;

/// When what happened to a step, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepTimes {
    /// When the script asked for it.
    pub asked_ms: i64,
    /// When its last request left.
    pub left_ms: Option<i64>,
    /// When the platform answered that request.
    pub answered_ms: Option<i64>,
    /// When the last lookup of its result ended.
    pub looked_up_ms: Option<i64>,
    /// How long it waited for other steps, in milliseconds.
    pub waited_ms: i64,
    /// When its outcome or refusal was recorded.
    pub ended_ms: Option<i64>,
}

impl StepTimes {
    /// Adds what happened `since` these times were recorded. The end is recorded with the outcome.
    pub(super) fn add(&mut self, since: StepTimes) {
        self.left_ms = since.left_ms.or(self.left_ms);
        self.answered_ms = since.answered_ms.or(self.answered_ms);
        self.looked_up_ms = since.looked_up_ms.or(self.looked_up_ms);
        self.waited_ms = self.waited_ms.saturating_add(since.waited_ms);
    }
}

#[derive(Debug, Clone)]
pub(super) struct ItemData {
    pub(super) resource: ResourceKey,
    pub(super) platform_id: Option<String>,
    /// The step that inserted it.
    pub(super) step: Option<ItemStep>,
    /// The value, sealed for the entry; `None` if it is the outcome of the step.
    pub(super) value: Option<Sealed>,
    pub(super) created_ms: i64,
    pub(super) changed_ms: i64,
}

/// The step that inserted a ledger entry.
#[derive(Debug, Clone)]
pub(super) struct ItemStep {
    pub(super) id: StepId,
    pub(super) run: RunId,
    pub(super) key: String,
    pub(super) outcome: Option<Sealed>,
}

#[derive(Debug, Clone)]
pub(super) struct AuditData {
    pub(super) at_ms: i64,
    pub(super) kind: String,
    pub(super) actor: String,
    pub(super) what: Sealed,
}

/// Which steps of a run to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepFilter {
    /// All of them.
    All,
    /// Those that the row at this position requested.
    Row(u64),
    /// Those that are intended or in doubt.
    Open,
    /// Completed ones that have a resource (created, found or unchanged) or are remembered acts.
    WithResource,
    /// Those that a person can resolve: open and half-done ones.
    Resolvable,
}

/// Read access to a store.
pub(super) trait ReadTables {
    fn run(&self, id: &RunId) -> Res<Option<RunData>>;
    /// Returns the epoch of a run, and the process that owns it.
    fn epoch(&self, run: &RunId) -> Res<Option<(Epoch, Option<u32>)>>;
    /// Newest first; unreadable ones are omitted.
    fn runs(&self) -> Res<Vec<RunData>>;
    /// Returns the runs with an invalid unencrypted column, each a sentence without a full stop.
    fn damaged_runs(&self) -> Res<Vec<String>>;
    /// The same for rows and steps.
    fn damaged_parts(&self) -> Res<Vec<String>>;
    fn source(&self, hash: &str) -> Res<Option<String>>;
    /// In the order of their positions.
    fn rows(&self, run: &RunId, after: Option<u64>, limit: usize, only: RowFilter) -> Res<Vec<RowData>>;
    /// Returns the rows at these positions, in order.
    fn rows_at(&self, run: &RunId, positions: &[u64]) -> Res<Vec<RowData>>;
    fn row_counts(&self, run: &RunId) -> Res<RowCounts>;
    fn step(&self, id: StepId) -> Res<Option<StepData>>;
    fn step_of_row(&self, run: &RunId, position: u64, key: &str) -> Res<Option<StepData>>;
    /// May read every step of a run that began before version 4.
    fn step_by_key(&self, run: &RunId, key: &str) -> Res<Option<StepData>>;
    /// Returns up to `limit` steps after this row and key, by row and key.
    fn steps_after(
        &self,
        run: &RunId,
        filter: &StepFilter,
        after: (u64, &str),
        limit: usize,
    ) -> Res<Vec<StepData>>;
    /// By row and in the order in which they were recorded.
    fn steps(&self, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>>;
    /// Returns the open step on a resource.
    fn holder(&self, resource: &ResourceKey) -> Res<Option<StepData>>;
    /// Returns all open steps on resources of a kind, or of any kind.
    fn holders(&self, kind: Option<&str>) -> Res<Vec<StepData>>;
    /// Returns the step of the act remembered under this key.
    fn act(&self, key: &str) -> Res<Option<StepId>>;
    fn item(&self, resource: &ResourceKey) -> Res<Option<ItemData>>;
    /// Oldest first.
    fn items(&self, kind: &str, account: Option<&str>) -> Res<Vec<ItemData>>;
    fn all_items(&self) -> Res<Vec<ItemData>>;
    fn recorded_platform_ids(&self, account: &str, kind: &str) -> Res<Vec<String>>;
    /// Oldest first.
    fn audits(&self) -> Res<Vec<AuditData>>;
}

/// Write access to a store, inside one transaction.
pub(super) trait Tables: ReadTables {
    /// Inserts or replaces. A new run is in its first epoch.
    fn put_run(&mut self, run: &RunData) -> Res<()>;
    /// Makes this process the owner of a run, and returns the new epoch.
    fn take_run(&mut self, run: &RunId, pid: u32) -> Res<Option<Epoch>>;
    fn put_source(&mut self, hash: &str, text: &str) -> Res<()>;
    /// Takes up to `limit` rows after a position that this epoch has not taken yet, and returns their positions in order.
    fn claim_rows(&mut self, run: &RunId, epoch: Epoch, claim: RowClaim) -> Res<Vec<u64>>;
    /// Queues a row. If its position is taken, nothing changes.
    fn put_row(&mut self, run: &RunId, row: &QueuedRow) -> Res<()>;
    /// Also clears the row's crashes.
    fn end_row(&mut self, run: &RunId, position: u64, end: &RowEnd) -> Res<()>;
    /// Counts one crash of a row.
    fn put_crash(&mut self, run: &RunId, left: InterruptedRow) -> Res<()>;
    /// Inserts the step, or replaces it if it has a number. Returns its number.
    fn put_step(&mut self, step: &StepData) -> Res<StepId>;
    fn drop_step(&mut self, id: StepId) -> Res<()>;
    /// Inserts or replaces.
    fn put_act(&mut self, key: &str, step: StepId) -> Res<()>;
    fn drop_act(&mut self, key: &str) -> Res<()>;
    /// Inserts or replaces.
    fn put_item(&mut self, item: &ItemData) -> Res<()>;
    fn drop_item(&mut self, account: &str, kind: &str, platform_id: &str) -> Res<()>;
    fn remove_item(&mut self, resource: &ResourceKey) -> Res<()>;
    fn put_audit(&mut self, audit: &AuditData) -> Res<()>;
    /// Drops up to `limit` rows of a run and, with the last one, all of its reads; changing steps are kept. Returns the
    /// number of rows.
    fn drop_details(&mut self, run: &RunId, limit: usize) -> Res<u64>;
    /// Drops the sources that only pruned runs used.
    fn drop_sources(&mut self) -> Res<()>;
}

/// Which rows to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowClaim {
    pub(super) after: Option<u64>,
    pub(super) limit: usize,
    pub(super) only: RowFilter,
}

/// The final state of a row.
#[derive(Debug, Clone)]
pub(super) struct RowEnd {
    pub(super) status: RowStatus,
    pub(super) output: Option<Sealed>,
    pub(super) error: Option<Sealed>,
}

//! The stored form of the data: states unencrypted, payloads sealed.

use std::collections::BTreeMap;
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

#[derive(Debug, Clone)]
pub(super) struct RowData {
    pub(super) position: u64,
    pub(super) scope: String,
    pub(super) status: RowStatus,
    pub(super) input: Sealed,
    pub(super) output: Option<Sealed>,
    pub(super) error: Option<Sealed>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepData {
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
    pub(super) resource: Option<ResourceKey>,
    /// A digest of the request under a key that the script gives.
    pub(super) request: Option<String>,
    /// The key under which the act is remembered.
    pub(super) act: Option<String>,
    /// The number of requests sent.
    pub(super) attempts: u32,
    pub(super) started_ms: i64,
    pub(super) ended_ms: Option<i64>,
    /// The outcome or the refusal.
    pub(super) outcome: Option<Sealed>,
    /// Why it is in doubt.
    pub(super) reason: Option<Sealed>,
}

/// The claim of a step on a resource. It exists exactly as long as the step is open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClaimData {
    pub(super) resource: ResourceKey,
    pub(super) run: RunId,
    pub(super) step: String,
    /// No process is working on it: others may settle it.
    pub(super) parked: bool,
}

#[derive(Debug, Clone)]
pub(super) struct ItemData {
    pub(super) resource: ResourceKey,
    pub(super) platform_id: Option<String>,
    pub(super) run: Option<RunId>,
    pub(super) step: Option<String>,
    pub(super) value: Sealed,
    pub(super) created_ms: i64,
    pub(super) changed_ms: i64,
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
    /// Those of one row, by its scope.
    Scope(String),
    /// Those that a row at this position requested.
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
    /// Newest first; unreadable ones are omitted.
    fn runs(&self) -> Res<Vec<RunData>>;
    /// Returns the runs with an invalid unencrypted column, each a sentence without a full stop.
    fn damaged_runs(&self) -> Res<Vec<String>>;
    /// The same for rows and steps.
    fn damaged_parts(&self) -> Res<Vec<String>>;
    fn source(&self, hash: &str) -> Res<Option<String>>;
    /// In the order of their positions.
    fn rows(&self, run: &RunId, after: Option<u64>, limit: usize, only: RowFilter) -> Res<Vec<RowData>>;
    fn row_counts(&self, run: &RunId) -> Res<RowCounts>;
    /// Returns how many rows have this scope, with or without a number appended.
    fn scope_count(&self, run: &RunId, scope: &str) -> Res<u64>;
    fn step(&self, run: &RunId, key: &str) -> Res<Option<StepData>>;
    /// Returns how often the process died while each row was in progress; rows that have ended since are omitted.
    fn deaths(&self, run: &RunId) -> Res<BTreeMap<u64, CrashCounts>>;
    /// Returns up to `limit` steps after this key, in the order of their keys.
    fn steps_after(&self, run: &RunId, filter: &StepFilter, after: &str, limit: usize) -> Res<Vec<StepData>>;
    /// In the order of their keys.
    fn steps(&self, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>>;
    fn claim(&self, resource: &ResourceKey) -> Res<Option<ClaimData>>;
    fn claims(&self) -> Res<Vec<ClaimData>>;
    /// Returns the run and the step of the act remembered under this key.
    fn act(&self, key: &str) -> Res<Option<(RunId, String)>>;
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
    /// Inserts or replaces.
    fn put_run(&mut self, run: &RunData) -> Res<()>;
    fn put_source(&mut self, hash: &str, text: &str) -> Res<()>;
    fn put_row(&mut self, run: &RunId, row: &RowData) -> Res<RowPut>;
    /// Also clears the row's deaths.
    fn end_row(&mut self, run: &RunId, position: u64, end: &RowEnd) -> Res<()>;
    /// Counts one death of a row.
    fn put_death(&mut self, run: &RunId, left: InterruptedRow) -> Res<()>;
    /// Inserts or replaces.
    fn put_step(&mut self, step: &StepData) -> Res<()>;
    fn drop_step(&mut self, run: &RunId, key: &str) -> Res<()>;
    fn put_claim(&mut self, claim: &ClaimData) -> Res<()>;
    fn drop_claim(&mut self, resource: &ResourceKey) -> Res<()>;
    /// Inserts or replaces.
    fn put_act(&mut self, key: &str, run: &RunId, step: &str) -> Res<()>;
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

/// The result of queueing a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowPut {
    Inserted,
    /// The position is already taken; nothing was changed.
    PositionTaken,
    /// Another row of the run has its scope; nothing was changed.
    ScopeTaken,
}

/// The final state of a row.
#[derive(Debug, Clone)]
pub(super) struct RowEnd {
    pub(super) status: RowStatus,
    pub(super) output: Option<Sealed>,
    pub(super) error: Option<Sealed>,
}

/// The last number used for each repeated scope, so that a file of equal rows is not counted again for each row.
pub(super) type Repeats = BTreeMap<(RunId, String), u64>;

//! What a store holds, as it lies in the store: states in clear, payloads sealed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::NaturalKey;
use super::attempt::Struck;
use super::run::{EarlierSources, RowCounts, RowFilter, RowStatus, Rules, RunId, RunStatus};
use super::seal::Sealed;
use super::step::StepState;
use super::under_way::{Deaths, Left};

/// Why a store does not answer. The store's name is added where it is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error("{0}")]
    Data(String),
    /// A copy of the database cannot be written.
    #[error("{why}")]
    Copy { path: PathBuf, why: String },
}

pub(super) type Res<T> = Result<T, Fault>;

/// A [`NaturalKey`] that was read back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thing {
    /// The account that holds it.
    pub account: String,
    /// What sort of thing: `tenant`, `app`.
    pub sort: String,
    /// Its name.
    pub name: String,
}

impl From<&NaturalKey> for Thing {
    fn from(key: &NaturalKey) -> Thing {
        Thing {
            account: key.account.clone(),
            sort: key.sort.to_owned(),
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
    /// Its rows and reads are gone.
    pub(super) pruned: bool,
    /// What it was pinned to before.
    pub(super) earlier: Vec<EarlierSources>,
    /// By which rules its steps' keys are made.
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
    /// The order in which the row asked, for display.
    pub(super) seq: u32,
    pub(super) op: String,
    /// Can it change the world? Such steps are kept for good.
    pub(super) changes: bool,
    /// Does its outcome belong into the ledger?
    pub(super) ledger: bool,
    /// What it strikes out of the ledger when it is done.
    pub(super) strikes: Vec<Struck>,
    pub(super) state: StepState,
    pub(super) thing: Option<Thing>,
    /// A digest of what is asked for under a key that the script gives.
    pub(super) request: Option<String>,
    /// The key under which the act is remembered.
    pub(super) act: Option<String>,
    /// How often a request left.
    pub(super) attempts: u32,
    pub(super) started_ms: i64,
    pub(super) ended_ms: Option<i64>,
    /// The outcome or the refusal.
    pub(super) outcome: Option<Sealed>,
    /// Why it is in doubt.
    pub(super) why: Option<Sealed>,
}

/// Who acts on a thing. It exists exactly as long as a step on the thing is open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClaimData {
    pub(super) thing: Thing,
    pub(super) run: RunId,
    pub(super) step: String,
    /// Nobody is at work on it: others may settle it.
    pub(super) parked: bool,
}

#[derive(Debug, Clone)]
pub(super) struct ItemData {
    pub(super) thing: Thing,
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
    pub(super) who: String,
    pub(super) what: Sealed,
}

/// Which steps of a run to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepFilter {
    /// All of them.
    All,
    /// Those of one row, by its scope.
    Scope(String),
    /// Those that a row at this position asked for.
    Row(u64),
    /// Intended and in-doubt ones.
    Open,
    /// Those that are done and concern something with a name, made, found, or unchanged, or are acts that are remembered.
    Things,
    /// Those of which a person can say what became of them: open and half-done ones.
    ForAPerson,
}

impl StepFilter {
    pub(super) fn admits(&self, step: &StepData) -> bool {
        match self {
            StepFilter::All => true,
            StepFilter::Scope(scope) => step.key.split_once('/').is_some_and(|(of, _)| of == scope),
            StepFilter::Row(position) => step.position == *position,
            StepFilter::Open => step.state.is_open(),
            StepFilter::Things => {
                step.state == StepState::Done && (step.thing.is_some() || step.act.is_some())
            }
            StepFilter::ForAPerson => step.state.is_for_a_person(),
        }
    }
}

/// Reading a store.
pub(super) trait Look {
    fn run(&self, id: &RunId) -> Res<Option<RunData>>;
    /// Newest first; those that cannot be read are left out.
    fn runs(&self) -> Res<Vec<RunData>>;
    /// Runs of which a clear column holds what no build knows, a sentence each without a full stop.
    fn damaged_runs(&self) -> Res<Vec<String>> {
        Ok(Vec::new())
    }
    /// The same of rows and steps.
    fn damaged_parts(&self) -> Res<Vec<String>> {
        Ok(Vec::new())
    }
    fn source(&self, hash: &str) -> Res<Option<String>>;
    /// In the order of their positions.
    fn rows(&self, run: &RunId, after: Option<u64>, limit: usize, only: RowFilter) -> Res<Vec<RowData>>;
    fn row_counts(&self, run: &RunId) -> Res<RowCounts>;
    /// How many rows have this scope, or this scope with a number appended?
    fn scope_count(&self, run: &RunId, scope: &str) -> Res<u64>;
    fn step(&self, run: &RunId, key: &str) -> Res<Option<StepData>>;
    /// How often the process died while these rows were under way; those that have ended since are left out.
    fn deaths(&self, run: &RunId) -> Res<BTreeMap<u64, Deaths>>;
    /// Up to `limit` steps behind this key, in the order of their keys.
    fn steps_after(&self, run: &RunId, filter: &StepFilter, after: &str, limit: usize) -> Res<Vec<StepData>>;
    /// In the order of their keys.
    fn steps(&self, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>>;
    fn claim(&self, thing: &Thing) -> Res<Option<ClaimData>>;
    fn claims(&self) -> Res<Vec<ClaimData>>;
    /// The run and the step of the act that is remembered under this key.
    fn act(&self, key: &str) -> Res<Option<(RunId, String)>>;
    fn item(&self, thing: &Thing) -> Res<Option<ItemData>>;
    /// Oldest first.
    fn items(&self, sort: &str, account: Option<&str>) -> Res<Vec<ItemData>>;
    fn all_items(&self) -> Res<Vec<ItemData>>;
    fn attributed(&self, account: &str, sort: &str) -> Res<Vec<String>>;
    /// Oldest first.
    fn audits(&self) -> Res<Vec<AuditData>>;
}

/// Changing a store, inside one transaction.
pub(super) trait Tables: Look {
    /// Inserts or replaces.
    fn put_run(&mut self, run: &RunData) -> Res<()>;
    fn put_source(&mut self, hash: &str, text: &str) -> Res<()>;
    fn put_row(&mut self, run: &RunId, row: &RowData) -> Res<RowPut>;
    /// Also forgets its deaths.
    fn end_row(&mut self, run: &RunId, position: u64, end: &RowEnd) -> Res<()>;
    /// Counts the deaths of a row.
    fn put_death(&mut self, run: &RunId, left: Left) -> Res<()>;
    /// Inserts or replaces.
    fn put_step(&mut self, step: &StepData) -> Res<()>;
    fn drop_step(&mut self, run: &RunId, key: &str) -> Res<()>;
    fn put_claim(&mut self, claim: &ClaimData) -> Res<()>;
    fn drop_claim(&mut self, thing: &Thing) -> Res<()>;
    /// Inserts or replaces.
    fn put_act(&mut self, key: &str, run: &RunId, step: &str) -> Res<()>;
    fn drop_act(&mut self, key: &str) -> Res<()>;
    /// Inserts or replaces.
    fn put_item(&mut self, item: &ItemData) -> Res<()>;
    fn drop_item(&mut self, account: &str, sort: &str, platform_id: &str) -> Res<()>;
    fn strike_item(&mut self, thing: &Thing) -> Res<()>;
    fn put_audit(&mut self, audit: &AuditData) -> Res<()>;
    /// Drops up to `most` rows of a run, and with the last one all of its reads; changing steps stay. Gives how many
    /// rows.
    fn drop_details(&mut self, run: &RunId, most: usize) -> Res<u64>;
    /// Drops the sources that only pruned runs had.
    fn drop_sources(&mut self) -> Res<()>;
}

/// What became of a row that was to enter the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowPut {
    Inserted,
    /// There is a row in its place already; nothing was changed.
    PositionTaken,
    /// Another row of the run has its scope; nothing was changed.
    ScopeTaken,
}

/// How a row ended.
#[derive(Debug, Clone)]
pub(super) struct RowEnd {
    pub(super) status: RowStatus,
    pub(super) output: Option<Sealed>,
    pub(super) error: Option<Sealed>,
}

/// Numbers that repeated scopes have reached, so that a file of equal rows is not counted again for each row.
pub(super) type Repeats = BTreeMap<(RunId, String), u64>;

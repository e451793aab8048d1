//! The durable journal: every step is recorded before it is attempted and settled afterwards.
//!
//! ```text
//! Journal ─▶ RowJournal::step ─▶ ChangingStep ◀─▶ StepMachine: what comes next (intent, request, lookup, outcome)
//!    │                               │ StepState::next: the valid transitions
//!    └─ runs, rows, ledger, audit ───┴─▶ Write ─▶ Store (a queue, one commit) ─▶ apply ─▶ Tables: SQLite
//! ```
//!
//! A write is a value; `apply` gives it a meaning inside one transaction. Payloads are sealed
//! before they enter a write. The caller interprets the responses: it supplies an [`Attempt`].

mod apply;
mod attempt;
mod backpressure;
mod change;
mod check;
mod claim;
mod codec;
mod damage;
mod error;
mod files;
mod in_doubt;
mod key;
mod key_locks;
mod ledger;
mod limit;
mod lock;
mod lookup;
mod machine;
mod maintain;
mod progress_notes;
mod recall;
mod record;
mod repin;
mod replacement;
mod resolve;
mod restore;
mod row;
mod run;
mod seal;
mod settle;
mod sqlite;
mod stamp;
mod step;
mod table;
mod vault;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

pub use attempt::{
    Act, Attempt, Boundary, Boxed, Change, EarlierResult, FormerKey, LedgerEffect, LedgerEntry, Output,
    PrepareOutcome, Probe, Proof, SendOutcome, StepEnd, StepKind, StepPlan,
};
pub use change::platform_id;
pub use damage::Damage;
pub use error::JournalError;
pub use files::{folder_of, is_same_file, make_private_folder, sync_folder};
pub use in_doubt::InDoubt;
pub use key::KeyError;
pub use ledger::LedgerItem;
pub use limit::{ChangeLimit, LIMIT, LimitReached};
pub use lock::RunLock;
pub use lookup::LookupOutcome;
pub use maintain::AuditRecord;
pub use progress_notes::{CrashCounts, RowInProgress};
pub use recall::Recall;
pub use record::StepRecord;
pub use replacement::finish as finish_replacement;
pub use resolve::Resolution;
pub use restore::SealedFiles;
pub use row::RowJournal;
pub use run::{
    EarlierSources, NewRow, NewRun, RowCounts, RowFilter, RowRecord, RowStatus, RunId, RunRecord, RunStatus,
};
pub use seal::{SealError, Sealed, Sealer};
pub use step::{Illegal, Loss, StepEvent, StepState, Window};
pub use table::{ResourceKey, StepFilter, StepTimes, row_scope};
pub use vault::Vault;

#[cfg(test)]
mod tests;

use crate::clock::{Clock, Ids};
use crate::value::Value;
use crate::waiting::Waits;
use backpressure::QueueSemaphore;
use key_locks::KeyLocks;
use lock::Locks;
use sqlite::Store;

/// The name of a resource before the platform has assigned it an id: unique within its account and kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NaturalKey {
    /// The account that holds it: the address of the master account or of the tenant.
    pub account: String,
    /// The kind of resource: `tenant`, `app`.
    pub kind: &'static str,
    /// Its name: a tenant's email address in lower case, an app's name and site.
    pub name: String,
}

/// The durable record of runs, rows and steps. Cheap to clone; everything written is on disk once the last clone, lock
/// and row have been dropped.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    sealer: Sealer,
    ids: Ids,
    resources: Arc<KeyLocks>,
    locks: Arc<Locks>,
    hook: OnceLock<Hook>,
    spool: QueueSemaphore,
    damage: Arc<Damage>,
}

/// A weak reference to a [`Journal`], which does not keep it open.
#[derive(Clone)]
pub struct WeakJournal(Weak<Inner>);

impl WeakJournal {
    /// Returns the journal if it is still open.
    pub fn upgrade(&self) -> Option<Journal> {
        self.0.upgrade().map(Journal)
    }
}

impl fmt::Debug for WeakJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakJournal")
    }
}

/// A callback invoked at each [`Boundary`].
type Hook = Arc<dyn Fn(Boundary) + Send + Sync>;

impl Journal {
    /// Opens the journal file, creating it if it does not exist. The file and its folder are accessible to their owner
    /// only. A file written by a newer version or sealed with another key is left unchanged. A file that can be read
    /// but not written, or that is incomplete, is still opened: [`Journal::check_writable`] reports why nothing can be
    /// recorded.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as with `in_memory`, what is given is kept"
    )]
    pub fn open(path: &Path, sealer: Sealer, clock: Clock, ids: Ids) -> Result<Journal, JournalError> {
        let store = Store::open(path, &sealer, clock)?;
        Ok(Journal::with(store, Locks::new(Some(path)), ids))
    }

    /// Creates a journal that lives only as long as the process.
    pub fn in_memory(sealer: Sealer, clock: Clock, ids: Ids) -> Result<Journal, JournalError> {
        let store = Store::in_memory(sealer, clock)?;
        Ok(Journal::with(store, Locks::new(None), ids))
    }

    /// Registers `hook` to be called at each boundary of each changing step. Only the first hook takes effect.
    pub fn on_boundary(&self, hook: impl Fn(Boundary) + Send + Sync + 'static) {
        let _ = self.0.hook.set(Arc::new(hook));
    }

    /// Returns the long waits of the steps of this journal's runs.
    pub fn waits(&self) -> &Waits {
        self.store().waits()
    }

    /// Returns the irregularities found when it was opened, each a sentence without a full stop.
    pub fn notices(&self) -> &[String] {
        self.store().notices()
    }

    /// Returns the backup of the original file if opening it migrated it from an earlier version.
    pub fn migrated(&self) -> Option<&Path> {
        self.store().migrated()
    }

    /// Returns the files next to a journal that are also sealed with its key.
    pub fn beside(path: &Path) -> [PathBuf; 2] {
        [sqlite::count_file_path(path), files::beside(path, "-wal")]
    }

    /// Whether this file once held a journal. The files that prove it are created after the journal's own.
    pub fn held_journal(path: &Path) -> bool {
        let beside = Journal::beside(path);
        beside.iter().any(|file| file.exists()) || files::path_of_lock(path).exists()
    }

    /// Returns the error for a journal that has disappeared: [`JournalError::Gone`] if its ledger had entries, or may
    /// have had some because `sealer` cannot open their count; [`JournalError::Missing`] otherwise.
    pub fn lost(path: &Path, sealer: Option<&Sealer>) -> JournalError {
        let entries = sealer.and_then(|sealer| sqlite::entries_from_count_file(path, sealer));
        sqlite::lost(path, sqlite::count_file_path(path).exists(), entries)
    }

    /// Waits until everything written so far is on disk.
    pub fn flush(&self) -> Result<(), JournalError> {
        self.store().flush()
    }

    /// Checks that it can still be written. After a failed write it cannot, and no further request may be sent.
    pub fn check_writable(&self) -> Result<(), JournalError> {
        self.store().check_writable()
    }

    fn with(store: Store, locks: Locks, ids: Ids) -> Journal {
        Journal(Arc::new(Inner {
            sealer: store.sealer().clone(),
            store: Arc::new(store),
            ids,
            resources: Arc::default(),
            locks: Arc::new(locks),
            hook: OnceLock::new(),
            spool: QueueSemaphore::default(),
            damage: Arc::default(),
        }))
    }

    fn store(&self) -> &Arc<Store> {
        &self.0.store
    }

    /// Returns the recorded values that were requested since the journal was opened but could not be read.
    pub fn damage(&self) -> Arc<Damage> {
        Arc::clone(&self.0.damage)
    }

    /// Returns a handle that does not keep the journal open.
    pub fn downgrade(&self) -> WeakJournal {
        WeakJournal(Arc::downgrade(&self.0))
    }

    /// Checkpoints the log into the database if this process has changed the ledger, as dropping the last handle does.
    /// For the end of a process that may still hold another handle.
    pub fn checkpoint(&self) {
        let _ = self.flush();
        self.store().checkpoint_if_changed();
    }

    /// Returns the sealer that encrypts and digests values.
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    /// Returns the clock of the store: all processes that share it must agree on the time.
    fn clock(&self) -> &Clock {
        self.store().clock()
    }

    fn things(&self) -> &Arc<KeyLocks> {
        &self.0.resources
    }

    fn locks(&self) -> &Arc<Locks> {
        &self.0.locks
    }

    fn pass(&self, boundary: Boundary) {
        if let Some(hook) = self.0.hook.get() {
            hook(boundary);
        }
    }

    fn open_sealed(&self, place: &str, sealed: &[u8]) -> Result<Value, JournalError> {
        self.sealer()
            .open(place, sealed)
            .map_err(|reason| JournalError::Sealed {
                // Ledger places contain newlines.
                place: place.replace('\n', " "),
                reason,
            })
    }

    /// Opens a sealed value. A failure is noted in [`Journal::damage`], for callers that continue without the value.
    fn open_or_record_damage(&self, place: &str, sealed: &[u8]) -> Result<Value, JournalError> {
        let opened = self.open_sealed(place, sealed);
        opened.inspect_err(|error| self.0.damage.note(error.to_string()))
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}

//! Every step is recorded before it is tried, and settled after.
//!
//! ```text
//! Journal ─▶ RowJournal::step ─▶ Changing (intent, request, outcome) ─▶ settle (a lost answer)
//!    │                               │ StepState::next: what may follow what
//!    └─ runs, rows, ledger, audit ───┴─▶ Write ─▶ apply ─▶ Tables: SQLite, or memory
//! ```
//!
//! A write is a value; `apply` gives it one meaning for both stores, inside one transaction. Payloads are sealed before
//! they become part of a write. What the platform's answers mean is the caller's business: it brings an [`Attempt`].

mod apply;
mod attempt;
mod cancel;
mod change;
mod check;
mod claim;
mod codec;
mod damage;
mod doubt;
mod error;
mod files;
mod key;
mod ledger;
mod lock;
mod lookup;
mod maintain;
mod memory;
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
mod spool;
mod sqlite;
mod stamp;
mod step;
mod store;
mod table;
mod thing;
mod under_way;
mod vault;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

pub use attempt::{
    Act, Attempt, Books, Boundary, Boxed, Change, Earlier, Former, Look, Output, Prepared, Proof, Sending,
    StepEnd, StepKind, StepPlan, Struck,
};
pub use cancel::Cancel;
pub use change::platform_id;
pub use damage::Damage;
pub use doubt::InDoubt;
pub use error::JournalError;
pub use files::{folder_of, is_still, make_private_folder, sync_folder};
pub use key::KeyError;
pub use ledger::LedgerItem;
pub use lock::RunLock;
pub use lookup::LookupOutcome;
pub use maintain::AuditRecord;
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
pub use table::{StepFilter, Thing};
pub use under_way::{Deaths, UnderWay};
pub use vault::Vault;

#[cfg(test)]
mod tests;

use crate::clock::{Clock, Ids};
use crate::value::Value;
use crate::waiting::Waits;
use lock::Locks;
use memory::MemoryStore;
use spool::Spool;
use sqlite::SqliteStore;
use store::Store;
use thing::Things;

/// What a thing is called, before the platform has given it an id: unique within its account and sort.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NaturalKey {
    /// The account that holds it: the address of the master account or of the tenant.
    pub account: String,
    /// What sort of thing: `tenant`, `app`.
    pub sort: &'static str,
    /// Its name: a tenant's e-mail address in lower case, an app's name and site.
    pub name: String,
}

/// The durable record of runs, rows and steps. Cheap to clone; everything written is on disk when the last clone, lock
/// and row are dropped.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    sealer: Sealer,
    clock: Clock,
    ids: Ids,
    things: Arc<Things>,
    locks: Arc<Locks>,
    hook: OnceLock<Hook>,
    spool: Spool,
    damage: Arc<Damage>,
}

/// A [`Journal`] that is not kept open.
#[derive(Clone)]
pub struct WeakJournal(Weak<Inner>);

impl WeakJournal {
    /// The journal, while somebody keeps it open.
    pub fn upgrade(&self) -> Option<Journal> {
        self.0.upgrade().map(Journal)
    }
}

impl fmt::Debug for WeakJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakJournal")
    }
}

/// Called at each [`Boundary`].
type Hook = Arc<dyn Fn(Boundary) + Send + Sync>;

impl Journal {
    /// Opens the journal in a file, and makes it when there is none. The file and its folder are for their owner only.
    /// A file that was written by a newer version or with another key is not changed. One that can be read and not
    /// written, or of which something is missing, is opened all the same: [`Journal::healthy`] says why nothing can be
    /// recorded.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as with `in_memory`, what is given is kept"
    )]
    pub fn open(path: &Path, sealer: Sealer, clock: Clock, ids: Ids) -> Result<Journal, JournalError> {
        let store = SqliteStore::open(path, &sealer)?;
        let sealer = store.sealer().clone();
        Ok(Journal::with(
            Store::Sqlite(store),
            Locks::new(Some(path)),
            sealer,
            clock,
            ids,
        ))
    }

    /// A journal that ends with the process.
    pub fn in_memory(sealer: Sealer, clock: Clock, ids: Ids) -> Journal {
        let store = Store::Memory(MemoryStore::default());
        Journal::with(store, Locks::new(None), sealer, clock, ids)
    }

    /// Calls `hook` at each boundary of each changing step. Only the first hook counts.
    pub fn on_boundary(&self, hook: impl Fn(Boundary) + Send + Sync + 'static) {
        let _ = self.0.hook.set(Arc::new(hook));
    }

    /// What the steps of its runs wait for.
    pub fn waits(&self) -> &Waits {
        self.store().waits()
    }

    /// What was strange when it was opened, a sentence each without a full stop.
    pub fn notices(&self) -> &[String] {
        match &**self.store() {
            Store::Sqlite(store) => store.notices(),
            Store::Memory(_) => &[],
        }
    }

    /// The copy of the file as it was, when opening it has brought it from an earlier version to the present one.
    pub fn migrated(&self) -> Option<&Path> {
        match &**self.store() {
            Store::Sqlite(store) => store.migrated(),
            Store::Memory(_) => None,
        }
    }

    /// The files beside a journal that its key seals, too.
    pub fn beside(path: &Path) -> [PathBuf; 2] {
        [sqlite::path_beside(path), files::beside(path, "-wal")]
    }

    /// Was there a journal in this file once? Each file that tells so is made after the journal's.
    pub fn was_in(path: &Path) -> bool {
        let beside = Journal::beside(path);
        beside.iter().any(|file| file.exists()) || files::path_of_lock(path).exists()
    }

    /// Why there is no journal where one was: [`JournalError::Gone`] when its ledger had entries, or may have had some as
    /// `sealer` does not open their count; [`JournalError::Missing`] otherwise.
    pub fn lost(path: &Path, sealer: Option<&Sealer>) -> JournalError {
        let entries = sealer.and_then(|sealer| sqlite::entries_beside(path, sealer));
        sqlite::lost(path, sqlite::path_beside(path).exists(), entries)
    }

    /// Waits until everything that was written so far is on disk.
    pub fn flush(&self) -> Result<(), JournalError> {
        self.store().flush()
    }

    /// Can it still be written? After a failed write it cannot, and nothing more may be sent.
    pub fn healthy(&self) -> Result<(), JournalError> {
        self.store().healthy()
    }

    fn with(store: Store, locks: Locks, sealer: Sealer, clock: Clock, ids: Ids) -> Journal {
        Journal(Arc::new(Inner {
            store: Arc::new(store),
            sealer,
            clock,
            ids,
            things: Arc::default(),
            locks: Arc::new(locks),
            hook: OnceLock::new(),
            spool: Spool::default(),
            damage: Arc::default(),
        }))
    }

    fn store(&self) -> &Arc<Store> {
        &self.0.store
    }

    /// The recorded values that were asked for since the journal was opened and could not be read.
    pub fn damage(&self) -> Arc<Damage> {
        Arc::clone(&self.0.damage)
    }

    /// A handle that does not keep the journal open.
    pub fn downgrade(&self) -> WeakJournal {
        WeakJournal(Arc::downgrade(&self.0))
    }

    /// Folds the log into the database when this process has changed the ledger, as dropping the last handle does: for the
    /// end of a process that may hold another one.
    pub fn fold(&self) {
        let _ = self.flush();
        if let Store::Sqlite(store) = &**self.store() {
            store.fold_if_changed();
        }
    }

    /// What seals and digests.
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn things(&self) -> &Arc<Things> {
        &self.0.things
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
            .map_err(|why| JournalError::Sealed {
                // The ledger's places have lines.
                place: place.replace('\n', " "),
                why,
            })
    }

    /// The value. That it does not open is noted in [`Journal::damage`], for callers that go on without it.
    fn open_noted(&self, place: &str, sealed: &[u8]) -> Result<Value, JournalError> {
        let opened = self.open_sealed(place, sealed);
        opened.inspect_err(|error| self.0.damage.note(error.to_string()))
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}

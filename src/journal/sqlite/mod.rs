//! The journal in a SQLite file: write-ahead log, every commit synced, one writer thread.

mod count;
mod open;
mod reseal;
mod runs;
mod schema;
mod steps;
mod tables;
mod vault;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::apply::Write;
use super::error::JournalError;
use super::files::beside;
use super::seal::Sealer;
use super::table::{ReadTables, Res, StoreError};
use crate::sabotage::Sabotage;
use crate::waiting::Waits;
use count::LedgerCount;
pub(super) use count::{count_file_path, entries_from_count_file, lost};
use open::Opened;
pub(super) use reseal::{DatabaseKind, checkpoint_and_remove_wal, copy_into, reseal};
use tables::Sql;
pub(super) use vault::SqliteVault;
pub(super) use writer::Ack;
use writer::{Message, Poison, Writer};

/// Capacity of the writer's queue, in messages; further callers block.
const QUEUE: usize = 4096;

/// A larger write-ahead log, in bytes, is checkpointed when the journal is closed; a smaller one is read again quickly.
const LARGE_LOG: u64 = 512 * 1024;

/// How long a checkpoint waits for other processes; the last of them does it.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(200);

/// An open journal file.
pub(super) struct SqliteStore {
    path: PathBuf,
    sealer: Sealer,
    reader: Mutex<Connection>,
    outbox: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    /// The number of writes submitted but not yet on disk.
    under_way: Arc<AtomicU64>,
    poison: Poison,
    /// Whether this process has changed the ledger.
    changed: Arc<AtomicBool>,
    waits: Waits,
    notices: Vec<String>,
    migrated: Option<PathBuf>,
}

impl SqliteStore {
    /// Opens a journal, creating it if it does not exist. A file that this version or this key cannot use is left
    /// unchanged; one that cannot be written is opened for reading.
    pub(super) fn open(path: &Path, sealer: &Sealer) -> Result<SqliteStore, JournalError> {
        SqliteStore::open_limited(path, sealer, None)
    }

    /// The same, with a limit on the number of database pages, to simulate a full disk.
    pub(super) fn open_limited(
        path: &Path,
        sealer: &Sealer,
        max_pages: Option<u32>,
    ) -> Result<SqliteStore, JournalError> {
        let Opened {
            reader,
            unwritable,
            sealer,
            notices,
            migrated,
        } = open::open(path, sealer)?;
        let mut store = SqliteStore {
            path: path.to_owned(),
            sealer,
            reader: Mutex::new(reader),
            outbox: None,
            writer: None,
            under_way: Arc::default(),
            poison: Poison::new(OnceLock::new()),
            changed: Arc::default(),
            waits: Waits::default(),
            notices,
            migrated,
        };
        if let Some(error) = unwritable {
            let _ = store.poison.set(error);
            return Ok(store);
        }
        let (outbox, inbox) = sync_channel(QUEUE);
        let writer = Writer {
            path: path.to_owned(),
            sealer: store.sealer.clone(),
            max_pages,
            poison: Arc::clone(&store.poison),
            changed: Arc::clone(&store.changed),
            waits: store.waits.clone(),
        };
        let thread = std::thread::Builder::new().name("journal".to_owned());
        let thread = thread.spawn(move || writer.work(&inbox));
        store.writer = Some(thread.map_err(|error| unusable(path, error.to_string()))?);
        store.outbox = Some(outbox);
        Ok(store)
    }

    /// Returns the sealer for the values of this file.
    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Returns the long waits of this store.
    pub(super) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Returns the irregularities found when it was opened, each a sentence without a full stop.
    pub(super) fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Returns the backup of the original file if opening it migrated it.
    pub(super) fn migrated(&self) -> Option<&Path> {
        self.migrated.as_deref()
    }

    /// Submits a write to the writer. `ack` is called once it is on disk or has failed. Blocks while the queue is full.
    pub(super) fn submit(&self, write: Option<Write>, urgent: bool, ack: Option<Ack>) {
        if let Some(error) = self.poison.get() {
            if let Some(ack) = ack {
                ack(Err(error.clone()));
            }
            return;
        }
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let under_way = Arc::clone(&self.under_way);
        let ack: Ack = Box::new(move |reply| {
            under_way.fetch_sub(1, Ordering::SeqCst);
            if let Some(ack) = ack {
                ack(reply);
            }
        });
        let message = Message {
            write,
            ack: Some(ack),
            urgent,
        };
        let unsent = match &self.outbox {
            Some(outbox) => outbox.send(message).err().map(|failed| failed.0),
            None => Some(message),
        };
        if let Some(message) = unsent {
            let error = self.ended();
            if let Some(ack) = message.ack {
                ack(Err(error));
            }
        }
    }

    /// Returns the error for a writer that no longer accepts or acknowledges messages: it outlives its senders unless
    /// it panics. From now on no write may appear to succeed.
    pub(super) fn ended(&self) -> JournalError {
        self.poison
            .get_or_init(|| unusable(&self.path, writer::ENDED.to_owned()))
            .clone()
    }

    /// Returns why nothing more can be written, if so.
    pub(super) fn poisoned(&self) -> Option<JournalError> {
        self.poison.get().cloned()
    }

    /// Whether it accepts writes, or did before one failed.
    pub(super) fn is_writable(&self) -> bool {
        self.outbox.is_some()
    }

    /// Whether all writes are on disk.
    pub(super) fn is_clean(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }

    pub(super) fn read<R>(&self, look: impl FnOnce(&dyn ReadTables) -> Res<R>) -> Res<R> {
        look(&Sql::new(&self.lock()))
    }

    /// Copies the journal, as of its last commit, into a new file.
    pub(super) fn back_up(&self, target: &Path) -> Res<()> {
        schema::back_up(&self.lock(), target)
    }

    /// Returns the problems the database finds in its file; empty if it is sound.
    pub(super) fn integrity(&self) -> Res<Vec<String>> {
        let connection = self.lock();
        let mut statement = connection.prepare("pragma integrity_check(100)")?;
        let found: Vec<String> = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut problems: Vec<String> = found.into_iter().filter(|line| line != "ok").collect();
        let mut statement = connection.prepare("pragma foreign_key_check")?;
        let orphans = statement.query_map([], |row| row.get::<_, String>(0))?;
        for table in orphans {
            problems.push(format!("a row of table {} refers to a missing row", table?));
        }
        Ok(problems)
    }

    pub(super) fn error(&self, fault: StoreError) -> JournalError {
        fault_to_error(&self.path, fault)
    }

    /// Returns a problem, as a sentence without a full stop, if the ledger does not match its recorded count.
    pub(super) fn count_mismatch(&self) -> Res<Option<String>> {
        let connection = self.lock();
        let Some(count) = LedgerCount::read(&connection, &self.sealer)? else {
            return Ok(Some(
                "the count of the ledger's entries cannot be read".to_owned(),
            ));
        };
        let found = LedgerCount::recount(&connection)?.entries;
        Ok((found != count.entries).then(|| {
            format!(
                "the ledger has {found} entries, but {} were recorded",
                count.entries
            )
        }))
    }

    /// Checkpoints a log that is large or contains ledger changes of this process. A credential must not be in the log
    /// alone: a log is easily left behind when the database is copied.
    pub(super) fn checkpoint_if_changed(&self) {
        let log = std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |file| file.len());
        let changed = self.changed.swap(false, Ordering::SeqCst);
        if Sabotage::LogNotFolded.is_on() {
            return;
        }
        if self.poison.get().is_none() && (changed || log > LARGE_LOG) {
            self.checkpoint();
        }
    }

    /// Checkpoints the log, so that the database file is complete on its own, as far as other processes allow it.
    fn checkpoint(&self) {
        let connection = self.lock();
        let pragma = |pragma| connection.query_row(pragma, [], |_| Ok(()));
        let folded = pragma("pragma wal_checkpoint(passive)")
            .and_then(|()| connection.busy_timeout(CHECKPOINT_TIMEOUT))
            .and_then(|()| pragma("pragma wal_checkpoint(truncate)"));
        if let Err(error) = folded {
            tracing::debug!(%error, "the journal's log was not merged into it");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SqliteStore {
    /// Writes what is still queued.
    fn drop(&mut self) {
        drop(self.outbox.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        self.checkpoint_if_changed();
    }
}

fn unusable(path: &Path, reason: String) -> JournalError {
    JournalError::Unusable {
        path: path.to_owned(),
        reason,
    }
}

fn fault_to_error(path: &Path, fault: StoreError) -> JournalError {
    if let StoreError::Copy { path, reason } = fault {
        return JournalError::Copy { path, reason };
    }
    let path = path.to_owned();
    let reason = fault.to_string();
    let StoreError::Sql(error) = fault else {
        return JournalError::Unusable { path, reason };
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => JournalError::Full { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Busy { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => JournalError::Corrupt { path, reason },
        _ => JournalError::Unusable { path, reason },
    }
}

//! The journal's store: a SQLite file with a write-ahead log, every commit synced by one writer thread, or a SQLite
//! database in memory.

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
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::apply::{Reply, Submission};
use super::error::JournalError;
use super::files::beside;
use super::seal::Sealer;
use super::table::{ReadTables, Res, StoreError};
use crate::clock::Clock;
use crate::sabotage::Sabotage;
use crate::waiting::Waits;
use count::LedgerCount;
pub(super) use count::{count_file_path, entries_from_count_file, lost};
use open::Opened;
pub(super) use reseal::{DatabaseKind, checkpoint_and_remove_wal, copy_into, reseal};
use tables::Sql;
pub(super) use vault::SqliteVault;
use writer::{Ack, Message, Poison, Writer};

/// Capacity of the writer's queue, in messages; further callers block.
const QUEUE: usize = 4096;

/// A larger write-ahead log, in bytes, is checkpointed when the journal is closed; a smaller one is read again quickly.
const LARGE_LOG: u64 = 512 * 1024;

/// How long a checkpoint waits for other processes; the last of them does it.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(200);

/// An open journal.
pub(super) struct Store {
    path: PathBuf,
    sealer: Sealer,
    clock: Clock,
    reader: Mutex<Connection>,
    /// `None` if it was opened for reading.
    writing: Option<Writing>,
    /// The number of writes submitted but not yet on disk.
    under_way: Arc<AtomicU64>,
    poison: Poison,
    /// Whether this process has changed the ledger.
    changed: Arc<AtomicBool>,
    waits: Waits,
    notices: Vec<String>,
    migrated: Option<PathBuf>,
}

/// How writes reach the database.
enum Writing {
    /// Through a queue, each with the next commit.
    Queue {
        outbox: SyncSender<Message>,
        thread: JoinHandle<()>,
    },
    /// Each at once, on the connection that reads: a database in memory has no other.
    Direct(Writer),
}

impl Store {
    /// Opens a journal, creating it if it does not exist. A file that this version or this key cannot use is left
    /// unchanged; one that cannot be written is opened for reading.
    pub(super) fn open(path: &Path, sealer: &Sealer, clock: Clock) -> Result<Store, JournalError> {
        Store::open_limited(path, sealer, clock, None)
    }

    /// The same, with a limit on the number of database pages, to simulate a full disk.
    pub(super) fn open_limited(
        path: &Path,
        sealer: &Sealer,
        clock: Clock,
        max_pages: Option<u32>,
    ) -> Result<Store, JournalError> {
        let Opened {
            reader,
            unwritable,
            sealer,
            notices,
            migrated,
        } = open::open(path, sealer)?;
        let mut store = Store::with(path, reader, sealer, clock);
        (store.notices, store.migrated) = (notices, migrated);
        if let Some(error) = unwritable {
            let _ = store.poison.set(error);
            return Ok(store);
        }
        let (outbox, inbox) = sync_channel(QUEUE);
        let writer = Writer {
            max_pages,
            ..store.writer()
        };
        let thread = std::thread::Builder::new().name("journal".to_owned());
        let thread = thread.spawn(move || writer.work(&inbox));
        let thread = thread.map_err(|error| unusable(path, error.to_string()))?;
        store.writing = Some(Writing::Queue { outbox, thread });
        Ok(store)
    }

    /// Creates a journal that lives as long as this value.
    pub(super) fn in_memory(sealer: Sealer, clock: Clock) -> Result<Store, JournalError> {
        let path = Path::new("in memory");
        let reader = open::in_memory(&sealer).map_err(|fault| fault_to_error(path, fault))?;
        let mut store = Store::with(path, reader, sealer, clock);
        store.writing = Some(Writing::Direct(Writer {
            has_file: false,
            ..store.writer()
        }));
        Ok(store)
    }

    fn with(path: &Path, reader: Connection, sealer: Sealer, clock: Clock) -> Store {
        Store {
            path: path.to_owned(),
            sealer,
            clock,
            reader: Mutex::new(reader),
            writing: None,
            under_way: Arc::default(),
            poison: Poison::new(OnceLock::new()),
            changed: Arc::default(),
            waits: Waits::default(),
            notices: Vec::new(),
            migrated: None,
        }
    }

    fn writer(&self) -> Writer {
        Writer {
            path: self.path.clone(),
            has_file: true,
            sealer: self.sealer.clone(),
            max_pages: None,
            poison: Arc::clone(&self.poison),
            changed: Arc::clone(&self.changed),
            waits: self.waits.clone(),
        }
    }

    /// Returns the sealer for the values of this file.
    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Returns the clock from which every stamp in this store comes. A store that several machines share must have one
    /// of its own; a file has that of its machine.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
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

    /// Writes, and waits until the write is on disk.
    pub(super) fn write(&self, write: impl Into<Submission>) -> Result<Reply, JournalError> {
        self.wait(Some(write.into()))
    }

    /// The same as [`Store::write`], without blocking the thread.
    pub(super) async fn write_async(&self, write: impl Into<Submission>) -> Result<Reply, JournalError> {
        let write = write.into();
        if Sabotage::IntentLater.is_on() && write.write.precedes_request() {
            return self.write_later(write).map(|()| Reply::Written);
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.submit(
            Some(write),
            true,
            Some(Box::new(move |reply| {
                let _ = sender.send(reply);
            })),
        );
        receiver.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Writes with the next commit, or shortly after. An error means that an earlier write has failed.
    pub(super) fn write_later(&self, write: impl Into<Submission>) -> Result<(), JournalError> {
        self.write_later_then(write, Box::new(|_| {}))
    }

    /// The same, and acknowledges the write.
    pub(super) fn write_later_then(
        &self,
        write: impl Into<Submission>,
        ack: Ack,
    ) -> Result<(), JournalError> {
        let write = write.into();
        let owner = write.owner.clone();
        self.submit(Some(write), false, Some(ack));
        self.check_writable()?;
        owner.map_or(Ok(()), |owner| owner.check())
    }

    /// Waits until everything written before is on disk.
    pub(super) fn flush(&self) -> Result<(), JournalError> {
        // Nothing was written to a file that was opened for reading.
        if self.writing.is_none() {
            return Ok(());
        }
        // All writes are on disk.
        if self.under_way.load(Ordering::SeqCst) == 0 {
            return self.check_writable();
        }
        self.wait(None).map(drop)
    }

    /// Reads, including everything written before. If writing has failed, the data on disk can still be read.
    pub(super) fn read<R>(&self, look: impl FnOnce(&dyn ReadTables) -> Res<R>) -> Result<R, JournalError> {
        let _ = self.flush();
        self.read_committed(look)
    }

    /// Reads committed data; may miss the latest writes.
    pub(super) fn read_committed<R>(
        &self,
        look: impl FnOnce(&dyn ReadTables) -> Res<R>,
    ) -> Result<R, JournalError> {
        look(&Sql::new(&self.lock())).map_err(|fault| self.error(fault))
    }

    /// Checks that it can still be written.
    pub(super) fn check_writable(&self) -> Result<(), JournalError> {
        self.poison.get().cloned().map_or(Ok(()), Err)
    }

    fn wait(&self, write: Option<Submission>) -> Result<Reply, JournalError> {
        let (sender, receiver) = channel();
        self.submit(
            write,
            true,
            Some(Box::new(move |reply| {
                let _ = sender.send(reply);
            })),
        );
        receiver.recv().unwrap_or_else(|_| Err(self.ended()))
    }

    /// Submits a write. `ack` is called once it is on disk or has failed. Blocks while the queue is full.
    fn submit(&self, write: Option<Submission>, urgent: bool, ack: Option<Ack>) {
        let owner = write.as_ref().and_then(|write| write.owner.clone());
        let lost = owner.as_ref().and_then(|owner| owner.check().err());
        if let Some(error) = self.check_writable().err().or(lost) {
            if let Some(ack) = ack {
                ack(Err(error));
            }
            return;
        }
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let under_way = Arc::clone(&self.under_way);
        let ack: Ack = Box::new(move |reply| {
            under_way.fetch_sub(1, Ordering::SeqCst);
            let reply = match (reply, owner) {
                (Ok(Reply::TakenOver(pid)), Some(owner)) => Err(owner.lose(pid)),
                (reply, _) => reply,
            };
            if let Some(ack) = ack {
                ack(reply);
            }
        });
        let message = Message {
            write,
            ack: Some(ack),
            urgent,
        };
        let unsent = match &self.writing {
            Some(Writing::Queue { outbox, .. }) => outbox.send(message).err().map(|failed| failed.0),
            Some(Writing::Direct(writer)) => {
                writer.commit(&self.lock(), vec![message]);
                None
            }
            None => Some(message),
        };
        if let Some(ack) = unsent.and_then(|message| message.ack) {
            ack(Err(self.ended()));
        }
    }

    /// Returns the error for a writer that no longer accepts or acknowledges messages: it outlives its senders unless
    /// it panics. From now on no write may appear to succeed.
    fn ended(&self) -> JournalError {
        self.poison
            .get_or_init(|| unusable(&self.path, writer::ENDED.to_owned()))
            .clone()
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
        Ok(found.into_iter().filter(|line| line != "ok").collect())
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
        if matches!(self.writing, Some(Writing::Direct(_))) {
            return;
        }
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

impl Drop for Store {
    /// Writes what is still queued.
    fn drop(&mut self) {
        match self.writing.take() {
            Some(Writing::Queue { outbox, thread }) => {
                drop(outbox);
                let _ = thread.join();
                self.checkpoint_if_changed();
            }
            Some(Writing::Direct(_)) | None => {}
        }
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

//! The journal in a SQLite file: write-ahead log, every commit synchronised, one writing thread.

mod runs;
mod schema;
mod steps;
mod tables;
mod vault;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use super::apply::Write;
use super::error::JournalError;
use super::files;
use super::seal::Sealer;
use super::table::{Fault, Look, Res};
use crate::value::Value;
use schema::{Found, MIGRATIONS};
use tables::Sql;
pub(super) use vault::SqliteVault;
pub(super) use writer::Ack;
use writer::{Message, Poison};

/// Messages that may wait for the writer; a caller beyond that waits as well.
const QUEUE: usize = 4096;

/// How long another process's transaction is waited for.
const BUSY: Duration = Duration::from_secs(10);

/// A larger write-ahead log is folded into the database when the journal is closed; a smaller one is quickly read again.
const LARGE_LOG: u64 = 512 * 1024;

/// An open journal file.
pub(super) struct SqliteStore {
    path: PathBuf,
    reader: Mutex<Connection>,
    outbox: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    /// Writes that were sent and are not on disk yet.
    under_way: Arc<AtomicU64>,
    poison: Poison,
}

impl SqliteStore {
    /// Opens a journal, and makes it when there is none. A file that this version or this key cannot use is not changed.
    pub(super) fn open(path: &Path, sealer: &Sealer) -> Result<SqliteStore, JournalError> {
        SqliteStore::open_limited(path, sealer, None)
    }

    /// The same, with a limit on the database's pages, as a full disk would set it.
    pub(super) fn open_limited(
        path: &Path,
        sealer: &Sealer,
        max_pages: Option<u32>,
    ) -> Result<SqliteStore, JournalError> {
        let reader = prepare(path, sealer)?;
        let (outbox, inbox) = sync_channel(QUEUE);
        let poison = Poison::new(OnceLock::new());
        let writer = std::thread::Builder::new().name("journal".to_owned()).spawn({
            let (path, poison) = (path.to_owned(), Arc::clone(&poison));
            move || writer::work(&path, max_pages, &inbox, &poison)
        });
        let writer = writer.map_err(|error| unusable(path, error.to_string()))?;
        Ok(SqliteStore {
            path: path.to_owned(),
            reader: Mutex::new(reader),
            outbox: Some(outbox),
            writer: Some(writer),
            under_way: Arc::default(),
            poison,
        })
    }

    /// Hands a write to the writer. `ack` is called once it is on disk, or cannot be. Waits while the queue is full.
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
        // The writer ends only after its senders, unless it panicked.
        if let Some(ack) = unsent.and_then(|message| message.ack) {
            ack(Err(unusable(&self.path, "its writer has ended".to_owned())));
        }
    }

    /// Why nothing more can be written, if so.
    pub(super) fn poisoned(&self) -> Option<JournalError> {
        self.poison.get().cloned()
    }

    /// Are all writes on disk?
    pub(super) fn is_clean(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }

    pub(super) fn read<R>(&self, look: impl FnOnce(&dyn Look) -> Res<R>) -> Res<R> {
        look(&Sql(&self.lock()))
    }

    /// Copies the journal, as it was last committed, into a new file.
    pub(super) fn back_up(&self, target: &Path) -> Res<()> {
        schema::back_up(&self.lock(), target)
    }

    /// What the database finds wrong with its file: nothing, in a sound one.
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
            problems.push(format!("a row of table {} points nowhere", table?));
        }
        Ok(problems)
    }

    pub(super) fn error(&self, fault: Fault) -> JournalError {
        fault_to_error(&self.path, fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SqliteStore {
    /// Writes what is still waiting.
    fn drop(&mut self) {
        drop(self.outbox.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        let log = std::fs::metadata(wal_of(&self.path)).map_or(0, |file| file.len());
        if log > LARGE_LOG {
            let connection = self.lock();
            let folded = connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()));
            if let Err(error) = folded {
                tracing::debug!(%error, "the journal's log was not folded in");
            }
        }
    }
}

/// Opens, checks and if need be makes or migrates the file; gives a connection for reading.
fn prepare(path: &Path, sealer: &Sealer) -> Result<Connection, JournalError> {
    let error = |fault| fault_to_error(path, fault);
    let system = |failed: std::io::Error| unusable(path, failed.to_string());
    files::make_private_folder(files::folder_of(path)).map_err(system)?;
    // SQLite gives its -wal and -shm files the rights of the database.
    drop(files::create_private(path).map_err(system)?);
    let mut connection = connect(path, None).map_err(error)?;
    let found = schema::look(&connection, MIGRATIONS.len()).map_err(error)?;
    match found {
        Found::Newer(found) => {
            return Err(JournalError::Newer {
                path: path.to_owned(),
                found,
                known: schema::number(MIGRATIONS.len()),
            });
        }
        Found::Foreign => {
            return Err(JournalError::Corrupt {
                path: path.to_owned(),
                why: "it is another program's database".to_owned(),
            });
        }
        Found::Empty => {}
        Found::Version(_) => check_key(&connection, path, sealer)?,
    }
    if !matches!(found, Found::Version(version) if version == MIGRATIONS.len())
        || !logs_ahead(&connection).map_err(error)?
    {
        // Changing the mode fails at once when two processes try; SQLite does not wait here.
        let _alone = files::lock_beside(path).map_err(system)?;
        if !logs_ahead(&connection).map_err(error)? {
            let set = connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()));
            set.map_err(|failed| error(failed.into()))?;
        }
        schema::migrate(&mut connection, path, MIGRATIONS).map_err(error)?;
        check_key(&connection, path, sealer)?;
    }
    Ok(connection)
}

/// Is the file in the mode that a new one, or a backup that was put back, is not in yet?
fn logs_ahead(connection: &Connection) -> Res<bool> {
    let mode: String = connection.query_row("pragma journal_mode", [], |row| row.get(0))?;
    Ok(mode == "wal")
}

const KEY_CHECK: &str = "key check";

/// Refuses a key that is not the one the journal was made with. The first key is remembered.
fn check_key(connection: &Connection, path: &Path, sealer: &Sealer) -> Result<(), JournalError> {
    let kept = || -> Res<Option<Vec<u8>>> {
        let mut statement = connection.prepare_cached("select value from meta where key = ?1")?;
        Ok(statement.query_row([KEY_CHECK], |row| row.get(0)).optional()?)
    };
    let remember = || -> Res<()> {
        let check = sealer.seal(KEY_CHECK, &Value::Null);
        let sql = "insert into meta(key, value) values (?1, ?2) on conflict(key) do nothing";
        connection.execute(sql, rusqlite::params![KEY_CHECK, check])?;
        Ok(())
    };
    let error = |fault| fault_to_error(path, fault);
    if kept().map_err(error)?.is_none() {
        remember().map_err(error)?;
    }
    match kept().map_err(error)? {
        Some(check) if sealer.open(KEY_CHECK, &check).is_ok() => Ok(()),
        _ => Err(JournalError::WrongKey {
            path: path.to_owned(),
        }),
    }
}

/// A connection with the settings that every one has.
fn connect(path: &Path, max_pages: Option<u32>) -> Res<Connection> {
    let mut connection = Connection::open(path)?;
    // SQLite's own waiting sleeps up to a tenth of a second between attempts, and can miss every gap of a busy writer.
    let nap = Duration::from_millis(1);
    connection.busy_handler(Some(move |tries: i32| {
        std::thread::sleep(nap);
        u128::try_from(tries).is_ok_and(|tries| tries * nap.as_millis() < BUSY.as_millis())
    }))?;
    connection.set_prepared_statement_cache_capacity(64);
    // A log that is left behind spares a program that only says hello several synchronisations at its end.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection
        .execute_batch("pragma synchronous = full; pragma foreign_keys = on; pragma trusted_schema = off;")?;
    if let Some(pages) = max_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(connection)
}

fn wal_of(path: &Path) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push("-wal");
    PathBuf::from(text)
}

fn unusable(path: &Path, why: String) -> JournalError {
    JournalError::Unusable {
        path: path.to_owned(),
        why,
    }
}

fn fault_to_error(path: &Path, fault: Fault) -> JournalError {
    let path = path.to_owned();
    let why = fault.to_string();
    let Fault::Sql(error) = fault else {
        return JournalError::Unusable { path, why };
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => JournalError::Full { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Busy { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => JournalError::Corrupt { path, why },
        _ => JournalError::Unusable { path, why },
    }
}

//! Opening a journal's file: made when there is none, checked, brought up to date; one that cannot be written is read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::super::Journal;
use super::super::error::JournalError;
use super::super::files::{self, beside};
use super::super::replacement;
use super::super::seal::Sealer;
use super::super::table::{Fault, Res};
use super::count::{LedgerCount, lost, path_beside};
use super::schema::{self, Found, MIGRATIONS};
use super::{fault_to_error, unusable};
use crate::sabotage::Sabotage;
use crate::value::Value;

/// How long another process's transaction is waited for, where nobody is told that it is.
const BUSY: Duration = Duration::from_secs(10);

/// Between two attempts at a lock.
pub(super) const NAP: Duration = Duration::from_millis(1);

/// An open file.
pub(super) struct Opened {
    pub(super) reader: Connection,
    /// Why nothing may be written, if so.
    pub(super) unwritable: Option<JournalError>,
    /// What seals this file's values.
    pub(super) sealer: Sealer,
    /// What was strange, a sentence each without a full stop.
    pub(super) notices: Vec<String>,
    /// The copy of the file as it was, when it was brought up to date.
    pub(super) migrated: Option<PathBuf>,
}

/// Opens, checks and if need be makes or migrates the file.
pub(super) fn open(path: &Path, sealer: &Sealer) -> Result<Opened, JournalError> {
    match open_to_write(path, sealer) {
        Err(error @ (JournalError::Unusable { .. } | JournalError::Full { .. })) => {
            open_to_read(path, sealer)
                .ok_or_else(|| error.clone())
                .map(|mut opened| {
                    opened.unwritable = Some(match error {
                        JournalError::Unusable { path, why } => JournalError::ReadOnly { path, why },
                        other => other,
                    });
                    opened
                })
        }
        opened => opened,
    }
}

fn open_to_write(path: &Path, sealer: &Sealer) -> Result<Opened, JournalError> {
    let error = |fault| fault_to_error(path, fault);
    let system = |failed: io::Error| unusable(path, failed.to_string());
    replacement::finish(files::folder_of(path)).map_err(system)?;
    files::make_private_folder(files::folder_of(path)).map_err(system)?;
    // Before the database is read: it may only be newer.
    let counted = LedgerCount::read_beside(path, sealer);
    let mut notices = missing(path, counted)?;
    // SQLite gives its -wal and -shm files the rights of the database.
    drop(files::create_private(path).map_err(system)?);
    let (mut connection, mut alone) = connect_settled(path)?;
    let found = schema::look(&connection, MIGRATIONS.len()).map_err(error)?;
    // Only now: another process that makes the file has written to the log by the time its tables are seen.
    let log = fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
    let is_bare = log == 0 && alone.is_none();
    let (mut is_settled, mut copy) = (false, None);
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
        // A moment after another process made the file, no key may be remembered yet.
        Found::Version(_) => match has_key(&connection, sealer).map_err(error)? {
            Some(false) => return Err(wrong_key(path)),
            Some(true) => is_settled = true,
            None => {}
        },
    }
    let migrates = !matches!(found, Found::Version(version) if version == MIGRATIONS.len());
    if migrates || !is_settled || alone.is_some() {
        if alone.is_none() {
            alone = Some(files::lock_beside(path).map_err(system)?);
        }
        log_ahead(&connection, path)?;
        copy = schema::migrate(&mut connection, path, MIGRATIONS).map_err(error)?;
        remember_key(&connection, sealer).map_err(error)?;
        if has_key(&connection, sealer).map_err(error)? != Some(true) {
            return Err(wrong_key(path));
        }
    }
    drop(alone);
    let own = digests_of(&connection, "meta", sealer).map_err(error)?;
    let sealer = own.unwrap_or_else(|| sealer.clone());
    let count = count_once(&mut connection, &sealer, migrates).map_err(error)?;
    let lost = counted.map_or(0, |counted| counted.changes - count.changes);
    let unwritable = (lost > 0).then(|| JournalError::Incomplete {
        path: path.to_owned(),
        lost,
    });
    // A file of an earlier version has no count. One of this version that has neither a log nor a count came alone; that is
    // told until its ledger is changed.
    if counted.is_none() && is_bare && !migrates {
        notices.push(format!(
            "the journal {} has no log file: if it was copied while provisor ran, its latest records are missing",
            path.display()
        ));
    } else if counted.is_none() {
        count.write_beside(path, &sealer).map_err(system)?;
    }
    Ok(Opened {
        reader: connection,
        unwritable,
        sealer,
        notices,
        migrated: copy,
    })
}

/// Is the file missing, though there was one?
fn missing(path: &Path, counted: Option<LedgerCount>) -> Result<Vec<String>, JournalError> {
    // First of all: another process that makes the file makes these after it.
    let (was_there, is_counted) = (Journal::was_in(path), path_beside(path).exists());
    let is_missing = fs::metadata(path).map_or(true, |file| file.len() == 0);
    if !is_missing || !was_there {
        return Ok(Vec::new());
    }
    match lost(path, is_counted, counted.map(|counted| counted.entries)) {
        JournalError::Missing { .. } => Ok(vec![format!(
            "the journal {} was missing; a new one was created",
            path.display()
        )]),
        gone => Err(gone),
    }
}

/// A connection to the file. One that is being made, or put back from a backup, is this process's alone as long as the
/// lock lives, and so is the rolling back of what a killed process had begun.
pub(super) fn connect_settled(path: &Path) -> Result<(Connection, Option<File>), JournalError> {
    let error = |fault| fault_to_error(path, fault);
    if logs_ahead_by_header(path) {
        let connection = connect(path, None).map_err(error)?;
        if logs_ahead(&connection).map_err(error)? {
            return Ok((connection, None));
        }
    }
    let alone = files::lock_beside(path).map_err(|failed| unusable(path, failed.to_string()))?;
    // Only now: the file may have been replaced while the lock was waited for.
    Ok((connect(path, None).map_err(error)?, Some(alone)))
}

/// Does the file itself say that it writes a log ahead? SQLite is not asked: it would roll back what is half made.
fn logs_ahead_by_header(path: &Path) -> bool {
    let mut header = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header[18..] == [2, 2]
}

/// Is the file in the mode that a new one, or a backup that was put back, is not in yet?
pub(super) fn logs_ahead(connection: &Connection) -> Res<bool> {
    let mode: String = connection.query_row("pragma journal_mode", [], |row| row.get(0))?;
    Ok(mode == "wal")
}

/// Makes the file write its log ahead. SQLite says in its answer when it does not.
pub(super) fn log_ahead(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let set = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
    match set {
        Ok(mode) if mode == "wal" => Ok(()),
        Ok(mode) => Err(unusable(
            path,
            format!("it cannot be given a write-ahead log (its journal mode stays `{mode}`)"),
        )),
        Err(failed) => Err(fault_to_error(path, failed.into())),
    }
}

/// The count in the database; taken anew when there is none yet, and after a migration, which may have joined entries.
fn count_once(connection: &mut Connection, sealer: &Sealer, anew: bool) -> Res<LedgerCount> {
    if let (false, Some(count)) = (anew, LedgerCount::read(connection, sealer)?) {
        return Ok(count);
    }
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let known = LedgerCount::read(&transaction, sealer)?;
    let counted = LedgerCount::recount(&transaction)?;
    let count = LedgerCount {
        changes: known.map_or(counted.changes, |known| known.changes),
        ..counted
    };
    count.write(&transaction, sealer)?;
    transaction.commit()?;
    Ok(count)
}

/// A connection for reading a file on a disk that cannot be written, when it is one of this version and this key.
fn open_to_read(path: &Path, sealer: &Sealer) -> Option<Opened> {
    let ways = [with_its_log, with_a_log_of_its_own, without_log];
    let mut connections = ways.into_iter().filter_map(|way| way(path).ok());
    let is_ours = |connection: &Connection| {
        let found = schema::look(connection, MIGRATIONS.len());
        matches!(found, Ok(Found::Version(version)) if version == MIGRATIONS.len())
    };
    let reader = connections.find(is_ours)?;
    has_key(&reader, sealer).ok()?.filter(|fits| *fits)?;
    Some(Opened {
        sealer: digests_of(&reader, "meta", sealer)
            .ok()?
            .unwrap_or_else(|| sealer.clone()),
        reader,
        unwritable: None,
        notices: Vec::new(),
        migrated: None,
    })
}

fn read_only() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// As other processes see it: the log and its index are there.
fn with_its_log(path: &Path) -> Res<Connection> {
    Ok(Connection::open_with_flags(path, read_only())?)
}

/// The index of the log is missing, and cannot be made: it is kept in memory. Nobody else can write.
fn with_a_log_of_its_own(path: &Path) -> Res<Connection> {
    let connection = Connection::open_with_flags_and_vfs(path, read_only(), c"unix-none")?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    Ok(connection)
}

/// There is no log, and none can be made.
fn without_log(path: &Path) -> Res<Connection> {
    let Some(name) = path.to_str().filter(|_| !beside(path, "-wal").exists()) else {
        return Err(Fault::Data("it has a log".to_owned()));
    };
    let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = read_only() | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(
        format!("file:{escaped}?immutable=1"),
        flags,
    )?)
}

const KEY_CHECK: &str = "key check";
pub(super) const DIGEST_KEY: &str = "digest key";

/// Is the key the one that the journal was made with? `None` while none is remembered.
fn has_key(connection: &Connection, sealer: &Sealer) -> Res<Option<bool>> {
    let kept = kept(connection, "meta", KEY_CHECK)?;
    Ok(kept.map(|check| sealer.open(KEY_CHECK, &check).is_ok()))
}

fn wrong_key(path: &Path) -> JournalError {
    JournalError::WrongKey {
        path: path.to_owned(),
    }
}

/// The first key is remembered.
fn remember_key(connection: &Connection, sealer: &Sealer) -> Res<()> {
    let check = sealer.seal(KEY_CHECK, &Value::Null);
    let sql = "insert into meta(key, value) values (?1, ?2) on conflict(key) do nothing";
    connection.execute(sql, rusqlite::params![KEY_CHECK, check])?;
    Ok(())
}

/// The sealer with the digests that the file was made with, when its key has changed since: they name what it holds.
pub(super) fn digests_of(connection: &Connection, table: &str, sealer: &Sealer) -> Res<Option<Sealer>> {
    let kept = kept(connection, table, DIGEST_KEY)?;
    let kept = kept.and_then(|sealed| sealer.open(DIGEST_KEY, &sealed).ok());
    Ok(kept.and_then(|kept| sealer.digesting_with(&kept)))
}

fn kept(connection: &Connection, table: &str, key: &str) -> Res<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached(&format!("select value from {table} where key = ?1"))?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// A connection with the settings that every one has.
pub(super) fn connect(path: &Path, max_pages: Option<u32>) -> Res<Connection> {
    let mut connection = Connection::open(path)?;
    // SQLite's own waiting sleeps up to a tenth of a second between attempts, and can miss every gap of a busy writer.
    connection.busy_handler(Some(|tries: i32| {
        std::thread::sleep(NAP);
        u128::try_from(tries).is_ok_and(|tries| tries * NAP.as_millis() < BUSY.as_millis())
    }))?;
    connection.set_prepared_statement_cache_capacity(64);
    // A log that is left behind spares a program that only says hello several synchronisations at its end.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection
        .execute_batch("pragma synchronous = full; pragma foreign_keys = on; pragma trusted_schema = off;")?;
    if Sabotage::NotSynced.is_on() {
        connection.execute_batch("pragma synchronous = off")?;
    }
    if let Some(pages) = max_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// With less than `full`, SQLite answers a commit before its log is on disk.
    #[test]
    fn every_connection_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let made = connect(&folder.path().join("made.db"), None).unwrap();
        let level: i64 = made
            .query_row("pragma synchronous", [], |row| row.get(0))
            .unwrap();
        assert_eq!(level, 2);
    }

    /// What a disk that cannot be written holds, in each state that a journal may be in.
    #[test]
    fn a_file_is_read_without_making_anything_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.db");
        let made = connect(&path, None).unwrap();
        log_ahead(&made, &path).unwrap();
        made.execute_batch("create table a(b); insert into a values (7)")
            .unwrap();
        for way in [with_a_log_of_its_own as fn(&Path) -> Res<Connection>, without_log] {
            let is_folded = std::ptr::fn_addr_eq(way, without_log as fn(&Path) -> Res<Connection>);
            let copy = folder.path().join(format!("copy {is_folded}?#%.db"));
            if is_folded {
                made.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
                    .unwrap();
            } else {
                fs::copy(beside(&path, "-wal"), beside(&copy, "-wal")).unwrap();
            }
            fs::copy(&path, &copy).unwrap();
            let names = || fs::read_dir(folder.path()).unwrap().count();
            let before = names();
            let reader = way(&copy).unwrap();
            let found: i64 = reader.query_row("select b from a", [], |row| row.get(0)).unwrap();
            assert_eq!((found, names()), (7, before));
            assert!(reader.execute("insert into a values (8)", []).is_err());
            drop(reader);
            assert_eq!(names(), before);
        }
    }
}

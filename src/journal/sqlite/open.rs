//! Opens a journal file: creates, checks or migrates it, and falls back to read-only.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::super::Journal;
use super::super::error::JournalError;
use super::super::files::{self, beside};
use super::super::lock::Locks;
use super::super::replacement;
use super::super::seal::Sealer;
use super::super::table::{Res, StoreError};
use super::count::{LedgerCount, count_file_path, lost};
use super::schema::{self, Found, MIGRATIONS};
use super::{fault_to_error, unusable};
use crate::sabotage::Sabotage;
use crate::value::Value;

/// How long to wait silently for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause between two attempts at a lock.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// An opened file.
pub(super) struct Opened {
    pub(super) reader: Connection,
    /// Why nothing may be written, if so.
    pub(super) unwritable: Option<JournalError>,
    /// The sealer for the values of this file.
    pub(super) sealer: Sealer,
    /// The irregularities found, each a sentence without a full stop.
    pub(super) notices: Vec<String>,
    /// The backup of the original file if it was migrated.
    pub(super) migrated: Option<PathBuf>,
}

/// Opens and checks the file, creating or migrating it if needed.
pub(super) fn open(path: &Path, sealer: &Sealer) -> Result<Opened, JournalError> {
    match open_to_write(path, sealer) {
        Err(
            error @ (JournalError::Unusable { .. }
            | JournalError::Full { .. }
            | JournalError::MigrationBusy { .. }
            | JournalError::NoRoomToMigrate { .. }),
        ) => open_to_read(path, sealer)
            .ok_or_else(|| error.clone())
            .map(|mut opened| {
                opened.unwritable = Some(match error {
                    JournalError::Unusable { path, reason } => JournalError::ReadOnly { path, reason },
                    other => other,
                });
                opened
            }),
        opened => opened,
    }
}

fn open_to_write(path: &Path, sealer: &Sealer) -> Result<Opened, JournalError> {
    let error = |fault| fault_to_error(path, fault);
    let system = |failed: io::Error| unusable(path, failed.to_string());
    replacement::finish(files::folder_of(path)).map_err(system)?;
    files::make_private_folder(files::folder_of(path)).map_err(system)?;
    // Read before the database, which can then only be newer.
    let counted = LedgerCount::read_count_file(path, sealer);
    let mut notices = missing(path, counted)?;
    // SQLite gives its -wal and -shm files the permissions of the database.
    drop(files::create_private(path).map_err(system)?);
    let (mut connection, mut exclusive_lock) = connect_settled(path)?;
    let found = schema::look(&connection, MIGRATIONS.len()).map_err(error)?;
    // Not earlier: another process that creates the file has written to the log by the time its tables are visible.
    let log = fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
    let is_bare = log == 0 && exclusive_lock.is_none();
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
                reason: "it is another program's database".to_owned(),
            });
        }
        Found::Empty => {}
        // Just after another process created the file, no key may be recorded yet.
        Found::Version(_) => match has_key(&connection, sealer).map_err(error)? {
            Some(false) => return Err(wrong_key(path)),
            Some(true) => is_settled = true,
            None => {}
        },
    }
    let migrates = !matches!(found, Found::Version(version) if version == MIGRATIONS.len());
    if migrates || !is_settled || exclusive_lock.is_some() {
        if exclusive_lock.is_none() {
            exclusive_lock = Some(files::lock_beside(path).map_err(system)?);
        }
        enable_wal(&connection, path)?;
        copy = migrate(&mut connection, path)?;
        remember_key(&connection, sealer).map_err(error)?;
        if has_key(&connection, sealer).map_err(error)? != Some(true) {
            return Err(wrong_key(path));
        }
    }
    drop(exclusive_lock);
    let own = digests_of(&connection, "meta", sealer).map_err(error)?;
    let sealer = own.unwrap_or_else(|| sealer.clone());
    let count = count_once(&mut connection, &sealer, migrates).map_err(error)?;
    let lost = counted.map_or(0, |counted| counted.changes - count.changes);
    let unwritable = (lost > 0).then(|| JournalError::Incomplete {
        path: path.to_owned(),
        lost,
    });
    // A file of an earlier version has no count. One of this version with neither a log nor a count was copied alone;
    // that is reported until its ledger is changed.
    if counted.is_none() && is_bare && !migrates {
        notices.push(format!(
            "the journal {} has no log file: if it was copied while provisor ran, its latest records are missing",
            path.display()
        ));
    } else if counted.is_none() {
        count.write_count_file(path, &sealer).map_err(system)?;
    }
    Ok(Opened {
        reader: connection,
        unwritable,
        sealer,
        notices,
        migrated: copy,
    })
}

/// Migrates the file, unless a process of an earlier version is executing a run: what it records after the migration
/// would be lost. The caller holds the lock for opening; from then on, earlier versions do not open the file.
fn migrate(connection: &mut Connection, path: &Path) -> Result<Option<PathBuf>, JournalError> {
    let error = |fault| fault_to_error(path, fault);
    let found = schema::look(connection, MIGRATIONS.len()).map_err(error)?;
    let locks = Locks::new(Some(path));
    if matches!(found, Found::Version(version) if version < MIGRATIONS.len())
        && let Some(run) = locks.any_held_run()
    {
        return Err(JournalError::MigrationBusy {
            path: path.to_owned(),
            pid: locks.holder(&run),
            run,
        });
    }
    let migrated = schema::migrate(connection, path, MIGRATIONS).map_err(error);
    migrated.map_err(|error| match error {
        JournalError::Copy { .. } | JournalError::Full { .. } => JournalError::NoRoomToMigrate {
            path: path.to_owned(),
            reason: error.to_string(),
            needs: room_to_migrate(path),
        },
        other => other,
    })
}

/// Returns the free space, in bytes, that suffices to migrate a file. Measured from version 3: the backup takes its size
/// once, the log 2.2 times, and the file grows by 1.2 times its size.
fn room_to_migrate(path: &Path) -> u64 {
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    (length(path) + length(&beside(path, "-wal"))) * 5
}

/// Returns a notice if the file has disappeared, or an error if its ledger may have had entries.
fn missing(path: &Path, counted: Option<LedgerCount>) -> Result<Vec<String>, JournalError> {
    // Checked first: another process that creates the file creates these after it.
    let (was_there, is_counted) = (Journal::held_journal(path), count_file_path(path).exists());
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

/// Opens a connection. While the lock is held, a file that is being created or restored from a backup belongs to this
/// process alone, and so does the rollback of what a killed process had begun.
pub(super) fn connect_settled(path: &Path) -> Result<(Connection, Option<File>), JournalError> {
    let error = |fault| fault_to_error(path, fault);
    if header_uses_wal(path) {
        let connection = connect(path, None).map_err(error)?;
        if uses_wal(&connection).map_err(error)? {
            return Ok((connection, None));
        }
    }
    let exclusive_lock = files::lock_beside(path).map_err(|failed| unusable(path, failed.to_string()))?;
    // Not earlier: the file may have been replaced while this waited for the lock.
    Ok((connect(path, None).map_err(error)?, Some(exclusive_lock)))
}

/// Whether the file's header claims a write-ahead log. SQLite is not used: it would roll back a half-made file.
fn header_uses_wal(path: &Path) -> bool {
    let mut header = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header[18..] == [2, 2]
}

/// Whether the file uses a write-ahead log, which a new file, or a restored backup, does not yet.
pub(super) fn uses_wal(connection: &Connection) -> Res<bool> {
    let mode: String = connection.query_row("pragma journal_mode", [], |row| row.get(0))?;
    Ok(mode == "wal")
}

/// Switches the file to a write-ahead log. SQLite reports a failure to do so only in its result.
pub(super) fn enable_wal(connection: &Connection, path: &Path) -> Result<(), JournalError> {
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

/// Returns the count in the database; recounts if there is none, and after a migration, which may merge entries.
fn count_once(connection: &mut Connection, sealer: &Sealer, force: bool) -> Res<LedgerCount> {
    if let (false, Some(count)) = (force, LedgerCount::read(connection, sealer)?) {
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

/// Opens a file that cannot be written, if it is sealed with this key. One of an earlier version is migrated in a copy.
fn open_to_read(path: &Path, sealer: &Sealer) -> Option<Opened> {
    let openers = [open_with_wal, open_with_private_wal_index, open_without_wal];
    let mut connections = openers.into_iter().filter_map(|opener| opener(path).ok());
    let (reader, version) =
        connections.find_map(|connection| match schema::look(&connection, MIGRATIONS.len()) {
            Ok(Found::Version(version)) => Some((connection, version)),
            _ => None,
        })?;
    has_key(&reader, sealer).ok()?.filter(|fits| *fits)?;
    let reader = if version == MIGRATIONS.len() {
        reader
    } else {
        migrated_copy(&reader, version, sealer).ok()?
    };
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

/// Copies a database of an earlier version into a temporary one, which SQLite keeps in memory or in the folder for
/// temporary files until the connection is closed, and migrates the copy.
fn migrated_copy(original: &Connection, version: usize, sealer: &Sealer) -> Res<Connection> {
    let mut copy = configure(Connection::open("")?)?;
    Backup::new(original, &mut copy)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
    schema::migrate_copy(&mut copy, version)?;
    count_once(&mut copy, sealer, true)?;
    Ok(copy)
}

fn read_only() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Opens it as other processes do: the log and its index exist.
fn open_with_wal(path: &Path) -> Res<Connection> {
    Ok(Connection::open_with_flags(path, read_only())?)
}

/// Opens it with the log's index in memory, as it is missing and cannot be created. No other process can write.
fn open_with_private_wal_index(path: &Path) -> Res<Connection> {
    let connection = Connection::open_with_flags_and_vfs(path, read_only(), c"unix-none")?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    Ok(connection)
}

/// Opens it without a log, as none exists and none can be created.
fn open_without_wal(path: &Path) -> Res<Connection> {
    let Some(name) = path.to_str().filter(|_| !beside(path, "-wal").exists()) else {
        return Err(StoreError::Data("it has a log".to_owned()));
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

/// Whether the key is the one the journal was created with, or `None` if none is recorded.
fn has_key(connection: &Connection, sealer: &Sealer) -> Res<Option<bool>> {
    let kept = kept(connection, "meta", KEY_CHECK)?;
    Ok(kept.map(|check| sealer.open(KEY_CHECK, &check).is_ok()))
}

fn wrong_key(path: &Path) -> JournalError {
    JournalError::WrongKey {
        path: path.to_owned(),
    }
}

/// Records the key, unless one is recorded already.
fn remember_key(connection: &Connection, sealer: &Sealer) -> Res<()> {
    let check = sealer.seal(KEY_CHECK, &Value::Null);
    let sql = "insert into meta(key, value) values (?1, ?2) on conflict(key) do nothing";
    connection.execute(sql, rusqlite::params![KEY_CHECK, check])?;
    Ok(())
}

/// Returns a sealer with the file's original digests, which name its content, if its key has changed since.
pub(super) fn digests_of(connection: &Connection, table: &str, sealer: &Sealer) -> Res<Option<Sealer>> {
    let kept = kept(connection, table, DIGEST_KEY)?;
    let kept = kept.and_then(|sealed| sealer.open(DIGEST_KEY, &sealed).ok());
    Ok(kept.and_then(|kept| sealer.with_digest_key(&kept)))
}

fn kept(connection: &Connection, table: &str, key: &str) -> Res<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached(&format!("select value from {table} where key = ?1"))?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Opens a connection to a file.
pub(super) fn connect(path: &Path, max_pages: Option<u32>) -> Res<Connection> {
    let connection = configure(Connection::open(path)?)?;
    // Without a checkpoint on close, a command that does almost nothing saves several syncs at its end.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if let Some(pages) = max_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(connection)
}

/// Creates a database of the newest version that lives as long as its connection.
pub(super) fn in_memory(sealer: &Sealer) -> Res<Connection> {
    let mut connection = configure(Connection::open_in_memory()?)?;
    schema::migrate(&mut connection, Path::new(""), MIGRATIONS)?;
    count_once(&mut connection, sealer, false)?;
    Ok(connection)
}

/// Applies the settings common to all connections.
fn configure(mut connection: Connection) -> Res<Connection> {
    // SQLite's own handler sleeps up to 100 ms between attempts and can miss every gap of a busy writer.
    connection.busy_handler(Some(|tries: i32| {
        std::thread::sleep(POLL_INTERVAL);
        u128::try_from(tries).is_ok_and(|tries| tries * POLL_INTERVAL.as_millis() < BUSY_TIMEOUT.as_millis())
    }))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch("pragma synchronous = full; pragma trusted_schema = off;")?;
    if Sabotage::NotSynced.is_on() {
        connection.execute_batch("pragma synchronous = off")?;
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Below `full`, SQLite confirms a commit before its log is on disk.
    #[test]
    fn every_sqlite_connection_uses_synchronous_full() {
        let folder = tempfile::tempdir().unwrap();
        let made = connect(&folder.path().join("made.db"), None).unwrap();
        let level: i64 = made
            .query_row("pragma synchronous", [], |row| row.get(0))
            .unwrap();
        assert_eq!(level, 2);
    }

    /// Covers each state in which a read-only disk may hold a journal.
    #[test]
    fn read_only_open_creates_no_files_beside_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.db");
        let made = connect(&path, None).unwrap();
        enable_wal(&made, &path).unwrap();
        made.execute_batch("create table a(b); insert into a values (7)")
            .unwrap();
        for opener in [
            open_with_private_wal_index as fn(&Path) -> Res<Connection>,
            open_without_wal,
        ] {
            let is_folded = std::ptr::fn_addr_eq(opener, open_without_wal as fn(&Path) -> Res<Connection>);
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
            let reader = opener(&copy).unwrap();
            let found: i64 = reader.query_row("select b from a", [], |row| row.get(0)).unwrap();
            assert_eq!((found, names()), (7, before));
            assert!(reader.execute("insert into a values (8)", []).is_err());
            drop(reader);
            assert_eq!(names(), before);
        }
    }

    /// Creates a journal of version 3 with a run, as it is left by a process that has ended.
    fn version_3(path: &Path, sealer: &Sealer) {
        let mut made = connect(path, None).unwrap();
        enable_wal(&made, path).unwrap();
        schema::migrate(&mut made, path, &MIGRATIONS[..3]).unwrap();
        remember_key(&made, sealer).unwrap();
        let content = "insert into run(id, name, sources, params, plan, has_rows, status, created_ms, changed_ms, rules)
                           values ('rold1', 'a', '[]', x'00', x'00', 1, 1, 1, 1, 2);
                       insert into row(run, position, scope, status, input) values ('rold1', 0, 'i1', 0, x'01');
                       insert into ledger(account, sort, name, value, created_ms, changed_ms)
                           values ('acc', 'tenant', 'ann', x'02', 1, 1);";
        made.execute_batch(content).unwrap();
    }

    fn version_of(connection: &Connection) -> i64 {
        connection
            .query_row("pragma user_version", [], |row| row.get(0))
            .unwrap()
    }

    /// Asserts that the file is unchanged, and that all of it can be read in the newest format.
    fn is_read_in_a_copy(path: &Path, opened: &Opened) {
        assert_eq!(version_of(&Connection::open(path).unwrap()), 3);
        assert!(!schema::backup_path(path, 3).exists());
        assert_eq!((version_of(&opened.reader), &opened.migrated), (4, &None));
        let rows = "select count(*) from row join run on run.seq = row.run where run.id = 'rold1'";
        let rows: i64 = opened.reader.query_row(rows, [], |row| row.get(0)).unwrap();
        let count = LedgerCount::read(&opened.reader, &opened.sealer).unwrap();
        assert_eq!((rows, count.map(|count| count.entries)), (1, Some(1)));
    }

    #[test]
    fn an_older_journal_is_not_migrated_while_a_run_of_it_is_in_progress() {
        let (folder, sealer) = (tempfile::tempdir().unwrap(), Sealer::new(&[3; 32]));
        let path = folder.path().join("journal.db");
        version_3(&path, &sealer);
        fs::create_dir(folder.path().join("locks")).unwrap();
        let lock = File::create(folder.path().join("locks/rold1.lock")).unwrap();
        lock.lock().unwrap();
        fs::write(folder.path().join("locks/rold1.lock"), "4711").unwrap();

        let opened = open(&path, &sealer).unwrap();
        assert!(
            matches!(
                &opened.unwritable,
                Some(JournalError::MigrationBusy { run, pid: Some(4711), .. }) if run.as_str() == "rold1"
            ),
            "{:?}",
            opened.unwritable
        );
        is_read_in_a_copy(&path, &opened);

        lock.unlock().unwrap();
        let opened = open(&path, &sealer).unwrap();
        assert_eq!(version_of(&opened.reader), 4);
        assert!(opened.unwritable.is_none() && opened.migrated.is_some());
    }

    #[test]
    fn an_older_journal_that_cannot_be_migrated_is_read_in_a_copy() {
        let (folder, sealer) = (tempfile::tempdir().unwrap(), Sealer::new(&[3; 32]));
        let path = folder.path().join("journal.db");
        version_3(&path, &sealer);
        // A folder in place of the backup prevents writing it; a file in place of a folder, opening the journal to write.
        let (no_copy, no_write) = (
            beside(&schema::backup_path(&path, 3), ".part"),
            folder.path().join("replacement"),
        );
        fs::create_dir(&no_copy).unwrap();
        let opened = open(&path, &sealer).unwrap();
        let length = fs::metadata(&path).unwrap().len();
        assert!(
            matches!(
                &opened.unwritable,
                Some(JournalError::NoRoomToMigrate { needs, .. }) if *needs >= 5 * length
            ),
            "{:?}",
            opened.unwritable
        );
        is_read_in_a_copy(&path, &opened);
        fs::remove_dir(&no_copy).unwrap();

        fs::write(&no_write, "").unwrap();
        let opened = open(&path, &sealer).unwrap();
        assert!(matches!(opened.unwritable, Some(JournalError::ReadOnly { .. })));
        is_read_in_a_copy(&path, &opened);
        fs::remove_file(&no_write).unwrap();

        let opened = open(&path, &sealer).unwrap();
        assert_eq!(version_of(&opened.reader), 4);
        assert!(opened.unwritable.is_none() && opened.migrated.is_some());
    }
}

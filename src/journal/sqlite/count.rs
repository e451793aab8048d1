//! The number of ledger entries, kept sealed in the database and in a file next to it.
//!
//! SQLite silently ignores a log that is missing or damaged, leaving an older but sound database. The file next to it
//! records the last ledger change that was on disk, so that an older database can be recognised.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::error::JournalError;
use super::super::files::{self, beside};
use super::super::seal::Sealer;
use super::super::table::Res;
use crate::value::Value;

/// The recorded size of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LedgerCount {
    /// The number of entries.
    pub(super) entries: i64,
    /// The number of transactions that have changed it.
    pub(super) changes: i64,
}

/// The row of `meta` that holds it, and the place it is sealed for.
const KEY: &str = "ledger count";

impl LedgerCount {
    /// Returns the count in the database, or `None` if there is no readable one.
    pub(super) fn read(connection: &Connection, sealer: &Sealer) -> Res<Option<LedgerCount>> {
        let mut statement = connection.prepare_cached("select value from meta where key = ?1")?;
        let bytes: Option<Vec<u8>> = statement.query_row([KEY], |row| row.get(0)).optional()?;
        Ok(bytes.and_then(|bytes| LedgerCount::open(&bytes, sealer)))
    }

    /// Writes it to the database, inside the caller's transaction.
    pub(super) fn write(self, connection: &Connection, sealer: &Sealer) -> Res<()> {
        connection
            .prepare_cached("insert or replace into meta(key, value) values (?1, ?2)")?
            .execute(params![KEY, self.seal(sealer)])?;
        Ok(())
    }

    /// Counts the entries of a database without a count, inside the caller's transaction.
    pub(super) fn recount(connection: &Connection) -> Res<LedgerCount> {
        let entries = connection.query_row("select count(*) from ledger", [], |row| row.get(0))?;
        Ok(LedgerCount {
            entries,
            changes: entries,
        })
    }

    /// Records that a transaction has added this many entries; negative if it removed some.
    pub(super) fn advance(connection: &Connection, sealer: &Sealer, more: i64) -> Res<LedgerCount> {
        let mut count = match LedgerCount::read(connection, sealer)? {
            Some(count) => LedgerCount {
                entries: count.entries + more,
                ..count
            },
            None => LedgerCount::recount(connection)?,
        };
        count.changes += 1;
        count.write(connection, sealer)?;
        Ok(count)
    }

    /// Returns the count next to the database, or `None` if there is no readable one.
    pub(super) fn read_count_file(database: &Path, sealer: &Sealer) -> Option<LedgerCount> {
        LedgerCount::open(&fs::read(count_file_path(database)).ok()?, sealer)
    }

    /// Writes it next to the database, without syncing: its content is already on disk in the database.
    pub(super) fn write_count_file(self, database: &Path, sealer: &Sealer) -> io::Result<()> {
        let mut file: File = files::create_private(&count_file_path(database))?;
        file.rewind()?;
        // The length never changes, so a concurrent reader cannot see half of it.
        file.write_all(&self.seal(sealer))
    }

    fn seal(self, sealer: &Sealer) -> Vec<u8> {
        let numbers = [self.entries, self.changes].map(Value::Int);
        sealer.seal(KEY, &Value::List(numbers.to_vec()))
    }

    fn open(bytes: &[u8], sealer: &Sealer) -> Option<LedgerCount> {
        match sealer.open(KEY, bytes).ok()? {
            Value::List(numbers) => match *numbers.as_slice() {
                [Value::Int(entries), Value::Int(changes)] => Some(LedgerCount { entries, changes }),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Returns the number of entries by the count next to a database, or `None` if there is no readable one.
pub(in super::super) fn entries_from_count_file(database: &Path, sealer: &Sealer) -> Option<i64> {
    LedgerCount::read_count_file(database, sealer).map(|count| count.entries)
}

/// Returns the error for a database that has disappeared: gone if its ledger had entries, or may have had some because
/// the count next to it cannot be opened; otherwise missing.
pub(in super::super) fn lost(path: &Path, is_counted: bool, entries: Option<i64>) -> JournalError {
    let path = path.to_owned();
    if is_counted && entries.is_none_or(|entries| entries > 0) {
        return JournalError::Gone { path };
    }
    JournalError::Missing { path }
}

/// Returns the path of the count next to a database.
pub(in super::super) fn count_file_path(database: &Path) -> PathBuf {
    beside(database, "-count")
}

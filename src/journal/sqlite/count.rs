//! How many entries the ledger has: kept sealed in the database, and in a file beside it.
//!
//! SQLite leaves out what stood in a log that is missing or damaged without a word, and what remains is an older, sound
//! database. The file beside it remembers the last change of the ledger that was on disk, so that an older database is
//! told from the last one.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::error::JournalError;
use super::super::files::{self, beside};
use super::super::seal::Sealer;
use super::super::table::Res;
use crate::value::Value;

/// What is remembered of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LedgerCount {
    /// How many entries it has.
    pub(super) entries: i64,
    /// How many transactions have changed it.
    pub(super) changes: i64,
}

/// The row of `meta` that holds it, and what it is sealed for.
const KEY: &str = "ledger count";

impl LedgerCount {
    /// The count in the database; none when there is none that can be read.
    pub(super) fn read(connection: &Connection, sealer: &Sealer) -> Res<Option<LedgerCount>> {
        let mut statement = connection.prepare_cached("select value from meta where key = ?1")?;
        let bytes: Option<Vec<u8>> = statement.query_row([KEY], |row| row.get(0)).optional()?;
        Ok(bytes.and_then(|bytes| LedgerCount::open(&bytes, sealer)))
    }

    /// Puts it into the database, inside the caller's transaction.
    pub(super) fn write(self, connection: &Connection, sealer: &Sealer) -> Res<()> {
        connection
            .prepare_cached("insert or replace into meta(key, value) values (?1, ?2)")?
            .execute(params![KEY, self.seal(sealer)])?;
        Ok(())
    }

    /// Counts the entries, for a database without a count, inside the caller's transaction.
    pub(super) fn recount(connection: &Connection) -> Res<LedgerCount> {
        let entries = connection.query_row("select count(*) from ledger", [], |row| row.get(0))?;
        Ok(LedgerCount {
            entries,
            changes: entries,
        })
    }

    /// Records that a transaction has brought so many entries more, or less.
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

    /// The count beside the database; none when there is none that can be read.
    pub(super) fn read_beside(database: &Path, sealer: &Sealer) -> Option<LedgerCount> {
        LedgerCount::open(&fs::read(path_beside(database)).ok()?, sealer)
    }

    /// Writes it beside the database. The system writes it back when it likes: what it holds is on disk in the database.
    pub(super) fn write_beside(self, database: &Path, sealer: &Sealer) -> io::Result<()> {
        let mut file: File = files::create_private(&path_beside(database))?;
        file.rewind()?;
        // Always as long as before, so that nobody reads half of it.
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

/// How many entries the count beside a database says; none when there is none that can be read.
pub(in super::super) fn entries_beside(database: &Path, sealer: &Sealer) -> Option<i64> {
    LedgerCount::read_beside(database, sealer).map(|count| count.entries)
}

/// Why there is no database where one was: its ledger had entries, or may have had some, as the count beside it does not
/// open; or nothing tells so.
pub(in super::super) fn lost(path: &Path, is_counted: bool, entries: Option<i64>) -> JournalError {
    let path = path.to_owned();
    if is_counted && entries.is_none_or(|entries| entries > 0) {
        return JournalError::Gone { path };
    }
    JournalError::Missing { path }
}

/// Where the count beside a database is.
pub(in super::super) fn path_beside(database: &Path) -> PathBuf {
    beside(database, "-count")
}

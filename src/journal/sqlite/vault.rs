//! The vault's file: one table. The caller chooses whether writes wait for the disk.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::super::error::JournalError;
use super::super::files;
use super::super::replacement;
use super::super::seal::Sealer;
use super::super::table::Res;
use super::open::{connect_settled, digests_of, enable_wal};
use super::{fault_to_error, unusable};

/// Sealed values by digest. Every call is its own transaction.
pub(in super::super) struct SqliteVault {
    connection: Connection,
    path: PathBuf,
}

impl SqliteVault {
    /// Opens the file, creating it if it does not exist. Values in a `durable` vault survive a power failure.
    pub(in super::super) fn open(path: &Path, durable: bool) -> Result<SqliteVault, JournalError> {
        let system = |failed: std::io::Error| unusable(path, failed.to_string());
        replacement::finish(files::folder_of(path)).map_err(system)?;
        files::make_private_folder(files::folder_of(path)).map_err(system)?;
        drop(files::create_private(path).map_err(system)?);
        let (connection, _alone) = connect_settled(path)?;
        let open = || -> Res<()> {
            // Tokens can be obtained again by signing in, so a power failure may lose the latest.
            let waits = if durable { "full" } else { "normal" };
            connection.pragma_update(None, "synchronous", waits)?;
            let sql =
                "create table if not exists vault(key text primary key, value blob not null) without rowid";
            connection.execute(sql, [])?;
            Ok(())
        };
        enable_wal(&connection, path)?;
        open().map_err(|fault| fault_to_error(path, fault))?;
        Ok(SqliteVault {
            connection,
            path: path.to_owned(),
        })
    }

    /// Returns a sealer with the digests that this file's names were made with.
    pub(in super::super) fn sealer(&self, sealer: &Sealer) -> Result<Sealer, JournalError> {
        let own = digests_of(&self.connection, "vault", sealer);
        let own = own.map_err(|fault| fault_to_error(&self.path, fault))?;
        Ok(own.unwrap_or_else(|| sealer.clone()))
    }

    pub(in super::super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let get = || -> Res<Option<Vec<u8>>> {
            let mut statement = self
                .connection
                .prepare_cached("select value from vault where key = ?1")?;
            Ok(statement.query_row([key], |row| row.get(0)).optional()?)
        };
        get().map_err(|fault| fault_to_error(&self.path, fault))
    }

    pub(in super::super) fn put(&self, key: &str, value: &[u8]) -> Result<(), JournalError> {
        let put = || -> Res<()> {
            let sql = "insert or replace into vault(key, value) values (?1, ?2)";
            self.connection
                .prepare_cached(sql)?
                .execute(rusqlite::params![key, value])?;
            Ok(())
        };
        put().map_err(|fault| fault_to_error(&self.path, fault))
    }

    pub(in super::super) fn remove(&self, key: &str) -> Result<(), JournalError> {
        let remove = || -> Res<()> {
            let mut statement = self
                .connection
                .prepare_cached("delete from vault where key = ?1")?;
            statement.execute([key])?;
            Ok(())
        };
        remove().map_err(|fault| fault_to_error(&self.path, fault))
    }
}

impl fmt::Debug for SqliteVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteVault")
    }
}

//! Operations on whole databases: copying, closing, and sealing with another key.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, params};

use super::super::error::JournalError;
use super::super::seal::Sealer;
use super::super::table::Res;
use super::open::{DIGEST_KEY, connect, digests_of};
use super::{CHECKPOINT_TIMEOUT, fault_to_error, schema};

/// The kind of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DatabaseKind {
    /// A journal.
    Journal,
    /// A vault.
    Vault,
}

/// SQL that reseals every sealed column for its place.
const JOURNAL: &str = "
update run set
    params = reseal('run ' || id || ' params', params),
    plan = reseal('run ' || id || ' plan', plan),
    columns = reseal('run ' || id || ' columns', columns);
update row set
    input = reseal('run ' || run.id || ' row ' || position || ' input', input),
    output = reseal('run ' || run.id || ' row ' || position || ' output', output),
    error = reseal('run ' || run.id || ' row ' || position || ' error', error)
    from run where run.seq = row.run;
update step set
    outcome = reseal('run ' || run.id || ' step ' || key, outcome),
    why = reseal('run ' || run.id || ' step ' || key || ' why', why)
    from run where run.seq = step.run;
update ledger set
    value = reseal('ledger ' || account || char(10) || sort || char(10) || name, value);
update audit set
    what = reseal('audit ' || at_ms || ' ' || kind || ' ' || who, what);
update meta set
    value = reseal(key, value);
";

const VAULT: &str = "
update vault set value = reseal('vault ' || key, value) where key <> 'digest key';
update vault set value = reseal(key, value) where key = 'digest key';
";

/// Copies a database, including its log, into a new file for its owner only. Neither log is needed afterwards.
pub(in super::super) fn copy_into(from: &Path, to: &Path) -> Result<(), JournalError> {
    let copy = || -> Res<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        schema::back_up(&Connection::open_with_flags(from, flags)?, to)
    };
    copy().map_err(|fault| fault_to_error(from, fault))
}

/// Checkpoints and removes the log, so that the file is complete on its own; does nothing if the file does not exist.
/// Fails with [`JournalError::Busy`] if another process has it open.
pub(in super::super) fn checkpoint_and_remove_wal(path: &Path) -> Result<(), JournalError> {
    if !path.exists() {
        return Ok(());
    }
    let close = || -> Res<()> {
        let connection = connect(path, None)?;
        connection.busy_timeout(CHECKPOINT_TIMEOUT)?;
        Ok(connection.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?)
    };
    close().map_err(|fault| fault_to_error(path, fault))
}

/// Seals everything in a database that no other process has open with another key. Digests stay the same, since steps
/// are found by them. Values that cannot be opened stay as they are; returns their number.
pub(in super::super) fn reseal(
    path: &Path,
    what: DatabaseKind,
    old: &Sealer,
    new: &Sealer,
) -> Result<u64, JournalError> {
    let unreadable = Arc::new(AtomicU64::new(0));
    let reseal = || -> Res<()> {
        let mut connection = connect(path, None)?;
        let (sql, table) = match what {
            DatabaseKind::Journal => (JOURNAL, "meta"),
            DatabaseKind::Vault => (VAULT, "vault"),
        };
        let digests = digests_of(&connection, table, old)?
            .unwrap_or_else(|| old.clone())
            .digest_key();
        with_function(&connection, &unreadable, old, new)?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        let sql = format!("insert or replace into {table}(key, value) values (?1, ?2)");
        transaction.execute(&sql, params![DIGEST_KEY, new.seal(DIGEST_KEY, &digests)])?;
        Ok(transaction.commit()?)
    };
    reseal().map_err(|fault| fault_to_error(path, fault))?;
    Ok(unreadable.load(Ordering::SeqCst))
}

fn with_function(
    connection: &Connection,
    unreadable: &Arc<AtomicU64>,
    old: &Sealer,
    new: &Sealer,
) -> Res<()> {
    let (old, new, unreadable) = (old.clone(), new.clone(), Arc::clone(unreadable));
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("reseal", 2, flags, move |call| {
        let place: String = call.get(0)?;
        let Some(sealed) = call.get::<Option<Vec<u8>>>(1)? else {
            return Ok(None);
        };
        let Ok(value) = old.open(&place, &sealed) else {
            unreadable.fetch_add(1, Ordering::SeqCst);
            return Ok(Some(sealed));
        };
        Ok(Some(new.seal(&place, &value)))
    })?;
    Ok(())
}

//! The database schema and its migrations.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::super::files;
use super::super::table::{Res, StoreError};

/// The application id of the file: "prvs".
pub(super) const APPLICATION: i64 = 0x7072_7673;

/// Each migrates a file from the version of its index to the next. Never edited once released; only appended to.
pub(super) const MIGRATIONS: &[&str] = &[VERSION_1, VERSION_2, VERSION_3, VERSION_4];

const VERSION_1: &str = "
create table meta(key text primary key, value blob not null) without rowid;
create table source(hash text primary key, text text not null) without rowid;
create table run(
    seq integer primary key,
    id text not null unique,
    name text not null,
    sources text not null,
    params blob not null,
    plan blob not null,
    columns blob,
    has_rows integer not null,
    total integer,
    status integer not null,
    created_ms integer not null,
    changed_ms integer not null,
    pruned integer not null default 0,
    -- What it was pinned to before: [[until_ms, [[name, hash], …]], …].
    earlier text not null default '[]'
);
create table row(
    run text not null,
    position integer not null,
    scope text not null,
    status integer not null,
    input blob not null,
    output blob,
    error blob,
    primary key(run, position)
) without rowid;
create unique index row_scope on row(run, scope);
create table step(
    run text not null,
    key text not null,
    position integer not null,
    seq integer not null,
    op text not null,
    changes integer not null,
    ledger integer not null,
    state text not null,
    sent_ms integer,
    settle_ms integer,
    account text, sort text, name text,
    attempts integer not null,
    started_ms integer not null,
    ended_ms integer,
    outcome blob,
    why blob,
    primary key(run, key)
) without rowid;
create table claim(
    account text not null, sort text not null, name text not null,
    run text not null,
    step text not null,
    parked integer not null,
    primary key(account, sort, name),
    foreign key(run, step) references step(run, key) deferrable initially deferred
) without rowid;
create table ledger(
    account text not null, sort text not null, name text not null,
    platform_id text,
    run text,
    step text,
    value blob not null,
    created_ms integer not null,
    changed_ms integer not null,
    primary key(account, sort, name)
) without rowid;
create index ledger_platform on ledger(account, sort, platform_id) where platform_id is not null;
create table audit(
    id integer primary key,
    at_ms integer not null,
    kind text not null,
    who text not null,
    what blob not null
);
";

/// Columns missing in version 1 are null or the default in its runs, rows and steps, which must mean "not known".
const VERSION_2: &str = "
-- By which rules the keys of its steps are made. A run that has begun keeps its rules.
alter table run add column rules integer not null default 1;
-- A digest of what is asked for under a key that the script gives: another request is another thing.
alter table step add column request text;
-- The key under which the act is remembered.
alter table step add column act text;
-- How long the sender of the request waits, or did wait; the steady clock beside `sent_ms`, and whose it is; why there is
-- no answer.
alter table step add column waits_ms integer;
alter table step add column boot text;
alter table step add column boot_ms integer;
alter table step add column loss text;
-- Acts that were carried out or may have been. A row points to a step that is open or done.
create table act(
    key text primary key,
    run text not null,
    step text not null,
    foreign key(run, step) references step(run, key) deferrable initially deferred
) without rowid;
-- Rows that were under way when their process died, until they end: how often, and how often with no call under way.
create table died(
    run text not null,
    position integer not null,
    deaths integer not null,
    computing integer not null,
    primary key(run, position)
) without rowid;
";

/// The entries that a step removes from the ledger when it is done, as JSON, for any process that records its outcome.
const VERSION_3: &str = "
alter table step add column strikes text not null default '[]';
";

/// Rows and steps are stored in the order of the input and of the requests, so that a commit writes few pages, however
/// large the journal is. Steps that a journal before this version recorded keep their keys.
const VERSION_4: &str = "
-- Who executes the run, and how often that has changed.
alter table run add column epoch integer not null default 0;
alter table run add column owner integer;
-- A process of an earlier version that has the file open must fail as soon as it writes, or its records would be lost.
create trigger run_without_epoch before insert on run when new.epoch = 0
begin
    select raise(abort, 'a newer version of provisor has migrated it; end this process');
end;
create table rows(
    -- Earlier versions wrote the id of the run, a text.
    run integer not null check(typeof(run) = 'integer'),
    position integer not null,
    status integer not null,
    -- The epoch of the owner that has taken the row.
    claimed integer not null default 0,
    -- How often the process died during the row, and how often with no call under way, since the row last ended.
    crashes integer not null default 0,
    computing integer not null default 0,
    -- A digest of the content, and which of the rows with that content it is.
    digest blob,
    repeat integer not null default 1,
    -- The first part of the keys of its steps, if that is not the row's number.
    scope text,
    input blob not null,
    output blob,
    error blob,
    primary key(run, position)
) without rowid;
insert into rows(run, position, status, crashes, computing, digest, repeat, scope, input, output, error)
    select run.seq, row.position, row.status, coalesce(died.deaths, 0), coalesce(died.computing, 0),
           unhex(substr(row.scope, 1, 16)),
           case instr(row.scope, '~') when 0 then 1 else cast(substr(row.scope, instr(row.scope, '~') + 1) as integer) end,
           row.scope, row.input, row.output, row.error
    from row join run on run.id = row.run
             left join died on died.run = row.run and died.position = row.position
    order by run.seq, row.position;
create table steps(
    id integer primary key,
    run integer not null check(typeof(run) = 'integer'),
    position integer not null,
    seq integer not null,
    key text not null,
    op text not null,
    changes integer not null,
    ledger integer not null,
    state text not null,
    -- No process is working on it. Only while it is open.
    parked integer not null default 0,
    account text, sort text, name text,
    request text,
    act text,
    strikes text,
    attempts integer not null,
    -- The window of a request without an answer.
    sent_ms integer, settle_ms integer, waits_ms integer, boot text, boot_ms integer, loss text,
    -- When the script asked, the request left, the platform answered, a lookup ended, and the outcome was recorded; and
    -- how long it waited for other steps.
    asked_ms integer not null,
    left_ms integer, answered_ms integer, looked_up_ms integer, ended_ms integer,
    waited_ms integer not null default 0,
    outcome blob,
    why blob
);
insert into steps(run, position, seq, key, op, changes, ledger, state, parked, account, sort, name, request, act,
                  strikes, attempts, sent_ms, settle_ms, waits_ms, boot, boot_ms, loss, asked_ms, ended_ms, outcome, why)
    select run.seq, step.position, step.seq, step.key, step.op, step.changes, step.ledger, step.state,
           coalesce(held.parked, 0), step.account, step.sort, step.name, step.request, step.act,
           nullif(step.strikes, '[]'), step.attempts, step.sent_ms, step.settle_ms, step.waits_ms, step.boot,
           step.boot_ms, step.loss, step.started_ms, step.ended_ms, step.outcome, step.why
    from step join run on run.id = step.run
              left join (select run, step, max(parked) as parked from claim group by run, step) as held
                  on held.run = step.run and held.step = step.key
    order by run.seq, step.position, step.seq;
create index steps_key on steps(run, key);
create table acts(key text primary key, step integer not null) without rowid;
insert into acts(key, step)
    select act.key, steps.id
    from act join run on run.id = act.run join steps on steps.run = run.seq and steps.key = act.step;
create table entries(
    account text not null, sort text not null, name text not null,
    platform_id text,
    -- The step that inserted it.
    step integer,
    -- Sealed for this entry; null if the value is the outcome of the step.
    value blob,
    created_ms integer not null,
    changed_ms integer not null,
    primary key(account, sort, name)
) without rowid;
insert into entries(account, sort, name, platform_id, step, value, created_ms, changed_ms)
    select ledger.account, ledger.sort, ledger.name, ledger.platform_id, steps.id, ledger.value, ledger.created_ms,
           ledger.changed_ms
    from ledger left join run on run.id = ledger.run
                left join steps on steps.run = run.seq and steps.key = ledger.step;
drop index steps_key;
drop table act;
drop table claim;
drop table died;
drop table step;
drop table row;
drop table ledger;
alter table rows rename to row;
alter table steps rename to step;
alter table acts rename to act;
alter table entries rename to ledger;
create index row_digest on row(run, digest, repeat) where digest is not null;
create unique index step_key on step(run, position, key);
create index step_unsettled on step(run, position, key) where state not in ('absent', 'done', 'refused');
create index step_holder on step(account, sort, name)
    where state not in ('absent', 'done', 'refused') and sort is not null;
create index ledger_platform on ledger(account, sort, platform_id) where platform_id is not null;
";

/// The format of a file, according to its header.
pub(super) enum Found {
    Empty,
    Version(usize),
    /// A version unknown to this build.
    Newer(i64),
    /// A database of another program.
    Foreign,
}

/// Determines the format of a file without changing it.
pub(super) fn look(connection: &Connection, known: usize) -> Res<Found> {
    // A single statement reads one snapshot: another process may be creating the file meanwhile.
    let moment = "select user_version, application_id, (select count(*) from sqlite_schema) \
                  from pragma_user_version, pragma_application_id";
    let (version, application, tables): (i64, i64, i64) =
        connection.query_row(moment, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if version == 0 && application == 0 {
        return Ok(if tables == 0 { Found::Empty } else { Found::Foreign });
    }
    if application != APPLICATION {
        return Ok(Found::Foreign);
    }
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(Found::Version(version)),
        _ => Ok(Found::Newer(version)),
    }
}

/// Migrates the file to the newest version in one transaction. A non-empty file is first copied next to itself, as
/// `<name>.v<version>.backup`, which is returned. Waits for another process that does the same.
pub(super) fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Res<Option<PathBuf>> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version = match look(&transaction, migrations.len())? {
        Found::Empty => 0,
        Found::Version(version) => version,
        Found::Newer(_) | Found::Foreign => {
            return Err(StoreError::Data("it changed while it was opened".into()));
        }
    };
    if version == migrations.len() {
        return Ok(None);
    }
    let backup = (version > 0).then(|| backup_path(path, version));
    if let Some(backup) = &backup {
        // The committed data is copied through a second connection; this one holds the write lock.
        back_up(&Connection::open(path)?, backup)?;
    }
    run_migrations(&transaction, version, migrations)?;
    transaction.commit()?;
    Ok(backup)
}

/// Migrates a database that no other connection has open, without a backup.
pub(super) fn migrate_copy(connection: &mut Connection, version: usize) -> Res<()> {
    let transaction = connection.transaction()?;
    run_migrations(&transaction, version, MIGRATIONS)?;
    Ok(transaction.commit()?)
}

fn run_migrations(connection: &Connection, version: usize, migrations: &[&str]) -> Res<()> {
    for migration in migrations.iter().skip(version) {
        connection.execute_batch(migration)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION)?;
    Ok(connection.pragma_update(None, "user_version", number(migrations.len()))?)
}

/// Copies a database, as of its last commit, into a new file that only its owner can read.
pub(super) fn back_up(connection: &Connection, target: &Path) -> Res<()> {
    // Atomic: an interrupted copy keeps its draft's name.
    let draft = files::beside(target, ".part");
    let _ = fs::remove_file(&draft);
    let copied = copy_by(&draft, connection, target);
    if copied.is_err() {
        let _ = fs::remove_file(&draft);
    }
    copied
}

fn copy_by(draft: &Path, connection: &Connection, target: &Path) -> Res<()> {
    let unwritable = |reason: String| StoreError::Copy {
        path: target.to_owned(),
        reason,
    };
    let system = |error: std::io::Error| unwritable(error.to_string());
    drop(files::create_private(draft).map_err(system)?);
    let Some(text) = draft.to_str() else {
        return Err(unwritable("its name is not valid Unicode".to_owned()));
    };
    connection
        .execute("vacuum into ?1", [text])
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => unwritable("its disk is full".to_owned()),
            // This connection only reads the journal; only the copy is written.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                unwritable(error.to_string())
            }
            _ => error.into(),
        })?;
    File::open(draft)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(draft, target))
        .and_then(|()| files::sync_folder(files::folder_of(target)))
        .map_err(system)
}

/// Converts a version, which is always small.
pub(super) fn number(version: usize) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// Returns where the backup of an older version goes.
pub(super) fn backup_path(path: &Path, version: usize) -> PathBuf {
    files::beside(path, &format!(".v{version}.backup"))
}

#[cfg(test)]
mod tests;

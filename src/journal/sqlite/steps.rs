//! SQL for steps, claims, the ledger and the audit log.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params, params_from_iter};

use super::super::run::RunId;
use super::super::step::{Loss, StepState, Window};
use super::super::table::{
    AuditData, ClaimData, ItemData, Res, ResourceKey, StepData, StepFilter, StoreError,
};
use super::runs::{from_sql, to_sql};
use super::schema::number;
use crate::clock::Stamp;

const STEP_COLUMNS: &str = "run, key, position, seq, op, changes, ledger, state, sent_ms, settle_ms, account, sort, \
                            name, attempts, started_ms, ended_ms, outcome, why, waits_ms, boot, boot_ms, loss, \
                            request, act, strikes";

pub(super) fn step(connection: &Connection, run: &RunId, key: &str) -> Res<Option<StepData>> {
    let sql = format!("select {STEP_COLUMNS} from step where run = ?1 and key = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([run.as_str(), key], read_step).optional()?)
}

pub(super) fn steps(connection: &Connection, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>> {
    steps_after(connection, run, filter, "", None)
}

/// Returns up to `limit` steps after a key, or all of them without a limit.
pub(super) fn steps_after(
    connection: &Connection,
    run: &RunId,
    filter: &StepFilter,
    after: &str,
    limit: Option<usize>,
) -> Res<Vec<StepData>> {
    let (sql, values) = selection(run, filter, after, limit);
    list(connection, &sql, params_from_iter(values), read_step)
}

fn selection(run: &RunId, filter: &StepFilter, after: &str, limit: Option<usize>) -> (String, Vec<Value>) {
    let (only, further): (&str, Vec<Value>) = match filter {
        StepFilter::All => ("", Vec::new()),
        // '/' is followed by '0', so this range contains every key that starts with the scope and a slash.
        StepFilter::Scope(scope) => ("and key < ?4", vec![format!("{scope}0").into()]),
        StepFilter::Row(position) => ("and position = ?4", vec![to_sql(*position).into()]),
        // An unknown state counts as in doubt.
        StepFilter::Open => (
            "and state not in ('absent', 'done', 'refused', 'half done')",
            Vec::new(),
        ),
        StepFilter::WithResource => (
            "and state = 'done' and (sort is not null or act is not null)",
            Vec::new(),
        ),
        StepFilter::Resolvable => ("and state not in ('absent', 'done', 'refused')", Vec::new()),
    };
    // A single lower bound: given two, SQLite would start at the first and read everything before the second.
    let behind = match filter {
        StepFilter::Scope(scope) => format!("{scope}/").max(after.to_owned()),
        _ => after.to_owned(),
    };
    let sql =
        format!("select {STEP_COLUMNS} from step where run = ?1 and key > ?2 {only} order by key limit ?3");
    let limit = limit.map_or(-1, |limit| to_sql(limit as u64));
    let mut values: Vec<Value> = vec![run.as_str().to_owned().into(), behind.into(), limit.into()];
    values.extend(further);
    (sql, values)
}

pub(super) fn put_step(connection: &Connection, step: &StepData) -> Res<()> {
    let sql = format!(
        "insert into step({STEP_COLUMNS})
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                 ?21, ?22, ?23, ?24, ?25)
         on conflict(run, key) do update set position = excluded.position, seq = excluded.seq,
             changes = excluded.changes, ledger = excluded.ledger, state = excluded.state,
             sent_ms = excluded.sent_ms, settle_ms = excluded.settle_ms, account = excluded.account,
             sort = excluded.sort, name = excluded.name, attempts = excluded.attempts,
             started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, outcome = excluded.outcome,
             why = excluded.why, waits_ms = excluded.waits_ms, boot = excluded.boot,
             boot_ms = excluded.boot_ms, loss = excluded.loss,
             request = excluded.request, act = excluded.act, strikes = excluded.strikes"
    );
    let ledger_removals =
        serde_json::to_string(&step.ledger_removals).map_err(|error| StoreError::Data(error.to_string()))?;
    let window = step.state.window();
    let resource = step.resource.as_ref();
    connection.prepare_cached(&sql)?.execute(params![
        step.run.as_str(),
        step.key,
        to_sql(step.position),
        step.seq,
        step.op,
        step.changes,
        step.ledger,
        step.state.name(),
        window.map(|window| window.sent.wall_ms),
        window.map(|window| window.settle_ms),
        resource.map(|resource| &resource.account),
        resource.map(|resource| &resource.kind),
        resource.map(|resource| &resource.name),
        step.attempts,
        step.started_ms,
        step.ended_ms,
        step.outcome,
        step.reason,
        window.and_then(|window| window.waits_ms),
        window.map(|window| window.sent.boot.to_string()),
        window.map(|window| window.sent.boot_ms),
        step.state.loss().map(Loss::name),
        step.request,
        step.act,
        ledger_removals,
    ])?;
    Ok(())
}

pub(super) fn drop_step(connection: &Connection, run: &RunId, key: &str) -> Res<()> {
    let mut statement = connection.prepare_cached("delete from step where run = ?1 and key = ?2")?;
    statement.execute([run.as_str(), key])?;
    Ok(())
}

const CLAIM_COLUMNS: &str = "account, sort, name, run, step, parked";

pub(super) fn claim(connection: &Connection, resource: &ResourceKey) -> Res<Option<ClaimData>> {
    let sql = format!("select {CLAIM_COLUMNS} from claim where account = ?1 and sort = ?2 and name = ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(named(resource), read_claim).optional()?)
}

pub(super) fn claims(connection: &Connection) -> Res<Vec<ClaimData>> {
    list(
        connection,
        &format!("select {CLAIM_COLUMNS} from claim"),
        [],
        read_claim,
    )
}

pub(super) fn put_claim(connection: &Connection, claim: &ClaimData) -> Res<()> {
    let sql = format!("insert or replace into claim({CLAIM_COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6)");
    let ClaimData {
        resource,
        run,
        step,
        parked,
    } = claim;
    let values = params![
        resource.account,
        resource.kind,
        resource.name,
        run.as_str(),
        step,
        parked
    ];
    connection.prepare_cached(&sql)?.execute(values)?;
    Ok(())
}

pub(super) fn drop_claim(connection: &Connection, resource: &ResourceKey) -> Res<()> {
    let sql = "delete from claim where account = ?1 and sort = ?2 and name = ?3";
    connection.prepare_cached(sql)?.execute(named(resource))?;
    Ok(())
}

pub(super) fn act(connection: &Connection, key: &str) -> Res<Option<(RunId, String)>> {
    let mut statement = connection.prepare_cached("select run, step from act where key = ?1")?;
    let found = statement.query_row([key], |row| {
        Ok((RunId::new(row.get::<_, String>(0)?), row.get(1)?))
    });
    Ok(found.optional()?)
}

pub(super) fn put_act(connection: &Connection, key: &str, run: &RunId, step: &str) -> Res<()> {
    let sql = "insert or replace into act(key, run, step) values (?1, ?2, ?3)";
    connection
        .prepare_cached(sql)?
        .execute([key, run.as_str(), step])?;
    Ok(())
}

pub(super) fn drop_act(connection: &Connection, key: &str) -> Res<()> {
    connection
        .prepare_cached("delete from act where key = ?1")?
        .execute([key])?;
    Ok(())
}

const ITEM_COLUMNS: &str = "account, sort, name, platform_id, run, step, value, created_ms, changed_ms";

pub(super) fn item(connection: &Connection, resource: &ResourceKey) -> Res<Option<ItemData>> {
    let sql = format!("select {ITEM_COLUMNS} from ledger where account = ?1 and sort = ?2 and name = ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(named(resource), read_item).optional()?)
}

pub(super) fn items(connection: &Connection, kind: &str, account: Option<&str>) -> Res<Vec<ItemData>> {
    let sql = format!(
        "select {ITEM_COLUMNS} from ledger where sort = ?1 and (?2 is null or account = ?2)
         order by created_ms, account, name"
    );
    list(connection, &sql, params![kind, account], read_item)
}

pub(super) fn all_items(connection: &Connection) -> Res<Vec<ItemData>> {
    list(
        connection,
        &format!("select {ITEM_COLUMNS} from ledger"),
        [],
        read_item,
    )
}

pub(super) fn recorded_platform_ids(connection: &Connection, account: &str, kind: &str) -> Res<Vec<String>> {
    let sql = "select platform_id from ledger where account = ?1 and sort = ?2 and platform_id is not null";
    list(connection, sql, [account, kind], |row| row.get(0))
}

/// Inserts or replaces an entry; returns `true` if it is new.
pub(super) fn put_item(connection: &Connection, item: &ItemData) -> Res<bool> {
    let sql = "select count(*) from ledger where account = ?1 and sort = ?2 and name = ?3";
    let known: i64 = connection
        .prepare_cached(sql)?
        .query_row(named(&item.resource), |row| row.get(0))?;
    let sql =
        format!("insert or replace into ledger({ITEM_COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    connection.prepare_cached(&sql)?.execute(params![
        item.resource.account,
        item.resource.kind,
        item.resource.name,
        item.platform_id,
        item.run.as_ref().map(RunId::as_str),
        item.step,
        item.value,
        item.created_ms,
        item.changed_ms,
    ])?;
    Ok(known == 0)
}

/// Removes entries; returns their number.
pub(super) fn drop_item(connection: &Connection, account: &str, kind: &str, platform_id: &str) -> Res<i64> {
    let sql = "delete from ledger where account = ?1 and sort = ?2 and platform_id = ?3";
    let dropped = connection
        .prepare_cached(sql)?
        .execute([account, kind, platform_id])?;
    Ok(number(dropped))
}

/// Removes an entry; returns the number removed.
pub(super) fn remove_item(connection: &Connection, resource: &ResourceKey) -> Res<i64> {
    let sql = "delete from ledger where account = ?1 and sort = ?2 and name = ?3";
    Ok(number(connection.prepare_cached(sql)?.execute(named(resource))?))
}

pub(super) fn audits(connection: &Connection) -> Res<Vec<AuditData>> {
    list(
        connection,
        "select at_ms, kind, who, what from audit order by id",
        [],
        |row| {
            Ok(AuditData {
                at_ms: row.get(0)?,
                kind: row.get(1)?,
                actor: row.get(2)?,
                what: row.get(3)?,
            })
        },
    )
}

pub(super) fn put_audit(connection: &Connection, audit: &AuditData) -> Res<()> {
    let sql = "insert into audit(at_ms, kind, who, what) values (?1, ?2, ?3, ?4)";
    let values = params![audit.at_ms, audit.kind, audit.actor, audit.what];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn named(resource: &ResourceKey) -> [&str; 3] {
    [&resource.account, &resource.kind, &resource.name]
}

fn list<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Res<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(values, read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn read_step(row: &Row<'_>) -> rusqlite::Result<StepData> {
    let account: Option<String> = row.get(10)?;
    let resource = match account {
        Some(account) => Some(ResourceKey {
            account,
            kind: row.get(11)?,
            name: row.get(12)?,
        }),
        None => None,
    };
    Ok(StepData {
        run: RunId::new(row.get::<_, String>(0)?),
        key: row.get(1)?,
        position: from_sql(row, 2)?,
        seq: row.get(3)?,
        op: row.get(4)?,
        changes: row.get(5)?,
        ledger: row.get(6)?,
        state: read_state(row)?,
        resource,
        attempts: row.get(13)?,
        started_ms: row.get(14)?,
        ended_ms: row.get(15)?,
        outcome: row.get(16)?,
        reason: row.get(17)?,
        request: row.get(22)?,
        act: row.get(23)?,
        // If damaged (see `damaged_steps`), only this list is lost.
        ledger_removals: serde_json::from_str(&row.get::<_, String>(24)?).unwrap_or_default(),
    })
}

/// Reads a state. An unknown state, or one whose window cannot be read, is treated as in doubt until a lookup finds the
/// resource or a person resolves it: something may have been carried out.
fn read_state(row: &Row<'_>) -> rusqlite::Result<StepState> {
    let name: Option<String> = row.get(7).ok();
    let window = || read_window(row).ok();
    let known = match name.as_deref() {
        Some("absent") => Some(StepState::Absent),
        Some("done") => Some(StepState::Done),
        Some("refused") => Some(StepState::Refused),
        Some("half done") => Some(StepState::HalfDone),
        Some("intended") => window().map(|window| StepState::Intended { window }),
        Some("in doubt") => match (window(), read_loss(row)) {
            (Some(window), Ok(loss)) => Some(StepState::InDoubt { window, loss }),
            _ => None,
        },
        _ => None,
    };
    let began_ms: i64 = row.get(14)?;
    Ok(known.unwrap_or(StepState::InDoubt {
        window: Window {
            sent: Stamp::from_wall_clock(began_ms),
            waits_ms: None,
            settle_ms: 0,
        },
        loss: Loss::Yes,
    }))
}

/// Returns the steps with an unknown state or damaged `ledger_removals`, each a sentence without a full stop.
pub(super) fn damaged_steps(connection: &Connection) -> Res<Vec<String>> {
    let sql =
        "select 'the state of step ' || run || '/' || key || ' is `' || state || '`, which is not known'
               from step where state not in ('absent', 'intended', 'in doubt', 'done', 'refused', 'half done')
               union all
               select 'what step ' || run || '/' || key || ' strikes out of the ledger cannot be read'
               from step where not json_valid(strikes)";
    super::runs::sentences(connection, sql)
}

/// Reads a window. Version 1 recorded neither how long the sender waits nor the steady clock.
fn read_window(row: &Row<'_>) -> rusqlite::Result<Window> {
    let boot: Option<String> = row.get(19)?;
    let boot = boot.and_then(|boot| boot.parse().ok()).unwrap_or_default();
    let boot_ms: Option<i64> = row.get(20)?;
    Ok(Window {
        sent: Stamp {
            wall_ms: row.get(8)?,
            boot,
            boot_ms: boot_ms.unwrap_or_default(),
        },
        waits_ms: row.get(18)?,
        settle_ms: row.get(9)?,
    })
}

fn read_loss(row: &Row<'_>) -> rusqlite::Result<Loss> {
    let name: Option<String> = row.get(21)?;
    let loss = Loss::ALL
        .into_iter()
        .find(|loss| Some(loss.name()) == name.as_deref());
    Ok(loss.unwrap_or(Loss::Gone))
}

fn read_claim(row: &Row<'_>) -> rusqlite::Result<ClaimData> {
    Ok(ClaimData {
        resource: read_thing(row)?,
        run: RunId::new(row.get::<_, String>(3)?),
        step: row.get(4)?,
        parked: row.get(5)?,
    })
}

fn read_item(row: &Row<'_>) -> rusqlite::Result<ItemData> {
    Ok(ItemData {
        resource: read_thing(row)?,
        platform_id: row.get(3)?,
        run: row.get::<_, Option<String>>(4)?.map(RunId::new),
        step: row.get(5)?,
        value: row.get(6)?,
        created_ms: row.get(7)?,
        changed_ms: row.get(8)?,
    })
}

fn read_thing(row: &Row<'_>) -> rusqlite::Result<ResourceKey> {
    Ok(ResourceKey {
        account: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn querying_the_steps_of_one_row_does_not_scan_other_rows() {
        let connection = Connection::open_in_memory().unwrap();
        let columns = STEP_COLUMNS.replace("run, key, ", "");
        let sql = format!("create table step(run, key, {columns}, primary key(run, key)) without rowid");
        connection.execute_batch(&sql).unwrap();
        for scope in 0..1_000 {
            for name in ["a", "b"] {
                let sql = "insert into step(run, key, state) values ('r1', ?1, 'done')";
                connection.execute(sql, [format!("{scope:04}/{name}")]).unwrap();
            }
        }
        let run = RunId::new("r1");
        let found = |after: &str| {
            let filter = StepFilter::Scope("0990".to_owned());
            let (sql, values) = selection(&run, &filter, after, None);
            let mut statement = connection.prepare(&sql).unwrap();
            let keys = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(1));
            let keys: Vec<String> = keys.unwrap().map(Result::unwrap).collect();
            (keys, statement.get_status(StatementStatus::VmStep))
        };
        let (keys, steps) = found("");
        assert_eq!(keys, ["0990/a", "0990/b"]);
        assert!(steps < 200, "{steps}");
        assert_eq!(found("0990/a").0, ["0990/b"]);
    }
}

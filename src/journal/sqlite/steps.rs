//! SQL for steps, the ledger and the audit log.

use std::sync::LazyLock;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params, params_from_iter};

use super::super::run::RunId;
use super::super::step::{Loss, StepState, Window};
use super::super::table::{
    AuditData, ItemData, ItemStep, Res, ResourceKey, StepData, StepFilter, StepId, StepTimes, StoreError,
};
use super::runs::{RUN, from_sql, sealed, to_sql};
use super::schema::number;
use crate::clock::Stamp;

/// The columns of a step but for its number and its run.
const STEP_COLUMNS: &[&str] = &[
    "position",
    "seq",
    "key",
    "op",
    "changes",
    "ledger",
    "state",
    "parked",
    "account",
    "sort",
    "name",
    "request",
    "act",
    "strikes",
    "attempts",
    "sent_ms",
    "settle_ms",
    "waits_ms",
    "boot",
    "boot_ms",
    "loss",
    "asked_ms",
    "left_ms",
    "answered_ms",
    "looked_up_ms",
    "waited_ms",
    "ended_ms",
    "outcome",
    "why",
];

/// Those that never change.
const FIXED: &[&str] = &["position", "key", "op"];

/// Selects steps as [`read_step`] reads them.
static SELECT_STEP: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = STEP_COLUMNS
        .iter()
        .map(|column| format!("step.{column}"))
        .collect();
    format!(
        "select run.id, step.id, {} from step join run on run.seq = step.run",
        columns.join(", ")
    )
});

/// Selects the step of a run, a row and a key.
static STEP_OF_ROW: LazyLock<String> = LazyLock::new(|| {
    let select = &*SELECT_STEP;
    format!("{select} where run.id = ?1 and step.position = ?2 and step.key = ?3")
});

/// Inserts a step, or replaces the one with its number.
static PUT_STEP: LazyLock<String> = LazyLock::new(|| {
    let values: Vec<String> = (3..STEP_COLUMNS.len() + 3).map(|at| format!("?{at}")).collect();
    let changed = STEP_COLUMNS.iter().filter(|column| !FIXED.contains(column));
    let changed: Vec<String> = changed
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "insert into step(id, run, {}) values (?1, {}, {}) on conflict(id) do update set {}",
        STEP_COLUMNS.join(", "),
        RUN.replace("?1", "?2"),
        values.join(", "),
        changed.join(", ")
    )
});

/// The terms of the partial indexes of steps that are not settled, and what leaves the open ones of them. An unknown
/// state counts as in doubt.
const UNSETTLED: &str = "step.state not in ('absent', 'done', 'refused')";
const OPEN: &str = "step.state not in ('absent', 'done', 'refused') and step.state <> 'half done'";

pub(super) fn step(connection: &Connection, id: StepId) -> Res<Option<StepData>> {
    static SQL: LazyLock<String> = LazyLock::new(|| format!("{} where step.id = ?1", *SELECT_STEP));
    let mut statement = connection.prepare_cached(&SQL)?;
    Ok(statement.query_row([id], read_step).optional()?)
}

pub(super) fn step_of_row(
    connection: &Connection,
    run: &RunId,
    position: u64,
    key: &str,
) -> Res<Option<StepData>> {
    let mut statement = connection.prepare_cached(&STEP_OF_ROW)?;
    let values = params![run.as_str(), to_sql(position), key];
    Ok(statement.query_row(values, read_step).optional()?)
}

pub(super) fn step_by_key(connection: &Connection, run: &RunId, key: &str) -> Res<Option<StepData>> {
    static SQL: LazyLock<String> =
        LazyLock::new(|| format!("{} where run.id = ?1 and key = ?2", *SELECT_STEP));
    // Keys begin with the number of the row, but for those from before version 4.
    let row = key
        .split_once('/')
        .and_then(|(scope, _)| scope.parse::<u64>().ok()?.checked_sub(1));
    if let Some(position) = row
        && let Some(step) = step_of_row(connection, run, position, key)?
    {
        return Ok(Some(step));
    }
    let mut statement = connection.prepare_cached(&SQL)?;
    Ok(statement.query_row([run.as_str(), key], read_step).optional()?)
}

pub(super) fn steps(connection: &Connection, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>> {
    let (sql, values) = selection(run, filter, None);
    list(connection, &sql, params_from_iter(values), read_step)
}

/// Returns up to `limit` steps after a row and a key of it, in this order.
pub(super) fn steps_after(
    connection: &Connection,
    run: &RunId,
    filter: &StepFilter,
    after: (u64, &str),
    limit: usize,
) -> Res<Vec<StepData>> {
    let (sql, values) = selection(run, filter, Some((after, limit)));
    list(connection, &sql, params_from_iter(values), read_step)
}

fn selection(run: &RunId, filter: &StepFilter, page: Option<((u64, &str), usize)>) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![run.as_str().to_owned().into()];
    let only = match filter {
        StepFilter::All => String::new(),
        StepFilter::Row(position) => {
            values.push(to_sql(*position).into());
            "and step.position = ?2".to_owned()
        }
        StepFilter::Open => format!("and {OPEN}"),
        StepFilter::WithResource => {
            "and step.state = 'done' and (step.sort is not null or step.act is not null)".to_owned()
        }
        StepFilter::Resolvable => format!("and {UNSETTLED}"),
    };
    let rest = match page {
        Some(((position, key), limit)) => {
            let at = values.len() + 1;
            values.extend([
                to_sql(position).into(),
                key.to_owned().into(),
                to_sql(limit as u64).into(),
            ]);
            format!(
                "and (step.position, step.key) > (?{at}, ?{}) order by step.position, step.key limit ?{}",
                at + 1,
                at + 2
            )
        }
        None => "order by step.position, step.id".to_owned(),
    };
    let sql = format!("{} where run.id = ?1 {only} {rest}", *SELECT_STEP);
    (sql, values)
}

/// Returns the number of the step.
pub(super) fn put_step(connection: &Connection, step: &StepData) -> Res<StepId> {
    let ledger_removals = match step.ledger_removals.as_slice() {
        [] => None,
        removals => {
            Some(serde_json::to_string(removals).map_err(|error| StoreError::Data(error.to_string()))?)
        }
    };
    let window = step.state.window();
    let resource = step.resource.as_ref();
    let times = &step.times;
    connection.prepare_cached(&PUT_STEP)?.execute(params![
        step.id,
        step.run.as_str(),
        to_sql(step.position),
        step.seq,
        step.key,
        step.op,
        step.changes,
        step.ledger,
        step.state.name(),
        step.parked && step.state.is_open(),
        resource.map(|resource| &resource.account),
        resource.map(|resource| &resource.kind),
        resource.map(|resource| &resource.name),
        step.request,
        step.act,
        ledger_removals,
        step.attempts,
        window.map(|window| window.sent.wall_ms),
        window.map(|window| window.settle_ms),
        window.and_then(|window| window.waits_ms),
        window.map(|window| window.sent.boot.to_string()),
        window.map(|window| window.sent.boot_ms),
        step.state.loss().map(Loss::name),
        times.asked_ms,
        times.left_ms,
        times.answered_ms,
        times.looked_up_ms,
        times.waited_ms,
        times.ended_ms,
        step.outcome,
        step.reason,
    ])?;
    Ok(step.id.unwrap_or_else(|| connection.last_insert_rowid()))
}

pub(super) fn drop_step(connection: &Connection, id: StepId) -> Res<()> {
    connection
        .prepare_cached("delete from step where id = ?1")?
        .execute([id])?;
    Ok(())
}

pub(super) fn holder(connection: &Connection, resource: &ResourceKey) -> Res<Option<StepData>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "{} where {OPEN} and step.account = ?1 and step.sort = ?2 and step.name = ?3 order by step.id limit 1",
            *SELECT_STEP
        )
    });
    let mut statement = connection.prepare_cached(&SQL)?;
    Ok(statement.query_row(named(resource), read_step).optional()?)
}

pub(super) fn holders(connection: &Connection, kind: Option<&str>) -> Res<Vec<StepData>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "{} where {OPEN} and step.sort is not null and (?1 is null or step.sort = ?1) order by step.id",
            *SELECT_STEP
        )
    });
    list(connection, &SQL, [kind], read_step)
}

pub(super) fn act(connection: &Connection, key: &str) -> Res<Option<StepId>> {
    let mut statement = connection.prepare_cached("select step from act where key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

pub(super) fn put_act(connection: &Connection, key: &str, step: StepId) -> Res<()> {
    let sql = "insert or replace into act(key, step) values (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![key, step])?;
    Ok(())
}

pub(super) fn drop_act(connection: &Connection, key: &str) -> Res<()> {
    connection
        .prepare_cached("delete from act where key = ?1")?
        .execute([key])?;
    Ok(())
}

/// Selects ledger entries as [`read_item`] reads them.
const SELECT_ITEM: &str = "
    select ledger.account, ledger.sort, ledger.name, ledger.platform_id, ledger.value, ledger.created_ms,
           ledger.changed_ms, step.id, run.id, step.key, step.outcome
    from ledger left join step on step.id = ledger.step left join run on run.seq = step.run";

pub(super) fn item(connection: &Connection, resource: &ResourceKey) -> Res<Option<ItemData>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!("{SELECT_ITEM} where ledger.account = ?1 and ledger.sort = ?2 and ledger.name = ?3")
    });
    let mut statement = connection.prepare_cached(&SQL)?;
    Ok(statement.query_row(named(resource), read_item).optional()?)
}

pub(super) fn items(connection: &Connection, kind: &str, account: Option<&str>) -> Res<Vec<ItemData>> {
    let sql = format!(
        "{SELECT_ITEM} where ledger.sort = ?1 and (?2 is null or ledger.account = ?2)
         order by ledger.created_ms, ledger.account, ledger.name"
    );
    list(connection, &sql, params![kind, account], read_item)
}

pub(super) fn all_items(connection: &Connection) -> Res<Vec<ItemData>> {
    let sql = format!("{SELECT_ITEM} order by ledger.account, ledger.sort, ledger.name");
    list(connection, &sql, [], read_item)
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
        "insert or replace into ledger(account, sort, name, platform_id, step, value, created_ms, changed_ms)
               values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        item.resource.account,
        item.resource.kind,
        item.resource.name,
        item.platform_id,
        item.step.as_ref().map(|step| step.id),
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
    let ledger_removals: Option<String> = row.get(15)?;
    let times = StepTimes {
        asked_ms: row.get(23)?,
        left_ms: row.get(24)?,
        answered_ms: row.get(25)?,
        looked_up_ms: row.get(26)?,
        waited_ms: row.get(27)?,
        ended_ms: row.get(28)?,
    };
    Ok(StepData {
        run: RunId::new(row.get::<_, String>(0)?),
        id: row.get(1)?,
        position: from_sql(row, 2)?,
        seq: row.get(3)?,
        key: row.get(4)?,
        op: row.get(5)?,
        changes: row.get(6)?,
        ledger: row.get(7)?,
        state: read_state(row, times.asked_ms),
        parked: row.get(9)?,
        resource,
        request: row.get(13)?,
        act: row.get(14)?,
        // If damaged (see `damaged_steps`), only this list is lost.
        ledger_removals: ledger_removals
            .and_then(|removals| serde_json::from_str(&removals).ok())
            .unwrap_or_default(),
        attempts: row.get(16)?,
        times,
        outcome: sealed(row, 29)?,
        reason: sealed(row, 30)?,
    })
}

/// Reads a state. An unknown state, or one whose window cannot be read, is treated as in doubt until a lookup finds the
/// resource or a person resolves it: something may have been carried out.
fn read_state(row: &Row<'_>, asked_ms: i64) -> StepState {
    let name: Option<String> = row.get(8).ok();
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
    known.unwrap_or(StepState::InDoubt {
        window: Window {
            sent: Stamp::from_wall_clock(asked_ms),
            waits_ms: None,
            settle_ms: 0,
        },
        loss: Loss::Yes,
    })
}

/// Returns the steps with an unknown state or damaged `ledger_removals`, and what refers to missing or wrong steps, each
/// a sentence without a full stop.
pub(super) fn damaged_steps(connection: &Connection) -> Res<Vec<String>> {
    let sql =
        "select 'the state of step ' || run.id || '/' || key || ' is `' || state || '`, which is not known'
               from step join run on run.seq = step.run
               where state not in ('absent', 'intended', 'in doubt', 'done', 'refused', 'half done')
               union all
               select 'what step ' || run.id || '/' || key || ' strikes out of the ledger cannot be read'
               from step join run on run.seq = step.run
               where strikes is not null and not json_valid(strikes)
               union all
               select 'steps of run number ' || run || ', which is missing: ' || count(*)
               from step where run not in (select seq from run) group by run
               union all
               select 'the ledger''s ' || sort || ' ' || name || ' refers to a step that is missing'
               from ledger where step is not null and step not in (select id from step)
               union all
               select 'the ledger''s ' || ledger.sort || ' ' || ledger.name || ' refers to a step of another resource'
               from ledger join step on step.id = ledger.step
               where ledger.value is null
                     and (ledger.account, ledger.sort, ledger.name) is not (step.account, step.sort, step.name)
               union all
               select 'an act refers to a step that is missing'
               from act where step not in (select id from step)";
    super::runs::sentences(connection, sql)
}

/// Reads a window. Version 1 recorded neither how long the sender waits nor the steady clock.
fn read_window(row: &Row<'_>) -> rusqlite::Result<Window> {
    let boot: Option<String> = row.get(20)?;
    let boot = boot.and_then(|boot| boot.parse().ok()).unwrap_or_default();
    let boot_ms: Option<i64> = row.get(21)?;
    Ok(Window {
        sent: Stamp {
            wall_ms: row.get(17)?,
            boot,
            boot_ms: boot_ms.unwrap_or_default(),
        },
        waits_ms: row.get(19)?,
        settle_ms: row.get(18)?,
    })
}

fn read_loss(row: &Row<'_>) -> rusqlite::Result<Loss> {
    let name: Option<String> = row.get(22)?;
    let loss = Loss::ALL
        .into_iter()
        .find(|loss| Some(loss.name()) == name.as_deref());
    Ok(loss.unwrap_or(Loss::Gone))
}

fn read_item(row: &Row<'_>) -> rusqlite::Result<ItemData> {
    // The step, or its run, may be missing.
    let (step, run): (Option<StepId>, Option<String>) = (row.get(7)?, row.get(8)?);
    let step = match step.zip(run) {
        Some((id, run)) => Some(ItemStep {
            id,
            run: RunId::new(run),
            key: row.get(9)?,
            outcome: sealed(row, 10)?,
        }),
        None => None,
    };
    Ok(ItemData {
        resource: ResourceKey {
            account: row.get(0)?,
            kind: row.get(1)?,
            name: row.get(2)?,
        },
        platform_id: row.get(3)?,
        step,
        value: sealed(row, 4)?,
        created_ms: row.get(5)?,
        changed_ms: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::path::Path;

    use rusqlite::StatementStatus;

    use super::super::schema::{MIGRATIONS, migrate};
    use super::*;

    /// A journal with a run of 1,000 rows of two steps each, one of which is open.
    fn thousand_rows() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new(""), MIGRATIONS).unwrap();
        let run = "insert into run(id, name, sources, params, plan, has_rows, status, created_ms, changed_ms,
                                   epoch)
                   values ('r1', 'a', '[]', x'00', x'00', 1, 1, 1, 1, 1)";
        connection.execute(run, []).unwrap();
        for position in 0..1_000 {
            for name in ["a", "b"] {
                let state = if (position, name) == (700, "a") {
                    "in doubt"
                } else {
                    "done"
                };
                let sql = "insert into step(run, position, seq, key, op, changes, ledger, state, attempts, asked_ms,
                                            account, sort, name)
                           values (1, ?1, 1, (?1 + 1) || '/' || ?2, 'op', 1, 0, ?3, 1, 1, 'x', 'y', ?1)";
                connection.execute(sql, params![position, name, state]).unwrap();
            }
        }
        connection
    }

    /// Runs a query and returns the keys, and how much work it was.
    fn found(connection: &Connection, sql: &str, values: impl Params) -> (Vec<String>, i32) {
        let mut statement = connection.prepare(sql).unwrap();
        let keys = statement.query_map(values, |row| row.get::<_, String>(4));
        let keys: Vec<String> = keys.unwrap().map(Result::unwrap).collect();
        (keys, statement.get_status(StatementStatus::VmStep))
    }

    #[test]
    fn querying_the_steps_of_one_row_does_not_scan_other_rows() {
        let connection = thousand_rows();
        let run = RunId::new("r1");
        let of = |filter: StepFilter, page| {
            let (sql, values) = selection(&run, &filter, page);
            found(&connection, &sql, params_from_iter(values))
        };
        let (keys, work) = of(StepFilter::Row(990), None);
        assert_eq!(keys, ["991/a", "991/b"]);
        assert!(work < 300, "{work}");
        let (keys, work) = of(StepFilter::All, Some(((990, "991/a"), 2)));
        assert_eq!(keys, ["991/b", "992/a"]);
        assert!(work < 300, "{work}");
        for page in [None, Some(((0, ""), 2))] {
            let (keys, work) = of(StepFilter::Open, page);
            assert_eq!(keys, ["701/a"]);
            assert!(work < 300, "{work}");
        }
    }

    /// A row may request thousands of steps. Each looks for an earlier record of itself, and a page begins at a key.
    #[test]
    fn querying_a_step_of_a_row_does_not_scan_other_steps_of_the_row() {
        let connection = thousand_rows();
        let sql = "update step set position = 0, key = printf('1/%04d', id) where id <= 1000";
        assert_eq!(connection.execute(sql, []).unwrap(), 1_000);
        let run = RunId::new("r1");
        let step = step_of_row(&connection, &run, 0, "1/0700").unwrap();
        assert_eq!(step.and_then(|step| step.id), Some(700));
        let (keys, work) = found(&connection, &STEP_OF_ROW, params!["r1", 0, "1/0700"]);
        assert_eq!(keys, ["1/0700"]);
        assert!(work < 300, "{work}");
        let (sql, values) = selection(&run, &StepFilter::All, Some(((0, "1/0998"), 3)));
        let (keys, work) = found(&connection, &sql, params_from_iter(values));
        assert_eq!(keys, ["1/0999", "1/1000", "501/a"]);
        assert!(work < 300, "{work}");
    }

    #[test]
    fn the_open_step_on_a_resource_is_found_without_a_scan() {
        let connection = thousand_rows();
        let resource = |name: &str| ResourceKey {
            account: "x".to_owned(),
            kind: "y".to_owned(),
            name: name.to_owned(),
        };
        let open = holder(&connection, &resource("700")).unwrap().unwrap();
        assert_eq!((open.key.as_str(), open.position), ("701/a", 700));
        assert_eq!(holder(&connection, &resource("701")).unwrap(), None);
        let mut statement = connection
            .prepare(&format!(
                "{} where {OPEN} and step.account = 'x' and step.sort = 'y' and step.name = '700'",
                *SELECT_STEP
            ))
            .unwrap();
        assert!(statement.exists([]).unwrap());
        let work = statement.get_status(StatementStatus::VmStep);
        assert!(work < 300, "{work}");
    }

    #[test]
    fn a_step_is_found_by_its_key_of_any_version() {
        let connection = thousand_rows();
        let run = RunId::new("r1");
        let sql = "update step set key = '1234567890123456/a' where key = '5/a'";
        assert_eq!(connection.execute(sql, []).unwrap(), 1);
        for (key, position) in [
            ("991/b", Some(990)),
            ("1234567890123456/a", Some(4)),
            ("5/a", None),
        ] {
            let step = step_by_key(&connection, &run, key).unwrap();
            assert_eq!(step.map(|step| step.position), position, "{key}");
        }
    }
}

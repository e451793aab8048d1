//! SQL for runs, their sources and their rows.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::json;

use super::super::progress_notes::{CrashCounts, InterruptedRow};
use super::super::record::FIRST_EPOCH;
use super::super::run::{EarlierSources, RowCounts, RowFilter, RowStatus, Rules, RunId, RunStatus};
use super::super::seal::Sealed;
use super::super::table::{Epoch, QueuedRow, Res, RowClaim, RowData, RowEnd, RunData, row_scope};

/// The number of the run whose id is the first parameter.
pub(super) const RUN: &str = "(select seq from run where id = ?1)";

const RUN_COLUMNS: &str = "id, name, sources, params, plan, columns, has_rows, total, status, created_ms, changed_ms, pruned, \
     earlier, rules";

pub(super) fn run(connection: &Connection, id: &RunId) -> Res<Option<RunData>> {
    let sql = format!("select {RUN_COLUMNS} from run where id = ?1");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([id.as_str()], read_run)
        .optional()?)
}

pub(super) fn runs(connection: &Connection) -> Res<Vec<RunData>> {
    let sql = format!("select {RUN_COLUMNS} from run order by seq desc");
    let mut statement = connection.prepare_cached(&sql)?;
    let runs = statement.query_map([], read_run)?;
    let is_read = |run: &rusqlite::Result<RunData>| {
        use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
        !matches!(
            run,
            Err(FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..))
        )
    };
    Ok(runs.filter(is_read).collect::<Result<_, _>>()?)
}

pub(super) fn put_run(connection: &Connection, run: &RunData) -> Res<()> {
    let earlier = run
        .earlier
        .iter()
        .map(|earlier| json!([earlier.until_ms, earlier.sources]));
    let sql = format!(
        "insert into run({RUN_COLUMNS}, epoch, owner)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         on conflict(id) do update set sources = excluded.sources, plan = excluded.plan, columns = excluded.columns,
             total = excluded.total, status = excluded.status, changed_ms = excluded.changed_ms,
             pruned = excluded.pruned, earlier = excluded.earlier"
    );
    connection.prepare_cached(&sql)?.execute(params![
        run.id.as_str(),
        run.name,
        json!(run.sources).to_string(),
        run.params,
        run.plan,
        run.columns,
        run.has_rows,
        run.total.map(to_sql),
        run.status.code(),
        run.created_ms,
        run.changed_ms,
        run.pruned,
        earlier.collect::<serde_json::Value>().to_string(),
        run.rules.code(),
        FIRST_EPOCH,
        std::process::id(),
    ])?;
    Ok(())
}

pub(super) fn epoch(connection: &Connection, run: &RunId) -> Res<Option<(Epoch, Option<u32>)>> {
    let mut statement = connection.prepare_cached("select epoch, owner from run where id = ?1")?;
    let found = statement.query_row([run.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

pub(super) fn take_run(connection: &Connection, run: &RunId, pid: u32) -> Res<Option<Epoch>> {
    let sql = "update run set epoch = epoch + 1, owner = ?2 where id = ?1 returning epoch";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row(params![run.as_str(), pid], |row| row.get(0))
        .optional()?)
}

pub(super) fn source(connection: &Connection, hash: &str) -> Res<Option<String>> {
    let mut statement = connection.prepare_cached("select text from source where hash = ?1")?;
    Ok(statement.query_row([hash], |row| row.get(0)).optional()?)
}

pub(super) fn put_source(connection: &Connection, hash: &str, text: &str) -> Res<()> {
    connection
        .prepare_cached("insert into source(hash, text) values (?1, ?2) on conflict(hash) do nothing")?
        .execute([hash, text])?;
    Ok(())
}

const ROW_COLUMNS: &str = "position, scope, repeat, status, crashes, computing, input, output, error";

pub(super) fn rows(
    connection: &Connection,
    run: &RunId,
    after: Option<u64>,
    limit: usize,
    only: RowFilter,
) -> Res<Vec<RowData>> {
    let sql = format!(
        "select {ROW_COLUMNS} from row
         where run = {RUN} and position > ?2 and {NUMBERED} and {} order by position limit ?3",
        admitted(only)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let after = after.map_or(-1, to_sql);
    let rows = statement.query_map(params![run.as_str(), after, to_sql(limit as u64)], read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn rows_at(connection: &Connection, run: &RunId, positions: &[u64]) -> Res<Vec<RowData>> {
    let sql = format!(
        "select {ROW_COLUMNS} from row
         where run = {RUN} and position in (select value from json_each(?2)) order by position"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![run.as_str(), json!(positions).to_string()], read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The condition of the rows whose position can be read. `damaged_rows` names the others.
const NUMBERED: &str = "typeof(position) = 'integer'";

/// Returns the condition of the rows that the filter admits.
fn admitted(only: RowFilter) -> String {
    let statuses = RowStatus::ALL.iter().filter(|status| only.admits(**status));
    let codes = known_codes(statuses.map(|status| status.code()));
    // An unknown status is read as interrupted.
    let unknown = if only.admits(UNKNOWN_ROW) {
        format!(
            "or (status in ({})) is not true",
            known_codes(RowStatus::ALL.iter().map(|status| status.code()))
        )
    } else {
        String::new()
    };
    format!("(status in ({codes}) {unknown})")
}

pub(super) fn claim_rows(
    connection: &Connection,
    run: &RunId,
    epoch: Epoch,
    claim: RowClaim,
) -> Res<Vec<u64>> {
    let sql = format!(
        "update row set claimed = ?4 where run = {RUN} and position in
             (select position from row
              where run = {RUN} and position > ?2 and {NUMBERED} and claimed is not ?4 and {}
              order by position limit ?3)
         returning position",
        admitted(claim.only)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let after = claim.after.map_or(-1, to_sql);
    let values = params![run.as_str(), after, to_sql(claim.limit as u64), epoch];
    let positions = statement.query_map(values, |row| from_sql(row, 0))?;
    let mut positions: Vec<u64> = positions.collect::<Result<_, _>>()?;
    // SQLite returns them in any order.
    positions.sort_unstable();
    Ok(positions)
}

pub(super) fn row_counts(connection: &Connection, run: &RunId) -> Res<RowCounts> {
    let sql = format!("select status, count(*) from row where run = {RUN} group by status");
    let mut statement = connection.prepare_cached(&sql)?;
    let groups = statement.query_map([run.as_str()], |row| Ok((row_status(row, 0), from_sql(row, 1)?)))?;
    let mut counts = RowCounts::default();
    for group in groups {
        let (status, count) = group?;
        counts.add(status, count);
    }
    Ok(counts)
}

pub(super) fn put_row(connection: &Connection, run: &RunId, row: &QueuedRow) -> Res<()> {
    // Only digests are indexed, so a row without one is not counted.
    let sql = format!(
        "insert into row(run, position, status, digest, repeat, input)
         select run, ?2, ?3, ?4, 1 + coalesce((select max(repeat) from row where row.run = new.run and digest = ?4), 0), ?5
         from (select {RUN} as run) as new where true
         on conflict do nothing"
    );
    connection.prepare_cached(&sql)?.execute(params![
        run.as_str(),
        to_sql(row.position),
        RowStatus::Queued.code(),
        row.digest,
        row.input,
    ])?;
    Ok(())
}

pub(super) fn end_row(connection: &Connection, run: &RunId, position: u64, end: &RowEnd) -> Res<()> {
    let sql = format!(
        "update row set status = ?3, output = ?4, error = ?5, crashes = 0, computing = 0
         where run = {RUN} and position = ?2"
    );
    connection.prepare_cached(&sql)?.execute(params![
        run.as_str(),
        to_sql(position),
        end.status.code(),
        end.output,
        end.error,
    ])?;
    Ok(())
}

pub(super) fn put_crash(connection: &Connection, run: &RunId, left: InterruptedRow) -> Res<()> {
    let sql = format!(
        "update row set crashes = crashes + 1, computing = computing + ?3 where run = {RUN} and position = ?2"
    );
    connection
        .prepare_cached(&sql)?
        .execute(params![run.as_str(), to_sql(left.position), left.computing])?;
    Ok(())
}

pub(super) fn drop_details(connection: &Connection, run: &RunId, limit: usize) -> Res<u64> {
    let sql = format!(
        "delete from row where run = {RUN} and position in
             (select position from row where run = {RUN} order by position limit ?2)"
    );
    let limit = to_sql(limit as u64);
    let dropped = connection
        .prepare_cached(&sql)?
        .execute(params![run.as_str(), limit])? as u64;
    if to_sql(dropped) < limit {
        let sql = format!("delete from step where run = {RUN} and changes = 0");
        connection.execute(&sql, [run.as_str()])?;
    }
    Ok(dropped)
}

pub(super) fn drop_sources(connection: &Connection) -> Res<()> {
    connection.execute(
        "delete from source where hash not in (
             select json_extract(pair.value, '$[1]') from run, json_each(run.sources) as pair
             where run.pruned = 0
             union
             select json_extract(pair.value, '$[1]')
             from run, json_each(run.earlier) as pin, json_each(pin.value, '$[1]') as pair
             where run.pruned = 0)",
        [],
    )?;
    Ok(())
}

/// Converts a number for SQL. Positions and counts stay far below 2^63.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<RunData> {
    let earlier: Vec<(i64, Vec<(String, String)>)> = read_json(row, 12)?;
    let earlier = earlier
        .into_iter()
        .map(|(until_ms, sources)| EarlierSources { until_ms, sources });
    let status: i64 = row.get(8)?;
    let total: Option<i64> = row.get(7)?;
    let rules: i64 = row.get(13)?;
    Ok(RunData {
        id: RunId::new(row.get::<_, String>(0)?),
        name: row.get(1)?,
        sources: read_json(row, 2)?,
        params: row.get(3)?,
        plan: row.get(4)?,
        columns: row.get(5)?,
        has_rows: row.get(6)?,
        total: total.and_then(|total| u64::try_from(total).ok()),
        status: RunStatus::from_code(status).unwrap_or(RunStatus::Interrupted),
        created_ms: row.get(9)?,
        changed_ms: row.get(10)?,
        pruned: row.get(11)?,
        earlier: earlier.collect(),
        rules: Rules::from_code(rules).ok_or(rusqlite::Error::IntegralValueOutOfRange(13, rules))?,
    })
}

fn read_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// Reads a row whose position is a number. Whatever else is damaged affects this row alone.
fn read_row(row: &Row<'_>) -> rusqlite::Result<RowData> {
    let position = from_sql(row, 0)?;
    let scope: Option<Option<String>> = row.get(1).ok();
    Ok(RowData {
        position,
        repeat: from_sql(row, 2).unwrap_or(1),
        status: row_status(row, 3),
        crashes: CrashCounts {
            all: from_sql(row, 4).unwrap_or_default(),
            computing: from_sql(row, 5).unwrap_or_default(),
        },
        // Without its scope, the recorded steps of the row are not found and would be repeated. Without an input, it fails.
        input: if scope.is_some() {
            sealed(row, 6)?.unwrap_or_default()
        } else {
            Vec::new()
        },
        scope: scope.flatten().unwrap_or_else(|| row_scope(position)),
        output: sealed(row, 7)?,
        error: sealed(row, 8)?,
    })
}

/// Reads a sealed value. One of another type is damaged: it is read as no bytes, which do not open.
pub(super) fn sealed(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Sealed>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        ValueRef::Text(_) | ValueRef::Integer(_) | ValueRef::Real(_) => Some(Vec::new()),
    })
}

fn row_status(row: &Row<'_>, column: usize) -> RowStatus {
    let code: Option<i64> = row.get(column).ok();
    code.and_then(RowStatus::from_code).unwrap_or(UNKNOWN_ROW)
}

/// The status of a row whose recorded status is unknown: it runs again from its recorded steps.
const UNKNOWN_ROW: RowStatus = RowStatus::Interrupted;

fn known_codes(codes: impl Iterator<Item = i64>) -> String {
    codes.map(|code| code.to_string()).collect::<Vec<_>>().join(", ")
}

/// Returns the runs with an invalid unencrypted column, each a sentence without a full stop.
pub(super) fn damaged_runs(connection: &Connection) -> Res<Vec<String>> {
    let sql = format!(
        "select case when status not in ({}) then 'the status of run ' || id || ' is `' || status || '`, which is not known'
                     else 'run ' || id || ' cannot be read: its sources or its rules are damaged' end
         from run
         where status not in ({0}) or rules not in ({}) or not json_valid(sources) or not json_valid(earlier)",
        known_codes(RunStatus::ALL.iter().map(|status| status.code())),
        known_codes([Rules::Everything, Rules::Request].into_iter().map(Rules::code)),
    );
    sentences(connection, &sql)
}

/// The same for rows.
pub(super) fn damaged_rows(connection: &Connection) -> Res<Vec<String>> {
    let sql = format!(
        "select 'the status of row ' || (position + 1) || ' of run ' || run.id || ' is `' || row.status || '`, which is not known'
         from row join run on run.seq = row.run where (row.status in ({})) is not true
         union all
         select 'the scope or a count of row ' || (position + 1) || ' of run ' || run.id || ' cannot be read'
         from row join run on run.seq = row.run
         where typeof(scope) not in ('text', 'null') or typeof(repeat) <> 'integer' or typeof(crashes) <> 'integer'
               or typeof(computing) <> 'integer' or typeof(claimed) <> 'integer'
         union all
         select 'a row of run ' || run.id || ' is not executed: its number cannot be read'
         from row join run on run.seq = row.run where typeof(position) <> 'integer' or position < 0
         union all
         select 'rows of run number ' || run || ', which is missing: ' || count(*)
         from row where run not in (select seq from run) group by run",
        known_codes(RowStatus::ALL.iter().map(|status| status.code())),
    );
    sentences(connection, &sql)
}

pub(super) fn sentences(connection: &Connection, sql: &str) -> Res<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

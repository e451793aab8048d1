//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

/// Creates a file as version 1 did.
fn version_1(path: &Path) -> Connection {
    let mut connection = Connection::open(path).unwrap();
    migrate(&mut connection, path, &[VERSION_1]).unwrap();
    connection
}

fn version(path: &Path) -> i64 {
    let connection = Connection::open(path).unwrap();
    connection
        .query_row("pragma user_version", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn an_older_schema_is_backed_up_and_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = version_1(&path);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    connection
        .execute(
            "insert into audit(at_ms, kind, who, what) values (1, 'a', 'b', x'00')",
            [],
        )
        .unwrap();

    let newer = [VERSION_1, "alter table audit add column more text"];
    migrate(&mut connection, &path, &newer).unwrap();
    connection
        .query_row("select more from audit", [], |_| Ok(()))
        .unwrap();
    let copy = backup_path(&path, 1);
    assert_eq!((version(&path), version(&copy)), (2, 1));
    let kept = Connection::open(&copy).unwrap();
    kept.query_row("select what from audit", [], |_| Ok(())).unwrap();
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = version_1(&path);
    let broken = [VERSION_1, "alter table audit add column more text; nonsense"];
    assert!(migrate(&mut connection, &path, &broken).is_err());
    assert_eq!(version(&path), 1);
    assert!(
        connection
            .query_row("select more from audit", [], |_| Ok(()))
            .is_err()
    );
}

#[test]
fn migrating_version_1_keeps_data_and_the_rules_of_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = version_1(&path);
    let run = "insert into run(id, name, sources, params, plan, has_rows, status, created_ms, changed_ms)
               values ('rold1', 'a.rhai', '[]', x'00', x'00', 0, 1, 1, 1)";
    connection.execute(run, []).unwrap();
    let step = "insert into step(run, key, position, seq, op, changes, ledger, state, attempts, started_ms)
                values ('rold1', 'a/b#1', 0, 1, 'http::post', 1, 0, 'done', 1, 1)";
    connection.execute(step, []).unwrap();

    migrate(&mut connection, &path, MIGRATIONS).unwrap();

    let rules: i64 = connection
        .query_row("select rules from run where id = 'rold1'", [], |row| row.get(0))
        .unwrap();
    let known: (Option<String>, Option<String>, Option<String>) = connection
        .query_row("select request, act, strikes from step", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!((rules, known), (1, (None, None, None)));
    assert_eq!((version(&path), version(&backup_path(&path, 1))), (4, 1));
}

#[test]
fn migrating_version_3_keeps_rows_claims_acts_and_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = Connection::open(&path).unwrap();
    migrate(&mut connection, &path, &[VERSION_1, VERSION_2, VERSION_3]).unwrap();
    let content = "
        insert into run(id, name, sources, params, plan, has_rows, status, created_ms, changed_ms, rules)
            values ('rb', 'b', '[]', x'00', x'00', 1, 1, 1, 1, 2), ('ra', 'a', '[]', x'00', x'00', 1, 1, 1, 1, 2);
        insert into row(run, position, scope, status, input)
            values ('ra', 0, '00ff00ff00ff00ff', 0, x'01'), ('ra', 1, '00ff00ff00ff00ff~2', 3, x'02'),
                   ('rb', 0, 'i1', 1, x'03');
        insert into died(run, position, deaths, computing) values ('ra', 1, 2, 1);
        insert into step(run, key, position, seq, op, changes, ledger, state, account, sort, name, attempts, started_ms,
                         outcome, act)
            values ('ra', 'z/a:1#1', 0, 1, 'a', 1, 1, 'done', 'acc', 'tenant', 'ann', 1, 5, x'04', null),
                   ('ra', 'a/a:2#1', 1, 1, 'a', 1, 1, 'in doubt', 'acc', 'tenant', 'bob', 1, 6, null, null),
                   ('rb', 'i1/s:3#1', 0, 1, 's', 1, 0, 'done', null, null, null, 1, 7, x'05', 'k');
        insert into claim(account, sort, name, run, step, parked) values ('acc', 'tenant', 'bob', 'ra', 'a/a:2#1', 1);
        insert into act(key, run, step) values ('k', 'rb', 'i1/s:3#1');
        insert into ledger(account, sort, name, platform_id, run, step, value, created_ms, changed_ms)
            values ('acc', 'tenant', 'ann', '7', 'ra', 'z/a:1#1', x'06', 1, 2),
                   ('acc', 'tenant', 'cat', null, null, null, x'07', 3, 4);
    ";
    connection.execute_batch(content).unwrap();

    let copy = migrate(&mut connection, &path, MIGRATIONS).unwrap();

    assert_eq!(copy, Some(backup_path(&path, 3)));
    let list = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let lines = statement.query_map([], |row| row.get(0)).unwrap();
        lines.map(Result::unwrap).collect()
    };
    let rows = "select printf('%s %d %s %d %s %d %d', run.id, position, hex(digest), repeat, scope, crashes, computing)
                from row join run on run.seq = row.run order by row.run, position";
    assert_eq!(
        list(rows),
        [
            "rb 0  1 i1 0 0",
            "ra 0 00FF00FF00FF00FF 1 00ff00ff00ff00ff 0 0",
            "ra 1 00FF00FF00FF00FF 2 00ff00ff00ff00ff~2 2 1",
        ]
    );
    let steps = "select printf('%d %s %s %s %d %s', step.id, run.id, key, state, parked, hex(outcome))
                 from step join run on run.seq = step.run order by step.id";
    assert_eq!(
        list(steps),
        [
            "1 rb i1/s:3#1 done 0 05",
            "2 ra z/a:1#1 done 0 04",
            "3 ra a/a:2#1 in doubt 1 ",
        ]
    );
    assert_eq!(list("select key || ' ' || step from act"), ["k 1"]);
    let ledger = "select printf('%s %s %s', name, step, hex(value)) from ledger order by name";
    assert_eq!(list(ledger), ["ann 2 06", "cat  07"]);
}

/// A process of version 3 may have the file open, and begin a run or continue one while the file is migrated.
#[test]
fn whatever_version_3_writes_for_a_run_fails_after_the_migration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = Connection::open(&path).unwrap();
    migrate(&mut connection, &path, &[VERSION_1, VERSION_2, VERSION_3]).unwrap();
    let begin = |id: &str, total: &str| {
        format!(
            "insert into run(id, name, sources, params, plan, columns, has_rows, total, status, created_ms, changed_ms,
                             pruned, earlier, rules)
                 values ('{id}', 'a', '[]', x'00', x'00', null, 1, {total}, 1, 1, 1, 0, '[]', 2)
                 on conflict(id) do update set total = excluded.total, status = excluded.status"
        )
    };
    let row = "insert into row(run, position, scope, status, input, output, error)
               values ('ra', 1, 'i2', 0, x'01', null, null) on conflict do nothing";
    let step = "insert into step(run, key, position, seq, op, changes, ledger, state, sent_ms, settle_ms, account, sort,
                                 name, attempts, started_ms, ended_ms, outcome, why, waits_ms, boot, boot_ms, loss,
                                 request, act, strikes)
                values ('ra', 'i1/a#2', 0, 1, 'a', 1, 0, 'done', null, null, null, null, null, 1, 1, 1, x'01', null,
                        null, null, null, null, null, null, '[]')
                on conflict(run, key) do update set state = excluded.state";
    let writes = [
        begin("rb", "null"),
        begin("ra", "7"),
        row.to_owned(),
        // With the end of a row.
        "delete from died where run = 'ra' and position = 0".to_owned(),
        step.to_owned(),
        "insert or replace into claim(account, sort, name, run, step, parked) values ('a', 'b', 'c', 'ra', 'i1/a#1', 0)"
            .to_owned(),
        "insert or replace into act(key, run, step) values ('k', 'ra', 'i1/a#1')".to_owned(),
        "insert or replace into ledger(account, sort, name, platform_id, run, step, value, created_ms, changed_ms)
             values ('a', 'b', 'c', null, 'ra', 'i1/a#1', x'01', 1, 1)"
            .to_owned(),
    ];
    // Before, each of them works.
    connection.execute_batch("begin").unwrap();
    connection.execute(&begin("ra", "null"), []).unwrap();
    let first = step.replace("#2", "#1");
    connection.execute(&first, []).unwrap();
    for write in &writes {
        connection.execute(write, []).unwrap();
    }
    connection.execute_batch("rollback").unwrap();
    connection.execute(&begin("ra", "null"), []).unwrap();
    connection.execute(&first, []).unwrap();

    migrate(&mut connection, &path, MIGRATIONS).unwrap();

    for write in &writes {
        let written = connection.execute(write, []);
        assert!(written.is_err(), "{write}");
    }
    let error = connection.execute(&writes[0], []).unwrap_err().to_string();
    assert!(
        error.contains("a newer version of provisor has migrated it"),
        "{error}"
    );
    let total: Option<i64> = connection
        .query_row("select total from run where id = 'ra'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(total, None);
}

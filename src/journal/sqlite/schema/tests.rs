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
    let known: (Option<String>, Option<String>, String) = connection
        .query_row("select request, act, strikes from step", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!((rules, known), (1, (None, None, "[]".to_owned())));
    assert_eq!((version(&path), version(&backup_path(&path, 1))), (3, 1));
}

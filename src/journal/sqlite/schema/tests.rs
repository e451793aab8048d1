//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn version(path: &Path) -> i64 {
    let connection = Connection::open(path).unwrap();
    connection
        .query_row("pragma user_version", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn an_older_file_is_copied_beside_itself_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = Connection::open(&path).unwrap();
    migrate(&mut connection, &path, MIGRATIONS).unwrap();
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
    let mut connection = Connection::open(&path).unwrap();
    migrate(&mut connection, &path, MIGRATIONS).unwrap();
    let broken = [VERSION_1, "alter table audit add column more text; nonsense"];
    assert!(migrate(&mut connection, &path, &broken).is_err());
    assert_eq!(version(&path), 1);
    assert!(
        connection
            .query_row("select more from audit", [], |_| Ok(()))
            .is_err()
    );
}

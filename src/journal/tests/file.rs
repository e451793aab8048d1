//! The journal's file: who can read it, which files are rejected, and what happens when the disk is full.

use std::fs;
use std::path::PathBuf;

use super::platform::Does;
use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/journal.db");
    (folder, path)
}

fn all_bytes(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    let mut files: Vec<_> = files
        .map(|file| (file.clone(), fs::read(&file).unwrap()))
        .collect();
    files.sort();
    files
}

fn holds(files: &[(PathBuf, Vec<u8>)], text: &str) -> bool {
    let found = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    files.iter().any(|(_, bytes)| found(bytes))
}

#[tokio::test]
async fn no_parameter_input_or_result_is_stored_in_plaintext() {
    let (_folder, path) = place();
    let clock = frozen();
    let journal = in_file(&path, &clock);
    let planted = || Value::from("planted-secret");
    let new = NewRun {
        params: planted(),
        plan: planted(),
        ..new_run("onboard")
    };
    let run = journal.begin_run(new).unwrap();
    journal.set_columns(&run, vec!["planted-secret".into()]).unwrap();
    let row = NewRow {
        position: 0,
        content: Some(planted()),
        input: planted(),
    };
    journal.spool_rows(&run, vec![row]).unwrap();
    journal
        .finish_row(&run, 0, RowStatus::Failed, Some(&planted()), Some(&planted()))
        .unwrap();
    let platform = Platform::new(&clock, [Does::Answers, Does::DropsAfter]);
    step(&journal, &run, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    step(&journal, &run, "a", &act("planted-secret"), &platform)
        .await
        .unwrap_err();
    journal.audit("reveal", "eve", &planted()).unwrap();
    journal.ledger_put(&tenant("adopted"), &planted()).unwrap();
    journal.flush().unwrap();
    let files = all_bytes(&path);
    assert!(holds(&files, "ensure_tenant") && holds(&files, "fn main"));
    for secret in ["planted-secret", "pw-1", "the answer was lost"] {
        assert!(!holds(&files, secret), "{secret}");
    }
}

#[cfg(unix)]
#[test]
fn journal_files_get_owner_only_permissions_even_when_they_existed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let journal = in_file(&path, &frozen());
    let run = begin(&journal);
    journal.flush().unwrap();
    let lock = path.parent().unwrap().join(format!("locks/{}.lock", run.id()));
    for file in all_bytes(&path).into_iter().map(|(file, _)| file).chain([lock]) {
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
    }
    assert_eq!(all_bytes(&path).len(), 4);
}

#[test]
fn a_wrong_key_is_refused_without_changing_the_journal() {
    let (_folder, path) = place();
    drop(begin(&in_file(&path, &frozen())));
    let before = all_bytes(&path);
    let other = Journal::open(&path, Sealer::new(&[9; 32]), frozen(), Ids::random());
    let error = other.unwrap_err();
    assert!(matches!(error, JournalError::WrongKey { .. }));
    assert!(error.hint().unwrap().contains("PROVISOR_KEY"));
    assert_eq!(databases(&before), databases(&all_bytes(&path)));
}

/// Returns all files except the index of the log, which SQLite recreates for every reader.
fn databases(files: &[(PathBuf, Vec<u8>)]) -> Vec<&(PathBuf, Vec<u8>)> {
    let is_index = |path: &Path| path.to_string_lossy().ends_with("-shm");
    files.iter().filter(|(path, _)| !is_index(path)).collect()
}

#[test]
fn a_newer_or_foreign_database_is_refused_and_left_unchanged() {
    for sql in [
        "pragma application_id = 1886548595; pragma user_version = 99; create table later(x);",
        "create table recipes(name text);",
    ] {
        let (_folder, path) = place();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let before = all_bytes(&path);
        let error = Journal::open(&path, sealer(), frozen(), Ids::random()).unwrap_err();
        let is_newer = matches!(error, JournalError::Newer { found: 99, .. });
        assert!(
            is_newer || matches!(error, JournalError::Corrupt { .. }),
            "{error}"
        );
        assert_eq!(before, all_bytes(&path));
    }
}

#[test]
fn a_corrupt_journal_is_reported_by_path_and_left_unchanged() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(
        &path,
        "this is no database, and it is long enough to be looked at as one".repeat(9),
    )
    .unwrap();
    let before = all_bytes(&path);
    let error = Journal::open(&path, sealer(), frozen(), Ids::random()).unwrap_err();
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("journal.db"));
    assert_eq!(before, all_bytes(&path));
}

#[test]
fn check_reports_a_ledger_entry_that_was_tampered_with() {
    let (_folder, path) = place();
    let journal = in_file(&path, &frozen());
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    assert!(journal.check().unwrap().is_empty());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("update ledger set name = 'bob'", []).unwrap();
    assert_eq!(
        journal.check().unwrap(),
        ["the ledger's tenant bob cannot be read"]
    );
}

#[tokio::test]
async fn a_full_disk_stops_everything_before_the_next_request() {
    let (_folder, path) = place();
    let clock = frozen();
    drop(in_file(&path, &clock));
    let store = Store::open_limited(&path, &sealer(), clock.clone(), Some(40)).unwrap();
    let journal = Journal::with(store, Locks::new(Some(&path)), Ids::random());
    let run = begin(&journal);
    let platform = Platform::new(&clock, []);
    let mut done = 0;
    let error = loop {
        match step(
            &journal,
            &run,
            "a",
            &ensure(&format!("{}{done}", "x".repeat(900))),
            &platform,
        )
        .await
        {
            Ok(_) => done += 1,
            Err(StepEnd::Journal(error)) => break error,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    let sent = platform.sends().len();
    assert!((done..=done + 1).contains(&sent), "{done} {sent}");
    for name in ["ann", "bob"] {
        let end = step(&journal, &run, "b", &ensure(name), &platform).await;
        assert!(matches!(end, Err(StepEnd::Journal(JournalError::Full { .. }))));
    }
    assert_eq!(platform.sends().len(), sent);
    assert!(journal.finish_row(&run, 0, RowStatus::Done, None, None).is_err());
    assert!(journal.check_writable().is_err());

    // With free space again, the same run continues, and nothing is sent twice.
    let id = run.id().clone();
    drop((run, journal));
    let journal = in_file(&path, &clock);
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    let run = journal.lock_run(&id).unwrap();
    for at in 0..=done {
        let name = format!("{}{at}", "x".repeat(900));
        step(&journal, &run, "a", &ensure(&name), &platform)
            .await
            .unwrap();
        assert_eq!(platform.applied(&name), 1);
    }
}

#[test]
fn the_journal_can_be_created_concurrently() {
    let (_folder, path) = place();
    std::thread::scope(|scope| {
        let makers = (0..6).map(|_| scope.spawn(|| begin(&in_file(&path, &frozen())).id().clone()));
        for maker in makers.collect::<Vec<_>>() {
            maker.join().unwrap();
        }
    });
    let journal = in_file(&path, &frozen());
    assert_eq!(journal.runs().unwrap().len(), 6);
    assert!(journal.check().unwrap().is_empty());
}

#[test]
fn a_backup_opens_in_the_place_of_the_journal() {
    let (folder, path) = place();
    let journal = in_file(&path, &frozen());
    let run = begin(&journal);
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    let copy = folder.path().join("copy.db");
    journal.backup(&copy).unwrap();
    assert!(matches!(journal.backup(&copy), Err(JournalError::Exists { .. })));
    let restored = in_file(&copy, &frozen());
    assert!(restored.run(run.id()).unwrap().is_some());
    assert_eq!(
        restored.ledger_get(&tenant("ann")).unwrap().unwrap().value,
        outcome(1)
    );
    restored.set_run_status(&run, RunStatus::Done).unwrap();
    assert!(restored.check().unwrap().is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn dropping_the_last_handle_flushes_all_rows_to_disk() {
    let (_folder, path) = place();
    let journal = in_file(&path, &frozen());
    let run = begin(&journal);
    let id = run.id().clone();
    let rows = (0..2000).map(|position| NewRow {
        position,
        content: None,
        input: Value::Null,
    });
    journal.spool_rows(&run, rows.collect()).unwrap();
    drop((journal, run));
    assert_eq!(in_file(&path, &frozen()).row_counts(&id).unwrap().all(), 2000);
}

/// Copies the files of a journal as they are on disk now.
fn copy_to(path: &Path, target: &Path, endings: &[&str]) {
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    for ending in endings {
        fs::copy(files::beside(path, ending), files::beside(target, ending)).unwrap();
    }
}

#[test]
fn credentials_are_checkpointed_into_the_database_when_the_journal_closes() {
    let (folder, path) = place();
    let journal = in_file(&path, &frozen());
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    drop(journal);
    let copy = folder.path().join("elsewhere/journal.db");
    copy_to(&path, &copy, &[""]);
    let copied = in_file(&copy, &frozen());
    assert_eq!(
        copied.ledger_get(&tenant("ann")).unwrap().unwrap().value,
        outcome(1)
    );
    // Whether its log had more records is unknown.
    assert!(
        copied.notices()[0].contains("has no log file"),
        "{:?}",
        copied.notices()
    );
    copied.check_writable().unwrap();
}

#[test]
fn a_missing_or_damaged_wal_is_detected_and_blocks_writes() {
    let (folder, path) = place();
    let journal = in_file(&path, &frozen());
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    let all = ["", "-wal", "-count"];
    for case in ["whole", "missing", "damaged"] {
        let copy = folder.path().join(case).join("journal.db");
        copy_to(&path, &copy, &all);
        let log = files::beside(&copy, "-wal");
        match case {
            "missing" => fs::remove_file(&log).unwrap(),
            "damaged" => {
                let mut bytes = fs::read(&log).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(&log, bytes).unwrap();
            }
            _ => {}
        }
        let copied = match Journal::open(&copy, sealer(), frozen(), Ids::random()) {
            Ok(copied) => copied,
            // None of it was in the database yet.
            Err(JournalError::Gone { .. }) if case != "whole" => continue,
            Err(other) => panic!("{case}: {other}"),
        };
        if case == "whole" {
            copied.check_writable().unwrap();
            continue;
        }
        let error = copied.check_writable().unwrap_err();
        assert!(
            matches!(error, JournalError::Incomplete { .. }),
            "{case}: {error}"
        );
        assert!(copied.begin_run(new_run("onboard")).is_err());
        assert!(
            copied
                .check()
                .unwrap()
                .iter()
                .any(|problem| problem.contains("is missing the last"))
        );
        // A user who knows better can continue.
        drop(copied);
        fs::remove_file(files::beside(&copy, "-count")).unwrap();
        in_file(&copy, &frozen()).check_writable().unwrap();
    }
}

#[test]
fn check_reports_a_deleted_ledger_entry() {
    let (_folder, path) = place();
    let journal = in_file(&path, &frozen());
    for name in ["ann", "bob"] {
        journal.ledger_put(&tenant(name), &outcome(1)).unwrap();
        journal.ledger_put(&tenant(name), &outcome(2)).unwrap();
    }
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute("delete from ledger where name = 'bob'", [])
        .unwrap();
    assert_eq!(
        journal.check().unwrap(),
        ["the ledger has 1 entries, but 2 were recorded"]
    );
}

#[test]
fn a_missing_journal_is_reported_and_not_silently_recreated() {
    let (_folder, path) = place();
    drop(in_file(&path, &frozen()));
    let remove = || {
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(files::beside(&path, ending));
        }
    };
    remove();
    let journal = in_file(&path, &frozen());
    assert!(journal.notices()[0].contains("was missing; a new one was created"));
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    drop(journal);
    remove();
    let error = Journal::open(&path, sealer(), frozen(), Ids::random()).unwrap_err();
    assert!(matches!(error, JournalError::Gone { .. }), "{error}");
    assert!(!path.exists());
    fs::remove_file(files::beside(&path, "-count")).unwrap();
    let journal = in_file(&path, &frozen());
    assert!(journal.notices()[0].contains("was missing; a new one was created"));
    drop(journal);
    // A count sealed with another key cannot be read.
    remove();
    let other = Sealer::new(&[9; 32]);
    let error = Journal::open(&path, other, frozen(), Ids::random()).unwrap_err();
    assert!(matches!(error, JournalError::Gone { .. }), "{error}");
}

#[test]
fn a_read_only_journal_can_be_read_and_refuses_writes() {
    let (folder, path) = place();
    let journal = in_file(&path, &frozen());
    let id = begin(&journal).id().clone();
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    drop(journal);
    // A file in place of a folder prevents opening it for writing.
    fs::write(path.with_file_name("replacement"), "").unwrap();
    let before = all_bytes(&path);
    let journal = in_file(&path, &frozen());
    assert_eq!(
        journal.ledger_get(&tenant("ann")).unwrap().unwrap().value,
        outcome(1)
    );
    assert!(journal.run(&id).unwrap().is_some());
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    journal.backup(&folder.path().join("copy.db")).unwrap();
    for refused in [
        journal.lock_run(&id).map(drop),
        journal.begin_run(new_run("onboard")).map(drop),
        journal.audit("reveal", "eve", &Value::Null),
    ] {
        assert!(
            matches!(refused, Err(JournalError::ReadOnly { .. })),
            "{refused:?}"
        );
    }
    drop(journal);
    assert_eq!(databases(&before), databases(&all_bytes(&path)));
}

#[test]
fn a_long_write_by_another_process_is_waited_for_and_announced() {
    let (_folder, path) = place();
    let journal = in_file(&path, &frozen());
    let (told, waits) = std::sync::mpsc::channel();
    journal
        .waits()
        .set_listener(move |wait| drop(told.send(wait.what.clone())));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("begin immediate").unwrap();
    std::thread::scope(|scope| {
        let write = scope.spawn(|| journal.ledger_put(&tenant("ann"), &outcome(1)));
        let what = waits.recv_timeout(Duration::from_mins(1)).unwrap();
        assert!(what.contains("another process has been writing to"), "{what}");
        assert!(!write.is_finished());
        other.execute_batch("rollback").unwrap();
        write.join().unwrap().unwrap();
    });
    journal.check_writable().unwrap();
}

#[test]
fn after_a_writer_panic_flush_and_writes_fail() {
    let (_folder, path) = place();
    let journal = in_file(&path, &frozen());
    let run = begin(&journal);
    let audit = apply::Write::Audit(maintain::audit_data(&journal, "reveal", "eve", &Value::Null));
    let _ = journal.store().write_later_then(
        audit,
        Box::new(|_| std::panic::resume_unwind(Box::new("a fault"))),
    );
    assert!(journal.flush().is_err());
    assert!(journal.set_columns(&run, Vec::new()).is_err());
    assert!(journal.check_writable().is_err());
}

#[test]
fn a_killed_journal_creation_is_rolled_back_by_concurrent_openers() {
    let (folder, path) = place();
    let half = folder.path().join("half.db");
    let connection = rusqlite::Connection::open(&half).unwrap();
    connection
        .execute_batch("pragma cache_size = 1; begin immediate; create table meta(key, value)")
        .unwrap();
    for _ in 0..200 {
        connection
            .execute("insert into meta values (randomblob(4000), 1)", [])
            .unwrap();
    }
    for _ in 0..8 {
        let _ = fs::remove_dir_all(path.parent().unwrap());
        copy_to(&half, &path, &["", "-journal"]);
        std::thread::scope(|scope| {
            let openers = (0..6).map(|_| scope.spawn(|| drop(in_file(&path, &frozen()))));
            for opener in openers.collect::<Vec<_>>() {
                opener.join().unwrap();
            }
        });
    }
}

#[test]
fn a_removed_lock_file_is_not_confused_with_its_replacement() {
    let (_folder, path) = place();
    let locks = path.with_file_name("locks");
    files::make_private_folder(&locks).unwrap();
    let file = files::create_private(&locks.join("r1.lock")).unwrap();
    assert!(files::is_same_file(&locks.join("r1.lock"), &file));
    fs::remove_file(locks.join("r1.lock")).unwrap();
    assert!(!files::is_same_file(&locks.join("r1.lock"), &file));
    drop(files::create_private(&locks.join("r1.lock")).unwrap());
    assert!(!files::is_same_file(&locks.join("r1.lock"), &file));
}

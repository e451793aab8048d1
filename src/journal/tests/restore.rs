//! Restoring a backup, and changing the key.

use std::fs;
use std::path::PathBuf;

use super::platform::Does;
use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/journal.db");
    (folder, path)
}

fn names(journal: &Journal) -> Vec<String> {
    let items = journal.ledger_list("tenant", None).unwrap();
    items.into_iter().map(|item| item.resource.name).collect()
}

#[test]
fn restoring_a_backup_keeps_the_replaced_journal() {
    let (folder, path) = place();
    let clock = frozen();
    let journal = in_file(&path, &clock);
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    let backup = folder.path().join("copy.db");
    journal.backup(&backup).unwrap();
    journal.ledger_put(&tenant("bob"), &outcome(2)).unwrap();

    let refused = Journal::restore(&path, &backup, &sealer(), &clock);
    assert!(matches!(refused, Err(JournalError::Busy { .. })), "{refused:?}");
    assert_eq!(names(&journal), ["ann", "bob"]);
    drop(journal);
    let other = Sealer::new(&[9; 32]);
    let refused = Journal::restore(&path, &backup, &other, &clock);
    assert!(
        matches!(refused, Err(JournalError::BackupKey { key: None, .. })),
        "{refused:?}"
    );

    let previous = Journal::restore(&path, &backup, &sealer(), &clock)
        .unwrap()
        .unwrap();
    assert!(
        previous
            .display()
            .to_string()
            .ends_with("journal.db.replaced-20231114-221320")
    );
    let restored = in_file(&path, &clock);
    assert_eq!(names(&restored), ["ann"]);
    restored.check_writable().unwrap();
    assert_eq!(restored.check().unwrap(), Vec::<String>::new());
    assert_eq!(names(&in_file(&previous, &clock)), ["ann", "bob"]);
}

#[test]
fn restore_replaces_a_damaged_journal_and_refuses_a_damaged_backup() {
    let (folder, path) = place();
    let clock = frozen();
    let journal = in_file(&path, &clock);
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    let backup = folder.path().join("copy.db");
    journal.backup(&backup).unwrap();
    drop(journal);
    let damaged = folder.path().join("damaged.db");
    fs::copy(&backup, &damaged).unwrap();
    rusqlite::Connection::open(&damaged)
        .unwrap()
        .execute("update ledger set value = x'00'", [])
        .unwrap();
    let refused = Journal::restore(&path, &damaged, &sealer(), &clock).unwrap_err();
    assert!(
        refused.to_string().contains("tenant ann cannot be read"),
        "{refused}"
    );
    assert_eq!(names(&in_file(&path, &clock)), ["ann"]);

    fs::write(&path, "nothing of a database").unwrap();
    Journal::restore(&path, &backup, &sealer(), &clock).unwrap();
    assert_eq!(names(&in_file(&path, &clock)), ["ann"]);
}

#[test]
fn a_restore_interrupted_by_a_kill_is_ignored_or_completed_later() {
    let (folder, path) = place();
    let clock = frozen();
    let journal = in_file(&path, &clock);
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    let backup = folder.path().join("copy.db");
    journal.backup(&backup).unwrap();
    journal.ledger_put(&tenant("bob"), &outcome(2)).unwrap();
    drop(journal);
    let state = path.parent().unwrap();
    // Until it is renamed, the folder has no effect.
    fs::create_dir(state.join("replacement.part")).unwrap();
    fs::copy(&backup, state.join("replacement.part/journal.db")).unwrap();
    let journal = in_file(&path, &clock);
    assert_eq!(names(&journal), ["ann", "bob"]);
    // The old journal's log exists when the process is killed: it must not be taken for the new one's.
    journal.ledger_put(&tenant("eve"), &outcome(3)).unwrap();
    let log = fs::read(files::beside(&path, "-wal")).unwrap();
    drop(journal);
    fs::write(files::beside(&path, "-wal"), log).unwrap();
    fs::rename(state.join("replacement.part"), state.join("replacement")).unwrap();

    let restored = in_file(&path, &clock);
    assert_eq!(names(&restored), ["ann"]);
    assert_eq!(restored.check().unwrap(), Vec::<String>::new());
    assert!(!state.join("replacement").exists());
}

#[tokio::test]
async fn after_rekeying_all_values_open_and_steps_are_replayed() {
    let (folder, path) = place();
    let clock = frozen();
    let key = path.with_file_name("key");
    let files = SealedFiles {
        journal: path.clone(),
        secrets: path.with_file_name("secrets.db"),
        key: key.clone(),
    };
    let mut sealer = Sealer::from_key_file(&key).unwrap();
    let platform = Platform::new(&clock, [Does::Answers, Does::DropsAfter]);
    let journal = Journal::open(&path, sealer.clone(), clock.clone(), Ids::random()).unwrap();
    let run = begin(&journal);
    journal.set_columns(&run, vec!["email".into()]).unwrap();
    let row = NewRow {
        position: 0,
        content: Some("a".into()),
        input: Value::from("ann"),
    };
    journal.spool_rows(&run, vec![row]).unwrap();
    let said = Value::from("said");
    journal
        .finish_row(&run, 0, RowStatus::Done, Some(&said), Some(&said))
        .unwrap();
    step(&journal, &run, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    step(&journal, &run, "a", &act("pay"), &platform)
        .await
        .unwrap_err();
    journal.audit("reveal", "eve", &said).unwrap();
    let vault = Vault::durable(&files.secrets, sealer.clone());
    vault.put("acme", &said).unwrap();
    let id = run.id().clone();
    drop((run, vault));
    let refused = Journal::rekey(&files, &sealer, None, &clock);
    assert!(matches!(refused, Err(JournalError::Busy { .. })), "{refused:?}");
    drop(journal);

    // Twice: with a random key, then with a given one.
    for given in [None, Some(Sealer::new(&[9; 32]))] {
        let old_key = fs::read(&key).unwrap();
        let (previous, unreadable) = Journal::rekey(&files, &sealer, given.as_ref(), &clock).unwrap();
        assert_eq!(unreadable, 0);
        assert_eq!(fs::read(previous.as_ref().unwrap()).unwrap(), old_key);
        fs::remove_file(previous.unwrap()).unwrap();
        let old = Journal::open(&path, sealer, clock.clone(), Ids::random());
        assert!(matches!(old, Err(JournalError::WrongKey { .. })));
        assert_eq!(key.exists(), given.is_none());
        sealer = given.unwrap_or_else(|| Sealer::from_key_file(&key).unwrap());

        let journal = Journal::open(&path, sealer.clone(), clock.clone(), Ids::random()).unwrap();
        assert_eq!(journal.check().unwrap(), Vec::<String>::new());
        assert_eq!(
            journal.check_writable().err().map(|error| error.to_string()),
            None
        );
        let run = journal.lock_run(&id).unwrap();
        let again = step(&journal, &run, "a", &ensure("ann"), &platform)
            .await
            .unwrap();
        assert_eq!((again.replayed, again.value), (true, outcome(1)));
        assert_eq!(
            Vault::durable(&files.secrets, sealer.clone())
                .get("acme")
                .unwrap(),
            Some(said.clone())
        );
    }
    assert_eq!(platform.sends().len(), 2);
    drop(folder);
}

#[test]
fn an_unreadable_value_does_not_prevent_rekeying() {
    let (_folder, path) = place();
    let clock = frozen();
    let journal = in_file(&path, &clock);
    for name in ["ann", "bob"] {
        journal.ledger_put(&tenant(name), &outcome(1)).unwrap();
    }
    drop(journal);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("update ledger set value = x'00' where name = 'ann'", [])
        .unwrap();
    let files = SealedFiles {
        journal: path.clone(),
        secrets: path.with_file_name("secrets.db"),
        key: path.with_file_name("key"),
    };
    let new = Sealer::new(&[9; 32]);
    let (_, unreadable) = Journal::rekey(&files, &sealer(), Some(&new), &clock).unwrap();
    assert_eq!(unreadable, 1);
    let journal = Journal::open(&path, new, clock, Ids::random()).unwrap();
    assert_eq!(
        journal.ledger_get(&tenant("bob")).unwrap().unwrap().value,
        outcome(1)
    );
    assert_eq!(
        journal.check().unwrap(),
        ["the ledger's tenant ann cannot be read"]
    );
}

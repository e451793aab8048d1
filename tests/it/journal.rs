//! A journal that is damaged, read-only, missing, replaced, or in use: what users can still do, and what is reported.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::account::Served;
use crate::support::{Home, clients, csv, finish, script, signal, wait_until};

/// A home with tenants and apps for `count` clients.
fn onboarded(count: usize) -> Home {
    let home = Home::new();
    home.write("clients.csv", &clients(count));
    let words = format!(
        "run {} --sandbox --rows clients.csv --out results.csv",
        script("onboard.rhai")
    );
    let _ = home.run(&words).ended(0);
    home
}

fn change(home: &Home, sql: &str) {
    let journal = Connection::open(home.provisor().join("state/journal.db")).unwrap();
    assert!(journal.execute(sql, []).unwrap() > 0, "{sql}");
}

fn emails(home: &Home) -> Vec<String> {
    let tenants = home.json("tenants list --json");
    let tenants = tenants["tenants"].as_array().unwrap().iter();
    tenants
        .map(|tenant| tenant["email"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_damaged_credential_is_reported_and_the_others_are_readable() {
    let home = onboarded(3);
    change(
        &home,
        "update ledger set value = x'00' where sort = 'tenant' and name like 'client1%'",
    );
    let listed = home
        .run("tenants list --json")
        .ended(3)
        .said(&["client1@example.com cannot be read"]);
    let document: Value = serde_json::from_str(&listed.stdout).unwrap();
    let credentials = document["tenants"].as_array().unwrap().iter();
    let credentials: Vec<&str> = credentials
        .map(|tenant| tenant["credential"].as_str().unwrap())
        .collect();
    let of = |credential: &str| credentials.iter().filter(|found| **found == credential).count();
    assert_eq!((of("recorded"), of("unreadable")), (2, 1), "{credentials:?}");
    let _ = home.run("tenants export t.csv --reveal --yes").ended(3).said(&[
        "client1@example.com cannot be read",
        "journal check",
        "journal restore",
    ]);
    let exported = csv(&home.read("t.csv"));
    let known = exported.iter().filter(|tenant| tenant["password"].len() > 8);
    assert_eq!((exported.len(), known.count()), (3, 2));
    let checked = home.run("journal check").ended(3);
    assert!(
        checked
            .stdout
            .contains("tenant client1@example.com cannot be read"),
        "{}",
        checked.stdout
    );
}

#[test]
fn a_database_copied_without_its_wal_has_every_credential() {
    let home = onboarded(3);
    let copy = Home::new();
    let state = copy.provisor().join("state");
    fs::create_dir_all(&state).unwrap();
    for file in ["journal.db", "key"] {
        fs::copy(home.provisor().join("state").join(file), state.join(file)).unwrap();
    }
    assert_eq!(emails(&copy), emails(&home));
    // Whether its log had more is unknown.
    let checked = copy.run("journal check").ended(3);
    assert!(checked.stdout.contains("has no log file"), "{}", checked.stdout);
}

#[test]
fn one_damaged_row_fails_and_the_others_run() {
    let home = Home::new();
    home.write(
        "double.rhai",
        "/// @param n int  a number\nfn main(n) { #{twice: n * 2} }\n",
    );
    home.write("n.csv", "n\n1\n2\n3\n");
    let _ = home.run("run double.rhai --rows n.csv --out out.csv").ended(0);
    let id = home.newest();
    change(&home, "update run set status = 5");
    change(&home, "update row set status = 0, output = null");
    change(&home, "update row set input = x'00' where position = 1");
    let _ = home.run("resume").ended(8).said(&["row 1 input cannot be read"]);
    let results = csv(&home.read("out.csv"));
    let statuses: Vec<&str> = results.iter().map(|row| row["_status"].as_str()).collect();
    assert_eq!(statuses, ["done", "failed", "done"]);
    assert!(results[1]["_error"].contains("cannot be read"), "{results:?}");

    // A lost output is reported in its row.
    change(&home, "update row set output = x'00' where position = 2");
    let _ = home.run(&format!("runs export {id} run.json")).ended(3);
    let exported: Value = serde_json::from_str(&home.read("run.json")).unwrap();
    assert!(
        exported["rows"][2]["error"]
            .as_str()
            .unwrap()
            .contains("cannot be read")
    );
    assert_eq!(exported["rows"][0]["output"]["twice"], 2);
}

#[test]
fn rows_whose_columns_have_other_types_run_or_fail_alone() {
    let home = Home::new();
    home.write(
        "double.rhai",
        "/// @param n int  a number\nfn main(n) { #{twice: n * 2} }\n",
    );
    home.write("n.csv", "n\n1\n2\n3\n4\n5\n6\n7\n");
    let _ = home.run("run double.rhai --rows n.csv --out out.csv").ended(0);
    change(&home, "update run set status = 5");
    change(&home, "update row set status = 0, output = null");
    for (position, damage) in [
        "input = 'text'",
        "status = 'text'",
        "crashes = 'text', computing = x'00'",
        "repeat = 'text'",
        "claimed = 'text'",
        "scope = x'00'",
    ]
    .iter()
    .enumerate()
    {
        change(
            &home,
            &format!("update row set {damage} where position = {position}"),
        );
    }
    let _ = home.run("resume").ended(8).said(&["row 0 input cannot be read"]);
    let results = csv(&home.read("out.csv"));
    let statuses: Vec<&str> = results.iter().map(|row| row["_status"].as_str()).collect();
    assert_eq!(
        statuses,
        ["failed", "done", "done", "done", "done", "failed", "done"]
    );
}

#[test]
fn one_damaged_step_parks_its_row_and_the_others_run() {
    let home = onboarded(3);
    change(&home, "update run set status = 5");
    change(&home, "update row set status = 0, output = null");
    change(
        &home,
        "update step set outcome = x'00' where op = 'mobsted::ensure_tenant' and position = 1",
    );
    let _ = home.run("resume").ended(10);
    let results = csv(&home.read("results.csv"));
    let statuses: Vec<&str> = results.iter().map(|row| row["_status"].as_str()).collect();
    assert_eq!(statuses, ["done", "parked", "done"]);
    assert!(
        results[1]["_error"].contains("its record cannot be read"),
        "{results:?}"
    );
    assert_eq!(home.snapshot().tenants.len(), 3, "nothing is sent again");
}

#[test]
fn a_damaged_run_is_reported_and_the_others_are_resumed() {
    let home = onboarded(1);
    let words = format!(
        "run {} --sandbox --email b@example.com --site https://b.example",
        script("onboard.rhai")
    );
    let _ = home.run(&words).ended(0);
    let damaged = home.newest();
    change(&home, "update run set status = 5");
    change(
        &home,
        &format!("update run set plan = x'00' where id = '{damaged}'"),
    );
    let listed = home.run("runs list").ended(3).said(&["plan cannot be read"]);
    assert_eq!(
        listed
            .stdout
            .lines()
            .filter(|line| line.contains("interrupted"))
            .count(),
        2
    );
    let refused = home.run(&format!("resume {damaged}")).ended(9);
    let _ = refused.said(&["the plan of run", "cannot be read"]);
    let _ = home.run("resume").ended(3).said(&["resuming run"]);
    let runs = home.run("runs list --json").ended(3);
    let runs: Value = serde_json::from_str(&runs.stdout).unwrap();
    assert_eq!(runs["runs"][1]["status"], "done");
}

#[test]
fn a_script_whose_text_was_changed_in_the_journal_is_not_run() {
    let home = Home::new();
    home.write("say.rhai", "fn main() { #{word: \"honest\"} }\n");
    let _ = home.run("run say.rhai --out out.json").ended(0);
    change(
        &home,
        "update source set text = replace(text, 'honest', 'changed')",
    );
    change(&home, "update run set status = 5");
    change(&home, "update row set status = 0, output = null");
    let _ = home
        .run("resume")
        .ended(9)
        .said(&["say.rhai", "its digest differs", "journal restore"]);
    assert!(!home.read("out.json").contains("changed"));
    let checked = home.run("journal check").ended(3);
    assert!(checked.stdout.contains("`say.rhai`"), "{}", checked.stdout);
}

#[test]
fn resume_refuses_a_run_that_is_still_in_progress() {
    let home = Home::new();
    let onboard = script("onboard.rhai");
    let words = "--sandbox --email a@example.com --site https://a.example --fault partners:slow:60000";
    let words = ["run", &onboard].into_iter().chain(words.split(' '));
    let child = home.command(words).spawn().unwrap();
    wait_until("the run is recorded", || {
        !home.json("runs list --json")["runs"]
            .as_array()
            .unwrap()
            .is_empty()
    });
    let told = format!("process {}", child.id());
    let _ = home
        .run("resume")
        .ended(9)
        .said(&["is in progress in process", &told]);
    signal(child.id(), "KILL");
    drop(finish(child));
}

#[test]
fn a_backup_is_restored_and_the_key_is_changed() {
    let home = onboarded(2);
    let _ = home.run("journal backup copy.db").ended(0);
    let words = format!(
        "run {} --sandbox --email late@example.com --site https://late.example",
        script("onboard.rhai")
    );
    let _ = home.run(&words).ended(0);
    assert_eq!(emails(&home).len(), 3);
    let _ = home.run("journal restore copy.db").ended(2).said(&["--yes"]);
    let _ = home
        .run("journal restore none.db --yes")
        .ended(2)
        .said(&["there is no file"]);
    let own = home.provisor().join("state/journal.db");
    let _ = home
        .run(&format!("journal restore {} --yes", own.display()))
        .ended(2)
        .said(&["is the journal itself"]);
    let restored = home.run("journal restore copy.db --yes").ended(0);
    let _ = restored.said(&["the journal was restored from", "is kept as", "may send it again"]);
    assert_eq!(emails(&home).len(), 2);
    assert_eq!(home.json("audit --json")["audit"][0]["kind"], "restore");

    let key = home.provisor().join("state/key");
    let before = fs::read_to_string(&key).unwrap();
    let _ = home
        .run("journal rekey --yes")
        .ended(0)
        .said(&["a new key", "older backups can only be opened with the old key"]);
    assert_ne!(fs::read_to_string(&key).unwrap(), before);
    assert_eq!(emails(&home).len(), 2);
    let _ = home.run("journal restore copy.db --yes").ended(2).said(&[
        "the backup",
        "copy.db was sealed with another key",
        "key.replaced-",
        "opens it",
    ]);
    home.write("no.db", "no backup");
    let refused = home.run("journal restore no.db --yes").ended(9);
    let refused = refused.said(&["the backup", "no.db cannot be used", "choose another backup"]);
    assert!(!refused.stderr.contains("-wal"), "{}", refused.stderr);
    // To a key that the user keeps.
    let given = "a passphrase that is long enough";
    let mut command = home.command(["journal", "rekey", "--yes"]);
    let _ = finish(command.env("PROVISOR_NEW_KEY", given).spawn().unwrap())
        .ended(0)
        .said(&["set PROVISOR_KEY to it"]);
    let _ = home.run("tenants list").ended(2).said(&["key that is missing"]);
    let mut command = home.command(["journal", "check"]);
    let checked = finish(command.env("PROVISOR_KEY", given).spawn().unwrap()).ended(0);
    assert_eq!(checked.stdout, "the journal is intact\n");
}

#[test]
fn a_missing_journal_whose_ledger_had_entries_is_an_error() {
    let home = onboarded(1);
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(home.provisor().join("state").join(file));
    }
    let checked = home.run("journal check").ended(3);
    assert!(
        checked.stdout.contains("journal.db is missing"),
        "{}",
        checked.stdout
    );
    let _ = home.run("tenants list").ended(9).said(&[
        "is missing, and the ledger in it had entries",
        "journal restore",
        "journal.db-count",
    ]);
}

#[test]
fn two_runs_cannot_write_to_the_same_results_file() {
    let home = Home::new();
    home.write("clients.csv", &clients(2));
    home.write("n.csv", "n\n1\n");
    home.write(
        "double.rhai",
        "/// @param n int  a number\nfn main(n) { #{twice: n * 2} }\n",
    );
    let onboard = script("onboard.rhai");
    let words = "--sandbox --rows clients.csv --out out.csv --fault partners:slow:60000";
    let words = ["run", &onboard].into_iter().chain(words.split(' '));
    let child = home.command(words).spawn().unwrap();
    let partial = home.work().join("out.csv.partial");
    wait_until("the first run writes", || partial.exists());
    let _ = home
        .run("run double.rhai --rows n.csv --out out.csv")
        .ended(2)
        .said(&["another run is writing its results there"]);
    signal(child.id(), "KILL");
    drop(finish(child));
    let _ = home.run("run double.rhai --rows n.csv --out out.csv").ended(0);
    assert_eq!(csv(&home.read("out.csv"))[0]["twice"], "2");
    assert!(!partial.exists());

    // A file that only has the partial file's name.
    fs::write(&partial, "my notes\n").unwrap();
    let _ = home
        .run("run double.rhai --rows n.csv --out out.csv")
        .ended(2)
        .said(&["out.csv.partial", "which was not written by a run"]);
    assert_eq!(fs::read_to_string(&partial).unwrap(), "my notes\n");
}

#[test]
fn a_missing_password_is_not_recorded_as_a_step_outcome() {
    let home = Home::new();
    let served = Served::start(&home);
    home.configure_acme(&served, "dev");
    home.write(
        "look.rhai",
        "fn main() { mobsted::connect(\"acme\").apps().len() }\n",
    );
    let _ = home.run("run look.rhai").ended(2).said(&["ACME_PASSWORD"]);
    let run = home.newest();
    let steps = home.json(&format!("runs steps {run} --json"));
    assert_eq!(steps["steps"], serde_json::json!([]));
    let _ = home
        .run_as(&served, &format!("resume {run} --retry-failed"))
        .ended(0);
}

#[test]
fn a_backup_on_a_full_disk_fails_and_leaves_no_file() {
    let home = Home::new();
    home.write(
        "large.rhai",
        &format!("// {}\nfn main() {{ 1 }}\n", "x".repeat(300_000)),
    );
    let _ = home.run("run large.rhai").ended(0);
    let backup = home.command(["journal", "backup", "copy.db"]);
    let mut command = std::process::Command::new("sh");
    // Limits the size of files, as a full disk would.
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""])
        .arg(backup.get_program())
        .args(backup.get_args())
        .env_clear()
        .envs(backup.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(home.work())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let ran = finish(command.spawn().unwrap()).ended(9);
    let ran = ran.said(&["the copy ", "copy.db cannot be written", "free some space there"]);
    assert!(!ran.stderr.contains("resume"), "{}", ran.stderr);
    let left: Vec<_> = fs::read_dir(home.work())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(left, ["large.rhai"]);
}

#[test]
fn read_only_commands_create_neither_a_key_nor_a_journal() {
    let home = Home::new();
    let lists = [
        "tenants list",
        "apps list",
        "runs list",
        "audit",
        "journal check",
        "doctor",
    ];
    for words in lists {
        let ran = home.run(words);
        assert!(!ran.stderr.contains("missing"), "{words}: {}", ran.stderr);
    }
    let state = home.provisor().join("state");
    assert!(!state.join("journal.db").exists() && !state.join("key").exists());
}

#[test]
fn a_missing_journal_beside_its_key_is_reported() {
    let home = onboarded(1);
    let state = home.provisor().join("state");
    let remove = |names: &[&str]| {
        for name in names {
            let _ = fs::remove_file(state.join(name));
        }
    };
    remove(&[
        "journal.db",
        "journal.db-wal",
        "journal.db-shm",
        "journal.db-count",
    ]);
    for words in ["tenants list", "apps list --json", "runs list"] {
        let _ = home
            .run(words)
            .ended(3)
            .said(&["journal.db is missing", "journal restore"]);
    }
    let doctor = home.run("doctor").ended(3);
    assert!(
        doctor.stdout.contains("journal.db is missing"),
        "{}",
        doctor.stdout
    );
    assert!(!state.join("journal.db").exists(), "a list makes no journal");
    home.write("one.rhai", "fn main() { 1 }\n");
    let _ = home
        .run("run one.rhai")
        .ended(0)
        .said(&["was missing; a new one was created"]);
    assert_eq!(home.json("runs list --json")["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_count_file_without_journal_and_key_prevents_new_ones() {
    let home = onboarded(1);
    let state = home.provisor().join("state");
    let key = fs::read_to_string(state.join("key")).unwrap();
    for name in ["journal.db", "journal.db-wal", "journal.db-shm", "key"] {
        let _ = fs::remove_file(state.join(name));
    }
    let run = "run one.rhai";
    home.write("one.rhai", "fn main() { 1 }\n");
    for words in ["tenants list", run] {
        let _ = home
            .run(words)
            .ended(2)
            .said(&["sealed with a key that is missing"]);
    }
    for (key, code) in [(key.trim(), 9), ("another passphrase of somebody", 9)] {
        for words in ["tenants list", run] {
            let mut command = home.command(words.split(' '));
            let ran = finish(command.env("PROVISOR_KEY", key).spawn().unwrap());
            let _ = ran
                .ended(code)
                .said(&["is missing, and the ledger in it had entries"]);
        }
    }
    assert!(!state.join("journal.db").exists() && !state.join("key").exists());
}

#[test]
fn a_journal_without_its_last_changes_is_listed_with_a_warning() {
    let home = onboarded(1);
    let state = home.provisor().join("state");
    let older = fs::read(state.join("journal.db")).unwrap();
    let words = format!(
        "run {} --sandbox --email late@example.com --site https://late.example",
        script("onboard.rhai")
    );
    let _ = home.run(&words).ended(0);
    for name in ["journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(state.join(name));
    }
    fs::write(state.join("journal.db"), older).unwrap();
    for words in ["tenants list", "tenants list --json", "apps list", "runs list"] {
        let listed = home.run(words).ended(3);
        let listed = listed.said(&["is missing the last", "to its ledger", "journal restore"]);
        assert!(!listed.stdout.contains("late@"), "{}", listed.stdout);
    }
    home.write("one.rhai", "fn main() { 1 }\n");
    let _ = home.run("run one.rhai").ended(9).said(&["is missing the last"]);
}

#[test]
fn a_run_whose_results_cannot_be_written_can_be_resumed() {
    let home = Home::new();
    home.write(
        "double.rhai",
        "/// @param n int  a number\nfn main(n) { #{twice: n * 2} }\n",
    );
    home.write("n.csv", "n\n1\n");
    // The partial file's name fits, the draft's does not.
    let out = format!("{}.csv", "o".repeat(243));
    let ran = home
        .run(&format!("run double.rhai --rows n.csv --out {out}"))
        .ended(9);
    let id = home.newest();
    let said = format!("to continue: provisor resume {id}");
    let _ = ran.said(&["the results cannot be written to", ".csv`: ", &said]);
    assert_eq!(home.json("runs list --json")["runs"][0]["status"], "interrupted");
}

#[test]
fn a_run_that_another_process_took_over_says_so_and_not_that_the_disk_is_full() {
    let home = Home::new();
    home.write(
        "one.rhai",
        "mobsted::connect().ensure_tenant(\"a@example.com\").outcome",
    );
    let words = "run one.rhai --sandbox --json --fault partners:hang-after:x1";
    let child = home.command(words.split(' ')).spawn().unwrap();
    wait_until("the tenant is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .is_some_and(|snapshot| snapshot.tenants().len() == 1)
        })
    });
    // As if the lock were lost, such as on a file system that does not keep it.
    let id = home.newest();
    std::fs::remove_file(home.provisor().join(format!("state/locks/{id}.lock"))).unwrap();
    let _ = home.run("resume").ended(0);
    signal(child.id(), "INT");
    let ran = finish(child).ended(9).said(&[
        &format!("run {id} was taken over by process"),
        &format!("provisor runs show {id}"),
    ]);
    assert!(!ran.stderr.contains("free some space"), "{}", ran.stderr);
}

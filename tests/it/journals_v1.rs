//! Runs in journals of earlier versions, killed at every boundary, continue with this build: nothing is lost or done
//! twice.
//!
//! `fixtures/make_journals.sh` created them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::support::Home;

/// The versions of the journals in the fixtures.
const VERSIONS: [i64; 2] = [1, 3];

/// Every home of `script` as it was left, of every version: the version, the moment of the kill, and a copy to continue
/// with.
fn all_homes(script: &str) -> impl Iterator<Item = (i64, String, Home)> {
    VERSIONS.into_iter().flat_map(move |version| {
        let homes = homes(version, script).into_iter();
        homes.map(move |(moment, home)| (version, format!("{moment} of version {version}"), home))
    })
}

/// The same of one version.
fn homes(version: i64, script: &str) -> Vec<(String, Home)> {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/fixtures/journals-v{version}.tar.gz"));
    let unpacked = tempfile::tempdir().unwrap();
    let status = Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(unpacked.path())
        .arg(format!("./{script}"))
        .status();
    assert!(status.unwrap().success(), "the archive is unpacked");
    let mut homes = Vec::new();
    for entry in fs::read_dir(unpacked.path().join(script)).unwrap() {
        let entry = entry.unwrap();
        let home = Home::new();
        fs::rename(entry.path(), home.provisor()).unwrap();
        homes.push((entry.file_name().into_string().unwrap(), home));
    }
    assert!(homes.len() > 10, "{}", homes.len());
    homes
}

/// The run of a home; `None` if it was killed before anything was on disk.
fn run_of(version: i64, home: &Home) -> Option<String> {
    let runs = home.json("runs list --json");
    let backup = format!("state/journal.db.v{version}.backup");
    let copy = rusqlite::Connection::open(home.provisor().join(backup)).unwrap();
    let copied: i64 = copy
        .query_row("select user_version from pragma_user_version", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(copied, version, "the copy is of the version that was there");
    let runs = runs["runs"].as_array().unwrap();
    assert!(runs.len() <= 1, "{runs:?}");
    Some(runs.first()?["id"].as_str().unwrap().to_owned())
}

/// Resumes and returns the exit code, which means either that everything is done or that something is in doubt.
fn resumed(moment: &str, home: &Home) -> i32 {
    let ran = home.run("resume");
    assert!(
        matches!(ran.code, 0 | 10),
        "{moment}: {}\n{}",
        ran.code,
        ran.stderr
    );
    let check = home.run("journal check");
    assert_eq!(check.code, 0, "{moment}: {}{}", check.stdout, check.stderr);
    ran.code
}

/// The numbers of open steps, done rows and parked rows.
fn standing(home: &Home, run: &str) -> (usize, u64, u64) {
    let open = home.json(&format!("runs steps {run} --open --json"));
    let shown = home.json(&format!("runs show {run} --json"));
    let rows = &shown["run"]["rows"];
    (
        open["steps"].as_array().unwrap().len(),
        rows["done"].as_u64().unwrap(),
        rows["parked"].as_u64().unwrap(),
    )
}

#[test]
fn a_journal_migration_is_reported_once_with_its_backup() {
    for version in VERSIONS {
        let home = home_of(version, "onboard", "done");
        let backup = format!("journal.db.v{version}.backup");
        let said = ["the journal was migrated", backup.as_str()];
        let _ = home.run("runs list").ended(0).said(&said);
        let again = home.run("runs list").ended(0);
        assert!(!again.stderr.contains(said[0]), "{}", again.stderr);
    }
}

#[test]
fn a_journal_of_an_earlier_version_is_only_read_while_that_version_executes_a_run() {
    for version in VERSIONS {
        let home = home_of(version, "onboard", "after-send-1");
        let database = home.provisor().join("state/journal.db");
        let locks = home.provisor().join("state/locks");
        fs::create_dir_all(&locks).unwrap();
        let lock = fs::File::create(locks.join("rold1.lock")).unwrap();
        lock.lock().unwrap();
        fs::write(locks.join("rold1.lock"), "4711").unwrap();
        let before = fs::read(&database).unwrap();

        let runs = home.json("runs list --json");
        assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
        let _ = home.run("journal check").ended(0);
        let _ = home.run("tenants list").ended(0);
        for words in [
            "resume",
            "run onboard.rhai --sandbox --email a@example.com --site https://a.example",
        ] {
            home.write(
                "onboard.rhai",
                "fn main(email, site) { mobsted::connect().ensure_tenant(email) }",
            );
            let _ = home.run(words).ended(9).said(&[
                "is of an earlier version and cannot be migrated now: run rold1 is in progress in process 4711",
                "wait for run rold1 or stop it",
            ]);
        }
        assert!(fs::read(&database).unwrap() == before, "the file is unchanged");

        lock.unlock().unwrap();
        assert_eq!(resumed("after-send-1", &home), 0);
    }
}

#[test]
fn a_journal_of_an_earlier_version_is_read_if_there_is_no_room_to_migrate_it() {
    for version in VERSIONS {
        let home = home_of(version, "onboard", "done");
        let state = home.provisor().join("state");
        let backup = format!("journal.db.v{version}.backup");
        // In its place nothing can be written.
        fs::create_dir(state.join(format!("{backup}.part"))).unwrap();
        let before = fs::read(state.join("journal.db")).unwrap();

        let runs = home.json("runs list --json");
        assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
        let _ = home.run("journal check").ended(0);
        let tenants = home.json("tenants list --json");
        assert!(tenants.to_string().contains("ann@example.com"), "{tenants}");
        home.write("hello.rhai", "fn main() { 1 }");
        let _ = home.run("run hello.rhai").ended(9).said(&[
            "is of an earlier version and cannot be migrated: the copy ",
            &backup,
            "MB of free space",
        ]);
        assert!(
            fs::read(state.join("journal.db")).unwrap() == before,
            "the file is unchanged"
        );

        fs::remove_dir(state.join(format!("{backup}.part"))).unwrap();
        let _ = home.run("runs list").ended(0).said(&["the journal was migrated"]);
    }
}

#[test]
fn tenants_and_apps_of_a_killed_run_are_created_once_with_credentials() {
    for (version, moment, home) in all_homes("onboard") {
        let Some(_) = run_of(version, &home) else {
            continue;
        };
        assert_eq!(resumed(&moment, &home), 0, "{moment}");
        let snapshot = home.snapshot();
        assert_eq!((snapshot.tenants.len(), snapshot.apps.len()), (1, 1), "{moment}");
        assert_eq!(snapshot.tenants[0].created, 1, "{moment}");
        let shown = home.json("tenants show ann@example.com --reveal --yes --json");
        assert!(
            shown.to_string().contains(&snapshot.tenants[0].password),
            "{moment}: {shown}"
        );
        let _ = home.run("resume").ended(0);
        assert_eq!(home.snapshot().totals, snapshot.totals, "{moment}");
    }
}

#[test]
fn messages_of_a_killed_run_are_sent_once_or_parked() {
    for (version, moment, home) in all_homes("notify") {
        let Some(run) = run_of(version, &home) else {
            continue;
        };
        let code = resumed(&moment, &home);
        let (open, done, parked) = standing(&home, &run);
        let sent: Vec<String> = home
            .snapshot()
            .sparrow
            .batches
            .iter()
            .flat_map(|batch| batch.recipients.clone())
            .collect();
        assert_eq!((done + parked, open as u64), (2, parked), "{moment}");
        assert_eq!(code == 10, parked > 0, "{moment}");
        let mut once = sent.clone();
        once.dedup();
        assert_eq!(sent, once, "{moment}: twice");
        assert!(
            sent.len() as u64 >= done,
            "{moment}: a message of a done row is lost"
        );
        let _ = home.run("resume").ended(code);
        assert_eq!(home.snapshot().sparrow.batches.len(), sent.len(), "{moment}");
    }
}

#[test]
fn killed_runs_create_keyed_items_once_and_may_park_others() {
    for (version, moment, home) in all_homes("orders") {
        let Some(run) = run_of(version, &home) else {
            continue;
        };
        let code = resumed(&moment, &home);
        let (open, done, parked) = standing(&home, &run);
        assert_eq!((done + parked, open as u64), (2, parked), "{moment}");
        assert_eq!(code == 10, parked > 0, "{moment}");
        let snapshot = home.snapshot();
        let items = &snapshot.web.items;
        for reference in ["A-1", "A-2"] {
            let has = |name: &str, text: &str| {
                let of = |item: &&Json| item[name] == text;
                items.iter().filter(of).count()
            };
            assert_eq!(has("reference", reference), 1, "{moment}: {items:?}");
            assert!(
                has("name", &format!("order of {reference}")) <= 1,
                "{moment}: {items:?}"
            );
        }
        assert!(items.len() as u64 >= 2 + done, "{moment}: an order is lost");
        let _ = home.run("resume").ended(code);
        assert_eq!(home.snapshot().web.totals, snapshot.web.totals, "{moment}");
    }
}

/// The part with a key of the script that created the journals, with the same call.
const CUSTOMERS: &str = r#"
fn main(reference) {
    let items = "https://api.web.sandbox/items";
    let customer = http::post(items, #{
        json: #{ reference: reference, name: "customer" },
        key: reference,
        probe: |key| {
            let found = http::get(items, #{ query: #{ reference: key }, check: true }).body.items;
            if found.is_empty() { () } else { found[0] }
        },
    });
    #{ outcome: customer.outcome }
}
"#;

fn home_of(version: i64, script: &str, moment: &str) -> Home {
    let found = homes(version, script).into_iter().find(|(of, _)| of == moment);
    found.unwrap().1
}

#[test]
fn a_version_1_ledger_key_matches_only_the_same_call() {
    let home = home_of(1, "orders", "done");
    let made = home.snapshot().web.totals.created;
    home.write("customers.rhai", CUSTOMERS);
    let of = |script: &str| {
        let ran = home.run(&format!("run {script} --sandbox --json --reference A-1"));
        serde_json::from_str::<Json>(&ran.ended(0).stdout).unwrap()["outcome"].clone()
    };
    assert_eq!(of("customers.rhai"), "unchanged");
    assert_eq!(of("customers.rhai"), "unchanged", "under its new key");
    let other = CUSTOMERS
        .replace(
            "http::post(items",
            "http::post(\"https://api.web.sandbox/anything/orders\"",
        )
        .replace("if found.is_empty() { () } else { found[0] }", "()");
    home.write("orders.rhai", &other);
    assert_eq!(of("orders.rhai"), "created", "another path is another thing");
    assert_eq!(home.snapshot().web.totals.created, made);
}

#[test]
fn only_the_same_call_settles_a_keyed_version_1_step_in_doubt() {
    let home = home_of(1, "orders", "after-send-1");
    let run = run_of(1, &home).unwrap();
    home.write(
        "other.rhai",
        &CUSTOMERS.replace("name: \"customer\"", "name: \"other\""),
    );
    let _ = home
        .run("run other.rhai --sandbox --reference A-1")
        .ended(10)
        .said(&[&format!("{run}/"), "in doubt"]);
    home.write("customers.rhai", CUSTOMERS);
    let _ = home.run("run customers.rhai --sandbox --reference A-1").ended(0);
    let count = |home: &Home| {
        let items = home.snapshot().web.items;
        items.iter().filter(|item| item["reference"] == "A-1").count()
    };
    assert_eq!(count(&home), 1);
    let _ = home.run(&format!("resume {run}")).ended(0);
    assert_eq!(count(&home), 1);
}

//! The main use case on the embedded sandbox: clients from a file become tenants with apps.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Home, clients, csv, finish, script, signal, wait_until};

fn onboard(home: &Home, more: &str) -> crate::support::Ran {
    home.run(&format!(
        "run {} --sandbox --rows clients.csv --out results.csv {more}",
        script("onboard.rhai")
    ))
}

/// The sandbox's state.
fn snapshot(home: &Home) -> crate::support::Books {
    home.snapshot()
}

#[test]
fn three_hundred_rows_create_each_tenant_and_app_once() {
    let home = Home::new();
    home.write("clients.csv", &clients(300));
    let ran = onboard(&home, "--jobs 32 --reveal password").ended(0);
    assert!(ran.stderr.contains("300"), "{}", ran.stderr);
    let snapshot = snapshot(&home);
    assert_eq!(snapshot.tenants.len(), 300);
    assert_eq!(snapshot.apps.len(), 300);
    let emails: BTreeSet<&str> = snapshot
        .tenants
        .iter()
        .map(|tenant| tenant.email.as_str())
        .collect();
    assert_eq!(emails.len(), 300);
    let owners: BTreeSet<&str> = snapshot.apps.iter().map(|app| app.tenant.as_str()).collect();
    assert_eq!(owners.len(), 300);
    // Every delivered password is the platform's.
    let passwords: BTreeMap<&str, &str> = snapshot
        .tenants
        .iter()
        .map(|tenant| (tenant.email.as_str(), tenant.password.as_str()))
        .collect();
    let results = csv(&home.read("results.csv"));
    assert_eq!(results.len(), 300);
    for (number, row) in results.iter().enumerate() {
        assert_eq!(
            row["email"],
            format!("client{number}@example.com"),
            "in the order of the input"
        );
        assert_eq!(row["_status"], "done");
        assert_eq!(row["outcome"], "created");
        assert_eq!(row["password"], passwords[row["login"].as_str()]);
    }
}

#[test]
fn rerunning_the_same_command_is_idempotent() {
    let home = Home::new();
    home.write("clients.csv", &clients(20));
    let _ = onboard(&home, "").ended(0);
    let before = snapshot(&home);
    let _ = onboard(&home, "").ended(0);
    let after = snapshot(&home);
    assert_eq!(after.tenants.len(), 20);
    assert_eq!(after.apps.len(), 20);
    assert_eq!(after.totals.tenants_created, 20);
    assert_eq!(after.totals.duplicates_refused, 0, "no creating request was sent");
    assert_eq!(after.totals.apps_created, before.totals.apps_created);
    for row in csv(&home.read("results.csv")) {
        assert_eq!(row["outcome"], "unchanged");
    }
}

#[test]
fn a_killed_run_resumes_to_complete_results() {
    let home = Home::new();
    home.write("clients.csv", &clients(200));
    let words = [
        "run",
        &script("onboard.rhai"),
        "--sandbox",
        "--rows",
        "clients.csv",
        "--out",
        "results.csv",
    ];
    let mut child = home.command(words).spawn().unwrap();
    let partial = home.work().join("results.csv.partial");
    wait_until("some rows are done", || {
        std::fs::read_to_string(&partial).is_ok_and(|text| text.lines().count() > 20)
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    assert!(
        !home.work().join("results.csv").exists(),
        "it was not killed in the middle"
    );
    let _ = home.run("resume").ended(0);
    let snapshot = snapshot(&home);
    assert_eq!(snapshot.tenants.len(), 200);
    assert_eq!(snapshot.apps.len(), 200);
    let results = csv(&home.read("results.csv"));
    assert_eq!(results.len(), 200);
    assert!(results.iter().all(|row| row["_status"] == "done"), "{results:?}");
    assert!(!partial.exists());
    let again = home.run("resume").ended(0);
    let _ = again.said(&["nothing to resume"]);
}

#[test]
fn ctrl_c_keeps_finished_rows_and_the_run_can_be_resumed() {
    let home = Home::new();
    home.write("clients.csv", &clients(300));
    let words = [
        "run",
        &script("onboard.rhai"),
        "--sandbox",
        "--rows",
        "clients.csv",
        "--out",
        "results.csv",
    ];
    let child = home.command(words).spawn().unwrap();
    let partial = home.work().join("results.csv.partial");
    wait_until("some rows are done", || {
        std::fs::read_to_string(&partial).is_ok_and(|text| text.lines().count() > 5)
    });
    signal(child.id(), "INT");
    let ran = finish(child).ended(130).said(&["provisor resume"]);
    drop(ran);
    assert!(!home.work().join("results.csv").exists());
    let ended = csv(&home.read("results.csv.partial"));
    assert!((5..300).contains(&ended.len()), "{}", ended.len());
    let _ = home.run("resume").ended(0);
    assert!(
        csv(&home.read("results.csv"))
            .iter()
            .all(|row| row["_status"] == "done")
    );
    assert_eq!(snapshot(&home).tenants.len(), 300);
}

#[test]
fn a_lost_response_is_looked_up_and_not_sent_again() {
    let home = Home::new();
    home.write("clients.csv", &clients(3));
    let words = format!(
        "run {} --sandbox --rows clients.csv --out results.csv --fault partners:drop-after:x1",
        script("onboard.rhai")
    );
    let _ = home.run(&words).ended(0);
    let snapshot = snapshot(&home);
    assert_eq!(snapshot.tenants.len(), 3, "looked up, not sent again");
    assert_eq!(snapshot.totals.duplicates_refused, 0);
}

#[test]
fn invalid_rows_fail_with_row_and_column_before_any_request() {
    let home = Home::new();
    home.write(
        "typed.rhai",
        "/// @param email email  who\nfn main(email) { #{ url: mobsted::connect().ensure_tenant(email).url } }\n",
    );
    home.write(
        "clients.csv",
        "email,plan\nann@example.com,gold\nno-address,x\n,y\n",
    );
    let ran = home.run("run typed.rhai --sandbox --rows clients.csv --out results.csv");
    let _ = ran
        .ended(8)
        .said(&["column `email`", "fix them in the results file"]);
    let results = csv(&home.read("results.csv"));
    assert_eq!(results[0]["_status"], "done");
    assert_eq!(results[0]["plan"], "gold", "carried through");
    assert_eq!(results[1]["_status"], "failed");
    assert!(
        results[1]["_error"].contains("row 2, column `email`"),
        "{:?}",
        results[1]
    );
    assert!(
        results[2]["_error"].contains("row 3, column `email`"),
        "{:?}",
        results[2]
    );
    assert_eq!(snapshot(&home).totals.tenants_created, 1);
}

#[test]
fn a_missing_column_is_refused_before_the_run_starts() {
    let home = Home::new();
    home.write("clients.csv", "mail,site\nann@example.com,https://ann.example\n");
    let _ = onboard(&home, "")
        .ended(2)
        .said(&["no column `email`", "onboard.rhai:"]);
    assert!(!home.sandbox().exists(), "nothing was started");
}

#[test]
fn existing_tenants_and_apps_are_adopted_only_with_adopt() {
    let home = Home::new();
    home.write(
        "one.rhai",
        "/// @param adopt bool = false  take over\n\
         fn main(adopt) {\n    let t = mobsted::connect().ensure_tenant(\"ann@example.com\", #{adopt: adopt});\n    \
         let a = t.connect().ensure_app(\"Ann\", \"https://ann.example\", #{adopt: adopt});\n    \
         #{tenant: t.outcome, app: a.outcome}\n}\n",
    );
    let _ = home.run("run one.rhai --sandbox").ended(0);
    // Another machine: the same platform, but an empty record.
    for file in [
        "journal.db",
        "journal.db-wal",
        "journal.db-shm",
        "journal.db-count",
    ] {
        let _ = std::fs::remove_file(home.provisor().join("state").join(file));
    }
    let refused = home.run("run one.rhai --sandbox").ended(7);
    let _ = refused.said(&["exists on the platform", "adopt: true", "one.rhai:3"]);
    let adopted = home.run("run one.rhai --sandbox --adopt=true --json").ended(0);
    assert_eq!(adopted.stdout.trim(), r#"{"app":"adopted","tenant":"adopted"}"#);
    let again = home.run("run one.rhai --sandbox --json").ended(0);
    assert_eq!(again.stdout.trim(), r#"{"app":"unchanged","tenant":"unchanged"}"#);
    let snapshot = snapshot(&home);
    assert_eq!(snapshot.totals.tenants_created, 1);
    assert_eq!(
        snapshot.totals.duplicates_refused, 0,
        "nothing was asked for twice"
    );
    assert_eq!(snapshot.totals.apps_created, 1);
}

#[test]
fn rows_failing_because_a_tenant_exists_suggest_adopt() {
    let home = Home::new();
    home.write(
        "one.rhai",
        "fn main(email) { #{ tenant: mobsted::connect().ensure_tenant(email).outcome } }\n",
    );
    home.write("rows.csv", "email\nann@example.com\nbob@example.com\n");
    let _ = home.run("run one.rhai --sandbox --rows rows.csv").ended(0);
    for file in [
        "journal.db",
        "journal.db-wal",
        "journal.db-shm",
        "journal.db-count",
    ] {
        let _ = std::fs::remove_file(home.provisor().join("state").join(file));
    }
    let ran = home
        .run("run one.rhai --sandbox --rows rows.csv --jobs 1")
        .ended(8)
        .said(&[
            "row 1: if it is yours, adopt it: ensure_tenant(\"ann@example.com\", #{adopt: true})",
            "--retry-failed --with-current",
        ]);
    assert!(!ran.stderr.contains("to retry the failed rows"), "{}", ran.stderr);
}

#[test]
fn after_ctrl_c_no_step_starts_and_running_rows_are_interrupted() {
    let home = Home::new();
    home.write("clients.csv", &clients(100));
    let onboard = script("onboard.rhai");
    let words = "--sandbox --rows clients.csv --out results.csv --jobs 4 --fault partners:slow:1000";
    let words = ["run", &onboard].into_iter().chain(words.split(' '));
    let child = home.command(words).spawn().unwrap();
    wait_until("a tenant's request has left", || {
        let runs = home.json("runs list --json");
        let Some(id) = runs["runs"][0]["id"].as_str() else {
            return false;
        };
        let open = home.json(&format!("runs steps {id} --open --json"));
        !open["steps"].as_array().unwrap().is_empty()
    });
    signal(child.id(), "INT");
    let ran = finish(child).ended(130);
    let snapshot = snapshot(&home);
    // Sent requests are settled, and no row has continued to its app.
    assert!(
        (1..=4).contains(&snapshot.tenants.len()),
        "{}",
        snapshot.tenants.len()
    );
    assert_eq!(snapshot.apps.len(), 0);
    let id = home.newest();
    let open = home.json(&format!("runs steps {id} --open --json"));
    assert_eq!(open["steps"], serde_json::json!([]));
    assert!(!home.work().join("results.csv").exists(), "no row has ended");
    let (_, told) = ran.stderr.split_once("100 rows: ").unwrap();
    let (interrupted, told) = told.split_once(" interrupted, ").unwrap();
    let (open, _) = told.split_once(" not started").unwrap();
    let (interrupted, open): (usize, usize) = (interrupted.parse().unwrap(), open.parse().unwrap());
    assert!(interrupted >= snapshot.tenants.len(), "{interrupted}");
    assert_eq!(interrupted + open, 100);
}

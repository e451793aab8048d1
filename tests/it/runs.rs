//! Inspecting, exporting, cancelling and pruning runs.

use serde_json::Value;

use crate::support::{Home, finish, signal, wait_until};

/// Fails for sites that contain `bad`, after creating the tenant.
const SOME_FAIL: &str = r#"
fn main(email, site) {
    let tenant = mobsted::connect().ensure_tenant(email);
    if site.contains("bad") { throw "bad site"; }
    #{ url: tenant.url, password: tenant.password }
}
"#;

fn three_rows(home: &Home) -> String {
    home.write("some.rhai", SOME_FAIL);
    home.write(
        "rows.csv",
        "email,site\nann@example.com,a\nbob@example.com,bad\ncid@example.com,c\n",
    );
    let _ = home
        .run("run some.rhai --sandbox --rows rows.csv --out results.csv")
        .ended(8);
    home.newest()
}

#[test]
fn a_run_is_listed_shown_and_exported_without_a_secret() {
    let home = Home::new();
    let id = three_rows(&home);

    let listed = home.json("runs list --json");
    let run = &listed["runs"][0];
    assert_eq!(
        (&listed["version"], &run["status"]),
        (&1.into(), &"failed".into())
    );
    assert_eq!(run["rows"]["done"], 2);
    assert_eq!(run["rows"]["failed"], 1);
    assert_eq!(run["rows"]["total"], 3);
    assert_eq!((&run["sandbox"], &run["pid"]), (&true.into(), &Value::Null));
    let table = home.run("runs list").ended(0).stdout;
    assert!(table.starts_with("RUN "), "{table}");
    assert!(table.contains(&id) && table.contains("some.rhai"), "{table}");

    let shown = home.run(&format!("runs show {id}")).ended(0);
    let shown = shown.said(&[&format!("provisor resume {id} --retry-failed")]);
    assert!(shown.stdout.contains("2 done, 1 failed"), "{}", shown.stdout);

    let steps = home.json(&format!("runs steps {id} --row 2 --json"));
    let steps = steps["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0]["operation"], "mobsted::ensure_tenant");
    assert_eq!(
        (&steps[0]["state"], &steps[0]["attempts"]),
        (&"done".into(), &1.into())
    );
    assert_eq!(steps[0]["thing"]["name"], "bob@example.com");

    let exported = home.json(&format!("runs export {id}"));
    assert_eq!(exported["sources"][0]["text"], SOME_FAIL);
    assert_eq!(
        exported["sources"][0]["sha256"],
        exported["run"]["sources"][0]["sha256"]
    );
    let rows = exported["rows"].as_array().unwrap();
    assert_eq!((rows.len(), exported["steps"].as_array().unwrap().len()), (3, 3));
    assert_eq!(rows[0]["output"]["password"], "***");
    assert_eq!(rows[1]["input"]["email"], "bob@example.com");
    let text = exported.to_string();
    for tenant in home.snapshot().tenants {
        assert!(!text.contains(&tenant.password), "a password is in the export");
    }
    let _ = home.run(&format!("runs export {id} run.json")).ended(0);
    let file: Value = serde_json::from_str(&home.read("run.json")).unwrap();
    assert_eq!(file["rows"], exported["rows"]);
}

#[test]
fn tables_fit_the_terminal() {
    let home = Home::new();
    let id = three_rows(&home);
    let mut command = home.command(["runs", "steps", &id]);
    let ran = finish(command.env("COLUMNS", "80").spawn().unwrap()).ended(0);
    let widest = ran.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest.unwrap() <= 80, "{}", ran.stdout);
}

#[test]
fn an_unknown_run_names_the_nearest() {
    let home = Home::new();
    home.write("hello.rhai", "fn main() { #{ a: 1 } }");
    let _ = home.run("run hello.rhai").ended(0);
    let id = home.newest();
    let mistyped = format!("{}{}", &id[..4], if id.ends_with('x') { 'y' } else { 'x' });
    for words in ["runs show", "runs steps", "runs export", "cancel", "resume"] {
        let ran = home.run(&format!("{words} {mistyped}")).ended(2);
        let _ = ran.said(&[&format!("did you mean {id}?"), "provisor runs list"]);
    }
    let _ = home
        .run("runs show nothing-like-it")
        .ended(2)
        .said(&["provisor runs list"]);
}

#[test]
fn pruning_asks_for_confirmation_and_keeps_steps_that_made_changes() {
    let home = Home::new();
    let id = three_rows(&home);
    let _ = home.run("runs prune --keep 1h").ended(0).said(&["pruned: 0"]);
    let _ = home.run("runs prune --keep 0s").ended(2).said(&["--yes"]);
    assert_eq!(home.json("runs prune --keep 0s --yes --json")["pruned"], 1);
    assert_eq!(home.json("runs list --json")["runs"], Value::Array(Vec::new()));
    assert_eq!(
        home.json("tenants list --json")["tenants"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let exported = home.json(&format!("runs export {id}"));
    assert_eq!(
        (&exported["run"]["status"], &exported["rows"]),
        (&"pruned".into(), &Value::Array(Vec::new()))
    );
    assert_eq!(exported["steps"].as_array().unwrap().len(), 3);
    let _ = home
        .run(&format!("resume {id} --retry-failed"))
        .ended(2)
        .said(&["pruned"]);
}

#[test]
fn a_run_in_progress_can_be_neither_resumed_nor_cancelled() {
    let home = Home::new();
    home.write("slow.rhai", "fn main() { sleep(60); #{ a: now() } }");
    let mut child = home.command(["run", "slow.rhai"]).spawn().unwrap();
    wait_until("the run is recorded", || {
        home.json("runs list --json")["runs"][0]["status"] == "running"
    });
    let id = home.newest();
    let pid = child.id().to_string();
    assert_eq!(
        home.json("runs list --json")["runs"][0]["pid"].to_string(),
        pid,
        "the process is named"
    );
    for words in ["cancel", "resume", "resume --plan"] {
        let (words, flags) = words.split_once(' ').unwrap_or((words, ""));
        let ran = home.run(&format!("{words} {id} {flags}")).ended(9);
        let _ = ran.said(&[&format!("in process {pid}")]);
    }
    signal(child.id(), "KILL");
    let _ = child.wait();
    assert_eq!(home.json("runs list --json")["runs"][0]["status"], "killed");
    let _ = home.run(&format!("cancel {id}")).ended(2).said(&[
        "confirmation is needed",
        "for good?",
        "add --yes",
    ]);
    assert_eq!(home.json("runs list --json")["runs"][0]["status"], "killed");
    let _ = home
        .run(&format!("cancel {id} --yes"))
        .ended(0)
        .said(&["is cancelled"]);
    let _ = home
        .run(&format!("resume {id}"))
        .ended(2)
        .said(&["was cancelled"]);
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
}

#[test]
fn sandbox_reset_needs_confirmation() {
    let home = Home::new();
    let _ = home
        .run(&format!(
            "run {} --sandbox --email ann@example.com --site https://ann.example",
            crate::support::script("onboard.rhai")
        ))
        .ended(0);
    let _ = home.run("sandbox reset").ended(2).said(&["add --yes"]);
    assert_eq!(home.snapshot().totals.apps_created, 1);
    let _ = home.run("sandbox reset --yes").ended(0);
    let status = provisor::sandbox::status(&home.sandbox()).unwrap();
    assert!(status.snapshot.is_none(), "nothing is left");
}

#[test]
fn failed_rows_are_retried_only_with_retry_failed() {
    let home = Home::new();
    let id = three_rows(&home);
    let left = home.run(&format!("resume {id}")).ended(8);
    let _ = left.said(&[&format!("provisor resume {id} --retry-failed")]);
    let _ = home
        .run("resume")
        .ended(8)
        .said(&[&format!("provisor resume {id} --retry-failed")]);
    let _ = home.run("resume --retry-failed").ended(8).said(&["bad site"]);
    assert_eq!(home.snapshot().totals.tenants_created, 3);
}

#[test]
fn journal_check_detects_damage_and_a_backup_repairs_it() {
    let home = Home::new();
    let _ = three_rows(&home);
    let checked = home.run("journal check").ended(0);
    assert_eq!(checked.stdout, "the journal is intact\n");
    let _ = home
        .run("journal backup copy.db")
        .ended(0)
        .said(&["copy.db", "key"]);
    let _ = home
        .run("journal backup copy.db")
        .ended(2)
        .said(&["exists already"]);

    let journal = home.provisor().join("state/journal.db");
    let places = home.json("paths --json");
    assert_eq!(places["journal"], journal.display().to_string());
    let mut bytes = std::fs::read(home.work().join("copy.db")).unwrap();
    for byte in &mut bytes[8192..] {
        *byte ^= 0x55;
    }
    std::fs::remove_file(home.provisor().join("state/journal.db-wal")).unwrap_or_default();
    std::fs::write(&journal, bytes).unwrap();
    let _ = home.run("journal check").ended(3).said(&["journal restore"]);
    for beside in ["journal.db-wal", "journal.db-shm"] {
        std::fs::remove_file(home.provisor().join("state").join(beside)).unwrap_or_default();
    }
    std::fs::copy(home.work().join("copy.db"), &journal).unwrap();
    assert_eq!(
        home.json("journal check --json")["problems"],
        Value::Array(Vec::new())
    );
    let tenants = home.json("tenants list --json");
    assert_eq!(tenants["tenants"].as_array().unwrap().len(), 3);
}

//! Inputs that changed: while a run that was killed read them, and between two runs.

use std::io::Write as _;
use std::process::{Child, Stdio};

use crate::support::{Home, clients, csv, script, signal, wait_until};

fn rows(count: usize) -> String {
    let mut text = String::from("name\n");
    for number in 0..count {
        text.push_str(&format!("row {number}\n"));
    }
    text
}

/// The rows read before the kill: the input is recorded in batches of this size.
const READ: usize = 512;

/// Starts a run over endless rows, and kills it when it has executed all it could read.
fn killed_while_reading(home: &Home, from: &str) -> String {
    home.write("hello.rhai", "fn main(name) { #{ hello: name } }");
    let words = ["run", "hello.rhai", "--rows", from, "--out", "results.csv"];
    let (mut child, mut pipe): (Child, Box<dyn std::io::Write>) = if from == "-" {
        let mut child = home.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let pipe = child.stdin.take().unwrap();
        (child, Box::new(pipe))
    } else {
        let made = std::process::Command::new("mkfifo")
            .arg(home.work().join(from))
            .status();
        assert!(made.unwrap().success());
        let child = home.command(words).spawn().unwrap();
        let pipe = std::fs::OpenOptions::new()
            .write(true)
            .open(home.work().join(from))
            .unwrap();
        (child, Box::new(pipe))
    };
    pipe.write_all(rows(READ).as_bytes()).unwrap();
    wait_until("all that was read is done", || {
        let done = &home.json("runs list --json")["runs"][0]["rows"]["done"];
        done.as_u64() == Some(READ as u64)
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    drop(pipe);
    home.newest()
}

#[test]
fn resuming_after_the_input_file_changed_is_an_error() {
    let home = Home::new();
    let id = killed_while_reading(&home, "rows.csv");
    std::fs::remove_file(home.work().join("rows.csv")).unwrap();
    let refused = |text: &str, says: &str| {
        home.write("rows.csv", text);
        let ran = home.run("resume").ended(2);
        let _ = ran.said(&["`rows.csv` has changed", says, "restore it"]);
    };
    refused(
        &rows(READ + 200).replace("row 2\n", "row two\n"),
        "row 3 is not what it was",
    );
    refused(&rows(300), "it has 300 rows, and the run has read 512");
    refused(&rows(READ + 200).replace("name\n", "title\n"), "other columns");
    std::fs::remove_file(home.work().join("rows.csv")).unwrap();
    let _ = home
        .run("resume")
        .ended(2)
        .said(&["cannot be read", &format!("provisor resume {id} --rows FILE")]);

    home.write("moved.csv", &rows(READ + 200));
    let _ = home.run("resume --rows moved.csv").ended(0);
    let results = csv(&home.read("results.csv"));
    assert_eq!(results.len(), READ + 200);
    for (number, row) in results.iter().enumerate() {
        assert_eq!(row["hello"], format!("row {number}"));
    }
    assert_eq!(home.json("runs list --json")["runs"][0]["status"], "done");
}

#[test]
fn resuming_a_run_over_standard_input_needs_its_rows_again() {
    let home = Home::new();
    let id = killed_while_reading(&home, "-");
    let ran = home.run("resume").ended(9);
    let _ = ran.said(&["512 rows were read", &format!("provisor resume {id} --rows FILE")]);
    assert_eq!(
        home.json("runs list --json")["runs"][0]["status"],
        "interrupted",
        "it is not done"
    );
    let _ = home.run_with_input("resume --rows -", &rows(READ + 150)).ended(0);
    assert_eq!(csv(&home.read("results.csv")).len(), READ + 150);
}

#[test]
fn a_longer_file_does_only_the_new_rows() {
    let home = Home::new();
    let onboard = script("onboard.rhai");
    let run = format!("run {onboard} --sandbox --rows clients.csv --out results.csv");
    home.write("clients.csv", &clients(5));
    let _ = home.run(&run).ended(0);
    home.write("clients.csv", &clients(8));
    let _ = home.run(&run).ended(0);
    let snapshot = home.snapshot();
    assert_eq!(
        (snapshot.totals.tenants_created, snapshot.totals.apps_created),
        (8, 8)
    );
    assert_eq!(
        snapshot.totals.duplicates_refused, 0,
        "nothing was asked for twice"
    );
    let outcomes: Vec<String> = csv(&home.read("results.csv"))
        .iter()
        .map(|row| row["outcome"].clone())
        .collect();
    assert_eq!(outcomes[..5], ["unchanged"; 5]);
    assert_eq!(outcomes[5..], ["created"; 3]);
}

#[test]
fn fixed_results_used_as_input_run_only_the_failed_rows() {
    let home = Home::new();
    let onboard = script("onboard.rhai");
    let rows = clients(4).replace("client2@example.com", "no-address");
    home.write("clients.csv", &rows);
    let _ = home
        .run(&format!(
            "run {onboard} --sandbox --rows clients.csv --out first.csv"
        ))
        .ended(8);
    let first = home.read("first.csv");
    let mended = first.replace("no-address", "client2@example.com");
    home.write("first.csv", &mended);
    let _ = home
        .run(&format!(
            "run {onboard} --sandbox --rows first.csv --out second.csv"
        ))
        .ended(0);
    let snapshot = home.snapshot();
    assert_eq!(
        (
            snapshot.totals.tenants_created,
            snapshot.totals.duplicates_refused
        ),
        (4, 0)
    );
    let (first, second) = (csv(&mended), csv(&home.read("second.csv")));
    assert_eq!(
        first[0].keys().collect::<Vec<_>>(),
        second[0].keys().collect::<Vec<_>>(),
        "no column twice"
    );
    let done: Vec<_> = second
        .iter()
        .map(|row| {
            (
                row["email"].as_str(),
                row["_status"].as_str(),
                row["outcome"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        done,
        [("client2@example.com", "done", "created")],
        "what is done is left out"
    );
}

#[test]
fn a_masked_secret_in_the_input_is_refused() {
    let home = Home::new();
    home.write(
        "secret.rhai",
        "/// @param key secret  what must not be shown\nfn main(name, key) { #{ name: name } }",
    );
    home.write("rows.csv", "name,key\nann,hunter2\n");
    let _ = home
        .run("run secret.rhai --rows rows.csv --out results.csv")
        .ended(0);
    assert_eq!(csv(&home.read("results.csv"))[0]["key"], "***");
    // Another script takes all rows, including those that the first has done.
    home.write("other.rhai", &home.read("secret.rhai"));
    let again = home
        .run("run other.rhai --rows results.csv --out again.csv")
        .ended(8);
    let _ = again.said(&["a masked secret"]);
}

#[test]
fn a_run_stays_with_the_profile_it_started_with() {
    let home = Home::new();
    let config = home.provisor().join("config");
    std::fs::create_dir_all(&config).unwrap();
    let profiles = |address: &str, default: &str| {
        let text = format!(
            "default_profile = \"{default}\"\n[profiles.acme]\nurl = \"{address}\"\nlogin = \"a\"\n\
             [profiles.other]\nurl = \"https://other-admin.mobsted.com\"\nlogin = \"b\"\n"
        );
        std::fs::write(config.join("config.toml"), text).unwrap();
    };
    profiles("https://acme-admin.mobsted.com", "acme");
    home.write(
        "slow.rhai",
        "fn main() { sleep(2); #{ who: mobsted::connect().login } }",
    );
    let mut child = home.command(["run", "slow.rhai"]).spawn().unwrap();
    wait_until("the run is recorded", || {
        home.json("runs list --json")["runs"][0]["status"] == "running"
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    assert_eq!(home.json("runs list --json")["runs"][0]["profile"], "acme");

    profiles("https://new-admin.mobsted.com", "other");
    let refused = home.run("resume").ended(2);
    let _ = refused.said(&["profile `acme` points to https://new-admin.mobsted.com"]);
    profiles("https://acme-admin.mobsted.com", "other");
    let ran = home.run("resume").ended(0);
    assert!(ran.stdout.contains("who  a"), "{}", ran.stdout);
}

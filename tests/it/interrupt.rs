//! Ctrl-C ends the process, whatever unsent request it waits for.

use std::fs;
use std::process::Stdio;

use crate::support::{Home, Talking, signal, wait_until};

#[test]
fn ctrl_c_stops_reading_rows_and_keeps_earlier_results() {
    let home = Home::new();
    home.write(
        "work.rhai",
        "fn main(n) { print(`at work on ${n}`); sleep(3600); #{ n: n } }\n",
    );
    home.write("rows.csv", &numbers(200_000));
    home.write("out.csv", "what an earlier run made\n");
    let mut run = Talking::start(&home, "run work.rhai --rows rows.csv --out out.csv --jobs 2");
    run.wait_for("at work on 0");
    run.wait_for("at work on 1");
    let (code, said) = run.interrupt();
    assert_eq!(code, 130, "{said}");
    let listed = home.json("runs list --json");
    let rows = &listed["runs"][0]["rows"];
    assert_eq!(rows["total"], serde_json::Value::Null);
    // The run has counted its rows itself, and the journal agrees.
    let (_, told) = said.split_once(" rows: 2 interrupted, ").unwrap_or_default();
    let begun = told
        .split_once(" not started")
        .map(|(open, _)| open.parse::<u64>().unwrap() + 2);
    assert_eq!(begun, rows["open"].as_u64(), "{said}");
    assert_eq!(home.read("out.csv"), "what an earlier run made\n");
    assert!(said.contains("`out.csv` is unchanged"), "{said}");
    assert!(said.contains("to continue: provisor resume"), "{said}");
    assert!(
        !said.contains("--rows FILE"),
        "the file is read on from where it stopped: {said}"
    );
}

#[test]
fn an_interrupted_run_whose_last_request_succeeds_is_done() {
    let home = Home::new();
    home.write(
        "make.rhai",
        "http::post(\"https://api.web.sandbox/items\", #{ json: #{ reference: \"A-17\" } }).status\n",
    );
    let run = Talking::start(
        &home,
        "run make.rhai --sandbox --fault web-items-post:slow:3000:x1",
    );
    wait_until("the request has left", || {
        let runs = home.run("runs list --json");
        let runs: serde_json::Value = serde_json::from_str(&runs.stdout).unwrap_or_default();
        let Some(id) = runs["runs"][0]["id"].as_str() else {
            return false;
        };
        let steps = home.json(&format!("runs steps {id} --open --json"));
        steps["steps"].as_array().is_some_and(|steps| !steps.is_empty())
    });
    let (code, said) = run.interrupt();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("to continue"), "{said}");
    let runs = home.json("runs list --json");
    assert_eq!(runs["runs"][0]["status"], "done", "{runs}");
}

#[test]
fn an_interrupted_run_reads_on_where_it_stopped() {
    let home = Home::new();
    let script = "fn main(n) { if n == \"1\" { print(\"at work\"); sleep(3600); } #{ n: n } }\n";
    home.write("work.rhai", script);
    home.write("rows.csv", &numbers(20_000));
    let mut run = Talking::start(&home, "run work.rhai --rows rows.csv --out out.csv --jobs 2");
    run.wait_for("at work");
    let (code, said) = run.interrupt();
    assert_eq!(code, 130, "{said}");
    home.write("work.rhai", &script.replace("3600", "0"));
    let resumed = home.run("resume --with-current --yes").ended(0);
    let _ = resumed.said(&["20000 rows: 20000 done"]);
    assert_eq!(home.read("out.csv").lines().count(), 20_001);
}

#[test]
fn ctrl_c_does_not_wait_for_a_hanging_password_command() {
    let home = Home::new();
    let config = home.provisor().join("config");
    fs::create_dir_all(&config).unwrap();
    let started = home.work().join("started");
    let command = format!(
        "echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600 2>/dev/null",
        started.display()
    );
    fs::write(
        config.join("config.toml"),
        format!(
            "[profiles.acme]\nurl = \"http://127.0.0.1:1\"\nlogin = \"a@example.com\"\n\
             password = {{ command = [\"sh\", \"-c\", '{command}'] }}\n"
        ),
    )
    .unwrap();
    home.write("apps.rhai", "mobsted::connect().apps()\n");
    let run = Talking::start(&home, "run apps.rhai --profile acme");
    wait_until("the command runs", || started.exists());
    let (code, said) = run.interrupt();
    assert_eq!(code, 130, "{said}");
    let pid: u32 = fs::read_to_string(&started).unwrap().trim().parse().unwrap();
    let alive = std::process::Command::new("kill")
        .args(["-0", &pid.to_string()])
        .status();
    assert!(
        alive.unwrap().success(),
        "the process ended before the command did"
    );
    signal(pid, "KILL");
}

/// Replaces the system's DNS lookup: reports that it was called, and never returns.
#[cfg(target_os = "linux")]
const HANGING_LOOK_UP: &str = r#"
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    FILE *asked = fopen(getenv("LOOKED_UP"), "w");
    if (asked) fclose(asked);
    for (;;) pause();
}
"#;

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_does_not_wait_for_a_hanging_dns_lookup() {
    let home = Home::new();
    home.write("hang.c", HANGING_LOOK_UP);
    let library = home.work().join("hang.so");
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &home.work().join("hang.c")])
        .status();
    assert!(
        compiled.unwrap().success(),
        "the C compiler that builds SQLite builds this"
    );
    for (number, call) in ["get(url)", "post(url, #{ body: \"x\" })"].iter().enumerate() {
        home.write(
            "look.rhai",
            &format!("let url = \"https://slow.example/\";\nhttp::{call}\n"),
        );
        let asked = home.work().join(format!("asked{number}"));
        let mut command = home.command(["run", "look.rhai"]);
        command.env("LD_PRELOAD", &library).env("LOOKED_UP", &asked);
        let run = Talking::of(command);
        wait_until("the name is looked up", || asked.exists());
        let (code, said) = run.interrupt();
        assert_eq!(code, 130, "the look-up never ends, the process does: {said}");
    }
    let runs = home.json("runs list --json");
    let counts = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["rows"]["parked"].clone());
    assert!(
        counts.clone().all(|parked| parked == 0),
        "nothing had left: {runs}"
    );
}

#[test]
fn ctrl_c_does_not_wait_for_a_blocked_output_pipe() {
    let home = Home::new();
    home.write(
        "much.rhai",
        "fn main(n) { let s = \"\"; s.pad(50000, 'x'); #{ s: s } }\n",
    );
    home.write("rows.csv", &numbers(100));
    let words = "run much.rhai --rows rows.csv --format jsonl --jobs 1";
    let mut command = home.command(words.split(' '));
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let unread = child.stdout.take().unwrap();
    // More than the pipe and the queue of finished rows hold.
    wait_until("nobody reads", || {
        home.json("runs list --json")["runs"][0]["rows"]["done"].as_u64() >= Some(5)
    });
    signal(child.id(), "INT");
    let mut ended = None;
    wait_until("the process has ended", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert_eq!(ended.and_then(|status| status.code()), Some(130));
    drop(unread);
}

/// A column with the numbers below `end`.
fn numbers(end: u32) -> String {
    let mut rows = vec!["n".to_owned()];
    rows.extend((0..end).map(|n| n.to_string()));
    rows.join("\n") + "\n"
}

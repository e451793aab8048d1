//! A session at a terminal that is asked to end.

use super::sandbox;
use crate::support::{Home, signal};

#[test]
fn it_is_closed_and_the_terminal_is_as_before() {
    for (sent, typed) in [
        ("TERM", "let half = "),
        ("HUP", ""),
        ("TERM", "print(`${1}-go`); loop {}\r"),
    ] {
        let home = Home::new();
        let mut terminal = sandbox(&home);
        terminal.type_line("mobsted::connect().ensure_tenant(\"ann@example.com\").outcome");
        let _ = terminal.wait_for("\ncreated");
        terminal.wait_for_prompt();
        terminal.press(typed);
        let shown = if typed.ends_with('\r') { "\n1-go" } else { typed };
        let _ = terminal.wait_for(shown);
        signal(terminal.pid(), sent);
        let (code, screen) = terminal.finish();
        assert_eq!(code, 130, "{screen}");
        assert!(screen.contains("1 tenant created"), "{screen}");
        assert!(terminal.is_plain(), "{sent} {typed:?}");
        let id = home.newest();
        let shown = home.json(&format!("runs show {id} --json"));
        assert_eq!(shown["run"]["status"], "done", "{shown}");
    }
}

#[test]
fn a_change_that_was_sent_is_settled_first() {
    let home = Home::new();
    let mut terminal = home.terminal("repl --sandbox --fault partners:slow:1000");
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("mobsted::connect().ensure_tenant(\"ann@example.com\"); print(`${1}-never`)");
    crate::support::wait_until("the request has left", || {
        let runs = home.run("runs list --json");
        let runs: serde_json::Value = serde_json::from_str(&runs.stdout).unwrap_or_default();
        let Some(id) = runs["runs"][0]["id"].as_str() else {
            return false;
        };
        let steps = home.json(&format!("runs steps {id} --open --json"));
        steps["steps"].as_array().is_some_and(|steps| !steps.is_empty())
    });
    signal(terminal.pid(), "TERM");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 130, "{screen}");
    assert!(
        screen.contains("request already sent") && !screen.contains("\n1-never"),
        "{screen}"
    );
    assert_eq!(home.books().totals.tenants_created, 1);
    let shown = home.json(&format!("runs show {} --json", home.newest()));
    assert_eq!(shown["run"]["status"], "done", "{shown}");
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
}

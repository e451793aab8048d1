//! A session at a terminal that receives a signal to end.

use super::sandbox;
use crate::support::{Home, signal};

#[test]
fn sigterm_and_sighup_close_the_session_and_restore_the_terminal() {
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
fn sigterm_settles_a_sent_change_before_the_session_ends() {
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
    assert_eq!(home.snapshot().totals.tenants_created, 1);
    let shown = home.json(&format!("runs show {} --json", home.newest()));
    assert_eq!(shown["run"]["status"], "done", "{shown}");
    let _ = home.run("resume").ended(0).said(&["nothing to resume"]);
}

/// A session whose editor is open, and the editor's process ID.
fn editing(home: &Home) -> (crate::support::pty::Terminal, u32) {
    home.write("editor.sh", "echo $$ > editor.pid\nexec sleep 300\n");
    let mut command = home.command(["repl", "--sandbox"]);
    command
        .env("TERM", "xterm-256color")
        .env("EDITOR", "sh editor.sh");
    let terminal = crate::support::pty::Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let password = \"hunter2hunter2\"; 0");
    terminal.wait_for_prompt();
    terminal.type_line(":edit");
    let read = || std::fs::read_to_string(home.work().join("editor.pid")).unwrap_or_default();
    crate::support::wait_until("the editor is open", || read().ends_with('\n'));
    let pid = read().trim().parse().unwrap();
    assert_eq!(drafts(home), 1);
    (terminal, pid)
}

/// The number of remaining editor files.
fn drafts(home: &Home) -> usize {
    let entries = std::fs::read_dir(home.provisor().join("state")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("edit-")).count()
}

fn is_alive(pid: u32) -> bool {
    let asked = std::process::Command::new("kill")
        .args(["-0", &pid.to_string()])
        .output();
    asked.unwrap().status.success()
}

#[test]
fn ending_a_session_removes_the_editor_draft_and_process() {
    for signal in ["TERM", "HUP"] {
        let home = Home::new();
        let (mut terminal, editor) = editing(&home);
        crate::support::signal(terminal.pid(), signal);
        let _ = terminal.finish();
        assert_eq!(drafts(&home), 0, "{signal}");
        crate::support::wait_until("the editor has ended", || !is_alive(editor));
    }
}

#[test]
fn the_next_session_removes_a_killed_sessions_editor_draft() {
    let home = Home::new();
    let (mut terminal, editor) = editing(&home);
    crate::support::signal(terminal.pid(), "KILL");
    crate::support::signal(editor, "KILL");
    let _ = terminal.finish();
    assert_eq!(drafts(&home), 1);
    let _ = home.run_with_input("repl --sandbox", "1\n").ended(0);
    assert_eq!(drafts(&home), 0);
}

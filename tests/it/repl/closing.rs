//! What ends an input or a session besides its user, and its surroundings: closed readers, links, folders.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use super::{profile, sandbox};
use crate::support::Home;
use crate::support::pty::key;

/// Starts the program, reads its first line, and closes the reader.
#[track_caller]
fn leaves_after_a_line(home: &Home, words: &[&str], input: &str) -> i32 {
    let mut command = home.command(words);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let mut line = String::new();
    let _ = BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "x\n");
    crate::support::finish(child).code
}

#[test]
fn an_endless_print_ends_when_its_output_pipe_closes() {
    let home = Home::new();
    let endless = "loop { print(\"x\"); }\n";
    assert_eq!(leaves_after_a_line(&home, &["repl"], endless), 130);
    home.write("endless.rhai", endless);
    assert_eq!(leaves_after_a_line(&home, &["run", "endless.rhai"], ""), 130);
}

#[test]
fn ctrl_c_stops_converting_a_long_list_to_text() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let a = []; a.pad(4000000, 1); let kept = 40;");
    terminal.wait_for_prompt();
    terminal.type_line("print(`${1}-go`); loop { let t = a.to_string(); }");
    let _ = terminal.wait_for("1-go");
    let started = std::time::Instant::now();
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("the rest of the input did not run");
    let took = started.elapsed();
    assert!(took < std::time::Duration::from_secs(3), "it took {took:?}");
    terminal.type_line("kept + 2");
    let _ = terminal.wait_for("\n42");
}

#[test]
fn a_symlinked_history_file_is_refused_and_its_target_unchanged() {
    let home = Home::new();
    let state = home.provisor().join("state");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
    let other = home.work().join("other");
    std::fs::write(&other, "").unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&other, state.join("history")).unwrap();
    let terminal = sandbox(&home);
    let screen = terminal.screen();
    assert!(
        screen.contains("no history is kept") && screen.contains("it is a link"),
        "{screen}"
    );
    terminal.type_line("1 + 1");
    let _ = terminal.wait_for("\n2");
    assert_eq!(other.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "");
}

#[test]
fn a_dumb_terminal_has_a_fresh_prompt_after_tab_and_ctrl_c() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "dumb");
    let terminal = crate::support::pty::Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let m = #{ a: 1 };");
    let _ = terminal.wait_for("};\nsandbox>");
    terminal.press("print(`${1}-never`); m.\t");
    let _ = terminal.wait_for("; m.");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("before it\nsandbox>");
    terminal.type_line("40 + 2");
    let screen = terminal.wait_for("\n42");
    assert!(!screen.contains("\n1-never"), "{screen}");
}

#[test]
fn an_interrupted_run_command_suggests_resume_in_the_session() {
    let home = Home::new();
    home.write(
        "slow.rhai",
        "fn main(name) { print(`${1}-${name}`); sleep(60); }\n",
    );
    let terminal = sandbox(&home);
    terminal.type_line(":run slow.rhai -- --name Ann");
    let _ = terminal.wait_for("1-Ann");
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_for("to continue: :resume ");
}

#[test]
fn sandbox_fault_and_profile_commands_report_the_session_state() {
    let home = Home::new();
    profile(&home, "dev");
    let input = ":sandbox status\n:sandbox on\n:sandbox status\n:sandbox fault partners:500:x1\n";
    let ran = home.run_with_input("repl --profile acme", input).ended(0);
    let _ = ran.said(&[
        "the sandbox is off in this session (acme:dev)",
        "the sandbox is on in this session (sandbox)",
        "the fault partners:500:x1 applies from the next operation on",
    ]);
    let ran = home.run_with_input("repl", ":profile acme\n").ended(0);
    let _ = ran.said(&["applies to this session", "provisor profile use acme"]);
}

#[test]
fn an_export_error_names_the_file_as_typed() {
    let home = Home::new();
    let ran = home.run_with_input("repl", "let t = [#{ a: 1 }];\n:export t nowhere/x.csv\n");
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("nowhere/x.csv") && !ran.stderr.contains("nowhere/.tmp"),
        "{}",
        ran.stderr
    );
}

#[test]
fn export_accepts_paths_with_quoted_keys_and_list_indexes() {
    let home = Home::new();
    let input = "let m = #{ \"k k\": [#{ a: 1 }, #{ a: 2 }] };\n:export m[\"k k\"] all.csv\n:export m[\"k k\"][1] one.json\n:export m[\"k k\"][2] none.json\n";
    let ran = home.run_with_input("repl", input).ended(2);
    let _ = ran.said(&["there is no element 2"]);
    assert_eq!(
        std::fs::read_to_string(home.work().join("all.csv")).unwrap(),
        "a\n1\n2\n"
    );
    assert!(home.work().join("one.json").exists());
}

#[test]
fn runs_show_counts_the_inputs_of_a_closed_session() {
    let home = Home::new();
    let _ = home
        .run_with_input("repl --sandbox", "mobsted::connect().tenants().len()\n1\n")
        .ended(0);
    let shown = home.run(&format!("runs show {}", home.newest())).ended(0);
    assert!(shown.stdout.contains("2 in total"), "{}", shown.stdout);
}

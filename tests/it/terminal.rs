//! Tests the terminal that other tests use: it shows what a real terminal shows.

use std::process::Command;

use crate::support::Home;
use crate::support::pty::{Terminal, key};

fn shell(script: &str) -> Terminal {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Terminal::start(command, 10, 40)
}

#[test]
fn the_test_terminal_sends_keys_and_renders_output() {
    let mut terminal =
        shell("printf 'name? '; read name; printf 'wrong\\r\\033[Khello %s\\n' \"$name\"; exit 3");
    terminal.wait_for("name?");
    terminal.type_line("Ann");
    let (code, screen) = terminal.finish();
    assert_eq!((code, screen.trim_end()), (3, "name? Ann\nhello Ann"));
    assert!(String::from_utf8_lossy(&terminal.bytes()).contains("wrong"));
}

#[test]
fn the_test_terminal_delivers_sigint_and_sigwinch() {
    let mut terminal = shell(
        "trap 'stty size; exit 130' INT; stty size; trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done",
    );
    terminal.wait_for("10 40");
    terminal.wait_for("ready");
    terminal.resize(12, 30);
    terminal.wait_for("12 30");
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.finish().0, 130);
}

#[test]
fn the_test_terminal_answers_cursor_position_queries() {
    let mut terminal = shell("printf 'ab\\033[6n'; read -r answer");
    // The reply to the query for the cursor position arrives as if typed, and is echoed.
    terminal.wait_for("[1;3R");
    assert_eq!(terminal.look(vt100::Screen::size).1.get(), 40);
    terminal.press(key::ENTER);
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn a_confirmation_prompt_is_answered_at_the_terminal() {
    let home = Home::new();
    home.write("hello.rhai", "1 + 1\n");
    let _ = home.run("run hello.rhai").ended(0);
    for (answer, code) in [("n\r", 9), (key::CTRL_D, 9), ("y\r", 0)] {
        let mut terminal = home.terminal("runs prune --keep 0s");
        terminal.wait_for("[y/N]");
        terminal.press(answer);
        let (ended, screen) = terminal.finish();
        assert_eq!(ended, code, "{screen}");
    }
}

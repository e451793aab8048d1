//! Type-ahead: every key waits for its prompt, and no input is dropped silently.

use super::sandbox;
use crate::support::Home;
use crate::support::pty::{Terminal, key};

const TAB: &str = "\t";
const BACKSPACE: &str = "\x7f";

/// Enters an input that takes a while to evaluate, and waits until it runs.
fn busy(terminal: &Terminal, number: usize, then: &str) {
    terminal.type_line(&format!("print(`${{{number}}}-go`); sleep(\"1s\"){then}"));
    let _ = terminal.wait_for(&format!("\n{number}-go"));
}

#[test]
fn keys_typed_ahead_wait_while_an_input_is_evaluated() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    busy(&terminal, 1, "");
    // Ctrl-D ends a pasted text, Ctrl-U and Backspace correct, Ctrl-D leaves.
    terminal.press(":paste\rprint(`${4}-by`);\rprint(`${5}-key`)\x04");
    terminal.press("print(`${6}-never`)\x15print(`${7}-afterX");
    terminal.press(BACKSPACE);
    terminal.press("`)\r");
    terminal.press(key::CTRL_D);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    for text in ["\n4-by\n5-key", "\n7-after\n"] {
        assert!(screen.contains(text), "`{text}` is not in:\n{screen}");
    }
    assert!(!screen.contains("6-never\n"), "{screen}");
    assert!(terminal.is_plain());
}

#[test]
fn keys_typed_ahead_wait_while_a_run_command_executes() {
    let home = Home::new();
    home.write("slow.rhai", "print(`${1}-go`); sleep(\"1s\");");
    let mut terminal = sandbox(&home);
    terminal.type_line(":run slow.rhai");
    let _ = terminal.wait_for("\n1-go");
    terminal.press("print(`${7}-after`)\r\x04");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("\n7-after\n"), "{screen}");
}

#[test]
fn ctrl_c_discards_keys_typed_ahead_and_reports_it() {
    let home = Home::new();
    let terminal = sandbox(&home);
    for (number, input) in [(1, "loop {}"), (2, "sleep(60)")] {
        terminal.type_line(&format!("print(`${{{number}}}-go`); {input}"));
        let _ = terminal.wait_for(&format!("\n{number}-go"));
        terminal.press("print(`${9}-never`)\r\x03");
        let _ = terminal.wait_until("it is told", |screen| {
            screen
                .contents()
                .matches("keys typed ahead were discarded")
                .count()
                == number
        });
        terminal.wait_for_prompt();
        terminal.type_line(&format!("40 + {number}"));
        let screen = terminal.wait_for(&format!("\n4{number}"));
        assert!(!screen.contains("\n9-never"), "{screen}");
    }
}

#[test]
fn ctrl_c_typed_ahead_applies_to_the_next_prompt() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.press(":paste\rprint(`${1}-never`)\r\x03print(`${2}-kept`)\r");
    let screen = terminal.wait_for("\n2-kept");
    assert!(screen.contains("discarded; nothing was run"), "{screen}");
    assert!(!screen.contains("\n1-never"), "{screen}");
}

#[test]
fn ask_reads_one_typed_ahead_line_and_leaves_the_rest() {
    let home = Home::new();
    let terminal = sandbox(&home);
    busy(&terminal, 1, "; let who = ask(\"Who? \"); print(`<${who}>`)");
    terminal.press("Bnx");
    terminal.press(BACKSPACE);
    terminal.press(BACKSPACE);
    terminal.press("en\r6 * 7\r");
    let _ = terminal.wait_for("\nWho? Ben\n<Ben>\n");
    let _ = terminal.wait_for("\n42");
    terminal.wait_for_prompt();
    // Input begun before the prompt continues in it.
    busy(&terminal, 2, "; let who = ask(\"And? \"); print(`<${who}>`)");
    terminal.press("An");
    let _ = terminal.wait_for("\nAnd? An");
    terminal.press("n\r");
    let _ = terminal.wait_for("\nAnd? Ann\n<Ann>\n");
}

#[test]
fn ask_secret_discards_keys_typed_ahead_and_reports_it() {
    let home = Home::new();
    let terminal = sandbox(&home);
    let asks = "; let pin = ask_secret(\"PIN: \"); print(`${pin == ask_secret(\"Again: \")}-same`)";
    busy(&terminal, 1, asks);
    terminal.press("9999\r");
    let _ = terminal.wait_for("keys typed before this question were discarded and do not answer it\nPIN:");
    terminal.press("1234\r");
    let _ = terminal.wait_for("\nAgain:");
    terminal.press("1234\r");
    let _ = terminal.wait_for("\ntrue-same");
}

#[test]
fn a_completion_list_fits_the_screen_and_does_not_block_input() {
    let home = Home::new();
    for rows in [24, 8, 3] {
        let mut command = home.command(["repl", "--sandbox"]);
        command.env("TERM", "xterm-256color");
        let terminal = Terminal::start(command, rows, 80);
        let _ = terminal.wait_for("sandbox>");
        terminal.type_line("let text = \"hello\"");
        terminal.wait_for_prompt();
        terminal.press("text.");
        terminal.press(TAB);
        let _ = terminal.wait_for("more: keep typing");
        terminal.press(key::CTRL_C);
        terminal.wait_for_prompt();
        terminal.type_line("text.len() + 37");
        let screen = terminal.wait_for("\n42");
        assert!(
            !screen.contains("More") && !screen.contains("Display"),
            "{screen}"
        );
    }
}

#[test]
fn completion_handles_a_map_with_seventy_thousand_keys() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let m = #{}; for i in 0..70000 { m[`k${i}`] = i }");
    terminal.wait_for_prompt();
    terminal.press("m.");
    terminal.press(TAB);
    let _ = terminal.wait_for("more: keep typing");
    terminal.press("k69999");
    let _ = terminal.wait_for("> m.k69999");
    terminal.press(key::ENTER);
    let _ = terminal.wait_for("\n69999");
}

#[test]
fn invalid_utf8_input_is_discarded_and_the_session_continues() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.press_bytes(b"print(`${1}-caf\xe9`)\r");
    let _ = terminal.wait_for("the input is discarded");
    terminal.press(key::CTRL_C);
    terminal.type_line("6 * 7");
    let _ = terminal.wait_for("\n42");
}

#[test]
fn sigquit_ends_the_session_and_restores_the_terminal() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    terminal.type_line("print(`${1}-go`); loop {}");
    let _ = terminal.wait_for("\n1-go");
    terminal.press("\x1c");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 130, "{screen}");
    assert!(terminal.is_plain());
}

#[test]
fn a_syntax_error_in_a_block_is_reported_when_it_closes() {
    for term in ["xterm-256color", "dumb"] {
        let home = Home::new();
        let mut command = home.command(["repl", "--sandbox"]);
        command.env("TERM", term);
        let terminal = Terminal::start(command, 24, 80);
        let _ = terminal.wait_for("sandbox>");
        for line in ["fn f(a) {", "  let b = a", "  b + 1", "  print(`${1}-never`)"] {
            terminal.type_line(line);
        }
        let _ = terminal.wait_for("... waiting for } from line 1");
        terminal.type_line("}");
        let screen = terminal.wait_for("error: ");
        terminal.wait_for_prompt();
        terminal.type_line("40 + 2");
        let _ = terminal.wait_for("\n42");
        assert!(!screen.contains("\n1-never"), "{screen}");
        assert_eq!(terminal.screen().matches("error: ").count(), 1);
    }
}

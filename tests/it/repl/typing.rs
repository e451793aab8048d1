//! Typing and drawing at a real terminal.

use std::os::unix::fs::PermissionsExt;

use super::{profile, sandbox};
use crate::support::Home;
use crate::support::pty::{Terminal, key};

const UP: &str = "\x1b[A";
const CTRL_R: &str = "\x12";
const CTRL_X_CTRL_E: &str = "\x18\x05";

#[test]
fn a_banner_of_one_line_and_a_prompt_with_the_mode() {
    let home = Home::new();
    let terminal = sandbox(&home);
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(lines.len(), 2, "{screen}");
    assert!(
        lines[0].contains("sandbox") && lines[0].contains(":help"),
        "{screen}"
    );
    assert_eq!(lines[1].trim_end(), "sandbox>");
    profile(&home, "prod");
    let terminal = home.terminal("repl --profile acme");
    let _ = terminal.wait_for("acme:prod>");
    let red = terminal.look(|screen| {
        let row = screen
            .contents()
            .lines()
            .position(|line| line.starts_with("acme:prod>"));
        let cell = screen.cell(row.unwrap().try_into().unwrap(), 0);
        cell.is_some_and(|cell| cell.fgcolor() == vt100::Color::Idx(1) && cell.bold())
    });
    assert!(red, "prod is red");
}

#[test]
fn an_incomplete_input_continues_and_shows_the_missing_bracket() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("fn add(a, b) {");
    let _ = terminal.wait_for("waiting for } from line 1");
    terminal.type_line("  a + b");
    terminal.type_line("}");
    let _ = terminal.wait_for("defined add(a, b)");
    terminal.type_line("add(20,");
    let _ = terminal.wait_for("waiting for )");
    terminal.type_line("22)");
    let _ = terminal.wait_for("\n42");
    terminal.press(UP);
    let _ = terminal.wait_for("add(20,\n22)");
}

#[test]
fn dumb_and_no_color_terminals_show_the_missing_bracket() {
    let home = Home::new();
    for (name, value) in [("TERM", "dumb"), ("NO_COLOR", "1")] {
        let mut command = home.command(["repl", "--sandbox"]);
        command.env("TERM", "xterm-256color").env(name, value);
        let terminal = Terminal::start(command, 24, 80);
        let _ = terminal.wait_for("sandbox>");
        terminal.type_line("fn add(a, b) {");
        let _ = terminal.wait_for("... waiting for } from line 1");
        terminal.type_line("  a + max(b,");
        let _ = terminal.wait_for("... waiting for ) from line 2");
        terminal.type_line("");
        terminal.type_line("");
        let _ = terminal.wait_for("; :break abandons it");
        terminal.type_line(":break");
        let _ = terminal.wait_for("discarded; nothing was run");
        terminal.wait_for_prompt();
        terminal.type_line("6 * 7");
        let _ = terminal.wait_for("\n42");
    }
}

#[test]
fn a_bracketed_paste_is_evaluated_as_one_input() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.press("\x1b[200~let a = 1;\r\nlet b = a + 1;\r\n\r\nprint(`${a + b}-pasted`);\x1b[201~");
    let _ = terminal.wait_for("-pasted`);");
    terminal.press(key::ENTER);
    let _ = terminal.wait_for("\n3-pasted");
    terminal.type_line("_1");
    let _ = terminal.wait_for("there is no variable `_1`");
}

#[test]
fn each_change_in_prod_mode_asks_for_confirmation() {
    let home = Home::new();
    profile(&home, "prod");
    let terminal = home.terminal("repl --profile acme");
    let _ = terminal.wait_for("acme:prod>");
    terminal.type_line("let p = mobsted::connect()");
    terminal.type_line("p.ensure_tenant(\"ann@example.com\"); print(`${1}-never`)");
    let screen = terminal.wait_for("Type acme to carry it out");
    assert!(
        screen.contains("mobsted::ensure_tenant(\"ann@example.com\")"),
        "{screen}"
    );
    assert!(screen.contains("http://127.0.0.1:9"), "{screen}");
    terminal.type_line("yes");
    let screen = terminal.wait_for("the rest of the input did not run");
    assert!(!screen.contains("\n1-never"), "{screen}");
    terminal.press(UP);
    let _ = terminal.wait_until("the input is recalled", |screen| {
        screen.contents().matches("-never`)").count() == 2
    });
    terminal.press(key::ENTER);
    let _ = terminal.wait_until("it asks again", |screen| {
        screen.contents().matches("Type acme to carry it out").count() == 2
    });
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_until("it stops", |screen| {
        screen
            .contents()
            .matches("the rest of the input did not run")
            .count()
            == 2
    });
}

#[test]
fn history_persists_with_file_mode_0600_and_without_secrets() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    for line in [
        "let remembered = 1",
        " let spaced = 2",
        "let password = \"hunter2\"",
        "fn f() {",
        "  7 }",
    ] {
        terminal.type_line(line);
    }
    let _ = terminal.wait_for("defined f()");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    assert_eq!(terminal.finish().0, 0);
    let file = home.provisor().join("state/history");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("remembered"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("spaced"), "{text}");
    let terminal = sandbox(&home);
    terminal.press(UP);
    let _ = terminal.wait_for("fn f() {\n  7 }");
    terminal.press(key::CTRL_C);
    terminal.wait_for_prompt();
    terminal.press("let r");
    terminal.press(UP);
    let _ = terminal.wait_for("> let remembered = 1");
    terminal.press(key::CTRL_C);
    terminal.wait_for_prompt();
    terminal.press(CTRL_R);
    terminal.press("remem");
    let _ = terminal.wait_for("let remembered = 1");
}

#[test]
fn the_history_can_be_switched_off() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "xterm").env("PROVISOR_HISTORY", "");
    let mut terminal = Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let gone = 1");
    terminal.wait_for_prompt();
    terminal.press(key::CTRL_D);
    assert_eq!(terminal.finish().0, 0);
    assert!(!home.provisor().join("state/history").exists());
}

#[test]
fn an_input_is_changed_in_the_editor() {
    let home = Home::new();
    let editor = home.write("editor.sh", "#!/bin/sh\nsed -i 's/40/42/' \"$1\"\n");
    std::fs::set_permissions(&editor, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "xterm-256color").env("EDITOR", &editor);
    let terminal = Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("40 + 0");
    let _ = terminal.wait_for("\n40");
    terminal.type_line(":edit");
    let _ = terminal.wait_for("> 42 + 0");
    terminal.press(key::ENTER);
    let _ = terminal.wait_for("\n42");
    terminal.press("40 + 400");
    terminal.press(CTRL_X_CTRL_E);
    let _ = terminal.wait_for("> 42 + 400");
    terminal.press(key::ENTER);
    let _ = terminal.wait_for("\n442");
}

#[test]
fn a_dumb_terminal_and_no_colour_get_plain_text() {
    let home = Home::new();
    for (name, value) in [("TERM", "dumb"), ("NO_COLOR", "1")] {
        let mut command = home.command(["repl", "--sandbox"]);
        command.env("TERM", "xterm-256color").env(name, value);
        let mut terminal = Terminal::start(command, 24, 80);
        let _ = terminal.wait_for("sandbox>");
        terminal.type_line("6 * 7");
        let _ = terminal.wait_for("\n42");
        terminal.wait_for_prompt();
        terminal.press(key::CTRL_D);
        assert_eq!(terminal.finish().0, 0, "{name}");
        let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
        let coloured = bytes.split("\x1b[").skip(1).any(|rest| {
            let end = rest.find(|c: char| c.is_ascii_alphabetic());
            end.is_some_and(|end| {
                rest[end..].starts_with('m') && rest[..end] != *"0" && !rest[..end].is_empty()
            })
        });
        assert!(!coloured, "{name}: {bytes:?}");
    }
}

#[test]
fn a_narrow_terminal_and_wide_characters_are_not_garbled() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "xterm-256color");
    let terminal = Terminal::start(command, 24, 40);
    let _ = terminal.wait_for("sandbox>");
    let long = "let w = \"日本語テキスト and a line that is much longer than the terminal\"; w.len()";
    terminal.type_line(long);
    let screen = terminal.wait_for("\n56");
    assert!(
        screen.replace('\n', "").contains("日本語テキスト and a line"),
        "{screen}"
    );
}

#[test]
fn a_secret_from_ask_secret_is_never_shown_or_stored_in_clear() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    terminal.type_line("let s = ask_secret(\"PIN: \")");
    let _ = terminal.wait_for("\nPIN:");
    terminal.type_line("typed-5ecret");
    terminal.wait_for_prompt();
    terminal.type_line("[s, s == s]");
    let _ = terminal.wait_for("***");
    terminal.type_line("let who = ask(\"Who? \")");
    let _ = terminal.wait_for("\nWho?");
    terminal.type_line("Ann");
    terminal.wait_for_prompt();
    terminal.type_line("`${who}-${who}`");
    let _ = terminal.wait_for("\nAnn-Ann");
    for (number, asks) in [(1, "ask"), (2, "ask_secret")] {
        terminal.type_line(&format!("{asks}(\"Again {number}? \"); print(`${{1}}-never`)"));
        let _ = terminal.wait_for(&format!("\nAgain {number}?"));
        terminal.press(key::CTRL_C);
        terminal.wait_for_prompt();
        let screen = terminal.screen();
        assert_eq!(
            screen.matches("the rest of the input did not run").count(),
            number,
            "{screen}"
        );
        assert!(!screen.contains("\n1-never"), "{screen}");
    }
    terminal.press(key::CTRL_D);
    assert_eq!(terminal.finish().0, 0);
    let seen = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(!seen.contains("typed-5ecret"), "{seen}");
    for file in ["state/history", "state/journal.db", "state/journal.db-wal"] {
        let bytes = std::fs::read(home.provisor().join(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("typed-5ecret"), "{file}");
    }
}

//! Commands, at a real terminal.

use std::os::unix::fs::PermissionsExt;

use super::{profile, sandbox};
use crate::support::Home;
use crate::support::pty::{Terminal, key};

#[test]
fn the_paste_command_reads_lines_until_end_or_ctrl_d() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line(":paste");
    let _ = terminal.wait_for("paste>");
    for line in [
        "let a = [",
        "\t1,",
        "\t2];",
        "",
        "print(`${a.len()}-\tpasted`)",
        ":end",
    ] {
        terminal.type_line(line);
    }
    let _ = terminal.wait_for("\n2-");
    terminal.wait_for_prompt();
    terminal.type_line(":paste");
    terminal.type_line("print(`${3}-never`)");
    terminal.press(key::CTRL_C);
    let screen = terminal.wait_for("discarded; nothing was run");
    assert!(!screen.contains("\n3-never"), "{screen}");
    terminal.wait_for_prompt();
    terminal.type_line(":paste");
    terminal.type_line("print(`${4}-by`);");
    terminal.type_line("print(`${5}-key`)");
    terminal.press(key::CTRL_D);
    let _ = terminal.wait_for("\n4-by\n5-key");
    terminal.wait_for_prompt();
    terminal.press("\x1b[A");
    let _ = terminal.wait_for("> print(`${4}-by`);\nprint(`${5}-key`)");
}

#[test]
fn the_break_command_abandons_an_incomplete_input() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let m = #{ a: print(`${1}-never`),");
    let _ = terminal.wait_for("waiting for } from line 1");
    terminal.type_line("");
    let _ = terminal.wait_for(":break abandons it");
    terminal.type_line(":break");
    let screen = terminal.wait_for("discarded; nothing was run");
    assert!(!screen.contains("\n1-never"), "{screen}");
    terminal.type_line(":break");
    let _ = terminal.wait_for("nothing is open");
    terminal.type_line("6 * 7");
    let _ = terminal.wait_for("\n42");
}

#[test]
fn the_why_command_explains_the_last_failure() {
    let home = Home::new();
    home.write(
        "lib.rhai",
        "fn look(session) {\n    session.find_app(\"nowhere\")\n}\n",
    );
    let mut command = home.command(["repl", "--sandbox", "--fault", "applications:500"]);
    command.env("TERM", "xterm-256color");
    let terminal = Terminal::start(command, 60, 120);
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line(":why");
    let _ = terminal.wait_for("no input has failed yet");
    terminal.type_line("import \"./lib\" as lib");
    terminal.type_line("let ann = mobsted::connect().ensure_tenant(\"ann@example.com\").connect()");
    terminal.type_line("lib::look(ann)");
    let _ = terminal.wait_for("[unavailable, HTTP 500]");
    terminal.wait_for_prompt();
    terminal.type_line("1 + 1");
    let _ = terminal.wait_for("\n2");
    terminal.type_line(":why");
    let screen = terminal.wait_for("on record: :runs steps");
    for text in [
        "input 3 failed: ",
        "err.kind: unavailable",
        "HTTP status: 500",
        "at lib.rhai:2:",
        "from [3]:1:",
        "in this call to `look`",
        "request: GET ",
        "-> 500 (",
        "unavailable means: ",
        "to do: ",
    ] {
        assert!(screen.contains(text), "`{text}` is not in:\n{screen}");
    }
    let password = home.snapshot().tenants[0].password.clone();
    assert!(!screen.contains(&password));
    terminal.type_line("let a = 1 2");
    let _ = terminal.wait_for("[5]:1:");
    terminal.type_line(":why");
    let _ = terminal.wait_for("err.kind: syntax_error");
}

#[test]
fn the_help_overview_fits_the_screen() {
    for columns in [80, 40] {
        let home = Home::new();
        let mut command = home.command(["repl", "--sandbox"]);
        command.env("TERM", "xterm-256color");
        let terminal = Terminal::start(command, 24, columns);
        let _ = terminal.wait_for("sandbox>");
        terminal.type_line(":help");
        let _ = terminal.wait_for("describes a name");
        terminal.wait_for_prompt();
        let screen = terminal.screen();
        assert!(screen.contains("sandbox> :help\n"), "{columns}:\n{screen}");
        for name in [":search", ":why", ":paste", ":page", ":undo", ":mode"] {
            assert!(screen.contains(name), "{columns}: {name}\n{screen}");
        }
    }
    let home = Home::new();
    let ran = home
        .run_with_input("repl", ":help commands\n:help :why\n")
        .ended(0);
    assert!(ran.stdout.contains(":rerun N") && ran.stdout.contains("Explain the last failure"));
}

#[test]
fn history_searches_inputs_and_rerun_waits_for_enter() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let city = \"Bern\"");
    terminal.type_line("print(`${2}-ran`); city.len()");
    let _ = terminal.wait_for("\n2-ran\n4");
    terminal.type_line(":history /^PRINT/");
    let _ = terminal.wait_for("no input matches");
    terminal.type_line(":history /(?i)^PRINT.*len/");
    let _ = terminal.wait_for("\n   2   print(");
    terminal.type_line(":history 1");
    terminal.type_line(":history /(/");
    let _ = terminal.wait_for("is not a regular expression");
    terminal.type_line(":out 2");
    terminal.wait_for_prompt();
    terminal.type_line(":rerun 2");
    let screen = terminal.wait_until("it is offered", |screen| {
        screen.contents().matches("> print(`${2}-ran`)").count() == 2
    });
    assert_eq!(screen.matches("\n2-ran").count(), 1, "{screen}");
    terminal.press(key::ENTER);
    let _ = terminal.wait_until("it has run again", |screen| {
        screen.contents().matches("\n2-ran").count() == 2
    });
}

#[test]
fn the_pager_shows_long_values_on_request() {
    let home = Home::new();
    let pager = home.write(
        "pager.sh",
        "#!/bin/sh\ncat > paged.txt\necho \"PAGED $(wc -l < paged.txt)\"\n",
    );
    std::fs::set_permissions(&pager, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "xterm-256color").env("PAGER", &pager);
    let terminal = Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("sandbox>");
    terminal.type_line("let list = []; for i in 0..57 { list.push(#{ id: i }) }");
    terminal.type_line("list");
    let _ = terminal.wait_for("37 more rows");
    terminal.type_line(":page list");
    let _ = terminal.wait_for("PAGED 57");
    let text = home.read("paged.txt");
    assert!(text.contains("\n56"), "{text}");
    terminal.type_line(":set pager on");
    terminal.type_line("list + [#{ id: 57 }]");
    let _ = terminal.wait_for("PAGED 58");
    terminal.type_line("[#{ few: 1 }]");
    let _ = terminal.wait_for("few\n1\n");
    let _ = home
        .run_with_input("repl", "1\n:page _\n")
        .ended(2)
        .said(&["a pager needs a terminal"]);
}

#[test]
fn the_mode_command_can_only_restrict_a_session() {
    let home = Home::new();
    profile(&home, "dev");
    let terminal = home.terminal("repl --profile acme");
    let _ = terminal.wait_for("acme:dev>");
    terminal.type_line(":mode ro");
    let _ = terminal.wait_for("acme:read-only>");
    terminal.type_line("mobsted::connect().ensure_tenant(\"ann@example.com\")");
    let _ = terminal.wait_for("this session is read-only");
    terminal.type_line(":mode prod");
    let _ = terminal.wait_for("acme:prod>");
    terminal.type_line(":mode sandbox");
    let _ = terminal.wait_for("\nsandbox>");
    terminal.type_line(":sandbox off");
    let _ = terminal.wait_until("it works with the profile again", |screen| {
        screen.contents().trim_end().ends_with("acme:prod>")
    });
    profile(&home, "prod");
    let terminal = home.terminal("repl --profile acme");
    let _ = terminal.wait_for("acme:prod>");
    terminal.type_line(":mode dev");
    let _ = terminal.wait_for("a session can only be more restrictive");
}

#[test]
fn sandbox_reset_asks_for_confirmation_and_deletes_session_variables() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let p = mobsted::connect(); p.ensure_tenant(\"ann@example.com\").outcome");
    let _ = terminal.wait_for("\ncreated");
    terminal.wait_for_prompt();
    terminal.type_line(":sandbox reset");
    let _ = terminal.wait_for("Delete everything in the sandbox? [y/N]");
    terminal.type_line("n");
    let _ = terminal.wait_for("nothing was done");
    terminal.wait_for_prompt();
    terminal.type_line("`${p.tenants().len()}-left`");
    let _ = terminal.wait_for("\n1-left");
    terminal.wait_for_prompt();
    terminal.type_line(":sandbox reset");
    let _ = terminal.wait_until("it asks again", |screen| {
        screen.contents().matches("Delete everything").count() == 2
    });
    terminal.type_line("y");
    let _ = terminal.wait_for("the sandbox was reset");
    terminal.wait_for_prompt();
    terminal.type_line("p.tenants()");
    let _ = terminal.wait_for("there is no variable `p` here");
    terminal.wait_for_prompt();
    terminal.type_line("`${mobsted::connect().tenants().len()}-tenants`");
    let _ = terminal.wait_for("\n0-tenants");
}

#[test]
fn sandbox_reset_is_refused_while_another_process_serves_it() {
    let home = Home::new();
    profile(&home, "dev");
    let mut server = home.command(["sandbox", "serve"]).spawn().unwrap();
    crate::support::wait_until("it is served", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| status.served.is_some())
    });
    let input = ":sandbox reset\n";
    let ran = home.run_with_input("repl --profile acme", input);
    let _ = server.kill();
    let _ = server.wait();
    let ran = ran
        .ended(2)
        .said(&["in use by process", "end that process first"]);
    assert!(!ran.stderr.contains("from here on"), "{}", ran.stderr);
}

#[test]
fn the_why_command_masks_inputs_that_may_hold_a_secret() {
    let home = Home::new();
    let terminal = sandbox(&home);
    for line in [
        "let password = \"hunter2hunter2\"; nope()",
        "http::get(\"https://api.web.sandbox/nosuch?apikey=abc123abc\", #{check: true})",
    ] {
        terminal.type_line(line);
        terminal.wait_for_prompt();
        let before = terminal.bytes().len();
        terminal.type_line(":why");
        terminal.wait_for_prompt();
        let told = String::from_utf8_lossy(&terminal.bytes()[before..]).into_owned();
        assert!(told.contains("not shown: it may hold a secret"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("abc123"), "{told}");
    }
}

#[test]
fn incomplete_or_misspelt_commands_suggest_the_right_one() {
    let home = Home::new();
    let ran = home.run_with_input("repl --sandbox", ":runs show\n").ended(2);
    let ran = ran.said(&["names no run"]);
    assert!(!ran.stderr.contains("Usage:"), "{}", ran.stderr);
    let input = "mobsted::connect().tenants().len()\n:runs show\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert!(ran.stdout.contains(&home.newest()), "{}", ran.stdout);
    let ran = home.run_with_input("repl --sandbox", ":runs shwo\n").ended(2);
    let _ = ran.said(&["did you mean show?"]);
    let ran = home.run_with_input("repl --sandbox", "exit\n");
    let _ = ran.said(&["there is no variable `exit`", ":quit or Ctrl-D leaves"]);
    let input = "let p = mobsted::connect();\np.ensure_tenant(\"ann@example.com\");\ntry { p.create_tenant(\"ann@example.com\") } catch (e) {}\n";
    let _ = home.run_with_input("repl --sandbox", input).ended(0);
    let explained = home.run("explain already_exists").ended(0);
    assert!(
        explained.stdout.contains("the ledger holds it"),
        "{}",
        explained.stdout
    );
}

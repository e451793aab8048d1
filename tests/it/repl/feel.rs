//! How the REPL feels: values as they are, paths with blanks, history, and the look of prompts.

use super::sandbox;
use crate::support::pty::key;
use crate::support::{Home, signal};

const TAB: &str = "\t";
const UP: &str = "\x1b[A";

#[test]
fn closures_and_secrets_inside_values_are_shown_as_placeholders() {
    let home = Home::new();
    let terminal = sandbox(&home);
    for (line, shown) in [
        ("#{f: || 1, a: 2}", "a  2\nf  <closure>"),
        ("[|x| x, 7]", "[<closure>,7]"),
        ("1e300 * 1e300", "\ninf\n"),
        (
            "let t = mobsted::connect().ensure_tenant(\"ann@example.com\")",
            "",
        ),
        ("t.password", "\n***\n"),
        ("[t.password]", "\n[***]\n"),
    ] {
        terminal.type_line(line);
        let _ = terminal.wait_for(shown);
        terminal.wait_for_prompt();
    }
    assert!(!terminal.screen().contains(&home.snapshot().tenants[0].password));
}

#[test]
fn truncated_values_show_how_many_rows_or_lines_remain() {
    let home = Home::new();
    let terminal = sandbox(&home);
    for (line, shown) in [
        (":set rows 3", ""),
        (":set format csv", ""),
        (
            "let l = []; for n in 1..=100 { l.push(#{n: n * 1000}) } l",
            "3000\n… 97 more rows",
        ),
        (":set format auto", ""),
        ("\"a\\nb\\nc\\nd\\ne\"", "a\nb\nc\n… 2 more lines"),
    ] {
        terminal.type_line(line);
        let _ = terminal.wait_for(shown);
        terminal.wait_for_prompt();
    }
}

#[test]
fn up_searches_history_past_a_multi_line_input() {
    let home = Home::new();
    let terminal = sandbox(&home);
    for line in [
        "\"first\"",
        "fn mud() { 1 }",
        "let other = 1",
        "fn multi(a) {\r  a\r}",
        "\"last\"",
    ] {
        terminal.type_line(line);
        terminal.wait_for_prompt();
    }
    terminal.press("fn mu");
    let _ = terminal.wait_for("sandbox> fn mu");
    terminal.press(UP);
    let _ = terminal.wait_until("the nearest is there", |screen| {
        screen.contents().matches("fn multi(a) {").count() == 2
    });
    terminal.press(UP);
    let screen = terminal.wait_until("the one before it is there", |screen| {
        screen.contents().trim_end().ends_with("sandbox> fn mud() { 1 }")
    });
    assert_eq!(screen.matches("let other = 1").count(), 1, "{screen}");
}

#[test]
fn paths_with_spaces_must_be_quoted_in_every_command() {
    let home = Home::new();
    home.write("with space/x.rhai", "let answer = 6 * 7;\n");
    let input = ":load \"with space/x.rhai\"\nanswer\n:run 'with space/x.rhai'\n:save \"s p.rhai\"\n\
                 let m = #{a: [1]}\n:export m \"a b.json\"\n:export m 'a b.csv'\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert!(ran.stdout.starts_with("42\n"), "{}", ran.stdout);
    assert_eq!(home.read("a b.json"), "{\"a\":[1]}\n");
    assert!(home.read("a b.csv").starts_with("a\n"));
    assert!(home.read("s p.rhai").contains("6 * 7"));
    for refused in [
        ":load with space/x.rhai\n",
        ":export m a b.json\n",
        ":save s p.rhai\n",
    ] {
        let input = format!("let m = 1\n{refused}");
        let _ = home
            .run_with_input("repl --sandbox", &input)
            .ended(2)
            .said(&["quotes"]);
    }
}

#[test]
fn tab_completion_quotes_paths_with_spaces() {
    let home = Home::new();
    home.write(
        "with space/x.rhai",
        "/// @param email email  who\nfn main(email) { email }\n",
    );
    let terminal = sandbox(&home);
    for (command, ends) in [("load", ""), ("run", " --em")] {
        terminal.press(&format!(":{command} with"));
        terminal.press(TAB);
        let _ = terminal.wait_for(&format!(":{command} \"with space/"));
        terminal.press(TAB);
        let _ = terminal.wait_for(&format!(":{command} \"with space/x.rhai\""));
        if !ends.is_empty() {
            terminal.press(ends);
            terminal.press(TAB);
            let _ = terminal.wait_for(":run \"with space/x.rhai\" --email");
        }
        terminal.press(key::CTRL_C);
        terminal.wait_for_prompt();
    }
}

#[test]
fn tab_completes_value_paths_and_run_ids_in_commands() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("let o = #{ inner: #{ deep: 1 } }; mobsted::connect().tenants().len() == 0");
    let _ = terminal.wait_for("\ntrue");
    terminal.wait_for_prompt();
    // Reads are written to disk a moment later.
    crate::support::wait_until("the run is on record", || {
        !home.json("runs list --json")["runs"]
            .as_array()
            .unwrap()
            .is_empty()
    });
    let run = home.newest();
    for (typed, completed) in [
        (":reveal o.", ":reveal o.inner"),
        (":page o.inn", ":page o.inner"),
        (":export o.inner.d", ":export o.inner.deep"),
        (":resume ", &format!(":resume {run}")),
        (":runs show ", &format!(":runs show {run}")),
    ] {
        terminal.press(typed);
        terminal.press(TAB);
        let _ = terminal.wait_for(completed);
        terminal.press(key::CTRL_C);
        terminal.wait_for_prompt();
    }
}

#[test]
fn the_type_command_reports_types_and_rejects_invalid_expressions() {
    let home = Home::new();
    let input = "let n = 1\n:type n\n:type ()\n";
    assert_eq!(home.run_with_input("repl", input).ended(0).stdout, "int\n()\n");
    for (expression, said) in [
        ("1 +", "is incomplete"),
        ("[1", "is incomplete: ] is missing"),
        ("nope(1)", "there is no function `nope`"),
        ("nope", "there is no variable `nope`"),
    ] {
        let ran = home.run_with_input("repl", &format!(":type {expression}\n"));
        let _ = ran.ended(2).said(&[said]);
    }
}

#[test]
fn answers_and_closing_messages_are_on_their_own_lines() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    terminal.type_line("ask(\"Which one?\")");
    let _ = terminal.wait_for("\nWhich one?");
    terminal.type_line("abc");
    let _ = terminal.wait_for("Which one? abc\nabc");
    terminal.wait_for_prompt();
    signal(terminal.pid(), "TERM");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 130);
    let mut lines = screen.lines();
    assert!(lines.any(|line| line.starts_with("session ")), "{screen}");
    let mut terminal = sandbox(&home);
    signal(terminal.pid(), "TERM");
    assert_eq!(terminal.finish().0, 130);
    let (_, column) = terminal.look(vt100::Screen::cursor_position);
    assert_eq!(column, 0, "the shell's prompt begins a line");
}

#[test]
fn undo_shows_the_arguments_of_an_irreversible_change() {
    let home = Home::new();
    let input = "let c = mobsted::connect().ensure_tenant(\"ann@example.com\").connect();\n\
                 let a = c.ensure_app(\"Ann\", \"https://ann.example\");\nlet changed = c.update_app(a.id, #{Name: \"Eve\"});\n:undo 3\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    assert!(
        ran.stdout.contains("mobsted::update_app") && ran.stdout.contains("Eve"),
        "{}",
        ran.stdout
    );
}

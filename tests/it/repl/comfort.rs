//! Completion, hints, colours, help and values, at a real terminal.

use super::{profile, sandbox};
use crate::support::Home;
use crate::support::pty::{Terminal, key};

const TAB: &str = "\t";
const RIGHT: &str = "\x1b[C";
const END: &str = "\x1b[F";

/// A session in a terminal with this many columns.
fn of_width(home: &Home, columns: u16) -> Terminal {
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "xterm-256color");
    let terminal = Terminal::start(command, 60, columns);
    let _ = terminal.wait_for("sandbox>");
    terminal
}

/// Evaluates a line and waits for the prompt.
fn enter(terminal: &Terminal, line: &str) {
    terminal.type_line(line);
    let _ = terminal.wait_until("the prompt is back", |screen| {
        let row = screen.cursor_position().0;
        let last = screen.rows(0, screen.size().1.get()).nth(row.into());
        screen.contents().contains(line) && last.is_some_and(|last| last.trim_end() == "sandbox>")
    });
}

/// Clears the input line.
fn clear(terminal: &Terminal) {
    terminal.press(key::CTRL_C);
    let _ = terminal.wait_until("the line is clear", |screen| {
        let row = screen.cursor_position().0;
        let last = screen.rows(0, screen.size().1.get()).nth(row.into());
        last.is_some_and(|last| last.trim_end() == "sandbox>")
    });
}

#[test]
fn tab_completes_methods_without_any_request() {
    let home = Home::new();
    let terminal = of_width(&home, 100);
    terminal.press("mobsted::connect().ensure_t");
    terminal.press(TAB);
    let _ = terminal.wait_for("mobsted::connect().ensure_tenant(");
    clear(&terminal);
    terminal.press("mobsted::connect().");
    terminal.press(TAB);
    let screen = terminal.wait_for("create_tenant(email)");
    assert!(screen.contains("ensure_tenant(email, [options])"), "{screen}");
    assert!(!home.sandbox().exists(), "nothing was asked");
    assert!(!home.provisor().join("state/journal.db").exists());
}

#[test]
fn tab_completes_values_commands_paths_profiles_and_parameters() {
    let home = Home::new();
    profile(&home, "dev");
    home.write(
        "hello.rhai",
        "/// Greets.\n/// @param name string  who is greeted\nfn main(name) { print(name); }\n",
    );
    let terminal = of_width(&home, 100);
    enter(&terminal, "let row = #{ city: \"Bern\", country: \"CH\" };");
    for (typed, becomes) in [
        ("row.ci", "row.city"),
        ("mobsted::connect(\"ac", "mobsted::connect(\"acme"),
        ("import \"hel", "import \"./hello.rhai"),
        (":run hel", ":run hello.rhai"),
        (":run hello.rhai --n", ":run hello.rhai --name"),
        (":prof", ":profile"),
        (":profile a", ":profile acme"),
        (":set fo", ":set format"),
        ("mobsted::connect().ensure_tenant(\"a\", #{ad", "#{adopt:"),
    ] {
        terminal.press(typed);
        terminal.press(TAB);
        let _ = terminal.wait_for(becomes);
        clear(&terminal);
    }
}

#[test]
fn the_completion_list_fits_a_narrow_terminal() {
    let home = Home::new();
    let terminal = of_width(&home, 40);
    enter(&terminal, "let wide = \"名\"");
    terminal.press("mobsted::connect().ensure");
    terminal.press(TAB);
    terminal.press(TAB);
    let _ = terminal.wait_for("\nensure_app");
    let whole = terminal.look(|screen| {
        let rows: Vec<String> = screen.rows(0, 40).collect();
        let listed = (0..60_u16).filter(|row| rows[usize::from(*row)].starts_with("ensure_"));
        (
            listed.clone().count(),
            listed.filter(|row| screen.row_wrapped(*row)).count(),
        )
    });
    assert!(whole.0 >= 2, "{}", terminal.screen());
    assert_eq!(
        whole.1,
        0,
        "no line of the list is wrapped:\n{}",
        terminal.screen()
    );
}

#[test]
fn a_history_hint_is_accepted_with_right_or_end() {
    let home = Home::new();
    for take in [RIGHT, END] {
        let terminal = sandbox(&home);
        enter(&terminal, "let remembered = 40 + 2");
        terminal.press("let rem");
        let _ = terminal.wait_for("> let remembered = 40 + 2\nsandbox> let remembered = 40 + 2");
        let faint = terminal.look(|screen| {
            let (row, column) = screen.cursor_position();
            screen.cell(row, column).is_some_and(vt100::Cell::dim)
        });
        assert!(faint, "the rest is faint");
        terminal.press(take);
        terminal.press("00");
        let _ = terminal.wait_for("sandbox> let remembered = 40 + 200");
    }
}

#[test]
fn syntax_is_highlighted_and_matching_brackets_are_marked() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.press("let a = f(\"x\", 1)");
    let _ = terminal.wait_until("it is painted", |screen| {
        let row = screen.cursor_position().0;
        let at = |column: u16| screen.cell(row, 9 + column).unwrap();
        let bracket = at(9);
        at(0).fgcolor() == vt100::Color::Idx(5)
            && at(10).fgcolor() == vt100::Color::Idx(2)
            && at(15).fgcolor() == vt100::Color::Idx(3)
            && bracket.inverse()
            && at(16).inverse()
    });
    clear(&terminal);
    terminal.press("let a = (1 +");
    let _ = terminal.wait_for("let a = (1 +");
    let underlined = |screen: &vt100::Screen| {
        let row = screen.cursor_position().0;
        (0..80).any(|column| screen.cell(row, column).is_some_and(vt100::Cell::underline))
    };
    assert!(!terminal.look(underlined), "it may still become right");
    clear(&terminal);
    terminal.press("let a = 1 2");
    let _ = terminal.wait_until("what is wrong is underlined", underlined);
}

#[test]
fn help_describes_operations_and_suggests_the_nearest_name() {
    let home = Home::new();
    let terminal = of_width(&home, 100);
    terminal.type_line("ensure_tenant?");
    let screen = terminal.wait_for("Errors (err.kind)");
    assert!(screen.contains("adopt"), "{screen}");
    terminal.type_line(":help ensure_tennant");
    let _ = terminal.wait_for("did you mean mobsted::ensure_tenant");
    terminal.type_line("fn greet(name) { `hello ${name}` }");
    let _ = terminal.wait_for("defined greet(name)");
    terminal.type_line(":type mobsted::connect().tenants()");
    let _ = terminal.wait_for("list of mobsted::Tenant");
    assert!(!home.sandbox().exists(), "nothing was asked");
}

#[test]
fn functions_variables_and_their_sources_are_listed() {
    let home = Home::new();
    let input = "/// Greets.\nfn greet(name) { `hello ${name}` }\nlet who = \"Ann\";\nlet rows = [1, 2, 3];\n:funcs\n:source greet\n:vars\n:search ensure tenant\n:ops mobsted\n:type rows.len() + 1\n";
    let ran = home.run_with_input("repl --sandbox", input).ended(0);
    for text in [
        "greet(name)  Greets.",
        "fn greet(name) { `hello ${name}` }",
        "who   string  3  Ann",
        "rows  array   3  [1,2,3]",
        "session.ensure_tenant(email, [options])",
        "mobsted::connect(",
        "\nint\n",
    ] {
        assert!(ran.stdout.contains(text), "`{text}` is not in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'));
    let ran = home.run_with_input("repl", "nosuch?\n").ended(2);
    let _ = ran.said(&["`nosuch` is unknown"]);
}

#[test]
fn values_are_tables_at_a_terminal_and_json_in_a_pipe() {
    let home = Home::new();
    let terminal = sandbox(&home);
    enter(
        &terminal,
        "let list = []; for i in 0..57 { list.push(#{ id: i, name: `名${i}` }) }",
    );
    terminal.type_line("list");
    let screen = terminal.wait_for("… 37 more rows");
    assert!(screen.contains("\n19  名19"), "{screen}");
    enter(&terminal, ":set rows 2");
    terminal.type_line("list");
    let screen = terminal.wait_for("… 55 more rows");
    assert!(screen.contains("id  name\n0   名0\n1   名1\n"), "{screen}");
    enter(&terminal, ":set rows 20");
    enter(&terminal, ":set format json");
    terminal.type_line("list[0]");
    let _ = terminal.wait_for("\"name\": \"名0\"");
    enter(&terminal, ":set format tree");
    terminal.type_line("list[0]");
    let _ = terminal.wait_for("├─ id: 0");
    let ran = home
        .run_with_input("repl", "[#{a: 1}]\n:set format csv\n[#{a: 1}]\n")
        .ended(0);
    assert_eq!(ran.stdout, "[{\"a\":1}]\na\n1\n");
}

#[test]
fn a_table_too_wide_for_the_terminal_is_shown_vertically() {
    let home = Home::new();
    let terminal = of_width(&home, 40);
    terminal
        .type_line("let w = \"日本語\"; [#{ first_of_all: w + w + w, second_of_them: w + w + w, third: w }]");
    let screen = terminal.wait_for("[0]\n");
    assert!(
        screen.contains("first_of_all    日本語日本語日本語\nsecond_of_them  日本語日本語日本語"),
        "{screen}"
    );
}

#[test]
fn reveal_asks_for_confirmation_and_is_recorded_in_the_audit_log() {
    let home = Home::new();
    let terminal = of_width(&home, 100);
    enter(
        &terminal,
        "let t = mobsted::connect().ensure_tenant(\"ann@example.com\")",
    );
    let password = home.snapshot().tenants[0].password.clone();
    terminal.type_line("t");
    let screen = terminal.wait_for("password");
    assert!(screen.contains("***") && !screen.contains(&password), "{screen}");
    terminal.type_line(":reveal t.password");
    let _ = terminal.wait_for("in clear? [y/N]");
    terminal.type_line("n");
    let _ = terminal.wait_for("nothing was shown");
    assert!(!terminal.screen().contains(&password));
    terminal.type_line(":reveal t.password");
    let _ = terminal.wait_until("it asks again", |screen| {
        screen.contents().matches("in clear? [y/N]").count() == 2
    });
    terminal.type_line("y");
    let _ = terminal.wait_for(&password);
    let audit = home.run("audit").ended(0);
    assert!(
        audit.stdout.contains("t.password") && !audit.stdout.contains(&password),
        "{}",
        audit.stdout
    );
    let ran = home
        .run_with_input("repl --sandbox", "let t = 1\n:reveal t\n")
        .ended(2);
    let _ = ran.said(&["at a terminal only"]);
}

#[test]
fn export_asks_before_revealing_secrets_or_overwriting_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let file = home.write("t.json", "mine");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let terminal = of_width(&home, 100);
    enter(
        &terminal,
        "let t = mobsted::connect().ensure_tenant(\"ann@example.com\")",
    );
    let password = home.snapshot().tenants[0].password.clone();
    let steps = [
        (":export t t.json", "Replace `t.json`? [y/N]"),
        ("n", "add --force to replace it"),
        (":export t t.json --reveal --force", "in clear? [y/N]"),
        ("no", "nothing was shown"),
    ];
    for (line, shown) in steps {
        terminal.type_line(line);
        let _ = terminal.wait_for(shown);
        assert_eq!(home.read("t.json"), "mine");
    }
    terminal.type_line(":export t t.json");
    let _ = terminal.wait_until("it asks again", |screen| {
        screen.contents().matches("Replace `t.json`?").count() == 2
    });
    terminal.type_line("y");
    let _ = terminal.wait_for("1 record in t.json");
    let text = home.read("t.json");
    assert!(text.contains("***") && !text.contains(&password), "{text}");
    terminal.type_line(":export t t.json --reveal --force");
    let _ = terminal.wait_until("it asks about the secrets", |screen| {
        screen.contents().matches("in clear? [y/N]").count() == 2
    });
    terminal.type_line("y");
    let _ = terminal.wait_for("this is recorded");
    crate::support::wait_until("it is written", || home.read("t.json").contains(&password));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!terminal.screen().contains(&password));
    let audit = home.run("audit").ended(0);
    assert!(audit.stdout.contains("t.json"), "{}", audit.stdout);
    let input = "let t = ask_secret;\n:export t t.json --reveal\n";
    let _ = home.run_with_input("repl", input).ended(1);
}

#[test]
fn export_masks_secrets_and_sets_file_mode_0600() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let input = "let t = mobsted::connect().ensure_tenant(\"ann@example.com\");\n:export t tenant.csv\n:export t tenant.json\n";
    let _ = home
        .run_with_input("repl --sandbox", input)
        .ended(0)
        .said(&["1 record in tenant.csv"]);
    let file = home.work().join("tenant.csv");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("ann@example.com") && text.contains("***"), "{text}");
    assert!(!text.contains(&home.snapshot().tenants[0].password));
    let again = "let t = 1\n:export t tenant.csv\n";
    let _ = home
        .run_with_input("repl", again)
        .ended(2)
        .said(&["`tenant.csv` exists", "--force"]);
    let forced = "let t = [#{a: 1}]\n:export t tenant.csv --force\n";
    let _ = home.run_with_input("repl", forced).ended(0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a\n1\n");
    let _ = home
        .run_with_input("repl", "let t = 1\n:export t x.txt\n")
        .ended(2)
        .said(&["unsupported file type: `x.txt`"]);
}

#[test]
fn no_color_disables_history_hints() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox"]);
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let terminal = Terminal::start(command, 24, 80);
    let _ = terminal.wait_for("sandbox>");
    enter(&terminal, "let remembered = 1");
    terminal.press("let rem");
    terminal.press(TAB);
    let _ = terminal.wait_for("sandbox> let remembered\n".trim_end());
    assert_eq!(
        terminal.screen().matches("remembered = 1").count(),
        1,
        "{}",
        terminal.screen()
    );
}

//! Saving a session as a script.

use super::sandbox;
use crate::support::Home;

const EXPLORED: &str = "\
let partner = mobsted::connect()
let tenant = partner.ensure_tenant(\"ann@example.com\")
let password = \"hunter2hunter2\"
fn shout(text) { text.to_upper() }
let client = tenant.connect()
client.ensure_app(\"Ann's shop\", \"https://ann.example\")
#{ app: _.id, mail: tenant.email, loud: shout(\"ok\") }
:save onboard.rhai
";

#[test]
fn a_saved_session_becomes_a_script_that_passes_check() {
    let home = Home::new();
    let ran = home.run_with_input("repl --sandbox", EXPLORED).ended(0);
    let _ = ran.said(&[
        "wrote onboard.rhai; no mistakes found",
        "run it: provisor run onboard.rhai --sandbox --password env:PASSWORD",
        "change them with --email, --name, --site",
    ]);
    let text = home.read("onboard.rhai");
    assert!(
        !text.contains("hunter2") && !text.contains("ann@example.com\")"),
        "{text}"
    );
    assert!(text.contains("fn main(password, email, name, site) {"), "{text}");
    assert!(
        text.contains("    let result_6 = client.ensure_app(name, site);\n"),
        "{text}"
    );
    let _ = home.run("check onboard.rhai").ended(0);
    let _ = home
        .run("run onboard.rhai --sandbox")
        .ended(2)
        .said(&["--password"]);
    home.write("pin", "4711");
    let again = home
        .run("run onboard.rhai --sandbox --password file:pin")
        .ended(0);
    assert!(again.stdout.contains("ann@example.com"), "{}", again.stdout);
    assert_eq!(home.snapshot().totals.tenants_created, 1, "the same tenant");
    let words = "run onboard.rhai --sandbox --password file:pin --email bob@example.com --name Bob";
    let ran = home.run(words).ended(0);
    assert!(
        ran.stdout.contains("bob@example.com") && ran.stdout.contains("OK"),
        "{}",
        ran.stdout
    );
    assert_eq!(home.snapshot().totals.tenants_created, 2);
}

#[test]
fn saving_a_range_includes_its_dependencies_and_leaves_out_failures() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    for (line, shown) in [
        ("let partner = mobsted::connect()", ""),
        ("let other = 1", ""),
        ("partner.ensure_tenant(\"ann@example.com\")", "ann@example.com"),
        ("partner.tenant(1", "waiting for )"),
        (")", "there is no"),
        ("let mail=_.email", ""),
        ("`<${mail}>`", "<ann@example.com>"),
        (
            ":save s.rhai 4-6",
            "input 3 is included, too, because `_3` is needed",
        ),
        (":quit", ""),
    ] {
        terminal.type_line(line);
        let _ = terminal.wait_for(if shown.is_empty() { line } else { shown });
    }
    assert_eq!(terminal.finish().0, 0);
    let text = home.read("s.rhai");
    assert!(
        !text.contains("other") && !text.contains("partner.tenant(1"),
        "{text}"
    );
    assert!(
        text.contains("    let result_3 = partner.ensure_tenant(email);\n"),
        "{text}"
    );
    assert!(text.contains("    let mail = result_3.email;\n"), "{text}");
    let _ = home.run("check s.rhai").ended(0);
    let ran = home.run("run s.rhai --sandbox").ended(0);
    assert!(ran.stdout.contains("<ann@example.com>"), "{}", ran.stdout);
}

#[test]
fn save_keeps_an_existing_file_without_force_and_accepts_a_range() {
    let home = Home::new();
    home.write("s.rhai", "mine");
    let ran = home.run_with_input("repl", "1\n2\n:save s.rhai\n").ended(2);
    let _ = ran.said(&["exists", "--force"]);
    assert_eq!(home.read("s.rhai"), "mine");
    let _ = home
        .run_with_input("repl", "1\n2\n3\n:save s.rhai 2-3 --force\n")
        .ended(0);
    let text = home.read("s.rhai");
    assert!(
        text.contains("    2;\n    3\n") && !text.contains("    1;"),
        "{text}"
    );
    let _ = home
        .run_with_input("repl", "1\n:save t.rhai 4\n")
        .ended(2)
        .said(&["is not a range"]);
}

/// Takes the inputs of a session, the range to save, and the value of the last one: the script must pass the check and
/// give the same value.
#[track_caller]
fn repeats(inputs: &[&str], range: &str, gives: &str) -> String {
    let home = Home::new();
    let typed = format!("{}\n:save s.rhai {range}\n", inputs.join("\n"));
    let session = home.run_with_input("repl --sandbox", &typed).ended(0);
    let text = home.read("s.rhai");
    assert!(session.stdout.contains(gives), "{}\n{text}", session.stdout);
    let _ = home.run("check s.rhai").ended(0);
    let ran = home.run("run s.rhai --sandbox").ended(0);
    assert!(
        ran.stdout.contains(gives),
        "{}\n{}\n{text}",
        ran.stdout,
        ran.stderr
    );
    text
}

#[test]
fn constants_that_functions_use_work_in_the_script() {
    let text = repeats(
        &[
            "let base = 20",
            "const RATE = 21",
            "fn price(n) { n * global::RATE }",
            "base += 1",
            "price(2) + RATE * 1000 + base * 100000",
        ],
        "",
        "2121042",
    );
    assert!(text.contains("\nconst RATE = 21;\n"), "{text}");
    assert!(text.contains("fn main(base) {"), "{text}");
}

#[test]
fn saving_a_range_includes_inputs_that_changed_its_variables() {
    let inputs = [
        "let list = [1]",
        "let unused = 1",
        "list.push(2)",
        "let m = #{ k: 1 }",
        "m.a = list.len()",
        "m[\"k\"] += 10",
        "list[0] = 5",
        "let n = 1",
        "n += 6",
        "let add = |x| list.push(x)",
        "add.call(9)",
        "fn double() { this *= 2 }",
        "n.double()",
        "`${list} ${m.a} ${m.k} ${n}`",
    ];
    let text = repeats(&inputs, "14", "[5, 2, 9] 2 11 14");
    assert!(!text.contains("unused"), "{text}");
}

#[test]
fn loop_and_closure_variables_do_not_shadow_outer_dependencies() {
    let inputs = [
        "let mail = \"outer\"",
        "let xs = [1, 2]",
        "let sum = 0",
        "for mail in xs { sum += mail } xs.map(|mail| mail * 2); try { throw 1 } catch (mail) { mail; sum += 1 }",
        "`${mail} ${sum}`",
    ];
    let _ = repeats(&inputs, "4-5", "outer 4");
}

#[test]
fn a_main_of_the_session_has_another_name_in_the_script() {
    let text = repeats(&["fn main(a) { a + 1 }", "main(41)"], "", "42");
    assert!(
        text.contains("fn main_2(a)") && text.contains("main_2(41)"),
        "{text}"
    );
}

#[test]
fn inputs_left_out_of_a_saved_script_are_reported() {
    let home = Home::new();
    let typed =
        "let list = [1]\nlist.push(2)\nconst N = list.len()\nfn f() { global::N }\nf()\n:save s.rhai\n";
    let _ = home.run_with_input("repl", typed).ended(0).said(&[
        "wrote s.rhai",
        "input 4 is a comment: `f` is left out: no function can see the constant `N`",
        "input 5 is a comment: it uses `f`",
    ]);
    let _ = home.run("check s.rhai").ended(0);
    let _ = home.run("run s.rhai").ended(0);
}

#[test]
fn a_script_with_an_unknown_variable_is_not_written() {
    let home = Home::new();
    let typed = "let n = 1\nif n > 1 { nope }\n:save s.rhai\n";
    let _ = home.run_with_input("repl", typed).ended(1).said(&[
        "there is no variable `nope` here",
        "would not pass provisor check",
    ]);
    assert!(!home.work().join("s.rhai").exists());
}

#[test]
fn arguments_of_credential_parameters_are_in_neither_history_nor_script() {
    let home = Home::new();
    let mut terminal = sandbox(&home);
    for (line, shown) in [
        (
            "fn sign(user, password) { user + password.len() }",
            "defined sign",
        ),
        ("sign(\"ann\", \"geheim-123\")", "ann10"),
        (":save s.rhai", "--password env:PASSWORD"),
        (":quit", ""),
    ] {
        terminal.type_line(line);
        let _ = terminal.wait_for(if shown.is_empty() { line } else { shown });
    }
    assert_eq!(terminal.finish().0, 0);
    let history = std::fs::read_to_string(home.provisor().join("state/history")).unwrap_or_default();
    assert!(history.contains("fn sign"), "{history}");
    assert!(!history.contains("geheim"), "{history}");
    assert!(!home.read("s.rhai").contains("geheim"));
}

#[test]
fn saving_a_session_with_main_reports_the_renaming() {
    let home = Home::new();
    let workflow = "/// Greets.\n/// @param email email  who\nfn main(email) { `hello ${email}` }\n";
    home.write("workflow.rhai", workflow);
    for (calls, result) in [
        ("main(\"ann@example.com\")\n", "hello ann@example.com"),
        ("1 + 1\n", "2"),
    ] {
        let input = format!(":load workflow.rhai\n{calls}:save s.rhai --force\n");
        let ran = home.run_with_input("repl --sandbox", &input).ended(0);
        let _ = ran.said(&["the session's `main` is now `main_2`", "wrote s.rhai"]);
        let _ = home.run("check s.rhai").ended(0);
        let ran = home.run("run s.rhai --sandbox").ended(0);
        assert!(ran.stdout.contains(result), "{}", ran.stdout);
    }
}

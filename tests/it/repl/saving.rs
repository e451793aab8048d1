//! From exploring to a script.

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
fn a_session_becomes_a_script_that_passes_the_check_and_repeats_it() {
    let home = Home::new();
    let ran = home.run_with_input("repl --sandbox", EXPLORED).ended(0);
    let _ = ran.said(&[
        "onboard.rhai is written, and nothing is wrong with it",
        "run it: provisor run onboard.rhai --sandbox --password env:PASSWORD",
        "change that with --email, --name, --site",
    ]);
    let text = home.read("onboard.rhai");
    assert!(
        !text.contains("hunter2") && !text.contains("ann@example.com\")"),
        "{text}"
    );
    assert!(text.contains("fn main(email, password, name, site) {"), "{text}");
    assert!(
        text.contains("    let app = client.ensure_app(name, site);\n"),
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
    assert_eq!(home.books().totals.tenants_created, 1, "the same tenant");
    let words = "run onboard.rhai --sandbox --password file:pin --email bob@example.com --name Bob";
    let ran = home.run(words).ended(0);
    assert!(
        ran.stdout.contains("bob@example.com") && ran.stdout.contains("OK"),
        "{}",
        ran.stdout
    );
    assert_eq!(home.books().totals.tenants_created, 2);
}

#[test]
fn a_range_takes_along_what_it_needs_and_failures_are_comments() {
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
        (":save s.rhai 4-6", "input 3 is in it, too: `_3` is needed"),
        (":quit", ""),
    ] {
        terminal.type_line(line);
        let _ = terminal.wait_for(if shown.is_empty() { line } else { shown });
    }
    assert_eq!(terminal.finish().0, 0);
    let text = home.read("s.rhai");
    assert!(!text.contains("other"), "{text}");
    assert!(
        text.contains("    // failed: ") && text.contains("    //     partner.tenant(1\n"),
        "{text}"
    );
    assert!(
        text.contains("    let tenant = partner.ensure_tenant(email);\n"),
        "{text}"
    );
    assert!(text.contains("    let mail = tenant.email;\n"), "{text}");
    let _ = home.run("check s.rhai").ended(0);
    let ran = home.run("run s.rhai --sandbox").ended(0);
    assert!(ran.stdout.contains("<ann@example.com>"), "{}", ran.stdout);
}

#[test]
fn an_existing_file_is_kept_and_a_range_can_be_chosen() {
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
        .said(&["no range"]);
}

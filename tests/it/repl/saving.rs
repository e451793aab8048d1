//! From exploring to a script.

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
fn a_session_becomes_a_script_that_passes_the_check_and_runs() {
    let home = Home::new();
    let ran = home.run_with_input("repl --sandbox", EXPLORED).ended(0);
    let _ = ran.said(&[
        "onboard.rhai is written, and nothing is wrong with it",
        "provisor run onboard.rhai --email ann@example.com --name 'Ann'\\''s shop' --site https://ann.example",
    ]);
    let text = home.read("onboard.rhai");
    assert!(
        !text.contains("hunter2") && !text.contains("ann@example.com\")"),
        "{text}"
    );
    assert!(text.contains("fn main(email, name, site) {"), "{text}");
    let _ = home.run("check onboard.rhai").ended(0);
    let words = [
        "run",
        "onboard.rhai",
        "--sandbox",
        "--email",
        "bob@example.com",
        "--name",
        "Bob",
        "--site",
        "https://bob.example",
    ];
    let ran = home.run_with_words(&words).ended(0);
    assert!(
        ran.stdout.contains("bob@example.com") && ran.stdout.contains("OK"),
        "{}",
        ran.stdout
    );
    assert_eq!(home.books().totals.tenants_created, 2);
    let help = home.run("run onboard.rhai --help").ended(0);
    assert!(
        help.stdout.contains("for example ann@example.com"),
        "{}",
        help.stdout
    );
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

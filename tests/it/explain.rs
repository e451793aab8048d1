//! Every stable code that a user meets can be looked up.

use std::collections::BTreeSet;

use provisor::operation::error::Code;
use provisor::operation::explain;
use serde_json::Value as Json;

use crate::support::Home;

#[test]
fn every_error_code_has_a_complete_explanation() {
    let home = Home::new();
    let codes = Code::ALL.iter().map(|code| code.as_str());
    for code in codes.chain(["script_error", "syntax_error", "thrown"]) {
        let told = home.run(&format!("explain {code}")).ended(0);
        for part in [code, "Usual causes", "What to do", "Exit code", "Example"] {
            assert!(
                told.stdout.contains(part),
                "{code}: no `{part}` in\n{}",
                told.stdout
            );
        }
        assert_eq!(told.stderr, "", "{code}");
    }
}

#[test]
fn explain_without_a_code_lists_all_codes() {
    let home = Home::new();
    let listed = home.run("explain").ended(0);
    for code in explain::all(&provisor::platforms::catalogue()) {
        assert!(listed.stdout.contains(code.code), "{}", code.code);
    }
    for word in ["parked", "130"] {
        assert!(listed.stdout.contains(word), "{word}");
    }
    let json: Json = serde_json::from_str(&home.run("explain --json").ended(0).stdout).unwrap();
    let codes: Vec<&str> = json["codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code["code"].as_str().unwrap())
        .collect();
    let unique: BTreeSet<&&str> = codes.iter().collect();
    assert_eq!(unique.len(), codes.len(), "a code is there twice: {codes:?}");
    assert!(codes.len() > Code::ALL.len() + 12);
}

#[test]
fn the_explained_exit_code_matches_the_actual_exit_code() {
    let home = Home::new();
    home.write("unknown.rhai", "mobsted::connect(\"nobody\")");
    home.write("wrong.rhai", "mobsted::connect().ensure_tenant(1)");
    home.write("app1.rhai", "mobsted::connect().delete_app(1)");
    home.write("bad.rhai", "let x = ;");
    home.write("thrown.rhai", "throw \"no\"");
    for (script, flags, code) in [
        ("unknown.rhai", "", "bad_profile"),
        ("wrong.rhai", "--sandbox", "bad_argument"),
        ("app1.rhai", "--sandbox", "protected_app"),
        ("bad.rhai", "", "syntax_error"),
        ("thrown.rhai", "", "thrown"),
    ] {
        let ended = home.run(&format!("run {script} {flags}"));
        let told = home.run(&format!("explain {code} --json")).ended(0);
        let json: Json = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(json["codes"][0]["exit"], ended.code, "{code}: {}", ended.stderr);
    }
}

#[test]
fn an_exit_code_and_a_status_are_explained_too() {
    let home = Home::new();
    assert!(home.run("explain 10").ended(0).stdout.contains("in doubt"));
    assert!(
        home.run("explain parked")
            .ended(0)
            .stdout
            .contains("provisor resolve")
    );
    let bracketed = home.run("explain [In-Doubt]").ended(0);
    assert!(bracketed.stdout.starts_with("in_doubt\n"), "{}", bracketed.stdout);
}

#[test]
fn an_unknown_code_names_the_nearest() {
    let home = Home::new();
    let refused = home.run("explain sign_in_refuse").ended(2);
    let refused = refused.said(&[
        "there is no code `sign_in_refuse`",
        "did you mean `sign_in_refused`?",
    ]);
    assert_eq!(refused.stdout, "");
    assert!(
        !home
            .run("explain banana")
            .ended(2)
            .stderr
            .contains("did you mean")
    );
}

#[test]
fn every_example_script_in_an_explanation_compiles() {
    let home = Home::new();
    for entry in explain::all(&provisor::platforms::catalogue()).filter(|entry| entry.language() == "rhai") {
        home.write("example.rhai", entry.example);
        // Compiles the script without running it, by showing its help.
        let shown = home.run("run example.rhai --help");
        assert_eq!(
            shown.code, 0,
            "{}: {}\n{}",
            entry.code, entry.example, shown.stderr
        );
    }
}

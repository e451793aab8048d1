//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]

mod constants;
mod ranges;

use super::*;
use crate::script::host::Host;

fn typed(inputs: &[(&str, InputOutcome)]) -> Vec<TypedInput> {
    let numbered = inputs.iter().enumerate();
    numbered
        .map(|(index, (text, outcome))| TypedInput {
            elsewhere: None,
            number: index + 1,
            text: (*text).to_owned(),
            outcome: *outcome,
            hidden: text.starts_with(' '),
        })
        .collect()
}

fn save(inputs: &[(&str, InputOutcome)]) -> SavedScript {
    save_some(inputs, 1..=inputs.len())
}

fn save_some(inputs: &[(&str, InputOutcome)], range: RangeInclusive<usize>) -> SavedScript {
    let refused = BTreeSet::from(["profile".to_owned()]);
    Workspace::new(&Host::new(&crate::platforms::catalogue())).save(&typed(inputs), range, "Saved.", &refused)
}

/// The input returned nothing, or a value.
const QUIET: InputOutcome = InputOutcome::Done(false);
const GAVE: InputOutcome = InputOutcome::Done(true);

#[test]
fn literals_become_parameters_and_functions_move_to_the_top() {
    let saved = save(&[
        ("let partner = mobsted::connect()", QUIET),
        ("/// Adds.\nfn add(a,b){ a+b }", QUIET),
        ("import \"lib\" as lib", QUIET),
        ("let t = partner.ensure_tenant(\"ann@example.com\")", QUIET),
        ("partner.oops()", InputOutcome::Failed),
        ("t.connect().ensure_app(\"Ann's\",\"https://ann.example\")", GAVE),
        ("let app=_", QUIET),
        ("print(\"ann@example.com\"); `mail ${\"x@y.example\"}`", GAVE),
        ("#{ id: app.id, note: _ }", GAVE),
    ]);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn credentials_become_required_parameters_and_are_written_nowhere() {
    let saved = save(&[
        ("let password = \"hunter2hunter2\"", QUIET),
        (
            "let s = mobsted::connect(#{login: \"me@example.com\", password: \"other-one\"})",
            QUIET,
        ),
        (
            "print(password); set_token(\"ghp_16C7e42F292c6912E7710c838347Ae178B4a\")",
            QUIET,
        ),
        (" let hidden = \"spaced-out\"", QUIET),
        ("print(hidden)", QUIET),
        ("fn f() { g(#{ token: \"in-a-function\" }) }", QUIET),
        ("let u = `https://me:pass-word@${1}.example`", QUIET),
        ("oops(#{ secret: \"failed-one\" })", InputOutcome::Failed),
    ]);
    for secret in [
        "hunter2",
        "other-one",
        "ghp_",
        "spaced-out",
        "in-a-function",
        "pass-word",
        "failed-one",
    ] {
        assert!(!saved.text.contains(secret), "{secret} is in:\n{}", saved.text);
    }
    let required: Vec<&str> = saved
        .params
        .iter()
        .filter(|param| param.default.is_none())
        .map(|param| param.name.as_str())
        .collect();
    assert_eq!(required, ["password", "password_2", "token"]);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn extracted_parameters_do_not_collide_with_other_variables() {
    let saved = save(&[
        ("let email = \"ann@example.com\"", QUIET),
        (
            "p.ensure_tenant(\"ann@example.com\"); p.ensure_tenant(\"bob@example.com\")",
            QUIET,
        ),
        (
            "let site = t.url; c.ensure_app(\"One\", \"https://one.example\")",
            QUIET,
        ),
        (
            "let name = \"First\"; name += \"!\"; c.ensure_app(\"First\", site)",
            QUIET,
        ),
        ("people.map(|email_2| p.ensure_tenant(\"cy@example.com\"))", GAVE),
    ]);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn saving_a_range_includes_the_inputs_it_depends_on() {
    let inputs = [
        ("let partner = mobsted::connect()", QUIET),
        ("let other = 1", QUIET),
        ("let t = partner.ensure_tenant(\"ann@example.com\")", QUIET),
        ("t.email", GAVE),
        ("fn twice(x) { x * 2 }", QUIET),
        ("twice(_4.len())", GAVE),
    ];
    let saved = save_some(&inputs, 6..=6);
    let dependencies: Vec<usize> = saved.dependencies.iter().map(|(number, _)| *number).collect();
    assert_eq!(dependencies, [1, 3, 4, 5]);
    insta::assert_snapshot!(saved.text);
    assert!(save_some(&inputs, 2..=2).dependencies.is_empty());
}

#[test]
fn inputs_with_missing_dependencies_are_saved_as_comments() {
    let saved = save(&[
        ("let x = 1; oops()", InputOutcome::Failed),
        ("x * 2", GAVE),
        ("_2 + 1", GAVE),
        ("2 // two", GAVE),
        ("_ + _4", GAVE),
        ("fn f() { 1 }", QUIET),
        ("fn f() { 2 }", QUIET),
        ("let s = `a\nb`;", QUIET),
    ]);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn a_credential_is_recognized_inside_a_text_with_escapes() {
    let saved = save(&[
        (r#"let password = "pa\"ss\\word1""#, QUIET),
        (r#"let note = "x pa\"ss\\word1 y""#, QUIET),
        (r#"fn f() { "it is pa\"ss\\word1" }"#, QUIET),
        ("note", GAVE),
    ]);
    assert!(!saved.text.contains("word1"), "{}", saved.text);
}

#[test]
fn a_literal_used_once_as_a_credential_is_secret_everywhere() {
    for inputs in [
        &["let m = #{ name: \"hunter22\", password: \"hunter22\" }"] as &[&str],
        &["let m = #{ email: \"hunter22@x.example\", token: \"hunter22@x.example\" }"],
        &["let user_name = \"hunter22\"", "let pw = \"hunter22\""],
        &["let pw = \"hunter22\"", "print(\"hunter22\")"],
        &[
            "let pw = \"hunter22\"",
            "print(\"it is hunter22\")",
            "fn f() { \"hunter22\" }",
        ],
    ] {
        let quiet: Vec<(&str, InputOutcome)> = inputs.iter().map(|text| (*text, QUIET)).collect();
        let saved = save(&quiet);
        assert!(!saved.text.contains("hunter22"), "{}", saved.text);
        let [param] = saved.params.as_slice() else {
            panic!("one parameter: {:?}", saved.params);
        };
        assert_eq!((param.type_name, &param.default), ("secret", &None), "{inputs:?}");
    }
}

#[test]
fn parameter_names_of_session_functions_type_the_extracted_literals() {
    let saved = save(&[
        ("fn sign(user, password) { user + password }", QUIET),
        ("fn shop(name) { name }", QUIET),
        ("sign(\"ann\", \"geheim-123\") + shop(\"Ann's\")", GAVE),
    ]);
    assert!(!saved.text.contains("geheim"), "{}", saved.text);
    let params: Vec<(&str, &str)> = saved
        .params
        .iter()
        .map(|param| (param.name.as_str(), param.type_name))
        .collect();
    assert_eq!(params, [("password", "secret"), ("name", "string")]);
}

#[test]
fn failed_inputs_are_not_in_the_script() {
    let saved = save(&[
        ("let password = \"hunter22abc\"", QUIET),
        ("throw \"bad \" + password", InputOutcome::Failed),
        (
            "throw \"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"",
            InputOutcome::Failed,
        ),
        ("oops()", InputOutcome::Failed),
        ("print(password)", QUIET),
    ]);
    assert_eq!(lines(&saved), ["print(password);", "}"]);
    assert_eq!(saved.warnings, Vec::<String>::new());
    assert!(!saved.text.contains("hunter22"), "{}", saved.text);
}

#[test]
fn variables_declared_with_a_literal_become_parameters_of_its_type() {
    let saved = save(&[
        ("let count = 3; let rate = -2.5; let dry = true", QUIET),
        ("let note = \"say \\\"hi\\\"\"", QUIET),
        ("let lines = \"a\\nb\"", QUIET),
        ("let twice = 1", QUIET),
        ("let twice = 2", QUIET),
        ("let profile = \"a flag\"", QUIET),
        ("const FIXED = 7", QUIET),
        ("let list = [1]", QUIET),
        ("count += twice; f(\"say\")", QUIET),
    ]);
    let params: Vec<(&str, &str, Option<&str>)> = saved
        .params
        .iter()
        .map(|param| (param.name.as_str(), param.type_name, param.default.as_deref()))
        .collect();
    assert_eq!(
        params,
        [
            ("count", "int", Some("3")),
            ("rate", "float", Some("-2.5")),
            ("dry", "bool", Some("true")),
            ("note", "string", Some("\"say \\\"hi\\\"\"")),
        ]
    );
    assert_eq!(
        lines(&saved),
        [
            "let lines = \"a\\nb\";",
            "let twice = 1;",
            "let twice = 2;",
            "let profile = \"a flag\";",
            "const FIXED = 7;",
            "let list = [1];",
            "count += twice;",
            "f(\"say\");",
            "}",
        ]
    );
}

#[test]
fn functions_after_blocks_and_comments_after_statements_are_kept() {
    let saved = save(&[
        ("for i in 0..2 { print(i) } fn f() { 1 } // one", QUIET),
        ("import \"lib\" as lib; f(); // two", QUIET),
        ("f() // three", GAVE),
    ]);
    assert!(
        saved
            .text
            .contains("import \"lib\" as lib;\n\nfn f() { 1 } // one\n"),
        "{}",
        saved.text
    );
    assert_eq!(
        lines(&saved),
        ["for i in 0..2 { print(i) }", "f(); // two", "f() // three", "}"]
    );
}

#[test]
fn missing_semicolons_are_added_to_statements() {
    for (typed, ended) in [
        ("f()", "f();"),
        ("f();", "f();"),
        ("2 // two", "2; // two"),
        ("2; // two", "2; // two"),
        ("// why\nf()", "// why\nf();"),
        ("if a { 1 } else { 2 }", "if a { 1 } else { 2 }"),
        ("for x in y { f(x) }", "for x in y { f(x) }"),
        ("let m = #{ a: 1 }", "let m = #{ a: 1 };"),
        ("do { f() } while a", "do { f() } while a;"),
        ("`a ${b}`", "`a ${b}`;"),
    ] {
        assert_eq!(terminated(typed), ended, "{typed}");
    }
}

#[test]
fn the_default_case_of_a_switch_is_not_the_last_result() {
    let switch = "switch 3 { 3 => \"a\", _ => \"b\" }";
    let saved = save(&[(switch, GAVE)]);
    assert!(!saved.text.contains("//     switch"), "{}", saved.text);
    let saved = save_some(&[("41 + 1", GAVE), (switch, GAVE)], 2..=2);
    assert_eq!(saved.dependencies, []);
}

#[test]
fn return_and_exit_in_inputs_do_not_end_the_saved_script() {
    let saved = save(&[
        ("let n = 7", QUIET),
        ("return n; oops()", GAVE),
        ("if n > 1 { return 5 }", GAVE),
        ("exit(n)", QUIET),
        ("[n].map(|x| { return x })", GAVE),
        ("_2 + n", GAVE),
    ]);
    let lines: Vec<&str> = saved.text.lines().map(str::trim).collect();
    assert!(
        !lines.iter().any(|line| line.starts_with("return")),
        "{}",
        saved.text
    );
    for line in [
        "let result_2 = n;",
        "//     if n > 1 { return 5 }",
        "//     exit(n)",
        "result_2 + n",
    ] {
        assert!(lines.contains(&line), "{line} is not in:\n{}", saved.text);
    }
    assert!(!saved.text.contains("//     [n]"), "{}", saved.text);
}

/// The lines of `main` in the script.
fn lines(saved: &SavedScript) -> Vec<&str> {
    let main = saved.text.split("fn main(").nth(1).unwrap_or_default();
    main.lines().skip(1).map(str::trim).collect()
}

fn numbers(saved: &SavedScript) -> Vec<usize> {
    saved.dependencies.iter().map(|(number, _)| *number).collect()
}

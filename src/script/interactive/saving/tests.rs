//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::ops;
use crate::script::host::Host;

fn typed(inputs: &[(&str, Came)]) -> Vec<Typed> {
    let numbered = inputs.iter().enumerate();
    numbered
        .map(|(index, (text, came))| Typed {
            number: index + 1,
            text: (*text).to_owned(),
            came: came.clone(),
            hidden: text.starts_with(' '),
        })
        .collect()
}

fn save(inputs: &[(&str, Came)]) -> Saved {
    save_some(inputs, 1..=inputs.len())
}

fn save_some(inputs: &[(&str, Came)], range: RangeInclusive<usize>) -> Saved {
    let refused = BTreeSet::from(["profile".to_owned()]);
    Workspace::new(&Host::new(ops::ALL, ops::KINDS)).save(&typed(inputs), range, "Saved.", &refused)
}

/// It gave nothing, or a value.
const QUIET: Came = Came::Done(false);
const GAVE: Came = Came::Done(true);

#[test]
fn literals_become_parameters_and_functions_move_to_the_top() {
    let saved = save(&[
        ("let partner = mobsted::connect()", QUIET),
        ("/// Adds.\nfn add(a,b){ a+b }", QUIET),
        ("import \"lib\" as lib", QUIET),
        ("let t = partner.ensure_tenant(\"ann@example.com\")", QUIET),
        ("partner.oops()", Came::Failed("there is no method `oops`".into())),
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
        (
            "oops(#{ secret: \"failed-one\" })",
            Came::Failed("there is no function `oops`".into()),
        ),
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
fn a_parameter_is_never_taken_for_another_variable() {
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
fn a_range_takes_along_what_it_needs() {
    let inputs = [
        ("let partner = mobsted::connect()", QUIET),
        ("let other = 1", QUIET),
        ("let t = partner.ensure_tenant(\"ann@example.com\")", QUIET),
        ("t.email", GAVE),
        ("fn twice(x) { x * 2 }", QUIET),
        ("twice(_4.len())", GAVE),
    ];
    let saved = save_some(&inputs, 6..=6);
    let added: Vec<usize> = saved.added.iter().map(|(number, _)| *number).collect();
    assert_eq!(added, [1, 3, 4, 5]);
    insta::assert_snapshot!(saved.text);
    assert!(save_some(&inputs, 2..=2).added.is_empty());
}

#[test]
fn what_needs_something_that_is_not_there_is_a_comment() {
    let saved = save(&[
        ("let x = 1; oops()", Came::Failed("no".into())),
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
fn a_text_that_is_a_credential_somewhere_is_a_secret_everywhere() {
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
        let quiet: Vec<(&str, Came)> = inputs.iter().map(|text| (*text, QUIET)).collect();
        let saved = save(&quiet);
        assert!(!saved.text.contains("hunter22"), "{}", saved.text);
        let [param] = saved.params.as_slice() else {
            panic!("one parameter: {:?}", saved.params);
        };
        assert_eq!((param.type_name, &param.default), ("secret", &None), "{inputs:?}");
    }
}

#[test]
fn a_reason_that_tells_a_secret_is_not_written() {
    let failed = |why: &str| Came::Failed(why.to_owned());
    let saved = save(&[
        ("let password = \"hunter22abc\"", QUIET),
        ("throw \"bad \" + password", failed("bad hunter22abc ([2]:1:1)")),
        (
            "throw key()",
            failed("ghp_16C7e42F292c6912E7710c838347Ae178B4a ([3]:1:1)"),
        ),
        ("oops()", failed("there is no function `oops` ([4]:1:1)")),
    ]);
    assert!(!saved.text.contains("hunter22"), "{}", saved.text);
    assert!(!saved.text.contains("ghp_"), "{}", saved.text);
    for line in [
        "// failed ([2]:1:1)\n",
        "// failed ([3]:1:1)\n",
        "// failed: there is no function `oops` ([4]:1:1)\n",
    ] {
        assert!(saved.text.contains(line), "{line} is not in:\n{}", saved.text);
    }
}

#[test]
fn the_last_case_of_a_switch_is_no_result() {
    let switch = "switch 3 { 3 => \"a\", _ => \"b\" }";
    let saved = save(&[(switch, GAVE)]);
    assert!(!saved.text.contains("//     switch"), "{}", saved.text);
    let saved = save_some(&[("41 + 1", GAVE), (switch, GAVE)], 2..=2);
    assert_eq!(saved.added, []);
}

#[test]
fn what_ends_an_input_does_not_end_the_script() {
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

/// What of the script stands in `main`, a line each.
fn lines(saved: &Saved) -> Vec<&str> {
    let main = saved.text.split("fn main(").nth(1).unwrap_or_default();
    main.lines().skip(1).map(str::trim).collect()
}

fn numbers(saved: &Saved) -> Vec<usize> {
    saved.added.iter().map(|(number, _)| *number).collect()
}

#[test]
fn constants_that_functions_use_stand_at_the_top() {
    let saved = save(&[
        ("let base = 20", QUIET),
        ("const UNUSED = 1", QUIET),
        ("const RATE = base + 1", QUIET),
        ("fn price(n) { n * global::RATE }", QUIET),
        ("base += 1", QUIET),
        ("price(2) + RATE + base + UNUSED", GAVE),
    ]);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn a_constant_that_cannot_stand_at_the_top_takes_its_functions_with_it() {
    let saved = save(&[
        (
            "let p = mobsted::connect(); let t = p.ensure_tenant(\"ann@example.com\")",
            QUIET,
        ),
        ("let list = [1]", QUIET),
        ("list.push(2)", QUIET),
        ("const N = list.len()", QUIET),
        ("fn f() { global::N }", QUIET),
        ("fn g() { f() + 1 }", QUIET),
        ("f() + N", GAVE),
        ("const KEY = \"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"", QUIET),
        ("fn k() { use_it(global::KEY) }", QUIET),
        ("const COUNT = p.tenants().len()", QUIET),
        ("fn c() { global::COUNT }", QUIET),
        ("const P = mobsted::connect()", QUIET),
        ("fn all() { global::P.tenants() }", QUIET),
        ("all()", GAVE),
    ]);
    assert!(!saved.text.contains("ghp_"), "{}", saved.text);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn a_range_takes_along_what_changed_a_variable_before_it() {
    for (before, after) in [
        ("let list = [1]", "list.push(2)"),
        ("let list = #{}", "list.a = 2"),
        ("let list = #{ k: 1 }", "list[\"k\"] += 1"),
        ("let list = [1]", "list[0] = 2"),
        ("let list = 1", "list += 1"),
        ("let list = 1", "list = 2"),
        ("let list = [[1]]", "list[0].push(2)"),
        ("let list = [1]", "push(list, 2)"),
        ("let list = [1]", "if true { list.push(2) }"),
        ("let list = [1]", "(1..3).for_each(|x| list.push(x))"),
    ] {
        let inputs = [
            (before, QUIET),
            ("let other = 1", QUIET),
            (after, QUIET),
            ("list", GAVE),
        ];
        assert_eq!(numbers(&save_some(&inputs, 4..=4)), [1, 3], "{after}");
    }
    let read = ["list.len()", "list.map(|x| x + 1)", "print(list)", "list == 1"];
    for text in read {
        let inputs = [("let list = [1]", QUIET), (text, GAVE), ("list", GAVE)];
        assert_eq!(numbers(&save_some(&inputs, 3..=3)), [1], "{text}");
    }
}

#[test]
fn a_range_takes_along_what_a_closure_or_a_function_changes() {
    let inputs = [
        ("let list = []", QUIET),
        ("let add = |x| list.push(x)", QUIET),
        ("fn grow() { this.push(9) }", QUIET),
        ("let other = 1", QUIET),
        ("add.call(1)", QUIET),
        ("list.grow()", QUIET),
        ("list", GAVE),
    ];
    assert_eq!(numbers(&save_some(&inputs, 7..=7)), [1, 2, 3, 5, 6]);
}

#[test]
fn a_range_takes_along_functions_that_were_defined_after_the_one_that_calls_them() {
    let inputs = [
        ("fn outer(x) { inner(x) + global::K }", QUIET),
        ("let other = 1", QUIET),
        ("fn inner(x) { x * 2 }", QUIET),
        ("const K = 3", QUIET),
        ("outer(2)", GAVE),
    ];
    let saved = save_some(&inputs, 5..=5);
    assert_eq!(numbers(&saved), [1, 3, 4]);
    assert!(saved.text.contains("const K = 3;\n\nfn outer"), "{}", saved.text);
    assert_eq!(numbers(&save_some(&inputs, 1..=1)), [3, 4]);
}

#[test]
fn a_name_of_a_closure_or_a_loop_is_needed_behind_it() {
    for text in [
        "xs.map(|mail| mail + 1); mail",
        "for mail in xs { mail } mail",
        "try { f() } catch (mail) { mail } mail",
        "{ let mail = 1; } mail",
    ] {
        let inputs = [("let mail = \"x\"", QUIET), ("let xs = []", QUIET), (text, GAVE)];
        assert!(numbers(&save_some(&inputs, 3..=3)).contains(&1), "{text}");
    }
}

#[test]
fn what_cannot_be_repeated_is_told() {
    let failed = || Came::Failed("no".into());
    let inputs = [
        ("let list = [1]", QUIET),
        ("list.push(2); oops()", failed()),
        ("list.ensure_tennant(1)", failed()),
        (" list.push(3)", QUIET),
        ("list.len()", GAVE),
    ];
    let saved = save_some(&inputs[..3], 1..=3);
    assert_eq!(saved.lost, [], "nobody uses it");
    let saved = save_some(&[inputs[0].clone(), inputs[1].clone(), inputs[4].clone()], 3..=3);
    assert_eq!(saved.lost, [(2, vec!["list".to_owned()])]);
    assert_eq!(
        lines(&saved)[1..4],
        [
            "// failed: no; what it may have done to `list` before is not repeated",
            "//     list.push(2); oops()",
            "list.len()",
        ]
    );
    let saved = save_some(&inputs, 5..=5);
    assert_eq!(saved.lost.last(), Some(&(4, vec!["list".to_owned()])));
    assert!(
        lines(&saved).contains(&"// it uses `list`, which is not among the saved inputs"),
        "{}",
        saved.text
    );
}

#[test]
fn functions_that_could_not_run_are_comments() {
    let saved = save(&[
        ("fn blind() { x }", QUIET),
        ("fn calls() { blind() }", QUIET),
        ("fn fine() { 1 }", QUIET),
        ("let f = fine()", QUIET),
        ("_err", GAVE),
        ("fn main(a) { fine() + a }", QUIET),
        ("main(2) + f", GAVE),
    ]);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn a_return_behind_a_closure_ends_the_script() {
    let saved = save(&[
        ("let l = [1]", QUIET),
        ("if l.map(|x| x).len() > 0 { return 5 }", GAVE),
        ("l", GAVE),
    ]);
    assert!(
        lines(&saved).contains(&"// it ends a script, and more follows"),
        "{}",
        saved.text
    );
}

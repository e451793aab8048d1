//! Constants and functions at the top of the script.

use super::*;

#[test]
fn constants_used_by_functions_are_at_the_top() {
    let saved = save(&[
        ("let base = 20", QUIET),
        ("const UNUSED = 1", QUIET),
        ("const RATE = 21", QUIET),
        ("const INNER = \"ann@example.com\"", QUIET),
        ("fn price(n) { n * global::RATE + global::INNER.len() }", QUIET),
        ("base += 1", QUIET),
        ("price(2) + RATE + base + UNUSED", GAVE),
    ]);
    insta::assert_snapshot!(saved.text);
}

#[test]
fn a_function_of_a_constant_that_is_no_literal_is_omitted() {
    let saved = save(&[
        ("let list = [1]; list.push(2)", QUIET),
        ("const N = list.len()", QUIET),
        ("fn f() { global::N }", QUIET),
        ("fn g() { f() + 1 }", QUIET),
        ("f() + N", GAVE),
        ("const KEY = \"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"", QUIET),
        ("fn k() { use_it(global::KEY) }", QUIET),
        ("print(KEY)", QUIET),
    ]);
    assert!(!saved.text.contains("ghp_"), "{}", saved.text);
    assert_eq!(
        saved.warnings,
        [
            "input 3 is a comment: `f` is left out: no function can see the constant `N`: only a literal that is no \
             secret can be at the top",
            "input 4 is a comment: `g` is left out: it uses `f`, which is not among the saved inputs",
            "input 5 is a comment: it uses `f`, which is not among the saved inputs",
            "input 7 is a comment: `k` is left out: no function can see the constant `KEY`: only a literal that is no \
             secret can be at the top",
        ]
    );
    insta::assert_snapshot!(saved.text);
}

#[test]
fn functions_that_cannot_run_are_saved_as_comments() {
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
fn inputs_that_used_a_later_redefined_function_are_reported() {
    let inputs = [
        ("const K = 1", QUIET),
        ("fn f(a) { g() + a }", QUIET),
        ("fn g() { global::K }", QUIET),
        ("fn f(a, b) { a + b }", QUIET),
        ("let a = f(1)", QUIET),
        ("fn g() { 5 }", QUIET),
        ("let b = f(1)", QUIET),
        ("fn g() { global::K }", QUIET),
        ("const K = 2", QUIET),
        ("fn h() { 1 }", QUIET),
        ("f(1) + h()", GAVE),
    ];
    let saved = save(&inputs);
    let warning = |name: &str, later: usize| {
        format!("inputs before input {later} may give other results now: they used another `{name}`")
    };
    assert_eq!(saved.warnings, [warning("g", 8), warning("K", 9)]);
    let saved = save(&[inputs[0], inputs[7], ("let a = g()", QUIET), inputs[8]]);
    assert_eq!(saved.warnings, [warning("K", 4)]);
    assert_eq!(save(&inputs[..5]).warnings, Vec::<String>::new());
}

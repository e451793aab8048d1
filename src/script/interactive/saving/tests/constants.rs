//! Constants and functions at the top of the script.

use super::*;

#[test]
fn constants_used_by_functions_are_hoisted_to_the_top() {
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
fn a_function_of_a_constant_that_cannot_be_hoisted_is_omitted() {
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
    let told: Vec<(usize, &str, usize)> = saved
        .redefined
        .iter()
        .map(|(number, (name, later))| (*number, name.as_str(), *later))
        .collect();
    assert_eq!(told, [(5, "g", 6), (7, "g", 8)]);
    assert!(
        lines(&saved).contains(&"// `g` was different here: input 6 redefined it"),
        "{}",
        saved.text
    );
    let saved = save(&[
        inputs[0].clone(),
        inputs[7].clone(),
        ("let a = g()", QUIET),
        inputs[8].clone(),
    ]);
    assert_eq!(saved.redefined, [(3, ("K".to_owned(), 4))]);
    assert_eq!(save(&inputs[..5]).redefined, []);
}

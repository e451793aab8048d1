//! Limits of a script: the memory of one call, and the nesting of values.

use super::*;
use crate::script::memory::{Memory, Scripts};

/// Returns the error of a script with this memory limit. The measured memory never grows, so only what is requested in
/// advance counts.
fn within(limit: fn() -> usize, text: &str) -> Diagnostic {
    static SCRIPTS: Scripts = Scripts::new();
    let memory = Memory {
        used: || 0,
        limit,
        scripts: &SCRIPTS,
    };
    let bundle = Bundle::collect(&Source::new("main.rhai", text), &Folder(BTreeMap::new())).unwrap();
    let script = Script::compile(&host().within(memory), bundle).unwrap();
    match call_on(&script, Vec::new(), Arc::default()) {
        Err(ScriptEnd::Failed(error)) => *error,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_native_call_over_the_memory_limit_is_refused_in_advance() {
    let list = "let s = \"x\"; s.pad(100000, \"y\"); let a = []; for i in 0..100 { a.push(s) }";
    for call in [
        "let s = \"a\"; s.pad(2000000, \"bc\")",
        "let s = \"\"; s.pad(3000, \"\u{1f600}\"); let t = \"\"; t.pad(300000, s)",
        "let a = []; a.pad(200000, 1)",
        "let a = []; a.pad(1000, 1); let b = []; b.pad(1000, a)",
        "let m = #{ a: 1, b: 2 }; let a = []; a.pad(10000, m)",
        "blob(2000000)",
        "let a = []; a.pad(100, blob(100000))",
        "let s = \"a\"; s.pad(1000, 'a'); let t = \"b\"; t.pad(10000, 'b'); s.replace(\"a\", t)",
        "let s = \"a\"; s.pad(1000, 'a'); let t = \"b\"; t.pad(10000, 'b'); s.replace('a', t)",
        "let s = \"\"; s.pad(500000, ','); s.split(\",\")",
        "let s = \"\"; s.pad(500000, ','); s.split_rev(',')",
        "let s = \"\"; s.pad(500000, ','); s.split(\",\", 400000)",
        "let s = \"\"; s.pad(500000, \"a \"); s.split()",
        "let s = \"\"; s.pad(500000, 'a'); s.to_chars()",
        "blob(500000).to_array()",
        "parse_json(\"[\" + { let s = \"[]\"; s.pad(400000, \",[]\"); s } + \"]\")",
        &format!("{list} a.to_string()"),
        &format!("{list} \"\" + a"),
        &format!("{list} `${{a}}`"),
        &format!("{list} print(a)"),
        &format!("{list} debug(a)"),
        &format!("{list} #{{ a: a }}.to_json()"),
        &format!("{list} a"),
        &format!("{list} #{{ rows: a }}"),
        &format!("{list} act(a)"),
        &format!("{list} try {{ act(a) }} catch {{ }} 5"),
    ] {
        let error = within(|| 1_000_000, call);
        assert_eq!(error.kind, "out_of_memory", "{call}: {}", error.title);
    }
}

#[test]
fn string_and_json_functions_within_the_memory_limit_work() {
    assert_eq!(
        json(
            r#"let s = "a-b-c"; let t = s; t.replace("-", "++");
            [s.split("-"), s.split('-', 2), s.split_rev("-", 2), "a b  c".split(), s.split(1), s.split("x"),
             "".split(","), "ab".split(""), t, "ab".to_chars(), blob(2, 7).to_array(), s.split("-", 1)]"#
        ),
        concat!(
            r#"[["a","b","c"],["a","b-c"],["c","a-b"],["a","b","c"],["a","-b-c"],["a-b-c"],"#,
            r#"[""],["","a","b",""],"a++b++c",["a","b"],[7,7],["a-b-c"]]"#
        )
    );
    assert_eq!(
        json(r#"parse_json("{\"a\": [1, 2.5, null, \"x\", true], \"id\": 123456789012345678901}")"#),
        r#"{"a":[1,2.5,null,"x",true],"id":"123456789012345678901"}"#
    );
    assert!(failure("parse_json(\"{\")").title.contains("EOF"));
}

#[test]
fn lists_and_maps_are_compared_by_content() {
    assert_eq!(
        json(
            r#"let f = [1, #{ a: [1.5, "x", ()] }]; let g = [1, #{ a: [1.5, "x", ()] }];
            [f == g, f != g, [1] == ["1"], #{ a: 1 } == #{ a: "1" }, [1] != [1, 2], #{ a: 1 } == #{ b: 1 },
             [f].contains(g), [1, 1.0] == [1.0, 1]]"#
        ),
        "[true,false,false,false,true,false,true,true]"
    );
}

/// Scripts that nest values, each with a number of levels in place of `N`.
const NESTING: [&str; 10] = [
    "let x = [1]; for i in 0..N { let y = x.drain(0..x.len()); x = [y]; }",
    "let x = []; for i in 0..N { x = [x]; }",
    "let x = #{}; for i in 0..N { x = #{ a: x }; }",
    "let x = []; for i in 0..N { let y = []; y.push(x); x = y; }",
    "let g = |a| a; let f = g; for i in 0..N { f = g.curry(f); }",
    "let f = || 0; for i in 0..N { let g = f; f = || g; }",
    "let e = 0; for i in 0..N { try { throw #{ inner: e } } catch (caught) { e = caught } }",
    "let x = [1, 2].reduce(|sum, item| { for i in 0..N { sum = [sum] } sum }, []);",
    "fn nest() { for i in 0..N { this = [this.drain(0..1)] } } let x = [0]; x.nest();",
    "fn nest() { let n = 0; while n < N { this = [this]; n += 1 } } let x = []; x.nest();",
];

#[test]
fn values_nested_beyond_the_limit_stop_the_script() {
    for script in NESTING {
        for levels in ["2500", "100000"] {
            let error = failure(&script.replace('N', levels));
            assert_eq!(
                error.title, "a value is nested more than 1000 levels deep",
                "{script} {levels}"
            );
        }
        assert!(
            call(&format!("{} ()", script.replace('N', "400"))).is_ok(),
            "{script}"
        );
    }
    let swallowed = "try { [1].map(|i| { let x = []; loop { x = [x] } }) } catch { } 5";
    assert_eq!(
        failure(swallowed).title,
        "a value is nested more than 1000 levels deep"
    );
}

#[test]
fn the_nesting_limit_applies_despite_large_other_values() {
    let error = failure(
        "let much = []; much.pad(10000, 0); let x = []; for i in 0..1000000 { let n = much.len(); let y = x.drain(0..x.len()); x = [y]; }",
    );
    assert_eq!(error.title, "a value is nested more than 1000 levels deep");
}

#[test]
fn deeply_nested_values_are_printed_compared_or_refused_without_overflow() {
    let deep = "let x = 1; for i in 0..900 { x = [x] } let y = x;";
    assert_eq!(json(&format!("{deep} x == y")), "true");
    assert!(json(&format!("{deep} x.to_string()")).contains('…'));
    assert!(json(&format!("{deep} \"\" + x")).contains('…'));
    assert!(failure(&format!("{deep} x")).title.contains("nested too deeply"));
    assert!(
        failure(&format!("{deep} #{{ x: x }}.to_json()"))
            .title
            .contains("nested too deeply")
    );
    assert!(
        failure(&format!("{deep} throw x"))
            .title
            .contains("cannot be shown")
    );
}

#[test]
fn a_closure_may_hold_itself() {
    assert_eq!(
        json("let f = (); f = || type_of(f); for i in 0..1000 { let g = f; } 7"),
        "7"
    );
}

#[test]
fn deep_recursion_inside_nested_expressions_is_an_error() {
    for brackets in [17, 25] {
        let (open, close) = ("(1 + ".repeat(brackets), ")".repeat(brackets));
        let error = failure(&format!("fn f(n) {{ {open}f(n + 1){close} }} f(0)"));
        assert_eq!(
            error.title, "the functions call each other too deeply",
            "{brackets}"
        );
    }
    let error = failure("fn f(n) { [n].map(|x| [x].map(|y| [y].map(|z| f(z)))) } f(0)");
    assert_eq!(error.kind, "script_error");
}

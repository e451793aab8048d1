//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn names<'a>(used: impl Iterator<Item = &'a Used>) -> String {
    let names: BTreeSet<String> = used
        .map(|used| match used.kind {
            Use::Variable => used.name.clone(),
            Use::Call => format!("{}()", used.name),
            Use::Method => format!(".{}()", used.name),
            Use::Module => format!("{}::", used.name),
            Use::Global => format!("global::{}", used.name),
        })
        .collect();
    names.into_iter().collect::<Vec<_>>().join(" ")
}

fn variables(text: &str) -> String {
    let scopes = Scopes::of(text);
    let unknown = scopes
        .used
        .iter()
        .filter(|used| used.kind == Use::Variable && used.means.is_none());
    names(unknown)
}

/// Texts, with their undeclared variables.
const TEXTS: &[(&str, &str)] = &[
    ("let a = b + 1; let c = a;", "b"),
    ("let x = x + 1", "x"),
    ("let x = 1; { let x = 2; let y = x; } x + y", "y"),
    ("if a { let b = 1; b } else { b }", "a b"),
    ("for x in list { x } x", "list x"),
    ("for (v, i) in list { v + i } i", "i list"),
    ("for x in x { x }", "x"),
    ("for x in #{ a: 1 }.keys() { x }", ""),
    ("for x in list.map(|y| { y + 1 }) { x + y }", "list y"),
    ("for x in if a { b } else { c } { x }", "a b c"),
    ("for x in switch a { 1 => [b], _ => [] } { x }", "a b"),
    ("while let_me { let z = 1; } z", "let_me z"),
    ("list.map(|item| item.name + suffix); item", "item list suffix"),
    ("let f = |a, b| a + b; a", "a"),
    ("let f = |a| { let b = a; b }; b", "b"),
    ("let f = || g; f.call(g)", "g"),
    ("f(|x| x, x)", "x"),
    ("[|x| x, x]", "x"),
    ("let m = #{ f: |x| x + y, g: x }; m.x", "x y"),
    ("let f = |x| |y| x + y; y", "y"),
    ("let f = |x| if x { 1 } else { 2 }; x", "x"),
    ("a | b; true | c; 1 | d; (e) | g", "a b c d e g"),
    ("if a || b { c }", "a b c"),
    ("try { risky() } catch (err) { print(err) } err", "err"),
    ("try { a } catch { b }", "a b"),
    ("switch n { 3 => a, _ => b }", "a b n"),
    ("switch n { 1 | 2 if c => a, 3 if d => b, _ => 1 }", "a b c d n"),
    ("let f = switch n { 1 => |x| x, _ => |y| y + x };", "n x"),
    ("`${who} ${#{ a: `${b}` }.a} ${{ let c = 1; c }} ${c}`", "b c who"),
    ("#{ id: app.id, \"b\": c, d: #{ e: f } }", "app c f"),
    ("a.b.c; a?.b; a[b].c; a?[d]", "a b d"),
    ("fn f(a) { let b = a; a + b + c } let c = 1; a", "a c"),
    ("fn f() { this.x + x }", "x"),
    ("private fn f(a) { a } fn g() { a }", "a"),
    ("fn int.double() { this * two }", "two"),
    ("const K = 1; fn f() { K }", "K"),
    ("fn f() { let c = |a| a + b; c.call(1) }", "b"),
    ("import \"lib\" as lib; lib::one(lib::TWO)", ""),
    ("let a = 1; export a as b; export let c = 2; b + c", "b"),
    ("do { let x = 1; } until x > 1", "x"),
    ("loop { let x = 1; break x; }", ""),
    ("let a; a = 1; { a += b }", "b"),
    ("let x = 1; let y = { let x = z; x }; x", "z"),
    ("return |x| x + y;", "y"),
    ("throw #{ a: b }", "b"),
    ("let a = 1; /* b */ a // c", ""),
    ("type_of(a) == \"b\" && is_shared(c)", "a c"),
    ("let f = Fn(\"g\"); f.call(h)", "h"),
    ("x = 5; y[0] = 1; z.a += 1", "x y z"),
    ("let a = 1; a in b && c !in d", "b c d"),
];

#[test]
fn a_variable_is_in_scope_after_its_statement_within_its_block() {
    for (text, unknown) in TEXTS {
        assert_eq!(variables(text), *unknown, "{text}");
    }
}

#[test]
fn undeclared_variables_match_rhais_strict_mode() {
    crate::script::prepare();
    let mut engine = rhai::Engine::new_raw();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine.set_strict_variables(true);
    for (text, unknown) in TEXTS {
        let names = unknown.split(' ').filter(|name| !name.is_empty());
        let declared: Vec<String> = names.map(|name| format!("let {name} = 1; ")).collect();
        let declared = declared.concat();
        let function = text.contains("fn ");
        let strict = engine.compile(text);
        assert_eq!(strict.is_ok(), unknown.is_empty(), "{text}: {strict:?}");
        if !function && !text.contains("import") {
            let strict = engine.compile(format!("{declared} {text}"));
            assert!(strict.is_ok(), "{declared} {text}: {strict:?}");
        }
    }
}

#[test]
fn the_free_names_of_functions_are_found() {
    let text =
        "fn f(a) { g(b) + lib::h(a) + global::K + i(a).j() }\nfn i(x) { x }\nconst L = 1; f(global::L)";
    let scopes = Scopes::of(text);
    let [f, i] = scopes.functions.as_slice() else {
        panic!("two functions");
    };
    assert_eq!((f.name.as_str(), f.params.len()), ("f", 1));
    assert_eq!(
        text[f.body.clone()].trim(),
        "g(b) + lib::h(a) + global::K + i(a).j()"
    );
    assert_eq!(names(scopes.free_in(f)), ".j() b g() global::K lib::");
    assert_eq!(names(scopes.free_in(i)), "");
    assert_eq!(names(scopes.free()), "", "`f` and `global::L` are here");
}

#[test]
fn changed_variables_are_detected() {
    let changed = |text: &str| {
        let scopes = Scopes::of(text);
        let harmless = |name: &str| ["len", "print", "map", "to_upper"].contains(&name);
        let changed = scopes.used.iter().filter(|used| used.may_change(harmless));
        names(changed)
    };
    for (text, names) in [
        (
            "a = 1; b += 1; c == 1; d.e = 1; f[0] -= 1; g.h[i].j = 1",
            "a b d f g",
        ),
        (
            "a.push(1); b.len(); c.d.push(1); e[0].clear(); f.len().g = 1",
            "a c e",
        ),
        ("push(a, 1); print(b); len(c); own(d); x.f(e)", "a"),
        ("m[\"k\"] += 1; m.a.len()", "m"),
        ("a.own()", "a"),
        ("f.call(|x| list.push(x))", "f list"),
        ("a?.b = 1; c?[0] = 1", "a c"),
    ] {
        let mut wanted: Vec<&str> = names.split(' ').collect();
        wanted.sort_unstable();
        wanted.retain(|name| *name != "x");
        let found = changed(text);
        let found: Vec<&str> = found.split(' ').filter(|name| *name != "x").collect();
        assert_eq!(found, wanted, "{text}");
    }
}

#[test]
fn top_level_return_and_exit_are_detected() {
    let count = |text: &str| Scopes::of(text).exits.len();
    assert_eq!(count("if list.map(|x| x).len() > 1 { return 5 }"), 1);
    assert_eq!(
        count("list.map(|x| { return x }); fn f() { return 1; exit(2) }"),
        0
    );
    assert_eq!(count("exit(1); x.exit()"), 1);
}

#[test]
fn names_in_scope_at_the_end_of_incomplete_text_are_found() {
    let holds = |text: &str| {
        let scopes = Scopes::of(text);
        let names: Vec<&str> = scopes
            .in_scope_at(text.len())
            .map(|known| known.name.as_str())
            .collect();
        names.join(" ")
    };
    assert_eq!(holds("let a = 1; for q in list { let b = q; q"), "a q b");
    assert_eq!(holds("list.map(|r| r"), "r");
    assert_eq!(holds("list.map(|r| r) + "), "");
    assert_eq!(holds("let a = b"), "");
    assert_eq!(holds("fn f(a, b) { let c = |d| d; c"), "a b c");
    assert_eq!(holds("{ let a = 1; } x"), "");
    for text in [
        "", "}", "fn", "fn f(", "let", "for x", "|", "catch (", "as", "#{ a:", "`${", "?[",
    ] {
        let _ = Scopes::of(text);
    }
}

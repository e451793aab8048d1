//! The rules, tried on small sources: they see what they should and are not fooled by comments and strings.

use super::*;

#[test]
fn an_import_upwards_is_found_however_it_is_written() {
    let cases = [
        "use crate::ops::spec::OpSpec;",
        "use crate::{value::Value, ops};",
        "use super::super::ops::spec;",
        "fn f() { crate::ops::perform(); }",
        "mod inner { use super::super::super::ops::spec; }",
        "#[cfg(test)] mod tests { use crate::ops; }",
    ];
    for text in cases {
        let faults = import_faults(&Source::new("journal/step.rs", text));
        assert_eq!(
            faults,
            ["src/journal/step.rs:1: `journal` may not import `ops`"],
            "{text}"
        );
    }
}

#[test]
fn what_is_no_import_is_not_found() {
    let cases = [
        "// use crate::ops;\n/* crate::ops /* crate::ops */ crate::ops */ /// crate::ops",
        r##"const A: &str = "crate::ops"; const B: &str = r#"crate::ops " crate::ops"#; const C: char = '"';"##,
        "use crate::value::ops; use super::ops; use crate::{value::{ops, Value}, journal::ops};",
        "pub(crate) fn ops<'a>(x: &'a str) -> char { '\\'' }",
    ];
    for text in cases {
        assert_eq!(
            import_faults(&Source::new("journal/step.rs", text)),
            [""; 0],
            "{text}"
        );
    }
}

#[test]
fn tests_may_use_what_lies_below_and_the_sandbox() {
    let text =
        "#[cfg(test)]\nmod tests { use crate::transport::Http; use crate::sandbox; }\nuse crate::transport;";
    let faults = import_faults(&Source::new("ops/mobsted.rs", text));
    assert_eq!(faults, ["src/ops/mobsted.rs:3: `ops` may not import `transport`"]);
}

#[test]
fn a_crate_is_found_outside_its_home() {
    let found = |path: &str, text: &str| crate_faults(&Source::new(path, text)).len();
    assert_eq!(found("ops/web.rs", "use reqwest::Client;"), 1);
    assert_eq!(found("ops/web.rs", "fn f() -> rhai::Dynamic { todo() }"), 1);
    assert_eq!(found("transport/mod.rs", "use reqwest::Client;"), 0);
    assert_eq!(
        found("bulk/rows.rs", "mod csv; use self::csv::Rows; use csv::Reader;"),
        0
    );
    assert_eq!(found("value/digest.rs", "use sha2::Digest;"), 0);
    assert_eq!(found("value/mod.rs", "use sha2::Digest;"), 1);
    assert_eq!(
        found("ops/web.rs", "#[cfg(test)] mod tests { use axum::Router; }"),
        0
    );
    assert_eq!(found("ops/web.rs", "let csv = x.csv; self::csv::y();"), 0);
}

#[test]
fn function_lengths_count_from_the_name_to_the_brace() {
    let text = "fn a() {}\nfn b(f: fn(u8), x: [u8; 2])\nwhere\n{\n  let c = || { '}' };\n  \"}\";\n}\ntrait T { fn c(); }\n";
    let functions = Source::new("a.rs", text).functions();
    let lengths: Vec<_> = functions
        .iter()
        .map(|f| (f.name.as_str(), f.line, f.lines))
        .collect();
    assert_eq!(lengths, [("a", 1, 1), ("b", 2, 6)]);
}

#[test]
fn depth_counts_modules() {
    let depth = |path: &str| Source::new(path, "").depth();
    assert_eq!(
        [
            depth("clock.rs"),
            depth("ops/mod.rs"),
            depth("ops/spec.rs"),
            depth("a/b/c.rs")
        ],
        [1, 1, 2, 3]
    );
}

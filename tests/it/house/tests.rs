//! Tests the rules on small sources: they find violations and are not fooled by comments and strings.

use super::*;

#[test]
fn an_import_upwards_is_found_however_it_is_written() {
    let cases = [
        "use crate::operation::spec::OpSpec;",
        "use crate::{value::Value, operation};",
        "use super::super::operation::spec;",
        "fn f() { crate::operation::perform(); }",
        "mod inner { use super::super::super::operation::spec; }",
        "#[cfg(test)] mod tests { use crate::operation; }",
    ];
    for text in cases {
        let faults = import_faults(&Source::new("journal/step.rs", text));
        assert_eq!(
            faults,
            ["src/journal/step.rs:1: `journal` may not import `operation`"],
            "{text}"
        );
    }
}

#[test]
fn what_is_no_import_is_not_found() {
    let cases = [
        "// use crate::operation;\n/* crate::operation /* crate::operation */ crate::operation */ /// crate::operation",
        r##"const A: &str = "crate::operation"; const B: &str = r#"crate::operation " crate::operation"#; const C: char = '"';"##,
        "use crate::value::operation; use super::operation; use crate::{value::{operation, Value}, journal::operation};",
        "pub(crate) fn operation<'a>(x: &'a str) -> char { '\\'' }",
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
    let faults = import_faults(&Source::new("operation/mobsted.rs", text));
    assert_eq!(
        faults,
        ["src/operation/mobsted.rs:3: `operation` may not import `transport`"]
    );
}

#[test]
fn a_crate_is_found_outside_its_home() {
    let found = |path: &str, text: &str| crate_faults(&Source::new(path, text)).len();
    assert_eq!(found("operation/web.rs", "use reqwest::Client;"), 1);
    assert_eq!(found("operation/web.rs", "fn f() -> rhai::Dynamic { todo() }"), 1);
    assert_eq!(found("transport/mod.rs", "use reqwest::Client;"), 0);
    assert_eq!(
        found("bulk/rows.rs", "mod csv; use self::csv::Rows; use csv::Reader;"),
        0
    );
    assert_eq!(found("value/digest.rs", "use sha2::Digest;"), 0);
    assert_eq!(found("value/mod.rs", "use sha2::Digest;"), 1);
    assert_eq!(
        found("operation/web.rs", "#[cfg(test)] mod tests { use axum::Router; }"),
        0
    );
    assert_eq!(found("operation/web.rs", "let csv = x.csv; self::csv::y();"), 0);
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
            depth("operation/mod.rs"),
            depth("operation/spec.rs"),
            depth("a/b/c.rs")
        ],
        [1, 1, 2, 3]
    );
}

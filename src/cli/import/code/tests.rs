//! Tests of the module above.

use super::*;

#[test]
fn snake_case_identifiers_are_derived_from_any_text() {
    assert_eq!(name_of("Get user's list", "x"), "get_user_s_list");
    assert_eq!(name_of("baseUrl", "x"), "base_url");
    assert_eq!(name_of("1. First", "request"), "request_1_first");
    assert_eq!(name_of("Ünïcode", "x"), "n_code");
    assert_eq!(name_of("日本", "request"), "request");
    assert_eq!(name_of("__a--b__", "x"), "a_b");
}

#[test]
fn long_values_are_broken_into_lines() {
    let long = Code::Map(vec![
        ("a".into(), Code::text(&"x".repeat(60))),
        ("b c".into(), Code::text(&"y".repeat(60))),
    ]);
    let text = long.render(4);
    assert!(text.starts_with("#{\n        a: \"xx"), "{text}");
    assert!(
        text.contains("\"b c\": \"yy") && text.ends_with("\n    }"),
        "{text}"
    );
    assert_eq!(Code::List(vec![Code::text("a\"\n")]).render(0), "[\"a\\\"\\n\"]");
}

#[test]
fn imported_text_cannot_break_out_of_a_comment() {
    assert_eq!(
        comment("//", "a\n*/ fn x() {}\r\nb\u{1b}[0m"),
        "// a\n// */ fn x() {}\n// b[0m\n"
    );
}

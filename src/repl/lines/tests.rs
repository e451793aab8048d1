//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

fn statements(text: &'static str) -> Vec<(usize, String)> {
    let mut lines = Lines::read("stdin", text.as_bytes());
    std::iter::from_fn(|| lines.statement().unwrap())
        .map(|(line, text)| (line, text.trim().to_owned()))
        .collect()
}

#[test]
fn text_is_split_into_statements_spanning_several_lines() {
    let found = statements(
        "let x = 1\nx + 1\n\nfn f(a) {\n  a\n}\nlet y = [1, 2]\n  .len();\nif x > 1 { 2 }\nelse { 3 }\n:vars\nlast",
    );
    let expected = [
        (1, "let x = 1"),
        (2, "x + 1"),
        (4, "fn f(a) {\n  a\n}"),
        (7, "let y = [1, 2]\n  .len();"),
        (9, "if x > 1 { 2 }\nelse { 3 }"),
        (11, ":vars"),
        (12, "last"),
    ];
    let expected: Vec<(usize, String)> = expected.map(|(line, text)| (line, text.to_owned())).into();
    assert_eq!(found, expected);
}

#[test]
fn statement_splitting_handles_crlf_and_incomplete_input() {
    assert_eq!(
        statements("1\r\n2\r\n"),
        [(1, "1".to_owned()), (2, "2".to_owned())]
    );
    assert_eq!(
        statements("fn f( {\n 1"),
        [(1, "fn f( {".to_owned()), (2, "1".to_owned())]
    );
}

//! Tests of the module above.

use super::*;

fn plain(painted: &str) -> String {
    let mut parts = painted.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
        text
    })
}

#[test]
fn syntax_highlighting_never_changes_the_text() {
    for line in [
        "let a = `x ${y(1)} z`; // done",
        "\"日本\n語\" + f(",
        ":help x",
        ":nonsense",
        "let = 1",
        "/* open\nhere",
        "}",
    ] {
        for pos in 0..=line.len() {
            assert_eq!(plain(&highlight(line, pos)), line);
        }
    }
}

#[test]
fn matching_brackets_at_the_cursor_are_highlighted() {
    let painted = highlight("f((1))", 6);
    assert_eq!(painted.matches("\u{1b}[1;7m").count(), 2);
    assert!(
        painted.starts_with("\u{1b}[36mf\u{1b}[0m\u{1b}[1;7m("),
        "{painted:?}"
    );
    assert!(!highlight("f((1)) ", 7).contains("[1;7m"));
}

#[test]
fn syntax_errors_are_underlined_unless_input_is_incomplete() {
    assert!(!highlight("let a = (1 +", 12).contains("[4;31m"));
    assert!(!highlight("let", 3).contains("[4;31m"));
    assert!(!highlight("f(\"ope", 6).contains("[4;31m"));
    let painted = highlight("let a = 1 2", 11);
    assert!(painted.contains("\u{1b}[4;31m2"), "{painted:?}");
}

//! Tests of the module above.

use super::*;

fn read(text: &str) -> Vec<(&str, TokenKind)> {
    let found = tokens(text);
    found.iter().map(|token| (token.text(text), token.kind)).collect()
}

#[test]
fn text_is_split_into_the_languages_tokens() {
    use TokenKind::{Comment, Keyword, Name, Number, Symbol, Text};
    assert_eq!(
        read("let a = f(1.5, \"x y\"); // done"),
        [
            ("let", Keyword),
            ("a", Name),
            ("=", Symbol),
            ("f", Name),
            ("(", Symbol),
            ("1.5", Number),
            (",", Symbol),
            ("\"x y\"", Text),
            (")", Symbol),
            (";", Symbol),
            ("// done", Comment),
        ]
    );
}

#[test]
fn empty_parentheses_are_two_tokens() {
    assert_eq!(
        read("f()"),
        [
            ("f", TokenKind::Name),
            ("(", TokenKind::Symbol),
            (")", TokenKind::Symbol)
        ]
    );
}

#[test]
fn string_interpolations_are_tokenized() {
    let found = read("`a ${x + #{b: `${y}`}.b} c` + _3");
    let names: Vec<&str> = found
        .iter()
        .filter(|(_, kind)| *kind == TokenKind::Name)
        .map(|(text, _)| *text)
        .collect();
    assert_eq!(names, ["x", "b", "y", "b", "_3"]);
    assert!(found.contains(&("+", TokenKind::Symbol)), "{found:?}");
}

#[test]
fn tokens_of_any_text_are_ordered_and_do_not_overlap() {
    for text in [
        "",
        "\"open",
        "`open ${",
        "日本 = \"日本語\"; ñ.len()",
        "/* open",
        "a \\ b ~ `x`\r\n\t'c' '",
        "#\"raw \" text\"# + 1",
        "}}}} ${ `",
        "\"a\\",
        "let x = \"a\nb\"",
    ] {
        let found = tokens(text);
        let mut last = 0;
        for token in &found {
            assert!(
                token.at.start >= last && token.at.end > token.at.start,
                "{text:?}"
            );
            assert!(text.get(token.at.clone()).is_some(), "{text:?}");
            last = token.at.end;
        }
        assert!(last <= text.len());
    }
}

#[test]
fn tokens_after_an_escaped_dollar_in_a_template_have_correct_positions() {
    let names = |text: &str| -> Vec<String> {
        let found = tokens(text);
        let names = found.iter().filter(|token| token.kind == TokenKind::Name);
        names.map(|token| token.text(text).to_owned()).collect()
    };
    for (text, expected) in [
        ("`\\${x}` + name", vec!["name"]),
        ("`\\${x} \\${y} é` + name", vec!["name"]),
        ("`a ${first} \\${x}` + name", vec!["first", "name"]),
        ("`\\${x}\nb \\${y}` + name\nother", vec!["name", "other"]),
        ("`\\${x}\nb` + name; \"\\\\\" + other", vec!["name", "other"]),
        ("#{a: `\\${x}`, multipart: 2}", vec!["a", "multipart"]),
    ] {
        assert_eq!(names(text), expected, "{text}");
    }
}

//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

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

/// The words of the patterns of an editor's grammar whose scope begins with one of these.
fn words_of_grammar(grammar: &serde_json::Value, scopes: &[&str], found: &mut BTreeSet<String>) {
    match grammar {
        serde_json::Value::Object(entries) => {
            let name = entries.get("name").and_then(serde_json::Value::as_str);
            let pattern = entries.get("match").and_then(serde_json::Value::as_str);
            let is_wanted = |name: &str| scopes.iter().any(|scope| name.starts_with(scope));
            let words = pattern.and_then(|pattern| pattern.strip_prefix("\\b(")?.strip_suffix(")\\b"));
            if let (Some(true), Some(words)) = (name.map(is_wanted), words) {
                found.extend(words.split('|').map(str::to_owned));
            }
            for entry in entries.values() {
                words_of_grammar(entry, scopes, found);
            }
        }
        serde_json::Value::Array(entries) => {
            for entry in entries {
                words_of_grammar(entry, scopes, found);
            }
        }
        _ => {}
    }
}

#[test]
fn the_grammar_for_editors_has_exactly_the_keywords_of_the_lexer() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/editors/rhai.tmLanguage.json")).unwrap();
    let mut listed = BTreeSet::new();
    let scopes = ["keyword.control", "storage", "constant.language"];
    words_of_grammar(&serde_json::from_str(&text).unwrap(), &scopes, &mut listed);
    // The lexer has no list: it is asked about each word of this module's tests, of the guides, and of short ones.
    let is_keyword = |word: &str| read(word) == [(word, TokenKind::Keyword)];
    let mut words: BTreeSet<String> = listed.clone();
    let guides = std::fs::read_dir(root.join("docs")).unwrap();
    let guides = guides
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    let sources = ["src/syntax/scopes/reader.rs", "src/syntax/mod.rs", "README.md"];
    for path in guides.chain(sources.map(|name| root.join(name))) {
        let text = std::fs::read_to_string(path).unwrap();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        words.extend(text.split(|c| !is_part(c)).map(str::to_owned));
    }
    let letters = || 'a'..='z';
    words.extend(letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))));
    let short = letters().flat_map(|a| letters().map(move |b| (a, b)));
    words.extend(short.flat_map(|(a, b)| letters().map(move |c| format!("{a}{b}{c}"))));
    let known: BTreeSet<String> = words.into_iter().filter(|word| is_keyword(word)).collect();
    assert_eq!(listed, known);
    assert!(known.len() > 20 && known.contains("until") && known.contains("private"));
}

//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use proptest::prelude::*;

use super::*;

/// Checks that the tokens and the whitespace between them are the text, and that brackets match in pairs.
#[track_caller]
fn check_lossless(text: &str) {
    let found = tokens(text);
    let mut last = 0;
    for token in &found {
        assert!(token.at.end > token.at.start, "{text:?}: {token:?}");
        let gap = &text[last..token.at.start];
        assert!(
            gap.chars().all(|c| c.is_ascii_whitespace()),
            "{text:?}: {gap:?} is in no token"
        );
        last = token.at.end;
        if let Some(partner) = token.partner {
            let other = found.iter().find(|other| other.at.start == partner).unwrap();
            assert_eq!(other.partner, Some(token.at.start), "{text:?}");
        }
    }
    assert!(text[last..].chars().all(|c| c.is_ascii_whitespace()), "{text:?}");
    let source = SourceText::read(text);
    let _ = (source.scopes(), source.statements());
    let code = source.code();
    for at in 0..=code.len() {
        let _ = (
            code.start_of_value(at),
            code.after_string(at),
            code.continues_string(at),
        );
        let (line, column) = source.line_and_column(code.start(at));
        assert_eq!(source.offset(line, column), code.start(at), "{text:?}");
    }
}

/// The tokens of a program, one of each kind and more, to be joined at random.
const PARTS: &[&str] = &[
    "let ", "x", " = ", "1", "-1", "1.5", "\"a\"", "\"", "'c'", "'", "`", "${", "}", "{", "#{", "(", ")",
    "[", "]", "?[", "()", ",", ";", "|", "||", "// note", "\n", "/*", "*/", "/**/", "\\", "\\${", "#\"",
    "\"#", "_3", "_", ".", "?.", "::", "fn ", "f", "for ", " in ", "catch ", "import ", " as ", "return ",
    "switch ", "=> ", "é", "日", "\r\n", "\t", "#!", "~", "@", "eval", "\u{a0}", "++", "0x", "1e", "if ",
    "else ",
];

proptest! {
    #[test]
    fn every_character_of_any_text_is_in_a_token_or_whitespace(
        text in prop::collection::vec(any::<char>(), 0..60),
    ) {
        check_lossless(&text.into_iter().collect::<String>());
    }

    #[test]
    fn every_character_of_any_program_is_in_a_token_or_whitespace(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..40),
    ) {
        check_lossless(&parts.concat());
    }
}

#[test]
fn every_character_of_the_scripts_is_in_a_token_or_whitespace() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|ending| ending == "rhai") {
            let text = std::fs::read_to_string(file).unwrap();
            check_lossless(&text);
            let strange = tokens(&text)
                .into_iter()
                .find(|token| token.kind == TokenKind::Strange || token.is_open);
            assert_eq!(strange, None);
            // Every prefix is a text that is being typed.
            for (end, _) in text.char_indices().step_by(7) {
                check_lossless(&text[..end]);
            }
            count += 1;
        }
    }
    assert!(count >= 4, "the scripts were not found");
}

/// The words in a text, with `:` after those that start an open bracket, string or comment.
fn shown(text: &str) -> String {
    let source = SourceText::read(text);
    let words = source.tokens().iter().map(|token| {
        let opens = ["(", "[", "{", "#{", "?["].contains(&token.text(text));
        let is_open = token.is_open || (opens && token.kind == TokenKind::Symbol && token.partner.is_none());
        format!("{}{}", token.text(text), if is_open { ":" } else { "" })
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_bracket_that_is_missing_or_misplaced_changes_only_its_block() {
    assert_eq!(shown("f(a, [b"), "f (: a , [: b");
    assert_eq!(shown("if a { f(b } g(c)"), "if a { f (: b } g ( c )");
    assert_eq!(shown("( [ ) ]"), "( [: ) ]");
    assert_eq!(shown("f({ a ) })"), "f ( { a ) } )");
    assert_eq!(shown("} ) a?[1]"), "} ) a ?[ 1 ]");
}

#[test]
fn interpolated_strings_nest() {
    assert_eq!(
        shown("`a ${f(`b ${#{c: `}`}} d`)} e` + g"),
        "`a $ { f ( `b $ { #{ c : `}` } }  d` ) }  e` + g"
    );
    assert_eq!(shown("`a ${b} c"), "`a $ { b }  c:");
    assert_eq!(shown("`a ${b("), "`a $ {: b (:");
    // A bracket that does not belong into an interpolation does not end it, and it does not reach out of it.
    assert_eq!(shown("f(`${a)}`, b)"), "f ( `$ { a ) } ` , b )");
    assert_eq!(shown("f(`${(a}` + b)"), "f ( `$ { (: a } ` + b )");
    assert_eq!(shown("\"a\\${b}\""), "\"a\\$: { b } \":");
    let source = SourceText::read("\"a\" + `b ${c} d` + `e`");
    let code = source.code();
    assert_eq!((code.after_string(0), code.after_string(2)), (1, 7));
    let continues: Vec<usize> = (0..code.len()).filter(|at| code.continues_string(*at)).collect();
    assert_eq!(continues, [6]);
}

#[test]
fn open_strings_and_comments_are_recognised() {
    for text in [
        "\"open",
        "\"a\\",
        "`open\nhere",
        "#\"raw",
        "'",
        "/* a /* b */",
        "/**/ a",
        "\"a\\\"",
        "\"a\"\"",
    ] {
        assert!(tokens(text).pop().unwrap().is_open, "{text}");
    }
    for text in [
        "\"a\"",
        "`a`",
        "#\"a\"#",
        "'c'",
        "/* a */",
        "// a",
        "/***/",
        "#! a",
        "\"a\\\\\"",
        "'ab'",
    ] {
        let found = tokens(text);
        assert!(found.len() == 1 && !found[0].is_open, "{text}: {found:?}");
    }
    assert_eq!(shown("\"open\nlet a = 1"), "\"open: let a = 1");
}

#[test]
fn comments_are_tokens_without_their_line_end() {
    assert_eq!(
        shown("#!/usr/bin/env provisor\n//! About.\r\na /* b\nc */ // d\n//// e"),
        "#!/usr/bin/env provisor //! About. a /* b\nc */ // d //// e"
    );
}

#[test]
fn statements_end_with_their_semicolon_or_the_brace_of_a_function() {
    let split = |text: &str| -> Vec<String> {
        let statements = SourceText::read(text).statements();
        let shown = statements.into_iter().map(|statement| {
            let kind = match statement.kind {
                StatementKind::Import => "import",
                StatementKind::Function => "function",
                StatementKind::Other => "other",
            };
            format!("{kind}: {}", text[statement.at].trim())
        });
        shown.collect()
    };
    assert_eq!(
        split("import \"a\" as a; let x = #{ b: 1 }; // note\n/// Doc.\nprivate fn f(a) { a; }; f(x)"),
        [
            "import: import \"a\" as a;",
            "other: let x = #{ b: 1 };",
            "function: // note\n/// Doc.\nprivate fn f(a) { a; }",
            "other: f(x)",
        ]
    );
    assert_eq!(
        split("if a { b; } fn f() {} `${c; d}`;"),
        ["other: if a { b; }", "function: fn f() {}", "other: `${c; d}`;"]
    );
    assert_eq!(split("; // nothing"), Vec::<String>::new());
    assert_eq!(split("fn f() { let a"), ["function: fn f() { let a"]);
}

#[test]
fn values_are_found_from_their_end() {
    for (text, value) in [
        ("x + a.b(c)[0].d", "a.b(c)[0].d"),
        ("f(a::b(1)", "a::b(1)"),
        ("let x = [1, 2]", "[1, 2]"),
        ("-a?.b?[c]", "a?.b?[c]"),
    ] {
        let source = SourceText::read(text);
        let code = source.code();
        assert_eq!(
            &text[code.start(code.start_of_value(code.len()))..],
            value,
            "{text}"
        );
    }
}

const RESERVED: &str = "let const fn if else switch for in while loop do until break continue return throw try \
    catch import export as true false this private global is_shared is_def_var is_def_fn type_of print debug eval \
    call curry var static shared goto match case public protected new use with module package super thread spawn \
    go await async sync yield default void null nil exit is Fn";

#[test]
fn reserved_words_are_not_valid_names() {
    let names: Vec<&str> = RESERVED.split(' ').filter(|word| !is_reserved(word)).collect();
    assert_eq!(names, Vec::<&str>::new());
    for word in ["", "_", "_3", "two words", "é", "1", "a.b", "\"a\""] {
        assert!(is_reserved(word), "{word}");
    }
    for word in ["email", "main", "site_2", "_x", "lets", "format", "now", "sleep"] {
        assert!(!is_reserved(word), "{word}");
    }
}

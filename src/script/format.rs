//! Formats scripts: even spacing, and lines indented by the brackets around them. Line breaks stay where they are.

use super::bundle::Source;
use super::error::Diagnostic;
use super::parse;
use crate::syntax::{Token, TokenKind, tokens};

/// The indentation of each level.
const INDENT: &str = "    ";

/// Formats the text of a source without a syntax error; see [`format()`].
pub(crate) fn format_source(source: &Source) -> Result<String, Box<Diagnostic>> {
    parse::parse(source)?;
    Ok(format(&source.text))
}

/// Formats a source. Its words, texts, comments, line breaks, and the space before a comment behind code stay as they are; of several empty lines one remains, and
/// the last line ends with a line break. Formatting the result again changes nothing. A source that contains something
/// that the language does not have is returned unchanged.
pub(crate) fn format(source: &str) -> String {
    let atoms = atoms(source);
    if atoms.iter().any(|atom| atom.kind == TokenKind::Strange) {
        return source.to_owned();
    }
    let mut out = String::with_capacity(source.len());
    let mut levels = Levels::default();
    for (index, atom) in atoms.iter().enumerate() {
        if atom.lines_above > 0 {
            out.push_str(&"\n".repeat(atom.lines_above));
            out.push_str(&INDENT.repeat(levels.begin_line(&atoms, index)));
        } else if atom.indent > 0 {
            out.push_str(&" ".repeat(atom.indent));
        } else if index > 0 && has_space_before(&atoms, index) {
            out.push(' ');
        }
        levels.pass(atom);
        out.push_str(atom.text);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    // A safeguard: nothing but the space between words may differ.
    if self::atoms(&out) == atoms {
        out
    } else {
        source.to_owned()
    }
}

/// A word, a comment, or a text with everything in it.
#[derive(Debug, PartialEq)]
struct Atom<'a> {
    text: &'a str,
    kind: TokenKind,
    /// The number of line breaks between it and the previous atom, at most two.
    lines_above: usize,
    /// For a comment behind code, the number of spaces before it: such comments are often aligned.
    indent: usize,
}

/// Reads a source. Everything in it but space belongs to an atom.
fn atoms(source: &str) -> Vec<Atom<'_>> {
    let found = tokens(source);
    let mut atoms: Vec<Atom<'_>> = Vec::new();
    let (mut at, mut end) = (0, 0);
    while let Some(token) = found.get(at) {
        let last = end_of_text(source, &found, at);
        let gap = source.get(end..token.at.start).unwrap_or_default();
        let mut text = source.get(token.at.start..found[last].at.end).unwrap_or_default();
        if token.kind == TokenKind::Comment {
            text = text.trim_end();
        }
        let lines_above = if atoms.is_empty() {
            0
        } else {
            gap.matches('\n').count().min(2)
        };
        let is_behind_code = token.kind == TokenKind::Comment && lines_above == 0 && !atoms.is_empty();
        atoms.push(Atom {
            text,
            kind: token.kind,
            lines_above,
            indent: if is_behind_code {
                gap.chars().count().max(1)
            } else {
                0
            },
        });
        end = token.at.start + text.len();
        at = last + 1;
    }
    atoms
}

/// Returns the last token of the text that starts here: for one with `${…}`, its other end.
fn end_of_text(text: &str, found: &[Token], at: usize) -> usize {
    let mut last = at;
    while found[last].interpolates(text) {
        let closing = found.get(last + 1).and_then(|brace| brace.partner);
        let closing = closing.map(|closing| found.partition_point(|token| token.at.start < closing));
        last = closing.unwrap_or(found.len() - 1);
        let next = found.get(last + 1);
        last += usize::from(next.is_some_and(|next| next.kind == TokenKind::Text));
    }
    last
}

/// Tracks the indentation of lines.
#[derive(Default)]
struct Levels {
    /// For each open bracket, the level of the line that opened it.
    open: Vec<usize>,
    /// The level of the current line.
    line: usize,
}

impl Levels {
    /// Returns the level of the line that starts with the atom at this index.
    fn begin_line(&mut self, atoms: &[Atom<'_>], index: usize) -> usize {
        let word = |index: usize| atoms.get(index).map_or("", |atom| atom.text);
        let line = &atoms[index..];
        let is_closing = |atom: &&Atom<'_>| [")", "]", "}"].contains(&atom.text);
        let on_line = line
            .iter()
            .enumerate()
            .take_while(|(at, atom)| *at == 0 || atom.lines_above == 0);
        let closing = on_line.map(|(_, atom)| atom).take_while(is_closing).count();
        let opener = self.open.len().checked_sub(closing.max(1));
        let level = opener.map_or(0, |at| self.open[at] + usize::from(closing == 0));
        let continues = is_continuation(word(index)) || (index > 0 && is_continued(word(index - 1)));
        self.line = level + usize::from(continues);
        self.line
    }

    fn pass(&mut self, atom: &Atom<'_>) {
        match atom.text {
            "(" | "[" | "?[" | "{" | "#{" => self.open.push(self.line),
            ")" | "]" | "}" => drop(self.open.pop()),
            _ => {}
        }
    }
}

/// Whether a line that begins with this word continues the line before it.
fn is_continuation(word: &str) -> bool {
    [".", "?."].contains(&word) || BINARY.contains(&word)
}

/// Whether a line that ends with this word is continued by the next line.
fn is_continued(word: &str) -> bool {
    word == "=" || BINARY.contains(&word)
}

/// The operators that can only follow a value.
const BINARY: &[&str] = &[
    "+", "*", "/", "%", "&&", "||", "??", "==", "!=", "<", ">", "<=", ">=",
];

/// Whether a space precedes the atom with this index.
fn has_space_before(atoms: &[Atom<'_>], index: usize) -> bool {
    let (before, atom) = (&atoms[index - 1], &atoms[index]);
    if before.kind == TokenKind::Comment || atom.kind == TokenKind::Comment {
        return true;
    }
    // To the language, `-1` is one word.
    let is_sign = before.text == "+" || (before.text == "-" && atom.kind != TokenKind::Number);
    if is_unspaced(before.text, atom.text)
        || (before.text == "|" && begins_closure(atoms, index - 1))
        || (atom.text == "|" && ends_closure(atoms, index))
        || (is_sign && !is_value(atoms, index - 1))
    {
        return false;
    }
    match atom.text {
        "(" => !(before.kind == TokenKind::Name || [")", "]"].contains(&before.text) || before.text == "Fn"),
        // `f!(x)`, but `a && !b`.
        "[" | "!" => !is_end_of_value(before),
        _ => true,
    }
}

/// Whether these words never have a space between them.
fn is_unspaced(before: &str, word: &str) -> bool {
    ["(", "[", ".", "?.", "::", "..", "..=", "!", "?["].contains(&before)
        || [")", "]", ",", ";", ".", "?.", "::", ":", "..", "..=", "?["].contains(&word)
        || (["{", "#{"].contains(&before) && word == "}")
}

/// Whether a value ends before the atom with this index.
fn is_value(atoms: &[Atom<'_>], index: usize) -> bool {
    index.checked_sub(1).is_some_and(|at| is_end_of_value(&atoms[at]))
}

fn is_end_of_value(atom: &Atom<'_>) -> bool {
    matches!(atom.kind, TokenKind::Name | TokenKind::Number | TokenKind::Text)
        || [")", "]", "}", "this", "true", "false"].contains(&atom.text)
}

fn begins_closure(atoms: &[Atom<'_>], index: usize) -> bool {
    atoms[index].text == "|" && !is_value(atoms, index)
}

/// Whether this is the second `|` of `|a, b|`.
fn ends_closure(atoms: &[Atom<'_>], index: usize) -> bool {
    let first = (0..index)
        .rev()
        .find(|at| atoms[*at].kind != TokenKind::Name && atoms[*at].text != ",");
    first.is_some_and(|at| begins_closure(atoms, at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::path::Path;

    use proptest::collection::vec;

    use super::*;

    /// Sources as typed and as formatted.
    const SOURCES: &[(&str, &str)] = &[
        ("let   x=1+2", "let x = 1 + 2"),
        ("f( a,b )[ 0 ].c( )", "f(a, b)[0].c()"),
        ("let m=#{a:1,\"b\":[ 1,2 ]}", "let m = #{ a: 1, \"b\": [1, 2] }"),
        ("if x<1{y}else{z}", "if x < 1 { y } else { z }"),
        (
            "fn f(){\nif x{\ny\n}\n}",
            "fn f() {\n    if x {\n        y\n    }\n}",
        ),
        ("f(#{\na:1\n})\n}", "f(#{\n    a: 1\n})\n}"),
        ("let x=1;    // one", "let x = 1;    // one"),
        ("xs.map(| x |x*-1)", "xs.map(|x| x * -1)"),
        ("xs.filter(|a,b|a||b).len()", "xs.filter(|a, b| a || b).len()"),
        ("`a  ${ x+1 }  b`+\"c  d\"", "`a  ${ x+1 }  b` + \"c  d\""),
        ("`${#{a:`${1}`}.a}{${2}`;x=3", "`${#{a:`${1}`}.a}{${2}`; x = 3"),
        ("for i in 0..3{f(!i)}", "for i in 0..3 { f(!i) }"),
        ("f!( a )&&!b", "f!(a) && !b"),
        ("let a=- b;let b = a-1", "let a = -b; let b = a - 1"),
        ("let a=-1;f(- 1,+ 1)", "let a = -1; f(- 1, +1)"),
        ("fn f(a,b){\na+b\n}", "fn f(a, b) {\n    a + b\n}"),
        (
            "call(#{\na:1,\n  b: [\n2],\n})",
            "call(#{\n    a: 1,\n    b: [\n        2],\n})",
        ),
        (
            "partner\n.tenants()\n  .len()",
            "partner\n    .tenants()\n    .len()",
        ),
        (
            "let n =\nxs\n.map(|x| {\nx +\n1\n})\n.len();",
            "let n =\n    xs\n    .map(|x| {\n        x +\n            1\n    })\n    .len();",
        ),
        ("a?.b ?? c", "a?.b ?? c"),
        ("x => 1 // why", "x => 1 // why"),
        (
            "{\nlet s = `a\n   b`;\nf(s)}",
            "{\n    let s = `a\n   b`;\n    f(s) }",
        ),
        ("a\n\n\n\nb\n\n", "a\n\nb"),
        ("f( ) // a\r\n\r\ng( )\r\n", "f() // a\n\ng()"),
        ("#!/usr/bin/env x\n\n f()", "#!/usr/bin/env x\n\nf()"),
        (
            "  //! About  \n//// why\n{ /*** a\n b ***/ x  }// c",
            "//! About\n//// why\n{ /*** a\n b ***/ x } // c",
        ),
        (
            "/// Adds.\nfn add(a, b) {\n    // both\n    if a == () { return b; }\n    a + b\n}",
            "/// Adds.\nfn add(a, b) {\n    // both\n    if a == () { return b; }\n    a + b\n}",
        ),
        (
            "switch  x {\n1|2 if y=>\"a\",\n_=>|z|z,\n}",
            "switch x {\n    1 | 2 if y => \"a\",\n    _ => |z| z,\n}",
        ),
    ];

    fn scripts() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let scripts = files.filter(|file| file.extension().is_some_and(|ending| ending == "rhai"));
        scripts
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect()
    }

    /// The tokens of a source, and all of its characters but space.
    fn content(source: &str) -> (Vec<String>, String) {
        let source = &parse::blank_shebang(source);
        let found = tokens(source).into_iter();
        let tokens = found.map(|token| token.text(source).trim_end().to_owned());
        let characters = source.chars().filter(|c| !c.is_whitespace());
        (tokens.collect(), characters.collect())
    }

    #[track_caller]
    fn check(source: &str) {
        let formatted = format(source);
        assert_eq!(content(&formatted), content(source), "{source}");
        assert_eq!(format(&formatted), formatted, "{source}");
    }

    #[test]
    fn code_is_formatted_with_consistent_spacing_and_indentation() {
        for (typed, formatted) in SOURCES {
            assert_eq!(format(typed), format!("{formatted}\n"), "{typed}");
        }
    }

    #[test]
    fn formatting_keeps_all_tokens_and_leaves_formatted_code_unchanged() {
        let scripts = scripts();
        assert!(scripts.len() >= 5);
        let sources = SOURCES.iter().map(|(typed, _)| *typed);
        for source in sources.chain(scripts.iter().map(String::as_str)) {
            check(source);
        }
    }

    #[test]
    fn a_source_that_the_language_does_not_have_is_left_unchanged() {
        for source in ["a  ~  b", "a  ...  b"] {
            assert_eq!(format(source), source);
        }
        assert_eq!(format(""), "");
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(200))]

        #[test]
        fn formatting_any_layout_keeps_all_tokens_and_is_idempotent(
            source in 0..SOURCES.len() + 5,
            spaces in vec(0..4_usize, 1..60),
        ) {
            let scripts = scripts();
            let source = match SOURCES.get(source) {
                Some((typed, _)) => typed,
                None => scripts[source - SOURCES.len()].as_str(),
            };
            let mut spread = String::new();
            for (atom, space) in atoms(source).iter().zip(spaces.iter().cycle()) {
                spread.push_str(atom.text);
                let is_comment = atom.kind == TokenKind::Comment;
                spread.push_str(if is_comment { "\n" } else { [" ", "\n", "\n\n\n", "  \t"][*space] });
            }
            check(&spread);
        }

        #[test]
        fn formatting_any_text_keeps_all_tokens_and_is_idempotent(
            text in "[a-c1é_ \n\"`'${}()\\[\\]|/*!#.:;,=<>+-]{0,40}",
        ) {
            check(&text);
        }
    }
}

//! Formats code: normalises spaces and indents lines by their enclosing brackets. Line breaks and words are unchanged.

use std::fmt::Write as _;

use crate::script::tokens::{Piece, TokenKind, pieces};

/// The indentation of the body of `main` and of each bracket level.
const INDENT: &str = "    ";

/// Formats a function or statement; unchanged if it has a text over several lines.
pub(super) fn formatted(text: &str) -> String {
    let atoms = atoms(text);
    if atoms
        .iter()
        .any(|atom| atom.kind == TokenKind::Strange || spans_lines(atom.text))
    {
        return text.trim().to_owned();
    }
    let mut out = String::new();
    let mut levels = Levels::default();
    for (index, atom) in atoms.iter().enumerate() {
        let before = index.checked_sub(1).map(|at| &atoms[at]);
        match before {
            Some(_) if atom.lines_above > 0 => {
                out.push_str(if atom.lines_above > 1 { "\n\n" } else { "\n" });
                out.push_str(&INDENT.repeat(levels.line_level(&atoms[index..])));
            }
            Some(_) if has_space_before(&atoms, index) => out.push(' '),
            _ => {}
        }
        levels.pass(atom);
        out.push_str(atom.text);
    }
    let words = |text: &str| -> String { pieces(text).iter().map(|piece| piece.text(text)).collect() };
    // A safeguard: nothing but whitespace may differ.
    if words(&out) == words(text) {
        out
    } else {
        text.trim().to_owned()
    }
}

/// Adds the `;` to a statement unless it is a block.
pub(super) fn terminated(statement: &str) -> String {
    let statement = statement.trim_end();
    let mut found = pieces(statement);
    found.retain(|piece| piece.kind != TokenKind::Comment || piece.at.end == statement.len());
    let first = found.first().map_or("", |piece| piece.text(statement));
    let is_block = ["if", "for", "while", "loop", "switch", "try"].contains(&first);
    match found.pop() {
        Some(last) if is_block && last.text(statement) == "}" => statement.to_owned(),
        Some(last) if last.kind == TokenKind::Comment => {
            let (code, comment) = statement.split_at(last.at.start);
            let code = code.trim_end();
            if code.ends_with(';') || comment.contains('\n') {
                return statement.to_owned();
            }
            format!("{code}; {comment}")
        }
        _ if statement.ends_with(';') => statement.to_owned(),
        _ => format!("{statement};"),
    }
}

/// Indents a statement for `main`. The lines of a multi-line text are left unchanged.
pub(super) fn indented(statement: &str) -> String {
    let mut out = String::new();
    let keeps = atoms(statement).iter().any(|atom| spans_lines(atom.text));
    for (index, line) in statement.lines().enumerate() {
        let indent = if line.trim().is_empty() || (keeps && index > 0) {
            ""
        } else {
            INDENT
        };
        let _ = writeln!(out, "{indent}{line}");
    }
    out
}

fn spans_lines(text: &str) -> bool {
    text.contains('\n')
}

/// A word, or a text with everything in it.
#[derive(Debug)]
struct Atom<'a> {
    text: &'a str,
    kind: TokenKind,
    /// The number of line breaks between it and the previous atom.
    lines_above: usize,
}

fn atoms(text: &str) -> Vec<Atom<'_>> {
    let found = pieces(text);
    let mut atoms: Vec<Atom<'_>> = Vec::new();
    let mut at = 0;
    let mut end = 0;
    while let Some(piece) = found.get(at) {
        let last = end_of_text(text, &found, at);
        let (from, upto) = (piece.at.start, found[last].at.end);
        let gap = text.get(end..from).unwrap_or_default();
        atoms.push(Atom {
            text: text.get(from..upto).unwrap_or_default().trim_end_matches('\n'),
            kind: piece.kind,
            lines_above: gap.matches('\n').count() + usize::from(at > 0 && text[..end].ends_with('\n')),
        });
        end = upto;
        at = last + 1;
    }
    atoms
}

/// Returns the last piece of the text that starts here: for one with `${…}`, its other end.
fn end_of_text(text: &str, found: &[Piece], at: usize) -> usize {
    let word = |at: usize| found.get(at).map_or("", |piece| piece.text(text));
    if found[at].kind != TokenKind::Text || !word(at).starts_with('`') {
        return at;
    }
    let mut last = at;
    while found
        .get(last + 1)
        .is_some_and(|next| next.at.start == found[last].at.end)
        && word(last + 1).starts_with(['{', '$'])
    {
        let mut depth = 0_usize;
        let mut inner = last + 1;
        while inner < found.len() {
            match word(inner) {
                "{" | "#{" | "${" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
            inner += 1;
        }
        let goes_on = found
            .get(inner + 1)
            .is_some_and(|next| next.kind == TokenKind::Text);
        last = if goes_on { inner + 1 } else { inner };
        if !goes_on {
            break;
        }
    }
    last.min(found.len() - 1)
}

/// Tracks indentation: brackets opened on the same line count as one level.
#[derive(Default)]
struct Levels {
    /// For each open bracket, the line that opened it.
    open: Vec<usize>,
    line: usize,
}

impl Levels {
    /// Returns the level of the line that starts with these atoms.
    fn line_level(&self, atoms: &[Atom<'_>]) -> usize {
        let closing = atoms
            .iter()
            .take_while(|atom| [")", "]", "}"].contains(&atom.text))
            .count();
        let mut left = self.open[..self.open.len().saturating_sub(closing)].to_vec();
        left.dedup();
        let goes_on = atoms
            .first()
            .is_some_and(|atom| [".", "?."].contains(&atom.text) || is_binary(atom.text));
        left.len() + usize::from(goes_on)
    }

    fn pass(&mut self, atom: &Atom<'_>) {
        self.line += atom.lines_above;
        match atom.text {
            "(" | "[" | "{" | "#{" => self.open.push(self.line),
            ")" | "]" | "}" => drop(self.open.pop()),
            _ => {}
        }
    }
}

/// Whether a space precedes the atom with this index.
fn has_space_before(atoms: &[Atom<'_>], index: usize) -> bool {
    let (before, atom) = (&atoms[index - 1], &atoms[index]);
    if before.kind == TokenKind::Comment || atom.kind == TokenKind::Comment {
        return true;
    }
    if is_unspaced(before.text, atom.text)
        || (before.text == "|" && begins_closure(atoms, index - 1))
        || (atom.text == "|" && ends_closure(atoms, index))
        || (["-", "+"].contains(&before.text) && !is_value(atoms, index - 1))
    {
        return false;
    }
    match atom.text {
        "(" => !(before.kind == TokenKind::Name || [")", "]"].contains(&before.text) || before.text == "Fn"),
        "[" => !(is_end_of_value(before)),
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

fn is_binary(word: &str) -> bool {
    [
        "+", "*", "/", "%", "&&", "||", "??", "==", "!=", "<", ">", "<=", ">=",
    ]
    .contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_code_is_formatted_with_consistent_spacing_and_indentation() {
        for (typed, even) in [
            ("let   x=1+2", "let x = 1 + 2"),
            ("f( a,b )[ 0 ].c( )", "f(a, b)[0].c()"),
            ("let m=#{a:1,\"b\":[ 1,2 ]}", "let m = #{ a: 1, \"b\": [1, 2] }"),
            ("if x<1{y}else{z}", "if x < 1 { y } else { z }"),
            ("xs.map(| x |x*-1)", "xs.map(|x| x * -1)"),
            ("xs.filter(|a,b|a||b).len()", "xs.filter(|a, b| a || b).len()"),
            ("`a  ${ x+1 }  b`+\"c  d\"", "`a  ${ x+1 }  b` + \"c  d\""),
            ("for i in 0..3{f(!i)}", "for i in 0..3 { f(!i) }"),
            ("let a=- 1;let b = a-1", "let a = -1; let b = a - 1"),
            ("fn f(a,b){\na+b\n}", "fn f(a, b) {\n    a + b\n}"),
            (
                "call(#{\na:1,\n  b: [\n2],\n})",
                "call(#{\n    a: 1,\n    b: [\n        2],\n})",
            ),
            (
                "partner\n.tenants()\n  .len()",
                "partner\n    .tenants()\n    .len()",
            ),
            ("a?.b ?? c", "a?.b ?? c"),
            ("x => 1 // why", "x => 1 // why"),
            ("let s = `a\n   b`", "let s = `a\n   b`"),
            ("a\n\n\n\nb", "a\n\nb"),
        ] {
            assert_eq!(formatted(typed), even, "{typed}");
        }
    }

    #[test]
    fn missing_semicolons_are_added_to_statements() {
        for (typed, ended) in [
            ("f()", "f();"),
            ("f();", "f();"),
            ("2 // two", "2; // two"),
            ("2; // two", "2; // two"),
            ("// why\nf()", "// why\nf();"),
            ("if a { 1 } else { 2 }", "if a { 1 } else { 2 }"),
            ("for x in y { f(x) }", "for x in y { f(x) }"),
            ("let m = #{ a: 1 }", "let m = #{ a: 1 };"),
            ("do { f() } while a", "do { f() } while a;"),
        ] {
            assert_eq!(terminated(typed), ended, "{typed}");
        }
    }

    #[test]
    fn formatting_leaves_formatted_code_unchanged() {
        let text = "/// Adds.\nfn add(a, b) {\n    // both\n    if a == () { return b; }\n    a + b\n}";
        assert_eq!(formatted(text), text);
    }
}

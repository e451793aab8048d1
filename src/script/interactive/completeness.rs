//! Whether an input is complete, and if not, what is still open.

use rhai::{LexError, ParseError, ParseErrorType};

use super::results::running;
use crate::script::bundle::Source;
use crate::script::error::Diagnostic;
use crate::script::{parse, parse_error};
use crate::syntax::{SourceText, TokenKind};

/// The state of an input that is being typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Completeness {
    /// It can run.
    Complete,
    /// It needs more text.
    Incomplete(Open),
    /// It cannot run, whatever follows.
    Broken(Box<Diagnostic>),
}

/// What an incomplete input still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    /// The closing text: `}`; empty if the end of an expression is missing.
    pub closing_token: &'static str,
    /// The line that opened it, counted from 1.
    pub line: usize,
}

/// Determines the state of an input that is being typed.
pub(crate) fn read(text: &str) -> Completeness {
    let source = SourceText::read(text);
    let Err(error) = compile(text) else {
        // Rhai accepts a comment without an end.
        let comment = source
            .tokens()
            .last()
            .filter(|last| last.kind == TokenKind::Comment && last.is_open);
        return comment.map_or(Completeness::Complete, |comment| {
            Completeness::Incomplete(Open::at(&source, comment.at.start, "*/"))
        });
    };
    if let Some(open) = open_string(&source, &error) {
        return Completeness::Incomplete(open);
    }
    if is_past_end(text, &error) {
        let bracket = open_bracket(&source, &["{", "#{", "(", "[", "?["]);
        return Completeness::Incomplete(bracket.unwrap_or(Open {
            closing_token: "",
            line: text.lines().count().max(1),
        }));
    }
    let source = Source::new("", text);
    Completeness::Broken(Box::new(parse_error::explain(&source, &error)))
}

/// Returns what a typed input still needs. An error in it is reported only once the enclosing block is closed: the
/// following lines belong to that block and are not separate inputs.
pub(crate) fn find_unclosed(text: &str) -> Option<Open> {
    match read(text) {
        Completeness::Complete => None,
        Completeness::Incomplete(open) => Some(open),
        Completeness::Broken(_) => open_bracket(&SourceText::read(text), &["{", "#{"]),
    }
}

impl Open {
    fn at(source: &SourceText<'_>, start: usize, closing_token: &'static str) -> Open {
        let line = source.line_and_column(start).0;
        Open { closing_token, line }
    }
}

/// The innermost of these brackets that is not closed.
fn open_bracket(source: &SourceText<'_>, kinds: &[&str]) -> Option<Open> {
    let code = source.code();
    let mut open = code.open_brackets();
    let bracket = open.find(|at| kinds.contains(&code.word(*at)))?;
    let closing_token = match code.word(bracket) {
        "(" => ")",
        "[" | "?[" => "]",
        _ => "}",
    };
    Some(Open::at(source, code.start(bracket), closing_token))
}

fn compile(text: &str) -> Result<(), ParseError> {
    let running = running(text);
    parse::compiler(running.rename()).compile(&running.text).map(drop)
}

/// Whether the error is past the end of the typed text.
fn is_past_end(text: &str, error: &ParseError) -> bool {
    if matches!(error.err_type(), ParseErrorType::UnexpectedEOF) {
        return true;
    }
    let at = error.position();
    if at.is_none() {
        return true;
    }
    let typed = text.trim_end();
    let (line, column) = parse::place(at);
    let lines = typed.lines().count().max(1);
    let last = typed.lines().last().unwrap_or_default().chars().count();
    line > lines || (line == lines && column > last)
}

/// Returns the open string.
fn open_string(source: &SourceText<'_>, error: &ParseError) -> Option<Open> {
    let ParseErrorType::BadInput(LexError::UnterminatedString) = error.err_type() else {
        return None;
    };
    let code = source.code();
    let is_string = |at: &usize| code.kind(*at) == Some(TokenKind::Text) && code.is_open(*at);
    let Some(at) = (0..code.len()).find(is_string) else {
        // The text ends right after an interpolation.
        return Some(Open::at(source, source.text().len(), "`"));
    };
    let closing_token = match code.word(at) {
        _ if code.continues_string(at) => "`",
        word if word.starts_with('`') => "`",
        word if word.starts_with('#') => "\"#",
        // A line that ends with a backslash continues.
        word if word.starts_with('"') && word.ends_with('\\') => "\"",
        _ => return None,
    };
    Some(Open::at(source, code.start(at), closing_token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_is_reported_after_its_enclosing_block_is_closed() {
        let waits = |text: &str| find_unclosed(text).map(|open| (open.closing_token, open.line));
        let mut text = "fn f(a) {\n  let b = a\n  b + 1".to_owned();
        assert!(matches!(read(&text), Completeness::Broken(_)));
        assert_eq!(waits(&text), Some(("}", 1)));
        text.push_str("\n  if b > 1 {\n    `{${b}`");
        assert_eq!(waits(&text), Some(("}", 4)));
        text.push_str("\n  }\n}");
        assert!(matches!(read(&text), Completeness::Broken(_)));
        assert_eq!(waits(&text), None);
        assert_eq!(waits("#{ a: 1 2"), Some(("}", 1)));
        for told_at_once in ["let a = (1 2", "let a = 1 2", "}", "f(1 2"] {
            assert_eq!(waits(told_at_once), None, "{told_at_once}");
        }
    }
}

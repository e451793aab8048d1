//! Whether an input is complete, and if not, what is still open.

use std::sync::{Arc, Mutex, PoisonError};

use rhai::{LexError, ParseError, ParseErrorType, Position, Token};

use super::results::{Renaming, running};
use crate::script::bundle::Source;
use crate::script::error::Diagnostic;
use crate::script::tokens::{TokenKind, pieces};
use crate::script::{host, parse, syntax};

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
    let error = match compile(text) {
        (Ok(()), _) => {
            return match open_comment(text) {
                Some(open) => Completeness::Incomplete(open),
                None => Completeness::Complete,
            };
        }
        (Err(error), brackets) => {
            let string = open_string(text, &error);
            if let Some(open) = string {
                return Completeness::Incomplete(open);
            }
            if is_past_end(text, &error) {
                let (closing_token, line) = brackets
                    .last()
                    .copied()
                    .unwrap_or(("", text.lines().count().max(1)));
                return Completeness::Incomplete(Open { closing_token, line });
            }
            error
        }
    };
    let source = Source::new("", text);
    Completeness::Broken(Box::new(syntax::syntax(&source, &error)))
}

/// Returns what a typed input still needs. An error in it is reported only once the enclosing block is closed: the
/// following lines belong to that block and are not separate inputs.
pub(crate) fn find_unclosed(text: &str) -> Option<Open> {
    match read(text) {
        Completeness::Complete => None,
        Completeness::Incomplete(open) => Some(open),
        Completeness::Broken(_) => open_block(text),
    }
}

/// The innermost block or map that is not closed.
fn open_block(text: &str) -> Option<Open> {
    let mut open: Vec<usize> = Vec::new();
    for piece in pieces(text) {
        match (piece.kind, piece.text(text)) {
            (TokenKind::Symbol, "{" | "#{") => open.push(piece.at.start),
            (TokenKind::Symbol, "}") => {
                open.pop();
            }
            _ => {}
        }
    }
    let before = text.get(..*open.last()?)?;
    Some(Open {
        closing_token: "}",
        line: before.matches('\n').count() + 1,
    })
}

/// The brackets that are open when the parser stops: the closing text of each, and its line.
type Brackets = Vec<(&'static str, usize)>;

#[expect(
    deprecated,
    reason = "Rhai marks its volatile interfaces so; the version is pinned exactly"
)]
fn compile(text: &str) -> (Result<(), ParseError>, Brackets) {
    let open: Arc<Mutex<Brackets>> = Arc::default();
    let (seen, running) = (Arc::clone(&open), running(text));
    let renaming = Renaming::of(&running);
    let mut engine = host::compiler();
    engine.on_parse_token(move |token, position, _| {
        let mut open = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let line = parse::place(position).0;
        match &token {
            Token::LeftBrace | Token::MapStart => open.push(("}", line)),
            Token::LeftParen => open.push((")", line)),
            Token::LeftBracket => open.push(("]", line)),
            Token::RightBrace | Token::RightParen | Token::RightBracket => {
                open.pop();
            }
            _ => {}
        }
        renaming.rename(token, parse::place(position))
    });
    let compiled = engine.compile(&running.text).map(drop);
    let open = std::mem::take(&mut *open.lock().unwrap_or_else(PoisonError::into_inner));
    (compiled, open)
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

/// Returns the open string. Rhai reports an unterminated string at its start.
fn open_string(text: &str, error: &ParseError) -> Option<Open> {
    let ParseErrorType::BadInput(LexError::UnterminatedString) = error.err_type() else {
        return None;
    };
    let (line, column) = parse::place(error.position());
    let closing_token = match character(text, error.position()) {
        Some('`') => "`",
        Some('#') => "\"#",
        // A line that ends with a backslash continues.
        Some('"') if text.trim_end_matches(['\n', '\r']).ends_with('\\') => "\"",
        // After an interpolation, the position is that of the text after it.
        _ if opens_before(text, line, column) => "`",
        _ => return None,
    };
    Some(Open { closing_token, line })
}

fn character(text: &str, at: Position) -> Option<char> {
    let (line, column) = parse::place(at);
    text.lines()
        .nth(line.saturating_sub(1))?
        .chars()
        .nth(column.saturating_sub(1))
}

/// Whether an interpolation ends right before this position.
fn opens_before(text: &str, line: usize, column: usize) -> bool {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let before: Vec<char> = line.chars().take(column).collect();
    before.contains(&'}')
}

/// Returns the open comment. An unterminated comment compiles even with a `)` appended; any other text does not.
fn open_comment(text: &str) -> Option<Open> {
    if !text.contains("/*") || compile(&format!("{text}\n)")).0.is_err() {
        return None;
    }
    let before = text.rfind("/*").map_or("", |at| &text[..at]);
    Some(Open {
        closing_token: "*/",
        line: before.matches('\n').count() + 1,
    })
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

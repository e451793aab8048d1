//! Splits an input into functions, imports and statements.

use std::sync::{Arc, Mutex, PoisonError};

use rhai::Token;

use crate::script::interactive::results::{self, Renaming, running};
use crate::script::{host, parse};

/// The kind of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    Import,
    Function,
    Statement,
}

/// A piece of an input, with the comments before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    pub(super) text: String,
}

/// A reference to a result: the number of its input; `None` for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ResultReference(Option<usize>);

/// Parses the name of a result.
fn result_name(name: &str) -> Option<ResultReference> {
    if name == results::LAST {
        return Some(ResultReference(None));
    }
    let number = name.strip_prefix('_').filter(|_| results::is_result(name))?;
    Some(ResultReference(Some(number.parse().ok()?)))
}

/// A token and its byte offset.
struct LocatedToken {
    token: Token,
    at: usize,
    /// The result that it refers to, if any.
    result: Option<ResultReference>,
}

/// Returns the functions, imports and statements of a text that parses.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let (mut from, mut depth) = (0, 0_usize);
    let mut kind: Option<PieceKind> = None;
    let mut end = |upto: usize, kind: &mut Option<PieceKind>, from: &mut usize| {
        let piece = text.get(*from..upto).unwrap_or_default();
        if let Some(kind) = kind.take() {
            found.push(Piece {
                kind,
                text: piece.to_owned(),
            });
            *from = upto;
        }
    };
    for placed in tokens(text) {
        let after = placed.at + 1;
        match placed.token {
            Token::EOF => break,
            // A comment belongs to the piece after it.
            Token::Comment(_) => continue,
            Token::SemiColon if depth == 0 => {
                if kind.is_some() {
                    end(after, &mut kind, &mut from);
                } else if text.get(from..placed.at).is_some_and(|gap| gap.trim().is_empty()) {
                    // A function may be followed by a semicolon, too.
                    from = after;
                }
                continue;
            }
            Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket => depth += 1,
            Token::RightBrace | Token::RightParen | Token::RightBracket => {
                depth = depth.saturating_sub(1);
                if depth == 0 && kind == Some(PieceKind::Function) && placed.token == Token::RightBrace {
                    end(after, &mut kind, &mut from);
                    continue;
                }
            }
            _ => {}
        }
        kind.get_or_insert(match placed.token {
            Token::Fn | Token::Private => PieceKind::Function,
            Token::Import => PieceKind::Import,
            _ => PieceKind::Statement,
        });
    }
    end(text.len(), &mut kind, &mut from);
    found
}

/// Replaces the names of results in the text.
pub(super) fn name_results(text: &str, name: impl Fn(Option<usize>) -> String) -> String {
    let mut out = text.to_owned();
    for placed in tokens(text).iter().rev() {
        if let Some(result) = placed.result {
            let length = 1 + text[placed.at + 1..]
                .bytes()
                .take_while(u8::is_ascii_digit)
                .count();
            out.replace_range(placed.at..placed.at + length, &name(result.0));
        }
    }
    out
}

/// Returns the tokens as the parser sees them.
#[expect(
    deprecated,
    reason = "Rhai marks its volatile interfaces so; the version is pinned exactly"
)]
fn tokens(text: &str) -> Vec<LocatedToken> {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let offset = {
        let (text, starts) = (text.to_owned(), starts);
        move |line: usize, column: usize| {
            let start = starts.get(line - 1).copied().unwrap_or(text.len());
            let rest = text.get(start..).unwrap_or_default();
            let within = rest
                .char_indices()
                .nth(column - 1)
                .map_or(rest.len(), |(at, _)| at);
            start + within
        }
    };
    let found: Arc<Mutex<Vec<LocatedToken>>> = Arc::default();
    let running = running(text);
    let (seen, renaming, written) = (Arc::clone(&found), Renaming::of(&running), text.to_owned());
    let mut engine = host::compiler();
    engine.on_parse_token(move |token, position, _| {
        let (line, column) = parse::place(position);
        let at = offset(line, column);
        let renamed = renaming.rename(token.clone(), (line, column));
        let is_name = matches!(renamed, Token::Identifier(_));
        let name: String = written
            .get(at..)
            .unwrap_or_default()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let placed = LocatedToken {
            token: token.clone(),
            at,
            result: result_name(&name).filter(|_| is_name),
        };
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(placed);
        renamed
    });
    // If the text does not parse, the pieces end at the error.
    drop(engine.compile(&running.text));
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *found)
}

//! Tokenises an input with the language's own tokenizer, for highlighting and for analysis.

use std::ops::Range;

use rhai::{Position, Token, TokenizerControl};

use crate::script::host;

/// A piece of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its byte range.
    pub at: Range<usize>,
    /// Its kind.
    pub kind: TokenKind,
}

/// The kind of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `let`, `if`, `fn`, `true`.
    Keyword,
    /// A name.
    Name,
    /// A string or a character, with its quotes; between interpolations, a part of one.
    Text,
    /// A number.
    Number,
    /// A bracket, an operator, a comma.
    Symbol,
    /// A comment.
    Comment,
    /// A token that the language does not have.
    Strange,
}

impl Piece {
    /// Its text.
    pub(crate) fn text<'a>(&self, input: &'a str) -> &'a str {
        input.get(self.at.clone()).unwrap_or_default()
    }
}

/// Returns the pieces of an input, in order, without the whitespace between them.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let places = Places::of(text);
    let engine = host::compiler();
    let texts = [text];
    let (mut tokens, control) = engine.lex(&texts);
    tokens.state.include_comments = true;
    let mut found: Vec<Piece> = Vec::new();
    let mut nesting = Nesting::default();
    let mut escapes = Escapes::default();
    // At the end of some malformed texts the tokenizer repeats the same error forever.
    let limit = text.chars().count().saturating_mul(2) + 8;
    for _ in 0..limit {
        let Some((token, position)) = tokens.next().filter(|(token, _)| *token != Token::EOF) else {
            break;
        };
        let start = places.at(position.line(), escapes.column(position), 1);
        let end = places.at(tokens.pos.line(), escapes.column(tokens.pos), 0);
        nesting.pass(&token, &control);
        let last = found.last().map_or(0, |piece| piece.at.end);
        let start = start.max(last);
        let end = match token {
            Token::StringConstant(_) | Token::InterpolatedString(_) => {
                escapes.pass(text, start..end.max(start), tokens.pos)
            }
            _ => end,
        };
        // An unterminated string extends at least to the end of its line.
        let end = if matches!(token, Token::LexError(_)) && end <= start {
            start + text[start..].chars().next().map_or(0, char::len_utf8)
        } else {
            end
        };
        if &text[start..end.max(start)] == "()" {
            // One token of the language, but two brackets everywhere else.
            found.extend([start..start + 1, start + 1..end].map(|at| Piece {
                at,
                kind: TokenKind::Symbol,
            }));
        } else if end > start {
            let kind = sort(&token, &text[start..end]);
            found.push(Piece { at: start..end, kind });
        }
    }
    found
}

fn sort(token: &Token, text: &str) -> TokenKind {
    match token {
        Token::Comment(_) => TokenKind::Comment,
        Token::IntegerConstant(_) | Token::FloatConstant(_) => TokenKind::Number,
        Token::StringConstant(_) | Token::CharConstant(_) | Token::InterpolatedString(_) => TokenKind::Text,
        Token::LexError(_) if text.starts_with(['"', '`', '\'']) => TokenKind::Text,
        _ if is_name(token, text) => TokenKind::Name,
        Token::LexError(_) | Token::Reserved(_) => TokenKind::Strange,
        _ if text.starts_with(|c: char| c.is_alphabetic()) => TokenKind::Keyword,
        _ => TokenKind::Symbol,
    }
}

fn is_name(token: &Token, text: &str) -> bool {
    match token {
        Token::Identifier(_) | Token::Underscore => true,
        // `_3` is a name here.
        Token::LexError(_) => is_result(text),
        Token::Reserved(_) => text.starts_with(|c: char| c.is_alphabetic()),
        _ => false,
    }
}

fn is_result(text: &str) -> bool {
    let digits = text.strip_prefix('_').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tracks which braces end an interpolation, after which the text continues. Usually the parser tells the tokenizer;
/// here there is no parser.
#[derive(Default)]
struct Nesting {
    depth: usize,
    interpolations: Vec<usize>,
}

impl Nesting {
    fn pass(&mut self, token: &Token, control: &TokenizerControl) {
        match token {
            Token::InterpolatedString(_) => self.interpolations.push(self.depth),
            Token::LeftBrace | Token::MapStart => self.depth += 1,
            Token::RightBrace => {
                self.depth = self.depth.saturating_sub(1);
                if self.interpolations.last() == Some(&self.depth) {
                    self.interpolations.pop();
                    control.borrow_mut().is_within_text = true;
                }
            }
            _ => {}
        }
    }
}

/// Tracks the escapes `\${` in templates, for which the tokenizer counts one character too few: everything after them
/// on the line is that much further right than reported.
#[derive(Default)]
struct Escapes {
    line: Option<usize>,
    count: usize,
}

impl Escapes {
    const ESCAPE: &'static str = "\\${";

    /// The true column of a position.
    fn column(&self, position: Position) -> Option<usize> {
        let on_line = self.line.is_some() && self.line == position.line();
        let more = if on_line { self.count } else { 0 };
        position.position().map(|column| column + more)
    }

    /// Records the escapes of a text at `at`, by the positions before it, and ending at `end` according to the
    /// tokenizer. Returns its true end.
    fn pass(&mut self, text: &str, at: Range<usize>, end: Position) -> usize {
        if text[at.start..].starts_with(['"', '\'']) {
            return at.end;
        }
        if self.line != end.line() {
            (self.line, self.count) = (end.line(), 0);
        }
        let from = text[at.clone()]
            .rfind('\n')
            .map_or(at.start, |newline| at.start + newline + 1);
        let (mut true_end, mut known) = (at.end, 0);
        loop {
            let count = text[from..true_end].matches(Escapes::ESCAPE).count();
            if count == known {
                break;
            }
            let more = text[true_end..].chars().take(count - known);
            true_end += more.map(char::len_utf8).sum::<usize>();
            known = count;
        }
        self.count += known;
        true_end
    }
}

/// Converts lines and columns to byte offsets.
struct Places {
    /// For each line, the offset of each of its characters, and of its end.
    lines: Vec<Vec<usize>>,
}

impl Places {
    fn of(text: &str) -> Places {
        let mut lines = Vec::new();
        let mut line = Vec::new();
        for (at, c) in text.char_indices() {
            line.push(at);
            if c == '\n' {
                lines.push(std::mem::take(&mut line));
            }
        }
        line.push(text.len());
        lines.push(line);
        Places { lines }
    }

    /// Returns the offset of this column, counted from `first`.
    fn at(&self, line: Option<usize>, column: Option<usize>, first: usize) -> usize {
        let line = line.unwrap_or(1).saturating_sub(1);
        let end = self.lines.last().and_then(|line| line.last()).copied();
        let Some(offsets) = self.lines.get(line) else {
            return end.unwrap_or(0);
        };
        let column = column.unwrap_or(0).saturating_sub(first);
        let last = offsets.last().copied().unwrap_or(0);
        offsets.get(column).copied().unwrap_or(last)
    }
}

#[cfg(test)]
mod tests;

//! The one reader of Rhai's text. Works on tokens, so that it also reads a text that is still being typed: colours,
//! completion, hints, checks and saving all ask here. What needs a syntax tree of a complete text is in `script`.
//!
//! * [`fn@tokens`] splits a text, losing nothing.
//! * [`CodeTokens`] is what remains without comments, with its brackets matched.
//! * [`Scopes`] resolves names.
//! * [`SourceText`] reads a text once for all of them, and converts positions.

mod code;
mod scopes;
mod tokens;

use std::cell::OnceCell;
use std::ops::Range;

pub(crate) use self::code::CodeTokens;
pub(crate) use self::scopes::{Binding, Change, Declared, Function, Scopes, Use, Used};
pub(crate) use self::tokens::{Token, TokenKind, is_name, is_numbered, is_reserved, tokens};

/// A text with its tokens. All positions are byte offsets.
#[derive(Debug)]
pub(crate) struct SourceText<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    code: Vec<Token>,
    /// Where each line starts.
    lines: Vec<usize>,
    scopes: OnceCell<Scopes>,
}

/// A statement outside of all blocks, with the comments before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its kind.
    pub kind: StatementKind,
    /// Its range, from the end of the one before it to its `;` or its last brace.
    pub at: Range<usize>,
}

/// The kind of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatementKind {
    /// `import "lib" as lib;`
    Import,
    /// The definition of a function.
    Function,
    /// Any other statement; several blocks without a `;` between them are one.
    Other,
}

impl<'a> SourceText<'a> {
    /// Reads a text.
    pub(crate) fn read(text: &'a str) -> SourceText<'a> {
        let tokens = tokens(text);
        let code = tokens.iter().filter(|token| token.kind != TokenKind::Comment);
        let line_starts = text.match_indices('\n').map(|(at, _)| at + 1);
        SourceText {
            text,
            code: code.cloned().collect(),
            tokens,
            lines: std::iter::once(0).chain(line_starts).collect(),
            scopes: OnceCell::new(),
        }
    }

    /// The text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The tokens, comments included.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The tokens without comments.
    pub(crate) fn code(&self) -> CodeTokens<'_> {
        CodeTokens::new(self.text, &self.code)
    }

    /// The names that the text declares and uses.
    pub(crate) fn scopes(&self) -> &Scopes {
        self.scopes.get_or_init(|| Scopes::read(self.text, self.code()))
    }

    /// Line and column of a position, both counted from 1, the column in characters.
    pub(crate) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..at).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The position of a line and column, both counted from 1. A column past the end of its line means that end.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let start = self
            .lines
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        let rest = rest.split('\n').next().unwrap_or_default();
        let within = rest.char_indices().nth(column.saturating_sub(1));
        start + within.map_or(rest.len(), |(at, _)| at)
    }

    /// The statements outside of all blocks, in order.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let code = self.code();
        let mut found = Vec::new();
        let mut from = 0;
        let mut kind = None;
        for at in code.outer() {
            let word = code.word(at);
            if word == ";" && kind.is_none() {
                // A function may be followed by a semicolon, too.
                if self
                    .text
                    .get(from..code.start(at))
                    .is_some_and(|gap| gap.trim().is_empty())
                {
                    from = code.end(at);
                }
                continue;
            }
            let own = match word {
                "fn" | "private" => StatementKind::Function,
                "import" => StatementKind::Import,
                _ => StatementKind::Other,
            };
            if kind == Some(StatementKind::Other) && own != StatementKind::Other {
                // A block needs no `;`.
                let end = code.end(at - 1);
                found.push(Statement {
                    kind: StatementKind::Other,
                    at: from..end,
                });
                (from, kind) = (end, None);
            }
            let of = *kind.get_or_insert(own);
            let end = match word {
                ";" => code.end(at),
                "{" if of == StatementKind::Function => match code.partner(at) {
                    Some(closing) => code.end(closing),
                    None => self.text.len(),
                },
                _ => continue,
            };
            found.push(Statement {
                kind: of,
                at: from..end,
            });
            (from, kind) = (end, None);
        }
        found.extend(kind.map(|kind| Statement {
            kind,
            at: from..self.text.len(),
        }));
        found
    }
}

#[cfg(test)]
mod tests;

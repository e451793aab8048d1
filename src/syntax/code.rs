//! The tokens of a program without its comments, and what belongs together in them.

use std::ops::Range;

use super::{Token, TokenKind};

/// Tokens in order, without comments: those of a whole text or a part of it. Tokens are counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeTokens<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl<'a> CodeTokens<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> CodeTokens<'a> {
        CodeTokens { text, tokens }
    }

    /// The number of tokens.
    pub(crate) fn len(self) -> usize {
        self.tokens.len()
    }

    /// Whether there are no tokens.
    pub(crate) fn is_empty(self) -> bool {
        self.tokens.is_empty()
    }

    /// The text of a token; empty outside of the part.
    pub(crate) fn word(self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text(self.text))
    }

    /// The text of the token so many places before `at`.
    pub(crate) fn before(self, at: usize, back: usize) -> &'a str {
        at.checked_sub(back).map_or("", |at| self.word(at))
    }

    /// The kind of a token.
    pub(crate) fn kind(self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Whether a token is this keyword.
    pub(crate) fn is_keyword(self, at: usize, word: &str) -> bool {
        self.kind(at) == Some(TokenKind::Keyword) && self.word(at) == word
    }

    /// Where a token starts, in bytes; the end of the text for one that does not exist.
    pub(crate) fn start(self, at: usize) -> usize {
        self.tokens
            .get(at)
            .map_or(self.text.len(), |token| token.at.start)
    }

    /// Where a token ends, in bytes.
    pub(crate) fn end(self, at: usize) -> usize {
        self.tokens.get(at).map_or(self.text.len(), |token| token.at.end)
    }

    /// The first token that does not start before this byte.
    pub(crate) fn index(self, byte: usize) -> usize {
        self.tokens.partition_point(|token| token.at.start < byte)
    }

    /// The tokens from `start` up to `end`.
    pub(crate) fn part(self, start: usize, end: usize) -> CodeTokens<'a> {
        CodeTokens {
            tokens: self.tokens.get(start..end.min(self.len())).unwrap_or_default(),
            ..self
        }
    }

    /// The tokens in a range of bytes.
    pub(crate) fn within(self, bytes: &Range<usize>) -> CodeTokens<'a> {
        self.part(self.index(bytes.start), self.index(bytes.end))
    }

    /// Whether a token is a bracket that opens.
    pub(crate) fn opens(self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Symbol) && ["(", "[", "{", "#{", "?["].contains(&self.word(at))
    }

    /// Whether a token is a bracket that closes.
    pub(crate) fn closes(self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Symbol) && [")", "]", "}"].contains(&self.word(at))
    }

    /// Whether a token is a string without an end, or a bracket that is not closed.
    pub(crate) fn is_open(self, at: usize) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| token.is_open) || (self.opens(at) && self.partner(at).is_none())
    }

    /// The bracket that matches the one at `at`, if it is in this part.
    pub(crate) fn partner(self, at: usize) -> Option<usize> {
        let byte = self.tokens.get(at)?.partner?;
        let partner = self.index(byte);
        (self.tokens.get(partner)?.at.start == byte).then_some(partner)
    }

    /// The token after the expression in brackets that starts at `at`; after the token itself if it is no bracket.
    pub(crate) fn after(self, at: usize) -> usize {
        match self.partner(at) {
            _ if !self.opens(at) => at + 1,
            Some(closing) => closing + 1,
            None => self.len(),
        }
    }

    /// The tokens between the bracket at `at` and the matching one.
    pub(crate) fn inside(self, at: usize) -> CodeTokens<'a> {
        self.part(at + 1, self.partner(at).unwrap_or(self.len()))
    }

    /// The tokens outside of inner brackets, which are skipped.
    pub(crate) fn outer(self) -> impl Iterator<Item = usize> {
        let next = move |at: &usize| Some(if self.opens(*at) { self.after(*at) } else { at + 1 });
        std::iter::successors(Some(0), next).take_while(move |at| *at < self.len())
    }

    /// The parts between the commas that are outside of inner brackets; empty ones are left out.
    pub(crate) fn list(self) -> Vec<CodeTokens<'a>> {
        let mut start = 0;
        let mut parts = Vec::new();
        let commas = self.outer().filter(|at| self.word(*at) == ",");
        for end in commas.chain([self.len()]) {
            parts.push(self.part(start, end));
            start = end + 1;
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// The brackets that are open at the end, innermost first.
    pub(crate) fn open_brackets(self) -> impl Iterator<Item = usize> {
        let mut end = self.len();
        std::iter::from_fn(move || {
            while let Some(at) = end.checked_sub(1) {
                if self.opens(at) {
                    end = at;
                    return Some(at);
                }
                end = self.partner(at).unwrap_or(at);
            }
            None
        })
    }

    /// Whether a value can end with this token.
    pub(crate) fn ends_value(self, at: usize) -> bool {
        let kind = self.kind(at);
        matches!(kind, Some(TokenKind::Name | TokenKind::Number | TokenKind::Text))
            || [")", "]", "}", "true", "false", "this"].contains(&self.word(at))
    }

    /// Whether a token is the `_` of a default case of a `switch`.
    pub(crate) fn is_default_case(self, at: usize) -> bool {
        let guards = self.word(at + 1) == "if" && ["{", ",", "}"].contains(&self.before(at, 1));
        self.word(at) == "_" && (guards || self.word(at + 1) == "=>")
    }

    /// The start of the value that ends before `end`, such as the whole of `a.b(c)[0]`.
    pub(crate) fn start_of_value(self, end: usize) -> usize {
        let mut at = end;
        while let Some(last) = at.checked_sub(1) {
            let operand = if self.closes(last) {
                self.partner(last).unwrap_or(0)
            } else {
                last
            };
            let Some(before) = operand.checked_sub(1) else {
                return 0;
            };
            let is_call = [")", "]"].contains(&self.word(last))
                && (self.kind(before) == Some(TokenKind::Name) || [")", "]"].contains(&self.word(before)));
            at = match self.word(before) {
                _ if is_call => operand,
                "." | "?." | "::" => before,
                _ => return operand,
            };
        }
        0
    }

    /// The token after a string that starts at `at`, with its interpolations.
    pub(crate) fn after_string(self, at: usize) -> usize {
        let mut last = at;
        while self
            .tokens
            .get(last)
            .is_some_and(|token| token.interpolates(self.text))
        {
            let end = self.after(last + 1);
            if self.kind(end) != Some(TokenKind::Text) {
                return end;
            }
            last = end;
        }
        last + 1
    }

    /// Whether the token continues a string after an interpolation.
    pub(crate) fn continues_string(self, at: usize) -> bool {
        let brace = at.checked_sub(1).filter(|before| self.word(*before) == "}");
        let before = brace.and_then(|brace| self.partner(brace)?.checked_sub(1));
        before.is_some_and(|before| self.tokens[before].interpolates(self.text))
    }
}

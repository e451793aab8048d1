//! The lines and words of a doc comment, with their positions.

use super::bundle::Source;
use crate::syntax::{SourceText, TokenKind};

/// The lines of the doc comment above `line`, each with its number, in order.
pub(super) fn doc_comment(source: &Source, line: usize) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = source.text.lines().collect();
    let above = lines.iter().enumerate().take(line.saturating_sub(1)).rev();
    let mut found: Vec<(usize, &str)> = Vec::new();
    let mut in_block = false;
    for (index, text) in above {
        let trimmed = text.trim();
        let ends_block = trimmed.ends_with("*/") && found.is_empty();
        let is_doc = trimmed.starts_with("///") && !trimmed.starts_with("////");
        if trimmed.is_empty() && found.is_empty() {
            continue;
        }
        if !(is_doc || in_block || ends_block) {
            break;
        }
        in_block = (in_block || ends_block) && !trimmed.starts_with("/*");
        found.push((index + 1, *text));
        if ends_block && trimmed.starts_with("/*") || (!in_block && !is_doc) {
            break;
        }
    }
    found.reverse();
    found
}

/// Returns a comment line's text without its marker and one space.
pub(super) fn without_marker<'a>(line: &'a str, marker: &str) -> &'a str {
    let line = line.trim_start();
    let line = line.strip_prefix(marker).unwrap_or(line);
    line.strip_prefix(' ').unwrap_or(line)
}

/// Returns a doc line's text without `///`, `/**`, `*` and `*/`.
pub(super) fn doc_text(line: &str) -> &str {
    let trimmed = line.trim_start();
    let marker = ["///", "/**", "*/", "*"]
        .into_iter()
        .find(|marker| trimmed.starts_with(marker));
    let text = without_marker(line, marker.unwrap_or_default()).trim_end();
    text.strip_suffix("*/").unwrap_or(text).trim_end()
}

/// Returns the doc comment above this byte of a text, without its markers; also of a text that is still being typed.
pub(super) fn doc_above(source: &SourceText<'_>, start: usize) -> String {
    let (text, tokens) = (source.text(), source.tokens());
    let end = tokens.partition_point(|token| token.at.start < start);
    let above = tokens[..end].iter().rev();
    let above = above.take_while(|token| token.kind == TokenKind::Comment);
    let mut comments: Vec<&str> = above.map(|token| token.text(text)).collect();
    comments.reverse();
    let is_doc = |comment: &&str| {
        (comment.starts_with("///") && !comment.starts_with("////")) || comment.starts_with("/**")
    };
    let lines = comments.into_iter().filter(is_doc).flat_map(str::lines);
    lines.map(doc_text).collect::<Vec<_>>().join("\n")
}

/// Returns the type that a line of a doc comment gives this parameter: `@param tenant crm::Contact  the client`.
pub(super) fn param_type(line: &str, name: &str) -> Option<String> {
    let mut words = line.trim().strip_prefix("@param")?.split_whitespace();
    if words.next()? != name {
        return None;
    }
    match (words.next()?, words.next()) {
        ("list", Some("of")) => Some(format!("list of {}", words.next()?)),
        (_, Some("or")) => None,
        (ty, _) => Some(ty.to_owned()),
    }
}

/// Splits a line into words with their columns.
pub(super) struct Words<'a> {
    pub(super) line: &'a str,
    pub(super) at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn rest(&self) -> &'a str {
        let rest = self.line.get(self.at..).unwrap_or_default().trim();
        rest.strip_suffix("*/").unwrap_or(rest).trim_end()
    }

    fn skip_spaces(&mut self) {
        let rest = self.line.get(self.at..).unwrap_or_default();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The column of the next character, counted from 1.
    fn column(&self) -> usize {
        self.line.get(..self.at).unwrap_or_default().chars().count() + 1
    }

    /// The next word and its column; empty at the end of the line.
    pub(super) fn word(&mut self) -> (usize, &'a str) {
        self.skip_spaces();
        let column = self.column();
        let rest = self.line.get(self.at..).unwrap_or_default();
        let word = rest.split_whitespace().next().unwrap_or_default();
        self.at += word.len();
        (column, word)
    }

    pub(super) fn peek_default(&self) -> bool {
        self.rest().starts_with('=')
    }

    /// The text after the `=`, with its column.
    pub(super) fn default_text(&mut self) -> (usize, &'a str) {
        self.skip_spaces();
        self.at += 1;
        self.skip_spaces();
        (self.column(), self.line.get(self.at..).unwrap_or_default())
    }
}

//! Highlights an input while it is typed: colours, the bracket that matches the one at the cursor, and underlined
//! errors that no further input can fix.

use std::borrow::Cow;
use std::ops::Range;

use super::commands::commands;
use crate::script::interactive::{Completeness, read};
use crate::syntax::{SourceText, Token, TokenKind};

const RESET: &str = "\u{1b}[0m";
const KEYWORD: &str = "35";
const TEXT: &str = "32";
const NUMBER: &str = "33";
const CALL: &str = "36";
const MODULE: &str = "34";
const DIM: &str = "2";
const UNKNOWN_TOKEN: &str = "31";
const COMMAND: &str = "1;36";
const PARTNER: &str = "1;7";
const MISMATCH: &str = "4;31";

/// Longer inputs are not highlighted, because highlighting is repeated at each key.
const MAX_LINE_LEN: usize = 20_000;

/// Adds colours to the input; its characters do not change.
pub(super) fn highlight(line: &str, pos: usize) -> Cow<'_, str> {
    if line.is_empty() || line.len() > MAX_LINE_LEN {
        return Cow::Borrowed(line);
    }
    if let Some(rest) = line.strip_prefix(':').filter(|rest| !rest.starts_with(':')) {
        return command(line, rest);
    }
    let source = SourceText::read(line);
    let mut spans: Vec<(Range<usize>, &str)> = Vec::new();
    for (index, token) in source.tokens().iter().enumerate() {
        let style = style(line, source.tokens(), index);
        spans.extend(style.map(|style| (token.at.clone(), style)));
    }
    for at in partners(source.tokens(), pos) {
        put(&mut spans, at, PARTNER);
    }
    if let Some(at) = find_error(&source) {
        put(&mut spans, at, MISMATCH);
    }
    spans.sort_by_key(|(at, _)| at.start);
    Cow::Owned(styled(line, &spans))
}

/// Styles a hint so that it is distinct from typed text.
pub(super) fn style_hint(hint: &str) -> Cow<'_, str> {
    Cow::Owned(format!("\u{1b}[{DIM}m{hint}{RESET}"))
}

fn command<'l>(line: &'l str, rest: &str) -> Cow<'l, str> {
    let name = rest.split(char::is_whitespace).next().unwrap_or_default();
    if commands().any(|command| command.name == name) {
        let end = 1 + name.len();
        Cow::Owned(format!(
            "\u{1b}[{COMMAND}m{}{RESET}{}",
            &line[..end],
            &line[end..]
        ))
    } else {
        Cow::Borrowed(line)
    }
}

fn style(line: &str, found: &[Token], index: usize) -> Option<&'static str> {
    let next = found.get(index + 1).map_or("", |token| token.text(line));
    match found[index].kind {
        TokenKind::Keyword => Some(KEYWORD),
        TokenKind::Text => Some(TEXT),
        TokenKind::Number => Some(NUMBER),
        TokenKind::Comment => Some(DIM),
        TokenKind::Strange => Some(UNKNOWN_TOKEN),
        TokenKind::Name if next == "(" => Some(CALL),
        TokenKind::Name if next == "::" => Some(MODULE),
        TokenKind::Name | TokenKind::Symbol => None,
    }
}

/// Assigns a style to this range, replacing others.
fn put(spans: &mut Vec<(Range<usize>, &'static str)>, at: Range<usize>, style: &'static str) {
    spans.retain(|(span, _)| span.end <= at.start || span.start >= at.end);
    spans.push((at, style));
}

/// The bracket at the cursor or right before it, and the matching one.
fn partners(found: &[Token], pos: usize) -> Vec<Range<usize>> {
    let touches = |token: &&Token| token.at.start == pos || token.at.end == pos;
    let pairs = found.iter().filter(touches);
    let pairs = pairs.filter_map(|token| Some([token.at.start, token.partner?]));
    let Some(pair) = pairs.min_by_key(|[one, other]| *one.max(other)) else {
        return Vec::new();
    };
    let brackets = found.iter().filter(|token| pair.contains(&token.at.start));
    brackets.map(|token| token.at.clone()).collect()
}

/// The token that is wrong regardless of how the input continues.
fn find_error(source: &SourceText<'_>) -> Option<Range<usize>> {
    let Completeness::Broken(diagnostic) = read(source.text()) else {
        return None;
    };
    let frame = diagnostic.place()?;
    let start = source.offset(frame.line, frame.column);
    let token = source.tokens().iter().find(|token| token.at.contains(&start))?;
    // A string is wrong only until its closing quote is typed.
    (!token.is_open).then(|| token.at.clone())
}

fn styled(line: &str, spans: &[(Range<usize>, &str)]) -> String {
    let mut shown = String::with_capacity(line.len() * 2);
    let mut last = 0;
    for (at, style) in spans {
        shown.push_str(line.get(last..at.start).unwrap_or_default());
        // Each style ends at the line's end, because rustyline moves the cursor between lines.
        for (index, part) in line.get(at.clone()).unwrap_or_default().split('\n').enumerate() {
            if index > 0 {
                shown.push('\n');
            }
            if !part.is_empty() {
                shown.extend(["\u{1b}[", style, "m", part, RESET]);
            }
        }
        last = at.end;
    }
    shown.push_str(line.get(last..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests;

//! Highlights an input while it is typed: colours, the bracket that matches the one at the cursor, and underlined
//! errors that no further input can fix.

use std::borrow::Cow;
use std::ops::Range;

use super::commands::commands;
use crate::script::interactive::{Completeness, Piece, TokenKind, pieces, read};

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
    let found = pieces(line);
    let mut spans: Vec<(Range<usize>, &str)> = Vec::new();
    for (index, piece) in found.iter().enumerate() {
        let style = style(line, &found, index);
        spans.extend(style.map(|style| (piece.at.clone(), style)));
    }
    for at in partners(line, &found, pos) {
        put(&mut spans, at, PARTNER);
    }
    if let Some(at) = find_error(line, &found) {
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

fn style(line: &str, found: &[Piece], index: usize) -> Option<&'static str> {
    let next = found.get(index + 1).map_or("", |piece| piece.text(line));
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
fn partners(line: &str, found: &[Piece], pos: usize) -> Vec<Range<usize>> {
    let mut open: Vec<&Piece> = Vec::new();
    let mut pairs: Vec<(&Piece, &Piece)> = Vec::new();
    for piece in found.iter().filter(|piece| piece.kind == TokenKind::Symbol) {
        match piece.text(line) {
            "(" | "[" | "{" | "#{" => open.push(piece),
            ")" | "]" | "}" => pairs.extend(open.pop().map(|opening| (opening, piece))),
            _ => {}
        }
    }
    let touches = |piece: &Piece| piece.at.start == pos || piece.at.end == pos;
    let pair = pairs.iter().find(|(a, b)| touches(a) || touches(b));
    pair.map_or(Vec::new(), |(a, b)| vec![a.at.clone(), b.at.clone()])
}

/// The piece that is wrong regardless of how the input continues.
fn find_error(line: &str, found: &[Piece]) -> Option<Range<usize>> {
    let Completeness::Broken(diagnostic) = read(line) else {
        return None;
    };
    let frame = diagnostic.place()?;
    let start = offset(line, frame.line, frame.column)?;
    let piece = found.iter().find(|piece| piece.at.contains(&start))?;
    // A string is wrong only until its closing quote is typed.
    let is_open = piece.kind == TokenKind::Text && {
        let text = piece.text(line);
        let quote = text.chars().next().unwrap_or_default();
        text.len() < 2 || !text.ends_with(quote)
    };
    (!is_open).then(|| piece.at.clone())
}

/// Converts a line and column, both counted from 1, to an offset in bytes.
fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(before..)?;
    let (at, _) = rest.char_indices().nth(column.saturating_sub(1))?;
    Some(before + at)
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

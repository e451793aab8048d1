//! Return types of the session's functions, inferred from their source.

use std::ops::Range;

use super::{InferredType, Local, Locals, Reader};
use crate::script::interactive::{Binding, Piece, Scopes, TokenKind, Workspace, pieces};

/// The return type of a function for such arguments: the type in its comment's `@return`, or else that of the last
/// expression of its body. Unknown if the function returns early or ends with a branch.
pub(super) fn result(space: &Workspace, name: &str, args: &[InferredType], depth: u8) -> InferredType {
    let functions = space.functions();
    let found = functions
        .iter()
        .find(|known| known.name == name && known.params.len() == args.len());
    let (Some(function), Some(depth)) = (found, depth.checked_sub(1)) else {
        return InferredType::Nothing;
    };
    let declared = function.doc.lines().find_map(|line| {
        let words = line.trim().strip_prefix("@return")?;
        Some(words.trim_start_matches('s').trim())
    });
    if let Some(declared) = declared {
        return InferredType::parse_type(space.catalogue(), declared);
    }
    let Some(text) = space.source_of(name).into_iter().next() else {
        return InferredType::Nothing;
    };
    let mut locals = Locals::new();
    let args = args.iter().cloned().map(Local::of);
    locals.extend(function.params.iter().cloned().zip(args));
    body(space, &text, locals, depth)
}

/// Infers the type of the last expression of the function's body.
fn body(space: &Workspace, text: &str, mut locals: Locals, depth: u8) -> InferredType {
    let scopes = Scopes::of(text);
    let Some(function) = scopes.functions.last() else {
        return InferredType::Nothing;
    };
    if !function.returns.is_empty() {
        return InferredType::Nothing;
    }
    let mut found = pieces(text);
    found.retain(|piece| piece.kind != TokenKind::Comment);
    let index = |at: usize| found.partition_point(|piece| piece.at.start < at);
    let part = |range: &Range<usize>| &found[index(range.start)..index(range.end)];
    // The variables declared in the body that are in scope at its end.
    let in_body = scopes
        .in_scope_at(function.body.end.saturating_sub(1))
        .filter(|known| known.kind != Binding::Parameter);
    let mut last = function.body.start;
    for declared in in_body {
        let value = declared.value.clone().unwrap_or_default();
        let local = reader(space, text, part(&value), &locals, depth).local();
        locals.insert(declared.name.clone(), local);
        last = last.max(value.end);
    }
    let rest = part(&(last..function.body.end));
    let mut brackets = 0_usize;
    let mut statement = 0;
    for (at, piece) in rest.iter().enumerate() {
        match piece.text(text) {
            "(" | "[" | "{" | "#{" => brackets += 1,
            ")" | "]" | "}" => brackets = brackets.saturating_sub(1),
            ";" if brackets == 0 => statement = at + 1,
            _ => {}
        }
    }
    if statement == rest.len() {
        return InferredType::Plain("()".into());
    }
    reader(space, text, &rest[statement..], &locals, depth).expression()
}

pub(super) fn reader<'a>(
    space: &'a Workspace,
    text: &'a str,
    pieces: &'a [Piece],
    locals: &'a Locals,
    depth: u8,
) -> Reader<'a> {
    Reader {
        space,
        text,
        pieces,
        locals,
        depth,
    }
}

//! Determines what is being typed at the cursor.

use super::infer::{self, InferredType, type_before};
use crate::operation::platform::Operation;
use crate::operation::spec::{Param, Type};
use crate::script::interactive::{Answer, Piece, TokenKind, Workspace, pieces};
use crate::value::Value;

/// What is being typed; `start` is where its word begins.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::repl) enum CursorContext<'a> {
    /// Nothing that can be completed.
    Nothing,
    /// A name.
    Name { start: usize },
    /// A name after `module::`.
    Module { start: usize, module: &'a str },
    /// A name after a value and a dot.
    Member { start: usize, of: InferredType },
    /// A key of an options map; `keys` are those not given yet.
    Key { start: usize, keys: Vec<Param> },
    /// A key of a map in brackets, after its opening quote.
    Index { start: usize, of: InferredType },
    /// A string literal.
    Text { start: usize, wanted: LiteralCompletion },
}

/// The kind of completion for a string literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::repl) enum LiteralCompletion {
    /// A profile.
    Profile,
    /// A file.
    Path,
    /// Nothing that can be completed.
    Nothing,
}

/// Determines what is being typed at the end of this text.
pub(in crate::repl) fn cursor_context<'a>(space: &Workspace, typed: &'a str) -> CursorContext<'a> {
    let mut found = pieces(typed);
    if let Some(last) = found.last() {
        let is_open = last.kind == TokenKind::Text && is_open_text(last.text(typed));
        if is_open {
            return text(space, typed, &found);
        }
        if last.kind == TokenKind::Comment {
            return CursorContext::Nothing;
        }
    }
    let start = match found.last() {
        Some(last) if is_word(last, typed) && last.at.end == typed.len() => {
            let start = last.at.start;
            found.pop();
            start
        }
        Some(last) if last.kind == TokenKind::Number && last.at.end == typed.len() => {
            return CursorContext::Nothing;
        }
        _ => typed.len(),
    };
    let word = |back: usize| {
        found
            .len()
            .checked_sub(back)
            .map_or("", |at| found[at].text(typed))
    };
    match word(1) {
        "::" => CursorContext::Module {
            start,
            module: word(2),
        },
        "." | "?." => CursorContext::Member {
            start,
            of: type_before(space, typed, &found, found.len() - 1),
        },
        // A number followed by a dot is still a number.
        "fn" | "let" | "const" | "for" => CursorContext::Nothing,
        "#{" | "," => match options(space, typed, &found) {
            Some(keys) => CursorContext::Key { start, keys },
            None if word(1) == "#{" || innermost(typed, &found).is_some_and(|(_, open)| open == "#{") => {
                CursorContext::Nothing
            }
            None => CursorContext::Name { start },
        },
        _ => CursorContext::Name { start },
    }
}

fn is_word(piece: &Piece, typed: &str) -> bool {
    matches!(piece.kind, TokenKind::Name | TokenKind::Keyword)
        && piece
            .text(typed)
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Whether a string literal is not terminated yet.
fn is_open_text(text: &str) -> bool {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '`')) else {
        return false;
    };
    let inner = &text[1..];
    let escapes = inner
        .trim_end_matches(quote)
        .chars()
        .rev()
        .take_while(|c| *c == '\\');
    !inner.ends_with(quote) || escapes.count() % 2 == 1
}

/// Whether this text ends with the session of a sub-account, which has fewer operations.
pub(in crate::repl) fn is_of_sub_account(space: &Workspace, typed: &str) -> bool {
    let platforms = || space.catalogue().platforms().iter();
    let below = || platforms().filter_map(|platform| platform.sub_accounts.as_ref());
    let found = pieces(typed);
    let word = |back: usize| {
        let at = found.len().checked_sub(back);
        at.map_or("", |at| found[at].text(typed))
    };
    if [word(4), word(3), word(2), word(1)] == [".", "connect", "(", ")"] {
        let of = type_before(space, typed, &found, found.len() - 4);
        return matches!(of, InferredType::Object(kind) if below().any(|below| below.kind == kind.name));
    }
    let is_variable = ![".", "?.", "::"].contains(&word(2));
    match space.variable(word(1)).filter(|_| is_variable) {
        Some(Answer::Value(Value::Object(session))) => {
            below().any(|below| session.text("$role") == below.role)
        }
        _ => false,
    }
}

/// Determines what is being typed inside a string literal.
fn text<'a>(space: &Workspace, typed: &'a str, found: &[Piece]) -> CursorContext<'a> {
    let Some((last, before)) = found.split_last() else {
        return CursorContext::Nothing;
    };
    let start = last.at.start + 1;
    let word = |back: usize| {
        let at = before.len().checked_sub(back);
        at.map_or("", |at| before[at].text(typed))
    };
    if word(1) == "[" {
        let end = before.len() - 1;
        let is_list = end == 0 || !is_value(&before[end - 1], typed);
        if !is_list {
            let of = type_before(space, typed, before, end);
            return CursorContext::Index { start, of };
        }
    }
    let connects = |call: &Call<'_>| call.argument == 0 && ["connect", "login"].contains(&call.name);
    let profile = match innermost(typed, before) {
        Some((map, "#{")) if [word(2), word(1)] == ["profile", ":"] => call(typed, &before[..map])
            .is_some_and(|call| connects(&call) || may_name_a_profile(space, &call, typed, before)),
        _ => call(typed, before).is_some_and(|call| connects(&call) && call.open == before.len() - 1),
    };
    let inner = &typed[start..];
    let is_path = word(1) == "import" || ["/", "./", "../"].iter().any(|begin| inner.starts_with(begin));
    let wanted = match (profile, is_path) {
        (true, _) => LiteralCompletion::Profile,
        (_, true) => LiteralCompletion::Path,
        _ => LiteralCompletion::Nothing,
    };
    CursorContext::Text { start, wanted }
}

/// Whether an operation that this call can refer to takes options with the key `profile`.
fn may_name_a_profile(space: &Workspace, call: &Call<'_>, typed: &str, found: &[Piece]) -> bool {
    let name_at = call.open - 1;
    let module = name_at.checked_sub(2).map_or("", |at| found[at].text(typed));
    let mut ops = space
        .catalogue()
        .operations()
        .iter()
        .filter(|op| op.module == module && op.name == call.name);
    ops.any(|op| match op.params.get(call.argument).map(|param| param.ty) {
        Some(Type::Options(keys)) => keys.iter().any(|key| key.name == "profile"),
        _ => false,
    })
}

/// Whether a value can end with this piece.
fn is_value(piece: &Piece, typed: &str) -> bool {
    piece.kind == TokenKind::Name || [")", "]", "}"].contains(&piece.text(typed))
}

/// The innermost open bracket and its index.
fn innermost<'a>(typed: &'a str, found: &[Piece]) -> Option<(usize, &'a str)> {
    let mut depth = 0_usize;
    for at in (0..found.len()).rev() {
        match found[at].text(typed) {
            ")" | "]" | "}" => depth += 1,
            open @ ("(" | "[" | "{" | "#{") => {
                if depth == 0 {
                    return Some((at, open));
                }
                depth -= 1;
            }
            _ => {}
        }
    }
    None
}

/// A call with an open bracket.
struct Call<'a> {
    name: &'a str,
    /// The index of its bracket.
    open: usize,
    /// The index of the argument being typed, from 0.
    argument: usize,
}

/// The call whose bracket is the innermost open one.
fn call<'a>(typed: &'a str, found: &[Piece]) -> Option<Call<'a>> {
    let (open, bracket) = innermost(typed, found)?;
    let name = found.get(open.checked_sub(1)?)?;
    if bracket != "(" || name.kind != TokenKind::Name {
        return None;
    }
    let mut depth = 0_usize;
    let mut argument = 0;
    for piece in &found[open + 1..] {
        match piece.text(typed) {
            "(" | "[" | "{" | "#{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "," if depth == 0 => argument += 1,
            _ => {}
        }
    }
    Some(Call {
        name: name.text(typed),
        open,
        argument,
    })
}

/// The keys of the options map at the cursor that are not given yet.
fn options(space: &Workspace, typed: &str, found: &[Piece]) -> Option<Vec<Param>> {
    let (map, "#{") = innermost(typed, found)? else {
        return None;
    };
    let known = keys_of(space, typed, found, map);
    let given: Vec<&str> = found[map..]
        .windows(2)
        .filter(|pair| pair[1].text(typed) == ":")
        .map(|pair| pair[0].text(typed).trim_matches('"'))
        .collect();
    let mut keys: Vec<Param> = Vec::new();
    for param in known {
        if !given.contains(&param.name) && !keys.contains(&param) {
            keys.push(param);
        }
    }
    (!keys.is_empty()).then_some(keys)
}

/// The keys of the options map that starts at this index, as an argument of a call or the value of another map's key.
fn keys_of(space: &Workspace, typed: &str, found: &[Piece], map: usize) -> Vec<Param> {
    if let Some(above) = map.checked_sub(2).filter(|_| found[map - 1].text(typed) == ":") {
        let key = found[above].text(typed).trim_matches('"');
        let Some((outer, "#{")) = innermost(typed, &found[..above]) else {
            return Vec::new();
        };
        let known = keys_of(space, typed, found, outer).into_iter();
        let known = known.filter(|param| param.name == key);
        return known.flat_map(|param| inner_keys(&param)).collect();
    }
    let Some(call) = call(typed, &found[..map]) else {
        return Vec::new();
    };
    let ops = called(space, typed, found, &call).into_iter();
    let params = ops.filter_map(|op| Some((op, op.params.get(call.argument)?)));
    params
        .flat_map(|(op, param)| match param.ty {
            Type::Any if op.name == "connect" => op.platform().connect_keys(),
            _ => inner_keys(param),
        })
        .collect()
}

fn inner_keys(param: &Param) -> Vec<Param> {
    match param.ty {
        Type::Options(keys) => keys.to_vec(),
        _ => Vec::new(),
    }
}

/// The operations that a call can refer to.
fn called(space: &Workspace, typed: &str, found: &[Piece], call: &Call<'_>) -> Vec<Operation> {
    let all = || space.catalogue().operations().iter().copied();
    let name_at = call.open - 1;
    let word = |back: usize| name_at.checked_sub(back).map_or("", |at| found[at].text(typed));
    match word(1) {
        "." | "?." => {
            let of = type_before(space, typed, found, name_at - 1);
            let known = infer::operations(space, &of, call.name);
            if known.is_empty() && of == InferredType::Nothing {
                // The receiver's type is unknown: any method of this name is possible.
                return all()
                    .filter(|op| op.receiver.is_some() && op.name == call.name)
                    .collect();
            }
            known
        }
        "::" => all()
            .filter(|op| op.module == word(2) && op.receiver.is_none() && op.name == call.name)
            .collect(),
        _ => all()
            .filter(|op| op.module.is_empty() && op.name == call.name)
            .collect(),
    }
}

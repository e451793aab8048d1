//! Determines what is being typed at the cursor.

use crate::operation::platform::Operation;
use crate::operation::spec::{Param, Type};
use crate::script::infer::{self, Environment, InferredType, TextTypes};
use crate::syntax::{CodeTokens, SourceText, TokenKind};

/// What is being typed; `start` is where its word begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CursorContext<'a> {
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
pub(crate) enum LiteralCompletion {
    /// A profile.
    Profile,
    /// A file.
    Path,
    /// Nothing that can be completed.
    Nothing,
}

/// Determines what is being typed at the end of this text.
pub(super) fn cursor_context<'a>(space: &dyn Environment, source: &SourceText<'a>) -> CursorContext<'a> {
    let (typed, code) = (source.text(), source.code());
    match source.tokens().last() {
        Some(last) if last.kind == TokenKind::Comment => return CursorContext::Nothing,
        Some(last) if last.kind == TokenKind::Text && last.is_open => return text(space, source),
        _ => {}
    }
    let last = code.len().checked_sub(1);
    let last = last.filter(|last| code.end(*last) == typed.len());
    let (code, start) = match last.and_then(|last| Some((last, code.kind(last)?))) {
        Some((last, TokenKind::Name | TokenKind::Keyword)) => (code.part(0, last), code.start(last)),
        // A number followed by a dot is still a number.
        Some((_, TokenKind::Number)) => return CursorContext::Nothing,
        _ => (code, typed.len()),
    };
    let end = code.len();
    match code.before(end, 1) {
        "::" => {
            let module = end.checked_sub(2).map(|at| code.start(at)..code.end(at));
            let module = module.and_then(|module| typed.get(module)).unwrap_or_default();
            CursorContext::Module { start, module }
        }
        "." | "?." => CursorContext::Member {
            start,
            of: type_before(space, source, end - 1),
        },
        "fn" | "let" | "const" | "for" => CursorContext::Nothing,
        "#{" | "," => match options(space, source, code) {
            Some(keys) => CursorContext::Key { start, keys },
            None if open_map(code).is_some() => CursorContext::Nothing,
            None => CursorContext::Name { start },
        },
        _ => CursorContext::Name { start },
    }
}

/// Whether this text ends with the session of a sub-account, which has fewer operations.
pub(super) fn is_of_sub_account(space: &dyn Environment, typed: &str) -> bool {
    let platforms = || space.catalogue().platforms().iter();
    let below = || platforms().filter_map(|platform| platform.sub_accounts.as_ref());
    let source = SourceText::read(typed);
    let (code, end) = (source.code(), source.code().len());
    let word = |back: usize| code.before(end, back);
    if [word(4), word(3), word(2), word(1)] == [".", "connect", "(", ")"] {
        let of = type_before(space, &source, end - 4);
        return matches!(of, InferredType::Object(kind) if below().any(|below| below.kind == kind.name));
    }
    let is_variable = ![".", "?.", "::"].contains(&word(2));
    let session = space.object(word(1)).filter(|_| is_variable);
    session.is_some_and(|session| below().any(|below| session.text("$role") == below.role))
}

fn type_before(space: &dyn Environment, source: &SourceText<'_>, end: usize) -> InferredType {
    TextTypes::read(space, source).before(end)
}

/// Determines what is being typed inside the string literal at the end.
fn text<'a>(space: &dyn Environment, source: &SourceText<'a>) -> CursorContext<'a> {
    let code = source.code();
    let Some(end) = code.len().checked_sub(1) else {
        return CursorContext::Nothing;
    };
    if !code.word(end).starts_with(['"', '`']) || code.continues_string(end) {
        return CursorContext::Nothing;
    }
    let start = code.start(end) + 1;
    let code = code.part(0, end);
    let word = |back: usize| code.before(end, back);
    let is_index = word(1) == "[" && end.checked_sub(2).is_some_and(|value| code.ends_value(value));
    if is_index {
        let of = type_before(space, source, end - 1);
        return CursorContext::Index { start, of };
    }
    let connects = |call: &Call<'_>| call.argument == 0 && ["connect", "login"].contains(&call.name);
    let profile = match open_map(code) {
        Some(map) if [word(2), word(1)] == ["profile", ":"] => call(code.part(0, map))
            .is_some_and(|call| connects(&call) || may_name_a_profile(space, &call, code)),
        _ => call(code).is_some_and(|call| connects(&call) && call.open == end - 1),
    };
    let inner = source.text().get(start..).unwrap_or_default();
    let is_path = word(1) == "import" || ["/", "./", "../"].iter().any(|begin| inner.starts_with(begin));
    let wanted = match (profile, is_path) {
        (true, _) => LiteralCompletion::Profile,
        (_, true) => LiteralCompletion::Path,
        _ => LiteralCompletion::Nothing,
    };
    CursorContext::Text { start, wanted }
}

/// Whether an operation that this call can refer to takes options with the key `profile`.
fn may_name_a_profile(space: &dyn Environment, call: &Call<'_>, code: CodeTokens<'_>) -> bool {
    let module = code.before(call.open, 3);
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

/// The map literal that is the innermost open bracket.
fn open_map(code: CodeTokens<'_>) -> Option<usize> {
    code.open_brackets()
        .next()
        .filter(|open| code.word(*open) == "#{")
}

/// A call with an open bracket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The name of the function.
    pub name: &'a str,
    /// The index of its bracket.
    pub open: usize,
    /// The index of the argument being typed, from 0.
    pub argument: usize,
}

/// The call whose bracket is the innermost open one.
fn call(code: CodeTokens<'_>) -> Option<Call<'_>> {
    let open = code.open_brackets().next()?;
    let name = open.checked_sub(1)?;
    if code.word(open) != "(" || code.kind(name) != Some(TokenKind::Name) {
        return None;
    }
    let arguments = code.inside(open);
    Some(Call {
        name: code.word(name),
        open,
        argument: arguments.outer().filter(|at| arguments.word(*at) == ",").count(),
    })
}

/// The innermost call with an open bracket, also around open lists, maps and blocks.
pub(crate) fn call_at(code: CodeTokens<'_>) -> Option<Call<'_>> {
    let mut opened = code.open_brackets();
    let (found, open) = opened.find_map(|open| Some((call(code.part(0, open + 1))?, open)))?;
    let arguments = code.inside(open);
    let commas = arguments.outer().filter(|at| arguments.word(*at) == ",");
    Some(Call {
        argument: commas.count(),
        ..found
    })
}

/// The keys of the options map at the cursor that are not given yet.
fn options(space: &dyn Environment, source: &SourceText<'_>, code: CodeTokens<'_>) -> Option<Vec<Param>> {
    let map = open_map(code)?;
    let known = keys_of(space, source, code, map);
    let given: Vec<&str> = (map..code.len())
        .filter(|at| code.word(at + 1) == ":")
        .map(|at| code.word(at).trim_matches('"'))
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
fn keys_of(space: &dyn Environment, source: &SourceText<'_>, code: CodeTokens<'_>, map: usize) -> Vec<Param> {
    if let Some(above) = map.checked_sub(2).filter(|_| code.before(map, 1) == ":") {
        let key = code.word(above).trim_matches('"');
        let Some(outer) = open_map(code.part(0, above)) else {
            return Vec::new();
        };
        let known = keys_of(space, source, code, outer).into_iter();
        let known = known.filter(|param| param.name == key);
        return known.flat_map(|param| inner_keys(&param)).collect();
    }
    let Some(call) = call(code.part(0, map)) else {
        return Vec::new();
    };
    let ops = called(space, source, &call).into_iter();
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
pub(crate) fn called(space: &dyn Environment, source: &SourceText<'_>, call: &Call<'_>) -> Vec<Operation> {
    let all = || space.catalogue().operations().iter().copied();
    let word = |back: usize| source.code().before(call.open, back);
    match word(2) {
        "." | "?." => {
            let of = type_before(space, source, call.open - 2);
            let known = infer::operations(space, &of, call.name);
            if known.is_empty() && of == InferredType::Nothing {
                // The receiver's type is unknown: any method of this name is possible.
                return all()
                    .filter(|op| op.method_kind().is_some() && op.name == call.name)
                    .collect();
            }
            known
        }
        "::" => all()
            .filter(|op| op.module == word(3) && op.receiver.is_none() && op.name == call.name)
            .collect(),
        _ => all()
            .filter(|op| op.module.is_empty() && op.name == call.name)
            .collect(),
    }
}

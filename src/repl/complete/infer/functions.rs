//! Return types of the session's functions, inferred from their source.

use super::{InferredType, Local, Locals, Reader};
use crate::script::interactive::Workspace;
use crate::syntax::{Binding, SourceText};

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
    let source = SourceText::read(text);
    let (code, scopes) = (source.code(), source.scopes());
    let Some(function) = scopes.functions.last() else {
        return InferredType::Nothing;
    };
    if !function.returns.is_empty() {
        return InferredType::Nothing;
    }
    // The variables declared in the body that are in scope at its end.
    let in_body = scopes
        .in_scope_at(function.body.end.saturating_sub(1))
        .filter(|known| known.kind != Binding::Parameter);
    let mut last = function.body.start;
    for declared in in_body {
        let value = declared.value.clone().unwrap_or_default();
        let reader = Reader {
            depth,
            ..Reader::new(space, code.within(&value), &locals)
        };
        let local = reader.local();
        locals.insert(declared.name.clone(), local);
        last = last.max(value.end);
    }
    let rest = code.within(&(last..function.body.end));
    let ends = rest.outer().filter(|at| rest.word(*at) == ";");
    let statement = ends.last().map_or(0, |end| end + 1);
    if statement == rest.len() {
        return InferredType::Plain("()".into());
    }
    let reader = Reader {
        depth,
        ..Reader::new(space, rest.part(statement, rest.len()), &locals)
    };
    reader.expression()
}

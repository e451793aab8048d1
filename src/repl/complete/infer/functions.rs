//! Return types of the session's functions, inferred from their source.

use super::locals::locals;
use super::{InferredType, InferredValue, Locals, Reader};
use crate::script::interactive::Workspace;
use crate::syntax::SourceText;

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
    let args = args.iter().cloned().map(InferredValue::of);
    let params = Locals {
        names: function.params.iter().cloned().zip(args).collect(),
        outer: None,
    };
    body(space, &text, &params, depth)
}

/// Infers the type of the last expression of the function's body.
fn body(space: &Workspace, text: &str, params: &Locals<'_>, depth: u8) -> InferredType {
    let source = SourceText::read(text);
    let scopes = source.scopes();
    let Some(function) = scopes.functions.last() else {
        return InferredType::Nothing;
    };
    if !function.returns.is_empty() {
        return InferredType::Nothing;
    }
    let end = function.body.end.saturating_sub(1);
    let locals = locals(space, &source, end, params, depth);
    let body = source.code().within(&function.body);
    let ends = body.outer().filter(|at| body.word(*at) == ";");
    let last = body.part(ends.last().map_or(0, |end| end + 1), body.len());
    if last.is_empty() {
        return InferredType::Plain("()".into());
    }
    Reader::new(space, last, &locals, depth).expression()
}

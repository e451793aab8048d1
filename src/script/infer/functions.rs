//! Return types of functions of scripts, inferred from their source.

use std::collections::BTreeMap;

use super::locals::TextTypes;
use super::{Context, InferredType, InferredValue};
use crate::syntax::SourceText;

/// The return type of a function for such arguments: the type in its comment's `@return`, or else that of the last
/// expression of its body. Unknown if the function returns early or ends with a branch.
pub(super) fn result(context: Context<'_>, name: &str, args: &[InferredType]) -> InferredType {
    let functions = context.space.functions();
    let found = functions
        .iter()
        .find(|known| known.name == name && known.params.len() == args.len());
    let (Some(function), Some(depth)) = (found, context.depth.checked_sub(1)) else {
        return InferredType::Nothing;
    };
    let declared = function.doc.lines().find_map(|line| {
        let words = line.trim().strip_prefix("@return")?;
        Some(words.trim_start_matches('s').trim())
    });
    if let Some(declared) = declared {
        return InferredType::parse_type(context.space.catalogue(), declared);
    }
    let Some(text) = context.space.source_of(name, args.len()) else {
        return InferredType::Nothing;
    };
    let args = args.iter().cloned().map(InferredValue::of);
    let params = function.params.iter().cloned().zip(args).collect();
    body(Context { depth, ..context }, &text, &params)
}

/// Infers the type of the last expression of the function's body.
fn body(context: Context<'_>, text: &str, params: &BTreeMap<String, InferredValue>) -> InferredType {
    let source = SourceText::read(text);
    let Some(function) = source.scopes().functions.last() else {
        return InferredType::Nothing;
    };
    if !function.returns.is_empty() {
        return InferredType::Nothing;
    }
    let body = source.code().within(&function.body);
    let ends = body.outer().filter(|at| body.word(*at) == ";");
    let last = body.part(ends.last().map_or(0, |end| end + 1), body.len());
    if last.is_empty() {
        return InferredType::Plain("()".into());
    }
    let end = function.body.end.saturating_sub(1);
    TextTypes::of(context, &source, params).expression(last, end)
}

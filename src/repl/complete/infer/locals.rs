//! Names that the text itself declares before the cursor: `let s = ...;`, `for q in list {`, `list.map(|r| `.

use super::functions::reader;
use super::{InferredType, Local, Locals, MAX_DEPTH};
use crate::script::interactive::{Binding, Declared, Piece, Scopes, Workspace};

/// Methods of a list whose closure takes an element.
const ELEMENT_METHODS: &[&str] = &[
    "map", "filter", "find", "find_map", "for_each", "all", "some", "index_of", "retain", "drain", "extract",
];

/// The meanings of the names in scope at the end of these pieces.
pub(super) fn locals(space: &Workspace, text: &str, found: &[Piece]) -> Locals {
    let end = found.last().map_or(0, |piece| piece.at.end);
    let text = text.get(..end).unwrap_or_default();
    let scopes = Scopes::of(text);
    let mut locals = Locals::new();
    for declared in scopes.in_scope_at(end) {
        let read = |from: usize, to: usize| {
            let part = found.get(from..to).unwrap_or_default();
            reader(space, text, part, &locals, MAX_DEPTH).local()
        };
        let index = |at: usize| found.partition_point(|piece| piece.at.start < at);
        let value = declared
            .value
            .as_ref()
            .map(|value| read(index(value.start), index(value.end)));
        let known = match (declared.kind, value) {
            (Binding::Loop, Some(of)) => Some(of.element()),
            (Binding::Caught, _) => Some(Local::of(InferredType::Plain("error".into()))),
            (Binding::Closure, _) => closure_param(space, text, found, declared, &locals),
            (_, value) => value,
        };
        // If the type is unknown, the name still shadows an earlier one.
        locals.insert(
            declared.name.clone(),
            known.unwrap_or(Local::of(InferredType::Nothing)),
        );
    }
    locals
}

/// Infers the first parameter of a closure that is called for each element of a list.
fn closure_param(
    space: &Workspace,
    text: &str,
    found: &[Piece],
    declared: &Declared,
    locals: &Locals,
) -> Option<Local> {
    let at = found.partition_point(|piece| piece.at.start < declared.at.start);
    let word = |back: usize| at.checked_sub(back).map_or("", |at| found[at].text(text));
    if [word(1), word(2), word(4)] != ["|", "(", "."] || !ELEMENT_METHODS.contains(&word(3)) {
        return None;
    }
    let start = reader(space, text, found, locals, MAX_DEPTH).start_of_value(at - 4);
    let list = reader(space, text, &found[start..at - 4], locals, MAX_DEPTH).local();
    Some(list.element())
}

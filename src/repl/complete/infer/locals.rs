//! Names that the text itself declares before the cursor: `let s = ...;`, `for q in list {`, `list.map(|r| `.

use super::{InferredType, Local, Locals, Reader};
use crate::script::interactive::Workspace;
use crate::syntax::{Binding, CodeTokens, Declared, SourceText};

/// Methods of a list whose closure takes an element.
const ELEMENT_METHODS: &[&str] = &[
    "map", "filter", "find", "find_map", "for_each", "all", "some", "index_of", "retain", "drain", "extract",
];

/// The meanings of the names in scope right before the token with this index.
pub(super) fn locals(space: &Workspace, source: &SourceText<'_>, end: usize) -> Locals {
    let code = source.code().part(0, end);
    let place = end.checked_sub(1).map_or(0, |last| code.end(last));
    let mut locals = Locals::new();
    for declared in source.scopes().in_scope_at(place) {
        let value = declared.value.as_ref();
        let value = value.map(|value| Reader::new(space, code.within(value), &locals).local());
        let known = match (declared.kind, value) {
            (Binding::Loop, Some(of)) => Some(of.element()),
            (Binding::Caught, _) => Some(Local::of(InferredType::Plain("error".into()))),
            (Binding::Closure, _) => closure_param(space, code, declared, &locals),
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
    code: CodeTokens<'_>,
    declared: &Declared,
    locals: &Locals,
) -> Option<Local> {
    let at = code.index(declared.at.start);
    let word = |back: usize| code.before(at, back);
    if [word(1), word(2), word(4)] != ["|", "(", "."] || !ELEMENT_METHODS.contains(&word(3)) {
        return None;
    }
    let list = code.part(code.start_of_value(at - 4), at - 4);
    Some(Reader::new(space, list, locals).local().element())
}

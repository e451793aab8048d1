//! Names that the text itself declares before the cursor: `let s = ...;`, `for q in list {`, `list.map(|r| `.

use super::{InferredType, InferredValue, Locals, Reader};
use crate::script::interactive::Workspace;
use crate::syntax::{Binding, CodeTokens, Declared, SourceText};

/// Methods of a list whose closure takes an element.
const ELEMENT_METHODS: &[&str] = &[
    "map", "filter", "find", "find_map", "for_each", "all", "some", "index_of", "retain", "drain", "extract",
];

/// The meanings of the names in scope at a position; `params` are those of the parameters of a function.
pub(super) fn locals(
    space: &Workspace,
    source: &SourceText<'_>,
    place: usize,
    params: &Locals<'_>,
    depth: u8,
) -> Locals<'static> {
    let code = source.code();
    let mut locals = Locals::default();
    for declared in source.scopes().in_scope_at(place) {
        let read = |code| Reader::new(space, code, &locals, depth).local();
        let value = declared.value.as_ref().map(|value| read(code.within(value)));
        let known = match (declared.kind, value) {
            (Binding::Loop, Some(of)) => Some(of.element()),
            (Binding::Caught, _) => Some(InferredValue::of(InferredType::Plain("error".into()))),
            (Binding::Closure, _) => list_of(code, declared).map(|list| read(list).element()),
            (Binding::Parameter, _) => params.get(&declared.name).cloned(),
            (_, value) => value,
        };
        // If the type is unknown, the name still shadows an earlier one.
        locals.names.insert(
            declared.name.clone(),
            known.unwrap_or(InferredValue::of(InferredType::Nothing)),
        );
    }
    locals
}

/// The list of a closure that is called for each of its elements; `declared` is its first parameter.
fn list_of<'a>(code: CodeTokens<'a>, declared: &Declared) -> Option<CodeTokens<'a>> {
    let at = code.index(declared.at.start);
    let word = |back: usize| code.before(at, back);
    let is_element = [word(1), word(2), word(4)] == ["|", "(", "."] && ELEMENT_METHODS.contains(&word(3));
    is_element.then(|| code.part(code.start_of_value(at - 4), at - 4))
}

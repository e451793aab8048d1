//! What ends an input at the prompt, and would end the whole script.

use crate::script::scopes::Scopes;
use crate::script::tokens::{Sort, pieces};

/// What stands behind the `return` that a statement begins with.
pub(super) fn returned(statement: &str) -> Option<String> {
    let found = pieces(statement);
    let first = found.iter().find(|piece| piece.sort != Sort::Comment)?;
    let mut rest = statement.to_owned();
    (first.text(statement) == "return").then(|| rest.replace_range(first.at.clone(), ""))?;
    Some(rest.trim().to_owned())
}

/// Does a statement hold an `exit`, or a `return` that is not that of a closure?
pub(super) fn stops(statement: &str) -> bool {
    !Scopes::of(statement).ends.is_empty()
}

//! Statements that end an input at the prompt and would end the whole script.

use crate::script::scopes::Scopes;
use crate::script::tokens::{TokenKind, pieces};

/// Returns the expression after the `return` that a statement starts with.
pub(super) fn returned(statement: &str) -> Option<String> {
    let found = pieces(statement);
    let first = found.iter().find(|piece| piece.kind != TokenKind::Comment)?;
    let mut rest = statement.to_owned();
    (first.text(statement) == "return").then(|| rest.replace_range(first.at.clone(), ""))?;
    Some(rest.trim().to_owned())
}

/// Whether a statement has an `exit`, or a `return` that is not inside a closure.
pub(super) fn stops(statement: &str) -> bool {
    !Scopes::of(statement).exits.is_empty()
}

//! Names for results and parameters, which have none in a session.

use std::collections::BTreeSet;

use crate::script::scopes::Scopes;
use crate::script::tokens::{TokenKind, pieces};
use crate::script::words;

/// Names with a fixed meaning in every script or session.
const OWN_NAMES: &[&str] = &["main", "_err"];

/// Verbs that precede the noun in the names of operations.
const VERBS: &[&str] = &["ensure_", "create_", "find_", "get_", "update_"];

/// Whether this name cannot be used.
pub(super) fn is_reserved(name: &str) -> bool {
    OWN_NAMES.contains(&name) || words::is_reserved(name)
}

/// Returns the name, with a number appended if it is taken.
pub(super) fn free<'a>(name: &str, taken: impl IntoIterator<Item = &'a String>) -> String {
    let taken: BTreeSet<&String> = taken.into_iter().collect();
    let is_free = |name: &String| !taken.contains(name) && !is_reserved(name);
    let mut free = name.to_owned();
    let mut count = 2;
    while !is_free(&free) {
        free = format!("{name}_{count}");
        count += 1;
    }
    free
}

/// Suggests a name for the result of a statement: `app` for `client.ensure_app(…)`.
pub(super) fn result_name(statement: &str) -> Option<String> {
    let found = pieces(statement);
    let mut depth = 0_usize;
    let mut last = None;
    for (at, piece) in found.iter().enumerate() {
        match piece.text(statement) {
            "(" | "[" | "{" | "#{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            word if depth == 0 => {
                let is_called = found.get(at + 1).is_some_and(|next| next.text(statement) == "(");
                if piece.kind == TokenKind::Name {
                    last = is_called.then_some(word);
                } else if ![".", "?.", "::", ";"].contains(&word) && piece.kind != TokenKind::Comment {
                    // An operator: the result is no longer that of a call.
                    return None;
                }
            }
            _ => {}
        }
    }
    let called = last?;
    let noun = VERBS.iter().find_map(|verb| called.strip_prefix(verb));
    let noun = noun.or((called == "connect").then_some("session"))?;
    (!is_reserved(noun)).then(|| noun.to_owned())
}

/// Returns a function's name and number of parameters.
pub(super) fn signature(function: &str) -> (String, usize) {
    let scopes = Scopes::of(function);
    let found = scopes.functions.first();
    found.map_or_else(Default::default, |function| {
        (function.name.clone(), function.params.len())
    })
}

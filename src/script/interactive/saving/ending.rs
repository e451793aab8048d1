//! What ends an input at the prompt, and would end the whole script.

use crate::script::tokens::{Piece, Sort, pieces};

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
    let found: Vec<Piece> = pieces(statement)
        .into_iter()
        .filter(|piece| piece.sort != Sort::Comment)
        .collect();
    let word = |at: usize| found.get(at).map_or("", |piece| piece.text(statement));
    let is_operand = |at: usize| {
        matches!(found[at].sort, Sort::Name | Sort::Number | Sort::Text)
            || [")", "]", "}"].contains(&word(at))
    };
    let mut closures = (0..found.len())
        .filter(|at| ["|", "||"].contains(&word(*at)) && at.checked_sub(1).is_none_or(|at| !is_operand(at)));
    let closure = closures.next().unwrap_or(found.len());
    (0..found.len()).any(|at| match word(at) {
        "return" => at < closure,
        "exit" => word(at + 1) == "(" && at.checked_sub(1).is_none_or(|at| word(at) != "."),
        _ => false,
    })
}

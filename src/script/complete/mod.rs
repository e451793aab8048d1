//! Completion of code. Evaluates nothing and does no I/O.
//!
//! * [`cursor`] determines what is being typed: a name, a member, a key of an options map, a text.
//! * [`names`] and [`members`] list candidates, with types from [`super::infer`].

mod cursor;
mod members;
mod names;

use self::cursor::{CursorContext, cursor_context};
use super::infer::{Environment, InferredType};
use crate::syntax::SourceText;

pub(crate) use self::cursor::{Call, LiteralCompletion, call_at, called};
pub(crate) use self::names::keyword;

/// A completion candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The text that replaces the word.
    pub replacement: String,
    /// The title in the list: a signature, or a name with its type.
    pub title: String,
    /// A one-line description; may be empty.
    pub about: String,
}

impl Candidate {
    /// Creates a candidate.
    pub(crate) fn new(
        replacement: impl Into<String>,
        title: impl Into<String>,
        about: impl Into<String>,
    ) -> Candidate {
        Candidate {
            replacement: replacement.into(),
            title: title.into(),
            about: about.into(),
        }
    }
}

/// The completions of a text at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completions {
    /// Where the word that they replace begins, in bytes.
    pub start: usize,
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// What the text literal that is being typed names. Candidates of that kind are known elsewhere.
    pub literal: LiteralCompletion,
}

/// Completes the text at its end.
pub(crate) fn complete(space: &dyn Environment, typed: &str) -> Completions {
    let source = SourceText::read(typed);
    let word = |start: usize| typed.get(start..).unwrap_or_default();
    let mut literal = LiteralCompletion::Nothing;
    let (start, candidates) = match cursor_context(space, &source) {
        CursorContext::Nothing => (typed.len(), Vec::new()),
        CursorContext::Name { start } => (start, names::names(space, &source, word(start))),
        CursorContext::Module { start, module } => (start, names::module(space, module, word(start))),
        CursorContext::Member { start, of } => member(space, &of, typed, start),
        CursorContext::Index { start, of } => (start, members::index(&of, word(start))),
        CursorContext::Key { start, keys } => (start, members::keys(&keys, word(start))),
        CursorContext::Text { start, wanted } => {
            literal = wanted;
            (start, Vec::new())
        }
    };
    Completions {
        start,
        candidates,
        literal,
    }
}

/// Completes a member, without the operations that the session of a sub-account does not have.
fn member(space: &dyn Environment, of: &InferredType, typed: &str, start: usize) -> (usize, Vec<Candidate>) {
    let before = typed[..start].trim_end_matches(['.', '?']);
    let is_below = cursor::is_of_sub_account(space, before);
    let (start, mut found) = members::complete_member(space, of, typed, start);
    if let (InferredType::Object(kind), true) = (of, is_below) {
        let hidden = members::refused_to_sub_accounts(space.catalogue(), kind.name);
        found.retain(|one| !hidden.contains(one));
    }
    (start, found)
}

/// Whether the name begins with the word, ignoring ASCII case.
pub(crate) fn matches_prefix(name: &str, word: &str) -> bool {
    name.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;

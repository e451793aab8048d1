//! Tab completion. Evaluates nothing, sends nothing, and reads nothing from disk but folder listings (and a script's
//! declaration after `:run FILE --`).
//!
//! * [`cursor`] determines what is being typed: a name, a member, a key of an options map, a path.
//! * [`infer`] infers the type before a dot: from live values or from declarations of operations.
//! * [`names`], [`members`], [`commands`] and [`paths`] list candidates; [`listing`] fits them to the terminal.

pub(super) mod commands;
pub(super) mod cursor;
pub(super) mod infer;
mod listing;
mod members;
pub(super) mod names;
mod paths;

use std::sync::{MutexGuard, OnceLock, PoisonError};

use rustyline::completion::Pair;

use self::cursor::{CursorContext, LiteralCompletion};
use super::helper::ReplHelper;
use crate::script::interactive::{Native, Workspace, natives};

/// A completion candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The text that replaces the word.
    pub(super) replacement: String,
    /// The title in the list: a signature, or a name with its type.
    pub(super) title: String,
    /// A one-line description; may be empty.
    pub(super) about: String,
}

impl Candidate {
    pub(super) fn new(
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

/// Returns where the word being typed begins, and its completions.
pub(super) fn complete(helper: &ReplHelper, line: &str, pos: usize) -> (usize, Vec<Pair>) {
    let (start, found) = candidates(helper, line.get(..pos).unwrap_or_default());
    let screen = &helper.ports.screen;
    (start, listing::pairs(found, screen.width(), screen.height()))
}

fn candidates(helper: &ReplHelper, typed: &str) -> (usize, Vec<Candidate>) {
    if let Some(rest) = typed.strip_prefix(':').filter(|rest| !rest.starts_with(':')) {
        return commands::complete(helper, rest);
    }
    code(helper, typed)
}

/// Completes code.
fn code(helper: &ReplHelper, typed: &str) -> (usize, Vec<Candidate>) {
    let space = space(helper);
    match cursor::cursor_context(&space, typed) {
        CursorContext::Nothing => (typed.len(), Vec::new()),
        CursorContext::Name { start } => (start, names::names(&space, &typed[start..])),
        CursorContext::Module { start, module } => (start, names::module(&space, module, &typed[start..])),
        CursorContext::Member { start, of } => {
            let before = typed[..start].trim_end_matches(['.', '?']);
            let own = cursor::is_of_sub_account(&space, before);
            let (start, mut found) = members::complete_member(&space, &of, typed, start);
            if let (infer::InferredType::Object(kind), true) = (&of, own) {
                let hidden = members::refused_to_sub_accounts(space.catalogue(), kind.name);
                found.retain(|one| !hidden.contains(one));
            }
            (start, found)
        }
        CursorContext::Index { start, of } => (start, members::index(&of, &typed[start..])),
        CursorContext::Key { start, keys } => (start, members::keys(&keys, &typed[start..])),
        CursorContext::Text { start, wanted } => {
            let word = &typed[start..];
            let found = match wanted {
                LiteralCompletion::Profile => names::profiles(&*helper.ports.host, word),
                LiteralCompletion::Path => paths::paths(word),
                LiteralCompletion::Nothing => Vec::new(),
            };
            // The whole text is replaced, because it may contain escapes.
            (start, found)
        }
    }
}

fn space(helper: &ReplHelper) -> MutexGuard<'_, Workspace> {
    helper.space.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The functions of the language; read on first use.
pub(super) fn library() -> &'static [Native] {
    static LIBRARY: OnceLock<Vec<Native>> = OnceLock::new();
    LIBRARY.get_or_init(natives)
}

/// Whether the name begins with the word, ignoring ASCII case.
fn matches_prefix(name: &str, word: &str) -> bool {
    name.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;

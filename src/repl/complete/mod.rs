//! What could follow what was typed. Nothing is evaluated, nothing is sent, and of the disk only folders are listed (and
//! a script's declaration read, behind `:run FILE --`).
//!
//! * [`cursor`] finds out what is being typed: a name, a member, a key of an options map, a path.
//! * [`infer`] tells the type of what stands before a dot: from live values, or from what operations declare.
//! * [`names`], [`members`], [`commands`] and [`paths`] list what fits; [`listing`] makes it fit the terminal.

mod commands;
pub(super) mod cursor;
pub(super) mod infer;
mod listing;
mod members;
pub(super) mod names;
mod paths;

use std::sync::{MutexGuard, OnceLock, PoisonError};

use rustyline::completion::Pair;

use self::cursor::{CursorContext, Wanted};
use super::helper::ReplHelper;
use crate::script::interactive::{Native, Workspace, natives};

/// Something that could be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What replaces the word.
    pub(super) replacement: String,
    /// How the list names it: a signature, a name with its type.
    pub(super) title: String,
    /// One line about it; may be empty.
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

/// Where the word begins that is being typed, and what it could become.
pub(super) fn complete(helper: &ReplHelper, line: &str, pos: usize) -> (usize, Vec<Pair>) {
    let (start, found) = candidates(helper, line.get(..pos).unwrap_or_default());
    let screen = &helper.outside.screen;
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
            let (start, mut found) = members::behind_dot(&space, &of, typed, start);
            if let (infer::Known::Object(kind), true) = (&of, own) {
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
                Wanted::Profile => names::profiles(&*helper.outside.around, word),
                Wanted::Path => paths::paths(word),
                Wanted::Nothing => Vec::new(),
            };
            // What was escaped is replaced as a whole.
            (start, found)
        }
    }
}

fn space(helper: &ReplHelper) -> MutexGuard<'_, Workspace> {
    helper.space.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The functions of the language; read when they are first needed.
pub(super) fn library() -> &'static [Native] {
    static LIBRARY: OnceLock<Vec<Native>> = OnceLock::new();
    LIBRARY.get_or_init(natives)
}

/// Does it begin with the word? Small letters stand for capital ones, too.
fn begins(name: &str, word: &str) -> bool {
    name.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;

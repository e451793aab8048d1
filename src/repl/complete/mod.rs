//! Tab completion: code by [`crate::script::complete`], commands, profiles, and paths. Evaluates nothing, sends nothing,
//! and reads nothing from disk but folder listings (and a script's declaration after `:run FILE --`).
//!
//! [`commands`] and [`paths`] list candidates; [`listing`] fits all of them to the terminal.

pub(super) mod commands;
mod listing;
mod paths;

use std::sync::{MutexGuard, PoisonError};

use rustyline::completion::Pair;

use super::helper::ReplHelper;
use crate::script::complete::{self, Candidate, LiteralCompletion};
use crate::script::interactive::Workspace;

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
    let found = complete::complete(&*space(helper), typed);
    // A text is replaced as a whole, because it may contain escapes.
    let word = typed.get(found.start..).unwrap_or_default();
    let candidates = match found.literal {
        LiteralCompletion::Profile => commands::profiles(helper, word),
        LiteralCompletion::Path => paths::in_text(word),
        LiteralCompletion::Nothing => found.candidates,
    };
    (found.start, candidates)
}

fn space(helper: &ReplHelper) -> MutexGuard<'_, Workspace> {
    helper.space.lock().unwrap_or_else(PoisonError::into_inner)
}

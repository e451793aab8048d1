//! The hint after the cursor: the rest of an earlier input, or what an incomplete input waits for.

use rustyline::Context;
use rustyline::hint::{Hint, Hinter as _, HistoryHinter};

use crate::script::interactive::{Open, find_unclosed};

/// A text shown after the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ghost {
    shown: String,
    /// Whether Right or End accepts it.
    taken: bool,
}

impl Hint for Ghost {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.taken.then_some(self.shown.as_str())
    }
}

/// The hint for the text typed so far.
pub(super) fn hint(line: &str, pos: usize, context: &Context<'_>) -> Option<Ghost> {
    if pos < line.len() {
        return None;
    }
    if line.contains('\n') {
        return find_unclosed(line).map(|open| Ghost {
            shown: format!("  {}", waiting(line, &open)),
            taken: false,
        });
    }
    let earlier = HistoryHinter::new().hint(line, pos, context)?;
    Some(Ghost {
        shown: earlier,
        taken: true,
    })
}

/// Describes what an incomplete input waits for; after an empty line, also how to abandon it.
pub(super) fn waiting(text: &str, open: &Open) -> String {
    if open.closing_token.is_empty() {
        return "... incomplete expression; an empty line ends the input".into();
    }
    let last = text.trim_end_matches([' ', '\t']);
    let is_stuck = last.ends_with("\n\n");
    let abandon_hint = if is_stuck { "; :break abandons it" } else { "" };
    format!(
        "... waiting for {} from line {}{abandon_hint}",
        open.closing_token, open.line
    )
}

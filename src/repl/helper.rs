//! What rustyline asks while somebody types: is it complete, what could follow, how does it look.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Cmd, Context, Editor, Event, EventHandler, Helper, KeyCode, KeyEvent, Modifiers};

use super::around::Outside;
use super::hint::{Ghost, hint};
use super::history::History;
use super::{complete, paint};
use crate::script::interactive::{Reading, Workspace, read};

/// Answers rustyline's questions; the answers are made in `complete`, `hint` and `paint`.
pub(super) struct ReplHelper {
    pub(super) space: Arc<Mutex<Workspace>>,
    pub(super) outside: Outside,
}

impl ReplHelper {
    pub(super) fn new(space: &Arc<Mutex<Workspace>>, outside: &Outside) -> ReplHelper {
        ReplHelper {
            space: space.clone(),
            outside: outside.clone(),
        }
    }
}

/// The keys that do something other than usual.
pub(super) fn bind(editor: &mut Editor<ReplHelper, History>) {
    let up = KeyEvent(KeyCode::Up, Modifiers::NONE);
    let down = KeyEvent(KeyCode::Down, Modifiers::NONE);
    let forced = KeyEvent(KeyCode::Enter, Modifiers::ALT);
    editor.bind_sequence(up, EventHandler::Simple(Cmd::LineUpOrPreviousHistory(1)));
    editor.bind_sequence(down, EventHandler::Simple(Cmd::LineDownOrNextHistory(1)));
    editor.bind_sequence(Event::from(forced), EventHandler::Simple(Cmd::Newline));
}

impl Helper for ReplHelper {}

impl Validator for ReplHelper {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if is_finished(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// Does Enter end this input? A command always does, and an empty line when no bracket is open.
pub(super) fn is_finished(text: &str) -> bool {
    if text.trim_start().starts_with(':') || text.trim_end().ends_with('?') {
        return true;
    }
    match read(text) {
        Reading::Incomplete(open) => open.closes.is_empty() && text.ends_with('\n'),
        Reading::Complete | Reading::Broken(_) => true,
    }
}

impl Completer for ReplHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete::complete(self, line, pos))
    }
}

impl Hinter for ReplHelper {
    type Hint = Ghost;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Ghost> {
        hint(line, pos, context)
    }
}

impl Highlighter for ReplHelper {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        paint::paint(line, pos)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        paint::faint(hint)
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

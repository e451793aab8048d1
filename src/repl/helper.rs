//! The callbacks of rustyline while a user types: validation, completion, hints, highlighting, and special keys.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint as _, Hinter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ConditionalEventHandler, Context, Editor, Event, EventContext, EventHandler, Helper, KeyCode,
    KeyEvent, Modifiers, RepeatCount,
};

use super::help::asked;
use super::hint::{Ghost, hint, waiting};
use super::history::{InputHistory, KnownInputs};
use super::host::Ports;
use super::lines::is_given_up;
use super::{complete, highlight};
use crate::script::interactive::{Completeness, Open, Workspace, find_unclosed, read};

/// The line editor.
pub(super) type InputEditor = Editor<ReplHelper, FileHistory>;

/// Implements rustyline's callbacks on top of `complete`, `hint` and `highlight`.
pub(super) struct ReplHelper {
    pub(super) space: Arc<Mutex<Workspace>>,
    pub(super) ports: Ports,
    keys: Keys,
}

impl ReplHelper {
    pub(super) fn new(space: &Arc<Mutex<Workspace>>, ports: &Ports, keys: &Keys) -> ReplHelper {
        ReplHelper {
            space: space.clone(),
            ports: ports.clone(),
            keys: keys.clone(),
        }
    }
}

/// Requests made by keys that the line editor does not handle itself.
#[derive(Clone, Default)]
pub(super) struct Keys {
    /// The text to open in the editor, after Ctrl-X Ctrl-E.
    pub(super) editor_text: Arc<Mutex<Option<String>>>,
    /// Whether the input was dropped with Ctrl-C.
    pub(super) interrupted: Arc<AtomicBool>,
    /// Whether lines are read verbatim, without completion.
    pub(super) plain: Arc<AtomicBool>,
    /// Whether verbatim text was ended with Ctrl-D.
    pub(super) ended: Arc<AtomicBool>,
}

/// Binds the keys that differ from rustyline's defaults.
pub(super) fn bind(editor: &mut InputEditor, history: &InputHistory, keys: &Keys) {
    let up = KeyEvent(KeyCode::Up, Modifiers::NONE);
    let down = KeyEvent(KeyCode::Down, Modifiers::NONE);
    let known = history.known();
    let searched = Arc::default();
    let conditional = |earlier| {
        let (known, searched) = (known.clone(), Arc::clone(&searched));
        EventHandler::Conditional(Box::new(VerticalMove {
            earlier,
            known,
            searched,
        }))
    };
    editor.bind_sequence(up, conditional(true));
    editor.bind_sequence(down, conditional(false));
    for end in [KeyEvent(KeyCode::End, Modifiers::NONE), KeyEvent::ctrl('E')] {
        editor.bind_sequence(end, EventHandler::Conditional(Box::new(AcceptHint)));
    }
    editor.bind_sequence(
        Event::Any,
        EventHandler::Conditional(Box::new(KeepLine(keys.clone()))),
    );
    let end = EventHandler::Conditional(Box::new(EndVerbatimText(keys.clone())));
    editor.bind_sequence(KeyEvent::ctrl('D'), end);
    let forced = KeyEvent(KeyCode::Enter, Modifiers::ALT);
    editor.bind_sequence(forced, EventHandler::Simple(Cmd::Newline));
    let edit = Event::KeySeq(vec![KeyEvent::ctrl('X'), KeyEvent::ctrl('E')]);
    editor.bind_sequence(
        edit,
        EventHandler::Conditional(Box::new(OpenEditor(keys.clone()))),
    );
    let drop = EventHandler::Conditional(Box::new(DiscardLine(keys.clone())));
    editor.bind_sequence(KeyEvent::ctrl('C'), drop);
    let tab = KeyEvent(KeyCode::Tab, Modifiers::NONE);
    editor.bind_sequence(tab, EventHandler::Conditional(Box::new(InsertTab(keys.clone()))));
}

/// Up and Down: move through the lines of an input, or search for inputs that start with the text before the cursor.
struct VerticalMove {
    earlier: bool,
    known: KnownInputs,
    /// The prefix that inputs are being searched for; shared by both keys.
    searched: Arc<Mutex<Option<String>>>,
}

impl VerticalMove {
    /// Whether to search for inputs that start with the text before the cursor, rather than move to another line. In a
    /// recalled input the cursor is at the end, or after the searched prefix.
    fn searches(&self, line: &str, pos: usize) -> bool {
        let mut searched = self.searched.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (recalled, before) = (known.contains(line), line.get(..pos).unwrap_or_default());
        let is_search = if line.contains('\n') {
            recalled && pos < line.len() && searched.as_deref() == Some(before)
        } else {
            pos > 0 && (pos < line.len() || !recalled)
        };
        *searched = is_search.then(|| before.to_owned());
        is_search
    }
}

impl ConditionalEventHandler for VerticalMove {
    fn handle(&self, _: &Event, n: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let searches = self.searches(context.line(), context.pos());
        Some(match (self.earlier, searches) {
            (true, false) => Cmd::LineUpOrPreviousHistory(n),
            (false, false) => Cmd::LineDownOrNextHistory(n),
            (true, true) => Cmd::HistorySearchBackward,
            (false, true) => Cmd::HistorySearchForward,
        })
    }
}

/// End accepts the hint, as Right does.
struct AcceptHint;

impl ConditionalEventHandler for AcceptHint {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let at_end = context.pos() == context.line().len();
        (at_end && context.has_hint()).then_some(Cmd::CompleteHint)
    }
}

/// Ctrl-X Ctrl-E accepts the line and opens it in the editor.
struct OpenEditor(Keys);

impl ConditionalEventHandler for OpenEditor {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let mut editor_text = self.0.editor_text.lock().unwrap_or_else(PoisonError::into_inner);
        *editor_text = Some(context.line().to_owned());
        Some(Cmd::AcceptLine)
    }
}

/// Ctrl-C accepts the line like Enter, but it is then not evaluated: an interrupt would lose what was typed after it.
struct DiscardLine(Keys);

impl ConditionalEventHandler for DiscardLine {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        self.0.interrupted.store(true, Ordering::SeqCst);
        Some(Cmd::AcceptLine)
    }
}

/// Any other key, including Enter, clears an earlier Ctrl-C that was meant for something else.
struct KeepLine(Keys);

impl ConditionalEventHandler for KeepLine {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        self.0.interrupted.store(false, Ordering::SeqCst);
        None
    }
}

/// While lines are read verbatim, Ctrl-D at a line's end ends the text: as an end of file it would lose what was typed
/// after it.
struct EndVerbatimText(Keys);

impl ConditionalEventHandler for EndVerbatimText {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        self.0.interrupted.store(false, Ordering::SeqCst);
        let ends = self.0.plain.load(Ordering::SeqCst) && context.pos() == context.line().len();
        self.0.ended.store(ends, Ordering::SeqCst);
        ends.then_some(Cmd::AcceptLine)
    }
}

/// While lines are read verbatim, Tab inserts a tab.
struct InsertTab(Keys);

impl ConditionalEventHandler for InsertTab {
    fn handle(&self, _: &Event, n: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        let plain = self.0.plain.load(Ordering::SeqCst);
        plain.then_some(Cmd::SelfInsert(n, '\t'))
    }
}

impl Helper for ReplHelper {}

impl Validator for ReplHelper {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let begins = begins_function(text);
        if self.keys.plain.load(Ordering::SeqCst) || ends_input(text) && !begins {
            return Ok(ValidationResult::Valid(None));
        }
        if !self.ports.terminal.redraws
            && let Some(open) = find_unclosed(text)
        {
            // No hint can be shown after the cursor, so it is printed below.
            self.ports.screen.note(&waiting(text, &open));
        }
        Ok(ValidationResult::Incomplete)
    }
}

/// Whether the input is only the doc comment of a function that is still to come. An empty line ends it.
pub(super) fn begins_function(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    !text.ends_with('\n') && !text.is_empty() && lines.all(|line| line.starts_with("///"))
}

/// Whether Enter ends this typed input: always after a command, and after an empty line if no bracket is open.
pub(super) fn ends_input(text: &str) -> bool {
    is_command(text) || find_unclosed(text).is_none_or(|open| ends(text, &open))
}

fn is_command(text: &str) -> bool {
    text.trim_start().starts_with(':') || asked(text.trim()).is_some() || is_given_up(text)
}

fn ends(text: &str, open: &Open) -> bool {
    open.closing_token.is_empty() && text.ends_with('\n')
}

/// Whether this is a complete statement of an input that is not typed.
pub(super) fn is_finished(text: &str) -> bool {
    if is_command(text) {
        return true;
    }
    match read(text) {
        Completeness::Incomplete(open) => ends(text, &open),
        Completeness::Complete | Completeness::Broken(_) => true,
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
        if self.keys.plain.load(Ordering::SeqCst) {
            return None;
        }
        // Without colours the hint would look like typed text.
        let may_guess = self.ports.terminal.colour;
        hint(line, pos, context).filter(|ghost| may_guess || ghost.completion().is_none())
    }
}

impl Highlighter for ReplHelper {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        highlight::highlight(line, pos)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        highlight::style_hint(hint)
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_search_continues_through_multi_line_inputs() {
        let multi = "fn multi(a) {\n  a\n}";
        let known: KnownInputs = Arc::new(Mutex::new([multi.to_owned(), "fn mud".to_owned()].into()));
        let searched = Arc::default();
        let key = |earlier| VerticalMove {
            earlier,
            known: known.clone(),
            searched: Arc::clone(&searched),
        };
        let (up, down) = (key(true), key(false));
        assert!(up.searches("fn mu", 5), "typed");
        assert!(up.searches(multi, 5) && down.searches(multi, 5), "found, and on");
        assert!(up.searches("fn mud", 5) && up.searches(multi, 5));
        assert!(
            !up.searches(multi, 7),
            "the cursor was moved: the lines are meant"
        );
        assert!(!up.searches(multi, 5), "and they stay meant");
        assert!(!up.searches(multi, multi.len()), "recalled without a search");
        assert!(!up.searches("fn typed() {\n", 5), "typed over lines");
    }
}

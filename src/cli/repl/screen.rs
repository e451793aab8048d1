//! The session's words on the terminal.

use crate::cli::ui::{Stream, Ui};
use crate::repl::around::Screen;
use crate::script::error::Diagnostic;

/// Writes through the program's own [`Ui`].
pub(super) struct TerminalScreen {
    ui: Ui,
    /// Does somebody type?
    typed: bool,
}

impl TerminalScreen {
    pub(super) fn new(ui: &Ui, typed: bool) -> TerminalScreen {
        TerminalScreen {
            ui: ui.clone(),
            typed,
        }
    }
}

impl Screen for TerminalScreen {
    fn is_terminal(&self) -> bool {
        self.typed
    }

    fn has_colour(&self) -> bool {
        self.ui.has_colour(Stream::Out)
    }

    fn width(&self) -> Option<usize> {
        self.ui.width_now().map(usize::from)
    }

    fn is_closed(&self) -> bool {
        self.ui.is_closed()
    }

    fn out(&self, text: &str) {
        // A reader that is gone ends the session, which asks for it.
        let _ = self.ui.out(&crate::cli::ui::printable(text));
    }

    fn page(&self, text: &str) {
        let _ = self.ui.out(text);
    }

    fn note(&self, text: &str) {
        self.ui.note(text);
    }

    fn warn(&self, text: &str) {
        self.ui.warn(text);
    }

    fn error(&self, message: &str, hints: &[String]) {
        self.ui.error(message, hints);
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) {
        self.ui.diagnostic(diagnostic);
    }
}

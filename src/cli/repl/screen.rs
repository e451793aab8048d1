//! The session's output to the terminal.

use crate::cli::line_input;
use crate::cli::paths::Env;
use crate::cli::ui::{Stream, Ui};
use crate::repl::host::Screen;
use crate::script::error::Diagnostic;

/// Writes through the program's [`Ui`].
pub(super) struct TerminalScreen {
    ui: Ui,
    /// Whether a user is typing.
    typed: bool,
    /// Whether written lines can be redrawn.
    can_redraw: bool,
}

/// Terminals that cannot redraw lines; the line editor reads plain lines from them.
const DUMB_TERMINALS: [&str; 3] = ["dumb", "cons25", "emacs"];

/// Whether this terminal can redraw lines.
fn can_redraw(env: &Env) -> bool {
    let term = env.get("TERM").unwrap_or_default();
    !DUMB_TERMINALS
        .iter()
        .any(|plain| term.eq_ignore_ascii_case(plain))
}

impl TerminalScreen {
    pub(super) fn new(ui: &Ui, env: &Env, typed: bool) -> TerminalScreen {
        TerminalScreen {
            ui: ui.clone(),
            typed,
            can_redraw: typed && ui.is_terminal(Stream::Out) && can_redraw(env),
        }
    }
}

impl Screen for TerminalScreen {
    fn is_typed(&self) -> bool {
        self.typed
    }

    fn is_terminal(&self) -> bool {
        self.typed && self.ui.is_terminal(Stream::Out)
    }

    fn can_prompt(&self) -> bool {
        line_input::has_terminal()
    }

    fn has_colour(&self) -> bool {
        self.ui.has_colour(Stream::Out)
    }

    fn width(&self) -> Option<usize> {
        self.ui.width_now().map(usize::from)
    }

    fn is_closed(&self) -> bool {
        self.ui.is_closed() || self.ui.output_error().is_some()
    }

    fn output_error(&self) -> Option<String> {
        self.ui.output_error().map(str::to_owned)
    }

    fn height(&self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        (size.ws_row > 0).then_some(size.ws_row.into())
    }

    fn can_redraw(&self) -> bool {
        self.can_redraw
    }

    fn out(&self, text: &str) {
        // If the reader has gone or data was lost, the session finds out with `is_closed` and ends.
        let _ = self.ui.out(&crate::cli::ui::printable(text));
    }

    fn prompt(&self, text: &str) {
        let _ = self.ui.prompt(text);
    }

    fn page(&self, text: &str) {
        let _ = self.ui.out_styled(text);
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

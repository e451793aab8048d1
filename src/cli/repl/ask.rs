//! The questions of a session: before a change, and before a secret is revealed.

use crate::cli::line_input;
use crate::run::interrupt::Interrupt;

/// Asks a question and returns the line typed; `None` if nobody can be asked, the input ends, or the interrupt comes
/// first.
pub(super) fn ask(question: &str, interrupt: &Interrupt) -> Option<String> {
    line_input::read_confirmation(question, || interrupt.is_requested()).map(|line| line.to_string())
}

/// Asks a yes-or-no question.
pub(super) fn confirmed(question: &str, interrupt: &Interrupt) -> bool {
    line_input::confirmed(question, || interrupt.is_requested())
}

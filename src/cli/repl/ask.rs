//! The questions of a session: before a change, and before a secret is shown.

use crate::cli::typed;
use crate::run::interrupt::Interrupt;

/// The line that somebody types after having seen the question; `None` when nobody can, the input ends, or the interrupt
/// comes first.
pub(super) fn ask(question: &str, interrupt: &Interrupt) -> Option<String> {
    typed::agreed_line(question, || interrupt.is_asked()).map(|line| line.to_string())
}

/// The same for yes or no.
pub(super) fn agreed(question: &str, interrupt: &Interrupt) -> bool {
    typed::agreed(question, || interrupt.is_asked())
}

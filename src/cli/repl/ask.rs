//! The question before a change.

use crate::cli::typed;
use crate::run::interrupt::Interrupt;

/// The line that somebody types; `None` when nobody can, the input ends, or the interrupt comes first.
pub(super) fn ask(question: &str, interrupt: &Interrupt) -> Option<String> {
    typed::line(question, || interrupt.is_asked()).map(|line| line.to_string())
}

//! Confirmation before an irreversible action.

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::line_input;

impl App {
    /// Asks the user for confirmation. `yes` (the flag `--yes`) confirms in advance; without a terminal, returns an
    /// error that names `--yes`. `question` is a sentence with its question mark.
    pub(super) fn consent(&self, yes: bool, question: &str) -> Result<(), CommandError> {
        if yes {
            return Ok(());
        }
        let question = &self.ui.marked(question);
        if !self.can_prompt() {
            return Err(CommandError::usage(format!(
                "confirmation is needed, but there is no terminal: {question}"
            ))
            .hint("add --yes"));
        }
        if line_input::confirmed(question, || false) {
            Ok(())
        } else {
            Err(CommandError::new(Exit::Aborted, "nothing was done"))
        }
    }
}

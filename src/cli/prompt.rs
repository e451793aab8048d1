//! Prompts at a terminal: confirmations, visible lines and hidden secrets, for commands and for scripts.

use std::io::{self, BufRead as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::line_input;
use crate::operation::prompt::{PromptError, Prompter};
use crate::value::Value;
use crate::value::secret::Secret;

impl App {
    /// Whether a user can be prompted.
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    pub(super) fn can_prompt(&self) -> bool {
        line_input::has_terminal()
    }

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
            Err(cancelled_error())
        }
    }

    /// Prompts for a line and trims it; `default` is the default for an empty one. The end of the input is an error, and
    /// nothing is done then.
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    fn ask_line(&self, question: &str, default: Option<&str>) -> Result<String, CommandError> {
        let shown = match default {
            Some(default) => format!("{question} [{default}]: "),
            None => format!("{question}: "),
        };
        let line = line_input::line(&shown, || false).ok_or_else(cancelled_error)?;
        Ok(match line.trim() {
            "" => default.unwrap_or_default().to_owned(),
            line => line.to_owned(),
        })
    }

    /// Prompts until `read` accepts the line. Shows why a line is rejected.
    pub(super) fn ask_until<T>(
        &self,
        question: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        loop {
            match read(&self.ask_line(question, default)?) {
                Ok(read) => return Ok(read),
                Err(misfit) => {
                    self.ui.warn(&misfit.message);
                    misfit.hints.iter().for_each(|hint| self.ui.hint(hint));
                }
            }
        }
    }

    /// Prompts for yes or no; Enter means `default`.
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    pub(super) fn ask_yes_no(&self, question: &str, default: bool) -> Result<bool, CommandError> {
        let choice = if default { "Y/n" } else { "y/N" };
        let answer = line_input::read_confirmation(&format!("{question} [{choice}]: "), || false)
            .ok_or_else(cancelled_error)?;
        Ok(line_input::is_yes(&answer) || default && answer.trim().is_empty())
    }

    /// Prompts for a secret without echo. It may be empty.
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    pub(super) fn ask_secret(&self, question: &str) -> Result<Secret, CommandError> {
        let line = line_input::hidden_line(&format!("{question}: "), || false).ok_or_else(cancelled_error)?;
        Ok(Secret::new(line.as_str()))
    }
}

/// Reads the next line of stdin as a secret; empty at the end of the input.
pub(super) fn secret_from_stdin() -> Result<Secret, CommandError> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| CommandError::usage(format!("standard input cannot be read: {error}")))?;
    let kept = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(kept);
    Ok(Secret::new(line))
}

fn cancelled_error() -> CommandError {
    CommandError::new(Exit::Aborted, "nothing was done")
}

/// Prompts at the terminal of the process, one question at a time.
#[derive(Debug, Default)]
pub(super) struct TerminalPrompter(Mutex<()>);

impl Prompter for TerminalPrompter {
    fn ask(&self, question: &str, secret: bool, given_up: &AtomicBool) -> Result<Value, PromptError> {
        if !line_input::has_terminal() {
            return Err(PromptError::NoTerminal);
        }
        let _turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = || given_up.load(Ordering::SeqCst);
        if secret {
            let line = line_input::hidden_line(question, given_up).ok_or(PromptError::Ended)?;
            return Ok(Value::Secret(Secret::new(line.as_str())));
        }
        let line = line_input::line(question, given_up).ok_or(PromptError::Ended)?;
        Ok(Value::from(line.trim()))
    }
}

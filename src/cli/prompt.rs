//! Asking at a terminal: lines that are shown, and secrets that are not.

use std::io::{self, BufRead as _};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::typed;
use crate::value::secret::Secret;

impl App {
    /// Is there somebody to ask?
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    pub(super) fn can_ask(&self) -> bool {
        typed::is_possible()
    }

    /// A line that somebody types, without blanks around it; `usual` when it is empty. The end of the input is an
    /// error: nothing is done then.
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    pub(super) fn ask_line(&self, question: &str, usual: Option<&str>) -> Result<String, CommandError> {
        let shown = match usual {
            Some(usual) => format!("{question} [{usual}]: "),
            None => format!("{question}: "),
        };
        let line = typed::line(&shown, || false).ok_or_else(given_up)?;
        Ok(match line.trim() {
            "" => usual.unwrap_or_default().to_owned(),
            line => line.to_owned(),
        })
    }

    /// A line that fits: what does not is told, and asked for again.
    pub(super) fn ask_until<T>(
        &self,
        question: &str,
        usual: Option<&str>,
        read: impl Fn(&str) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        loop {
            match read(&self.ask_line(question, usual)?) {
                Ok(read) => return Ok(read),
                Err(misfit) => {
                    self.ui.warn(&misfit.message);
                    misfit.hints.iter().for_each(|hint| self.ui.hint(hint));
                }
            }
        }
    }

    /// Yes or no; Enter means `usual`.
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    pub(super) fn ask_yes(&self, question: &str, usual: bool) -> Result<bool, CommandError> {
        let choice = if usual { "Y/n" } else { "y/N" };
        let answer =
            typed::agreed_line(&format!("{question} [{choice}]: "), || false).ok_or_else(given_up)?;
        Ok(typed::is_yes(&answer) || usual && answer.trim().is_empty())
    }

    /// A secret that somebody types and that is not shown. It may be empty.
    #[expect(clippy::unused_self, reason = "only who has the terminal may ask")]
    pub(super) fn ask_secret(&self, question: &str) -> Result<Secret, CommandError> {
        let line = typed::hidden_line(&format!("{question}: "), || false).ok_or_else(given_up)?;
        Ok(Secret::new(line.as_str()))
    }
}

/// The next line of standard input, as a secret; empty at its end.
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

fn given_up() -> CommandError {
    CommandError::new(Exit::Aborted, "nothing was done")
}

//! Asking before something is done that cannot be taken back.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::ui::{Stream, printable};

impl App {
    /// Goes on only when the user wants it: `--yes` says so beforehand, a terminal is asked, and anything else is an
    /// error that names `--yes`. `question` is a sentence with its question mark.
    pub(super) fn consent(&self, yes: bool, question: &str) -> Result<(), CommandError> {
        if yes {
            return Ok(());
        }
        let question = &self.ui.marked(question);
        if !io::stdin().is_terminal() || !self.ui.is_terminal(Stream::Err) {
            return Err(
                CommandError::usage(format!("{question} There is no terminal to ask at"))
                    .hint("say that you want it: add --yes"),
            );
        }
        if ask(question) {
            Ok(())
        } else {
            Err(CommandError::new(Exit::Aborted, "nothing was done"))
        }
    }
}

fn ask(question: &str) -> bool {
    let mut err = io::stderr().lock();
    // An answer counts only when the question was seen.
    let asked = write!(err, "{} [y/N] ", printable(question)).and_then(|()| err.flush());
    let mut answer = String::new();
    asked.is_ok() && io::stdin().lock().read_line(&mut answer).is_ok() && is_yes(&answer)
}

fn is_yes(answer: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_counts() {
        for yes in ["y\n", " YES \r\n", "Yes"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yep\n", "y y\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}

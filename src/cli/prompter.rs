//! Prompts of scripts, shown at the terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::line_input;
use crate::operation::prompt::{PromptError, Prompter};
use crate::value::Value;
use crate::value::secret::Secret;

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

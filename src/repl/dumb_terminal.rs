//! Reads typed inputs while stdout is redirected to a file or another program.

use super::helper::{begins_function, ends_input};
use super::hint::waiting;
use super::paste;
use super::{Next, Repl, SessionExit};
use crate::script::interactive::find_unclosed;

impl Repl {
    /// Reads and evaluates plain lines until the user leaves. There is no line editor: it would draw into the file.
    pub(super) fn read_eval_plain(&mut self) -> Result<(), SessionExit> {
        self.prompt_when_idle();
        self.greet();
        self.ports
            .screen
            .note("results are written to standard output as one line of JSON each; line editing is off");
        loop {
            let label = self.ports.host.place().label();
            let Some(text) = self.read_plainly(&format!("{label}> "), is_ended)? else {
                return Ok(());
            };
            let mut next = self.enter(&text);
            if next == Next::Paste {
                let is_ended = |text: &str| paste::ended(text).is_some();
                next = match self.read_plainly("paste> ", is_ended)? {
                    Some(text) => self.enter(&paste::ended(&text).unwrap_or(text)),
                    None => return Ok(()),
                };
            }
            if self.current_input.is_ending() {
                return Err(SessionExit::Interrupted);
            }
            if self.ports.screen.is_closed() || next == Next::Quit {
                return Ok(());
            }
        }
    }

    /// Reads lines until an input is complete; `None` at the end of the input.
    fn read_plainly(
        &self,
        prompt: &str,
        is_ended: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, SessionExit> {
        let screen = &self.ports.screen;
        let mut text = String::new();
        screen.prompt(prompt);
        loop {
            match self.ports.host.line() {
                Ok(Some(line)) => text.push_str(&line.replace('\r', "")),
                Ok(None) => return Ok((!text.trim().is_empty()).then_some(text)),
                Err(host_error) => {
                    screen.error(&host_error.message, &host_error.hints);
                    return Err(SessionExit::Broken);
                }
            }
            if is_ended(&text) {
                return Ok(Some(text));
            }
            if let Some(open) = find_unclosed(&text) {
                screen.note(&waiting(&text, &open));
            }
        }
    }
}

/// Whether an input is complete with the last of these lines.
fn is_ended(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    ends_input(text) && !begins_function(text)
}

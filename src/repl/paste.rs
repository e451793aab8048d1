//! `:paste`: reads many lines verbatim, for terminals without bracketed paste.

use std::sync::atomic::Ordering;

use rustyline::error::ReadlineError;

use super::Repl;
use super::helper::{InputEditor, Keys};

/// The line that ends the text.
pub(super) const END: &str = ":end";

/// Returns the text before the end line, or `None` if there is no end line yet.
pub(super) fn ended(text: &str) -> Option<String> {
    let mut before = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim() == END {
            return Some(before);
        }
        before.push_str(line);
    }
    None
}

impl Repl {
    /// Reads lines up to the end line; `None` if the user cancels.
    pub(super) fn read_paste(&self, editor: &mut InputEditor, keys: &Keys) -> Option<String> {
        self.note(&format!(
            "paste or type; a line {END} or Ctrl-D evaluates it as one input, Ctrl-C abandons it"
        ));
        keys.plain.store(true, Ordering::SeqCst);
        let mut text = String::new();
        let whole = loop {
            match editor.readline("paste> ") {
                Ok(_) if keys.interrupted.swap(false, Ordering::SeqCst) => break None,
                Ok(lines) => {
                    text.push_str(&lines.replace("\r\n", "\n").replace('\r', "\n"));
                    text.push('\n');
                    if let Some(before) = ended(&text) {
                        break Some(before);
                    }
                    if keys.ended.swap(false, Ordering::SeqCst) {
                        break Some(text);
                    }
                }
                // Without a line editor.
                Err(ReadlineError::Eof) => break Some(text),
                Err(_) => break None,
            }
        };
        keys.plain.store(false, Ordering::SeqCst);
        if whole.is_none() {
            self.note("discarded; nothing was run");
        }
        whole
    }
}

//! A stream that escapes control characters if its reader is a terminal.

use std::io::{self, Write};

use crate::value::visible::shown;

/// Escapes control characters for a terminal in JSON form, `\u001b`, so that JSON stays JSON; or forwards everything.
#[derive(Debug)]
pub struct Visible<W> {
    sink: W,
    shows: bool,
    /// The first bytes of an incomplete character.
    pending: Vec<u8>,
}

impl<W: Write> Visible<W> {
    pub(in crate::cli) fn new(sink: W, shows: bool) -> Visible<W> {
        Visible {
            sink,
            shows,
            pending: Vec::new(),
        }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.shows {
            return self.sink.write(bytes);
        }
        self.pending.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.pending) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.pending.len(),
        };
        let ready: Vec<u8> = self.pending.drain(..whole).collect();
        let text = String::from_utf8_lossy(&ready);
        let text = shown(&text, |c| format!("\\u{:04x}", u32::from(c)));
        self.sink.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::visible::is_control_or_bidi;

    const HOSTILE: &str = "a\u{1b}]0;title\u{7}\u{1b}[2Jb\u{9b}31m\u{202e}txt.exe\u{2066}ü\r\n\tend\u{7f}";

    #[test]
    fn control_characters_are_escaped_on_a_terminal_across_split_writes() {
        let json = serde_json::json!({ "a": HOSTILE }).to_string();
        for size in 1..7 {
            let mut visible = Visible::new(Vec::new(), true);
            json.as_bytes()
                .chunks(size)
                .for_each(|part| visible.write_all(part).unwrap());
            let text = String::from_utf8(visible.sink).unwrap();
            assert!(!text.contains(is_control_or_bidi), "{text}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&text).unwrap()["a"],
                HOSTILE
            );
        }
    }

    #[test]
    fn output_to_a_file_is_not_escaped() {
        let mut raw = Visible::new(Vec::new(), false);
        raw.write_all(HOSTILE.as_bytes()).unwrap();
        assert_eq!(raw.sink, HOSTILE.as_bytes());
    }
}

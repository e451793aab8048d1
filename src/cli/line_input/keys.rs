//! The keys of a line typed without echo.

use zeroize::Zeroizing;

/// The effect of a key on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyEffect {
    /// The line continues.
    More,
    /// The line is complete.
    Enter,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line: the end of the input.
    End,
}

/// A line built from typed bytes.
#[derive(Default)]
pub(super) struct Keys {
    line: Zeroizing<Vec<u8>>,
    escape: Escape,
}

/// The position within the escape sequence of an arrow or another special key.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    No,
    Begun,
    Within,
}

impl Keys {
    pub(super) fn press(&mut self, byte: u8) -> KeyEffect {
        if self.is_special(byte) {
            return KeyEffect::More;
        }
        match byte {
            3 => return KeyEffect::Interrupt,
            4 if self.line.is_empty() => return KeyEffect::End,
            4 | b'\r' | b'\n' => return KeyEffect::Enter,
            8 | 0x7f => self.erase_character(),
            0x15 => self.truncate_to(0),
            0x17 => self.erase_word(),
            0..0x20 => {}
            _ => self.line.push(byte),
        }
        KeyEffect::More
    }

    /// The typed line; `None` if it is not UTF-8.
    pub(super) fn line(&self) -> Option<Zeroizing<String>> {
        let line = std::str::from_utf8(&self.line).ok()?;
        Some(Zeroizing::new(line.to_owned()))
    }

    /// Whether the byte belongs to a special key such as an arrow: ESC, `[` or `O`, numbers, and a final letter.
    fn is_special(&mut self, byte: u8) -> bool {
        self.escape = match (self.escape, byte) {
            (Escape::No, 0x1b) => Escape::Begun,
            (Escape::No, _) => return false,
            (Escape::Begun, b'[' | b'O') | (Escape::Within, 0x20..0x40) => Escape::Within,
            (Escape::Within, 0x40..0x7f) => Escape::No,
            (Escape::Begun | Escape::Within, _) => {
                // The Escape key alone.
                self.escape = Escape::No;
                return false;
            }
        };
        true
    }

    fn erase_character(&mut self) {
        let begins = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
        self.truncate_to(self.line.iter().rposition(begins).unwrap_or(0));
    }

    fn erase_word(&mut self) {
        let word = self.line.iter().rposition(|byte| *byte != b' ');
        let before = word.and_then(|word| self.line[..word].iter().rposition(|byte| *byte == b' '));
        self.truncate_to(before.map_or(0, |blank| blank + 1));
    }

    /// Truncates the line to its first bytes, and wipes the rest from memory.
    fn truncate_to(&mut self, bytes: usize) {
        self.line[bytes..].fill(0);
        self.line.truncate(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> (KeyEffect, String) {
        let mut line = Keys::default();
        let mut last = KeyEffect::More;
        for byte in keys.bytes() {
            assert_eq!(last, KeyEffect::More, "{keys:?} goes on after its end");
            last = line.press(byte);
        }
        (last, line.line().map(|line| line.to_string()).unwrap_or_default())
    }

    #[test]
    fn line_input_supports_enter_backspace_ctrl_u_and_ctrl_w() {
        for (keys, line) in [
            ("s3cret\r", "s3cret"),
            ("s3crex\x7ft\n", "s3cret"),
            ("\x7f\x08a\r", "a"),
            ("aé\x7fb\r", "ab"),
            ("wrong\x15right\r", "right"),
            ("two words \x17more\r", "two more"),
            ("word\x17\r", ""),
            ("a\x1b[Db\x1bOAc\x1b[1;5Cd\r", "abcd"),
            ("a\x1b\r", "a"),
            ("a\x01\tb\x04", "ab"),
        ] {
            assert_eq!(typed(keys), (KeyEffect::Enter, line.to_owned()), "{keys:?}");
        }
    }

    #[test]
    fn ctrl_c_interrupts_and_ctrl_d_ends_an_empty_line() {
        assert_eq!(typed("half\x03").0, KeyEffect::Interrupt);
        assert_eq!(typed("\x04").0, KeyEffect::End);
        assert_eq!(typed("half").0, KeyEffect::More);
    }

    #[test]
    fn prompt_input_has_no_length_limit_and_must_be_utf8() {
        let long = "x".repeat(10_000);
        assert_eq!(typed(&format!("{long}\r")), (KeyEffect::Enter, long));
        let mut broken = Keys::default();
        let _ = broken.press(0xc3);
        assert!(broken.line().is_none());
    }
}

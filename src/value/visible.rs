//! Escapes foreign text for the terminal, which it could otherwise control, or make show something other than its
//! content.

use std::borrow::Cow;
use std::fmt::Display;

use crate::sabotage::Sabotage;

/// Whether the character could control a terminal or change the order of displayed text: control characters (C0, C1,
/// DEL) except line feeds and tabs, line and paragraph separators, and characters that override or embed a text
/// direction.
pub fn is_control_or_bidi(c: char) -> bool {
    let changes_direction =
        matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    (changes_direction || (c.is_control() && c != '\n' && c != '\t')) && !Sabotage::ControlsInClear.is_on()
}

/// Escapes such characters, as in `\u{1b}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    shown(text, |c| c.escape_default().to_string())
}

/// Replaces such characters with the result of `show`.
pub fn shown(text: &str, show: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(is_control_or_bidi) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_control_or_bidi(c) {
            out.push_str(&show(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A number of things: `1 row`, `2 rows`. Only for nouns with a regular plural.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_characters_are_escaped() {
        let hostile = "a\u{1b}]0;title\u{7}\u{1b}[2Jb\u{9b}31m\u{202e}txt.exe\u{2066}ü\r\n\tend\u{7f}";
        assert_eq!(
            printable(hostile),
            "a\\u{1b}]0;title\\u{7}\\u{1b}[2Jb\\u{9b}31m\\u{202e}txt.exe\\u{2066}ü\\r\n\tend\\u{7f}"
        );
        assert!(matches!(printable("größe, שלום, 👩‍👧"), Cow::Borrowed(_)));
    }
}

//! Measures the width of text on a terminal: wide characters take two columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::value::visible::printable;

/// Returns the text on one line, with line ends, tabs and control characters escaped. Call it before measuring.
pub(super) fn escaped(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// The number of columns of a one-line text.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Returns the text, or as much as fits followed by `…`.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let mut taken = 0;
    let mut shown = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if taken + wide > room {
            break;
        }
        taken += wide;
        shown.push(c);
    }
    if columns > 0 {
        shown.push('…');
    }
    shown
}

/// Pads the text with blanks to this width.
pub(super) fn padded(text: &str, columns: usize) -> String {
    let fill = columns.saturating_sub(width(text));
    format!("{text}{:fill$}", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("日本x"), 5);
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(padded("日", 4), "日  ");
    }
}

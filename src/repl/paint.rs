//! How an input looks while it is typed.

use std::borrow::Cow;

/// The input in colours. Its characters stay what they are.
pub(super) fn paint(line: &str, _: usize) -> Cow<'_, str> {
    Cow::Borrowed(line)
}

/// A hint, so that it cannot be taken for what was typed.
pub(super) fn faint(hint: &str) -> Cow<'_, str> {
    Cow::Owned(format!("\u{1b}[2m{hint}\u{1b}[0m"))
}

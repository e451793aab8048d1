//! Inputs that may contain a secret: kept out of the history, sealed in the journal.

use crate::script::interactive::holds_credential;

/// The text shown instead of such an input.
pub(super) const REDACTED_TEXT: &str = "(not shown: it may hold a secret)";

/// Whether an input is kept out of files: it starts with white space, or a string in it looks like a credential.
pub(super) fn is_secret(text: &str) -> bool {
    is_hidden(text) || holds_credential(text)
}

/// Whether the user hides the input, by starting it with white space.
pub(super) fn is_hidden(text: &str) -> bool {
    text.starts_with([' ', '\t'])
}

//! Inputs that may hold a secret: kept out of the history, sealed in the journal.

use crate::script::interactive::holds_credential;

/// What is shown in place of such an input.
pub(super) const KEPT_OUT: &str = "(not shown: it may hold a secret)";

/// Is this input kept out of files: because it begins with a blank, or because a text in it looks like a credential?
pub(super) fn is_secret(text: &str) -> bool {
    is_hidden(text) || holds_credential(text)
}

/// Did whoever typed it want it kept out?
pub(super) fn is_hidden(text: &str) -> bool {
    text.starts_with([' ', '\t'])
}

//! Detects credentials by name, by form, or inside a longer text.

use crate::value::secret::{looks_like_a_token, may_name_a_credential};

/// Whether a field or variable of this name holds a credential.
pub(super) fn name_is_secret(name: &str) -> bool {
    // More names that mean a credential in a request, but something else in a script.
    const PARTS: &[&str] = &["sessionid", "signature"];
    const WHOLE_NAMES: &[&str] = &["key", "sid"];
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    may_name_a_credential(name)
        || WHOLE_NAMES.contains(&letters.as_str())
        || PARTS.iter().any(|part| letters.contains(part))
}

/// Whether the text looks like a token, a key, or a hash of one.
pub(super) fn value_is_secret(value: &str) -> bool {
    let value = value.trim();
    let scheme = ["Bearer ", "Basic "]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    (scheme && value.len() >= 12) || looks_like_a_token(value) || is_opaque(value)
}

/// Whether the text is long and random, also with punctuation and without capitals.
fn is_opaque(value: &str) -> bool {
    let plain = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+=_-.".contains(c));
    let is_uuid = value.len() == 36 && value.matches('-').count() == 4;
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(char::is_ascii_alphabetic).count();
    plain && !is_uuid && value.len() >= 40 && digits >= 6 && letters >= 6
}

/// Masks everything that looks like a credential: for comments, where masking too much does no harm. `known` are
/// credentials found elsewhere.
pub(super) fn scrubbed(text: &str, known: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in known.iter().filter(|secret| secret.len() >= 4) {
        text = text.replace(secret.as_str(), MASK);
    }
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n")
}

/// The replacement for a credential.
pub(super) const MASK: &str = "***";

fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = String::new();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || "+/=_-.".contains(c);
        let length = if is_word(first) {
            rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let word = &rest[..length];
        let is_value = !before.is_empty() && is_word(first) && name_is_secret(&before);
        // `password=x` is one word with an equals sign in it.
        match word.split_once('=') {
            Some((name, value)) if name_is_secret(name) && !value.is_empty() => {
                out.extend([name, "=", MASK]);
            }
            _ if is_value && follows_as_value(&out) => out.push_str(MASK),
            _ if is_word(first) && value_is_secret(word) => out.push_str(MASK),
            _ => out.push_str(word),
        }
        if is_word(first) {
            word.trim_end_matches('=').clone_into(&mut before);
        }
        rest = &rest[length..];
    }
    out
}

/// Whether the output so far ends such that a value follows: `"password": "`, `token = '`, `<password>`.
fn follows_as_value(before: &str) -> bool {
    let end = before.trim_end_matches([' ', '"', '\'', '`', '\\']);
    let quoted = before[end.len()..].contains(['"', '\'', '`']);
    end.ends_with(['=', '>']) || (end.ends_with([':', ',']) && quoted)
}

#[cfg(test)]
mod tests;

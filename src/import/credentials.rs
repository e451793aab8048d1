//! What a credential looks like, and how it is masked in comments.

use crate::value::secret::{looks_like_a_token, may_name_a_credential};

/// The minimum length, in bytes, of a credential to look for inside other texts: `test` is a common word.
pub(super) const MIN_SECRET_LEN: usize = 8;

/// Whether the value is just a word for a credential, such as `password`. Samples use it as a placeholder, and every
/// script contains it.
pub(super) fn is_placeholder_credential(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphabetic())
        && value.len() < 2 * MIN_SECRET_LEN
        && name_is_secret(value)
}

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

/// The replacement for a credential.
const MASK: &str = "***";

/// Masks everything that looks like a credential: for comments, where masking too much does no harm. `known` are
/// credentials found elsewhere.
pub(super) fn scrubbed(text: &str, known: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in known.iter().filter(|secret| secret.len() >= 4) {
        text = text.replace(secret.as_str(), MASK);
    }
    let lines: Vec<String> = text.lines().map(scrubbed_line).collect();
    lines.join("\n")
}

/// Whether [`scrubbed`] masks anything in the text.
pub(super) fn has_credentials(text: &str, known: &[String]) -> bool {
    let as_read: Vec<&str> = text.lines().collect();
    scrubbed(text, known) != as_read.join("\n")
}

fn scrubbed_line(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || "+/=_-.".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = "";
    while let Some(first) = rest.chars().next() {
        if !is_word(first) {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()));
        match word.split_once('=') {
            // `password=x` is one word with an equals sign in it.
            Some((name, value)) if name_is_secret(name) && !value.is_empty() => {
                out.extend([name, "=", MASK]);
            }
            _ if name_is_secret(before) && follows_as_value(&out) => out.push_str(MASK),
            _ if value_is_secret(word) => out.push_str(MASK),
            _ => out.push_str(word),
        }
        before = word.trim_end_matches('=');
        rest = after;
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
mod tests {
    use super::*;

    #[test]
    fn credentials_are_detected_by_field_name() {
        for name in [
            "password",
            "userPassword",
            "api_key",
            "X-Api-Key",
            "Authorization",
            "access_token",
            "PIN",
            "App-Key",
        ] {
            assert!(name_is_secret(name), "{name}");
        }
        for name in [
            "url",
            "email",
            "token_url",
            "tokenType",
            "expires_in",
            "keyboard",
            "monkey",
            "pinned",
            "passenger",
        ] {
            assert!(!name_is_secret(name), "{name}");
        }
    }

    #[test]
    fn credentials_are_detected_by_value_format() {
        for value in [
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "5a4d0b0c1e2f3a4b5c6d7e8f90a1b2c3",
            "sk_live_abcdefgh1234",
            "Bearer abcdefghijkl",
            "aB3dE5gH7jK9mN1pQ3sT5vX7",
        ] {
            assert!(value_is_secret(value), "{value}");
        }
        for value in [
            "https://example.com/api/v1/users",
            "hello world",
            "550e8400-e29b-41d4-a716-446655440000",
            "application/json",
            "ann@example.com",
            "getAllCustomersWithAddress",
        ] {
            assert!(!value_is_secret(value), "{value}");
        }
    }

    #[test]
    fn only_credentials_are_redacted_from_imported_comments() {
        let shown = |text: &str| scrubbed(text, &["hunter22".to_owned()]);
        assert_eq!(shown("the password is hunter22 here"), "the password is *** here");
        assert_eq!(
            shown(r#"{"password": "abc", "name": "Ann"}"#),
            r#"{"password": "***", "name": "Ann"}"#
        );
        assert_eq!(shown("token=abc&x=1"), "token=***&x=1");
        assert_eq!(shown("<password>abc</password>"), "<password>***</password>");
        assert_eq!(
            shown("send it with your token, please"),
            "send it with your token, please"
        );
        assert_eq!(
            shown("pm.environment.set(\"token\", \"abc\");"),
            "pm.environment.set(\"token\", \"***\");"
        );
        assert!(!shown("key 5a4d0b0c1e2f3a4b5c6d7e8f90a1b2c3").contains("5a4d"));
    }
}

//! Recognizes credentials by name: in the fields of a response and in free text.

use super::MASK;

/// Whether a field with this name may be a credential. A guess, for messages and for user input: `UserPassword`,
/// `defaultPassword`, `access_token`, `App-Key`, `PIN`.
pub fn names_a_credential(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    NAME_PARTS.iter().any(|part| name.contains(part))
        || AT_THE_END.iter().any(|end| name.ends_with(end))
        || WHOLE_NAMES.contains(&name.as_str())
}

/// Whether a field with this name certainly is a credential: its name is one of these words or ends with "password".
/// For response data, which must not become secret on a guess.
pub fn is_credential_field(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    name.ends_with("password") || FIELDS.contains(&name.as_str())
}

/// Names of response fields that hold a credential, letters and digits only, in lower case.
const FIELDS: [&str; 42] = [
    "accesskey",
    "accesstoken",
    "accesstokens",
    "apikey",
    "apisecret",
    "apitoken",
    "appkey",
    "appsecret",
    "authkey",
    "authorization",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "consumersecret",
    "cookie",
    "credential",
    "credentials",
    "idtoken",
    "jwt",
    "loginauthtoken",
    "otp",
    "partnertoken",
    "passphrase",
    "passwd",
    "pin",
    "privatekey",
    "pwd",
    "refreshtoken",
    "refreshtokens",
    "secret",
    "secrets",
    "secretaccesskey",
    "secretkey",
    "secrettoken",
    "sessiontoken",
    "setcookie",
    "sharedsecret",
    "signingsecret",
    "token",
    "tokens",
    "webhooksecret",
    "xapikey",
];

/// Parts of credential names, at any position.
const NAME_PARTS: [&str; 4] = ["password", "passwd", "passphrase", "credential"];

/// Endings of credential names.
const AT_THE_END: [&str; 10] = [
    "token",
    "tokens",
    "secret",
    "secrets",
    "apikey",
    "appkey",
    "privatekey",
    "secretkey",
    "accesskey",
    "jwt",
];

/// Complete names of credentials.
const WHOLE_NAMES: [&str; 6] = ["pin", "pwd", "pass", "otp", "authorization", "cookie"];

/// The schemes of an `Authorization` header; the next word is the credential.
const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "digest"];

/// Masks named credentials: `password=x`, `"token": "x"`, `Auth-Token: x`, `Bearer x`. Unquoted plain words after a
/// colon stay: "password: is required" contains no password.
pub(super) fn mask_named(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((word, at)) = next_word(rest) {
        let after = at + word.len();
        let found = if names_a_credential(word) {
            value_after(&rest[after..])
        } else if SCHEMES.contains(&word.to_ascii_lowercase().as_str()) {
            credential_after(&rest[after..])
        } else {
            None
        };
        let Some((start, end)) = found else {
            out.push_str(&rest[..after]);
            rest = &rest[after..];
            continue;
        };
        out.push_str(&rest[..after + start]);
        out.push_str(MASK);
        rest = &rest[after + end..];
    }
    out.push_str(rest);
    out
}

/// Returns the next sequence of name characters, and its position.
fn next_word(text: &str) -> Option<(&str, usize)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let at = text.find(is_part)?;
    let word = &text[at..];
    let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
    Some((&word[..end], at))
}

/// Returns the range of the value after a name: behind `=` or `:`, optionally in quotes, which may be escaped.
fn value_after(text: &str) -> Option<(usize, usize)> {
    let skip =
        |from: usize, set: &[char]| from + text[from..].len() - text[from..].trim_start_matches(set).len();
    let sign = skip(0, &['\\', '"', '\'', ']', ' ']);
    let is_assigned = text[sign..].starts_with('=');
    if !is_assigned && !text[sign..].starts_with(':') {
        return None;
    }
    let open = skip(sign + 1, &[' ']);
    let quoted = skip(open, &['\\', '"', '\'']);
    let rest = &text[quoted..];
    let end = quoted
        + match text[open..quoted].chars().last() {
            // Quotes within a quoted text.
            Some(_) if text[open..].starts_with('\\') => rest.find('\\').unwrap_or(rest.len()),
            Some(quote) => closing(rest, quote),
            None if rest.starts_with('[') => closing(rest, ']'),
            None if rest.starts_with('{') => closing(rest, '}'),
            None => rest.find(DELIMITERS).unwrap_or(rest.len()),
        };
    let value = &text[quoted..end];
    if value.is_empty() || value.starts_with(MASK) {
        return None;
    }
    if SCHEMES.contains(&value.to_ascii_lowercase().as_str()) {
        let (start, stop) = credential_after(&text[end..])?;
        return Some((end + start, end + stop));
    }
    let is_word = value.chars().all(|c| c.is_alphabetic() || ".!?'".contains(c));
    (quoted > open || is_assigned || !is_word).then_some((quoted, end))
}

/// Characters that end an unquoted value.
const DELIMITERS: [char; 9] = [' ', ',', ';', '&', '}', ']', '<', ')', '"'];

/// Returns the position of the next unescaped `close`, or the end of the text.
fn closing(text: &str, close: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == close && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Returns the range of the word after a scheme, if it looks like a credential: long, and not a plain word.
fn credential_after(text: &str) -> Option<(usize, usize)> {
    let from = text.strip_prefix(' ')?;
    let end = from
        .find([' ', ',', ';', '"', '\'', '<', '}', '\\'])
        .unwrap_or(from.len());
    let word = &from[..end];
    let plain = word.chars().all(char::is_alphabetic);
    (word.len() >= 8 && !plain && word != MASK).then_some((1, 1 + end))
}

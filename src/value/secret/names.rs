//! What is a credential by its name: in the fields of an answer, and in the words of a text.

use super::MASK;

/// May a field of this name be a credential? A guess, for messages and for what people hand in: `UserPassword`, `defaultPassword`, `access_token`, `App-Key`, `PIN`.
pub fn names_a_credential(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    WITHIN.iter().any(|part| name.contains(part))
        || AT_THE_END.iter().any(|end| name.ends_with(end))
        || WHOLE.contains(&name.as_str())
}

/// Is a field of this name a credential for certain? For data of answers, which must not be taken for a secret by a guess:
/// a name that is one of these words, or that ends with "password".
pub fn is_credential_field(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    name.ends_with("password") || FIELDS.contains(&name.as_str())
}

/// The fields of answers that hold a credential, letters and digits only, in lower case.
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

/// Parts of a credential's name, wherever they stand.
const WITHIN: [&str; 4] = ["password", "passwd", "passphrase", "credential"];

/// Ends of a credential's name.
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

/// Whole names of credentials.
const WHOLE: [&str; 6] = ["pin", "pwd", "pass", "otp", "authorization", "cookie"];

/// The schemes of an `Authorization` header, whose credential is the next word.
const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "digest"];

/// Masks what a text gives by name: `password=x`, `"token": "x"`, `Auth-Token: x`, `Bearer x`. After a colon without
/// quotes, plain words stay: "password: is required" is no password.
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

/// The next run of characters that names are made of, and where it starts.
fn next_word(text: &str) -> Option<(&str, usize)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let at = text.find(is_part)?;
    let word = &text[at..];
    let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
    Some((&word[..end], at))
}

/// Where the value lies that follows a name: behind `=` or `:`, perhaps in quotes, which may be escaped.
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
            // Quotes within a text that is quoted itself.
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

/// What ends a value that nothing encloses.
const DELIMITERS: [char; 9] = [' ', ',', ';', '&', '}', ']', '<', ')', '"'];

/// Where `close` stands next that is not escaped; the end when it does not.
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

/// The word behind a scheme, when it looks like a credential: long, and no plain word.
fn credential_after(text: &str) -> Option<(usize, usize)> {
    let from = text.strip_prefix(' ')?;
    let end = from
        .find([' ', ',', ';', '"', '\'', '<', '}', '\\'])
        .unwrap_or(from.len());
    let word = &from[..end];
    let plain = word.chars().all(char::is_alphabetic);
    (word.len() >= 8 && !plain && word != MASK).then_some((1, 1 + end))
}

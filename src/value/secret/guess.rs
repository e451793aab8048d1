//! Guesses from its name or form whether a text is a credential, so that a secret entered by mistake is not kept in
//! plain text. A [secret](super::Secret), in contrast, is certain.

/// Whether something with this name may be a credential: `password`, `X-Api-Key`, `userPassword`, `access_token`,
/// `PIN`.
pub fn may_name_a_credential(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    let last = words.next_back().unwrap_or_default().to_lowercase();
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let plain = plain.to_lowercase();
    if ABOUT.iter().any(|end| plain.ends_with(end)) {
        return false;
    }
    WHOLE_NAMES.contains(&last.as_str()) || PARTS.iter().any(|known| plain.contains(known))
}

/// Whether a word looks like a token, a key, or a hash of one.
pub fn looks_like_a_token(word: &str) -> bool {
    if word.contains("-----BEGIN") {
        return true;
    }
    let known = BEGINNINGS.iter().any(|(begin, least)| {
        word.strip_prefix(begin)
            .is_some_and(|rest| rest.len() >= *least && rest.chars().all(is_token_char))
    });
    known || is_random(word)
}

/// Parts of credential names, letters and digits only.
const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "appkey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "bearer",
    "cookie",
    "jwt",
];

/// Last words of credential names.
const WHOLE_NAMES: &[&str] = &["pass", "pwd", "pw", "pin", "otp", "auth"];

/// Endings of names that describe a credential without being one, such as its location or its type.
const ABOUT: &[&str] = &[
    "url",
    "uri",
    "type",
    "hint",
    "file",
    "path",
    "env",
    "label",
    "field",
    "name",
    "expires",
    "expiry",
    "expiresin",
    "endpoint",
    "lifetime",
    "length",
];

/// Prefixes of well-known tokens, and the minimum number of characters that follow.
const BEGINNINGS: &[(&str, usize)] = &[
    ("eyJ", 6),
    ("sk_live_", 4),
    ("sk_test_", 4),
    ("rk_live_", 4),
    ("pk_live_", 4),
    ("sk_", 12),
    ("rk_", 12),
    ("sk-", 16),
    ("ghp_", 8),
    ("gho_", 8),
    ("ghs_", 8),
    ("ghu_", 8),
    ("ghr_", 8),
    ("github_pat_", 8),
    ("glpat-", 8),
    ("xoxb-", 4),
    ("xoxp-", 4),
    ("xoxa-", 4),
    ("xapp-", 4),
    ("AKIA", 12),
    ("ASIA", 12),
    ("AIza", 20),
    ("ya29.", 8),
    ("SG.", 16),
    ("shpat_", 8),
    ("npm_", 16),
    ("pypi-", 16),
    ("hf_", 16),
    ("dop_v1_", 8),
    ("PMAK-", 8),
];

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=_-.~".contains(c)
}

/// Whether the word contains a random sequence of letters and digits. Names consist of words and numbers with
/// separators, and a UUID is an identifier.
fn is_random(word: &str) -> bool {
    let is_uuid = word.len() == 36 && word.matches('-').count() == 4;
    let is_plain = word.chars().all(is_token_char);
    let mut parts = word.split(['-', '_', '.', '=', '+', '~']);
    is_plain && !is_uuid && (parts.any(is_mixed) || is_mixed_across_separators(word))
}

fn is_mixed(part: &str) -> bool {
    let (digits, upper, lower) = counts(part);
    let long = part.len() >= 20 && digits >= 3 && upper + lower >= 3;
    let all_sorts = part.len() >= 16 && digits >= 2 && upper >= 2 && lower >= 2;
    long || all_sorts
}

/// Whether the word is random even across its separators; URLs and paths have dots and slashes.
fn is_mixed_across_separators(word: &str) -> bool {
    let (digits, upper, lower) = counts(word);
    word.len() >= 24 && !word.contains(['.', '/']) && digits >= 4 && upper >= 3 && lower >= 3
}

fn counts(text: &str) -> (usize, usize, usize) {
    let count = |is: fn(&char) -> bool| text.chars().filter(is).count();
    (
        count(char::is_ascii_digit),
        count(char::is_ascii_uppercase),
        count(char::is_ascii_lowercase),
    )
}

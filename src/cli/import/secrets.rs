//! What looks like a credential: by its name, by its form, or inside a longer text.

/// Does a field or variable of this name hold a credential?
pub(super) fn name_is_secret(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "authorization",
        "credential",
        "privatekey",
        "accesskey",
        "bearer",
        "sessionid",
        "jwt",
        "signature",
        "cookie",
    ];
    const WHOLE: &[&str] = &[
        "pwd",
        "pass",
        "pin",
        "auth",
        "appkey",
        "key",
        "otp",
        "sid",
        "xapikey",
        "xauthtoken",
    ];
    // Where a credential is to be had, or what kind it is, is none itself.
    const NOT: &[&str] = &[
        "url",
        "uri",
        "type",
        "name",
        "expiry",
        "expires",
        "expiresin",
        "endpoint",
        "lifetime",
        "header",
    ];
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    if NOT.iter().any(|end| letters.ends_with(end)) {
        return false;
    }
    WHOLE.contains(&letters.as_str()) || PARTS.iter().any(|part| letters.contains(part))
}

/// Is the text formed like a token, a key, or a hash of one?
pub(super) fn value_is_secret(value: &str) -> bool {
    const STARTS: &[&str] = &[
        "eyJ",
        "sk_",
        "pk_live",
        "rk_",
        "ghp_",
        "gho_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "AKIA",
        "ASIA",
        "AIza",
        "PMAK-",
        "SG.",
        "ya29.",
        "Bearer ",
        "Basic ",
        "-----BEGIN",
    ];
    let value = value.trim();
    if value.len() >= 12 && STARTS.iter().any(|start| value.starts_with(start)) {
        return true;
    }
    is_opaque(value)
}

/// A long word without any order in it: what nobody types and no program names things by.
fn is_opaque(word: &str) -> bool {
    let plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+/=_-.".contains(c));
    let count = |is: fn(&char) -> bool| word.chars().filter(is).count();
    let (digits, upper, lower) = (
        count(char::is_ascii_digit),
        count(char::is_ascii_uppercase),
        count(char::is_ascii_lowercase),
    );
    let hex = word.chars().all(|c| c.is_ascii_hexdigit());
    let dotted = word.contains('.') || word.contains('/');
    plain
        && ((hex && word.len() >= 32 && digits > 4)
            || (word.len() >= 24 && !dotted && !is_uuid(word) && digits >= 4 && upper >= 3 && lower >= 3)
            || (word.len() >= 40
                && !is_uuid(word)
                && digits >= 6
                && upper + lower >= 6
                && !word.contains('/')))
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36 && word.chars().filter(|c| *c == '-').count() == 4
}

/// The text with what looks like a credential masked: for comments, where nothing is missed by it. `known` are
/// credentials that were met elsewhere.
pub(super) fn scrubbed(text: &str, known: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in known.iter().filter(|secret| secret.len() >= 4) {
        text = text.replace(secret.as_str(), MASK);
    }
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n")
}

/// What stands where a credential stood.
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

/// Does what was written so far end so that a value follows: `"password": "`, `token = '`, `<password>`?
fn follows_as_value(before: &str) -> bool {
    let end = before.trim_end_matches([' ', '"', '\'', '`', '\\']);
    let quoted = before[end.len()..].contains(['"', '\'', '`']);
    end.ends_with(['=', '>']) || (end.ends_with([':', ',']) && quoted)
}

#[cfg(test)]
mod tests;

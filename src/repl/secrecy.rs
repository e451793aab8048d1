//! Inputs that may hold a secret: kept out of the history and of saved scripts, sealed in the journal.

/// Words before a literal that make it a credential.
const TELLING: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "app_key",
    "credential",
    "private_key",
    "authorization",
];

/// Prefixes of well-known tokens.
const PREFIXES: &[&str] = &[
    "eyJ",
    "sk_live_",
    "sk_test_",
    "ghp_",
    "gho_",
    "xoxb-",
    "AKIA",
    "-----BEGIN",
];

/// Is this input kept out of files: because it begins with a blank, or because a literal in it looks like a credential?
pub(super) fn is_secret(text: &str) -> bool {
    text.starts_with([' ', '\t']) || literals(text).any(|literal| looks_like_one(&literal))
}

/// A string literal, and the text right before it.
struct Literal<'a> {
    before: &'a str,
    text: &'a str,
}

fn literals(text: &str) -> impl Iterator<Item = Literal<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let open = from + rest.find(['"', '`'])?;
            let quote = text[open..].chars().next()?;
            let inner = &text[open + 1..];
            let length = end_of(inner, quote);
            from = (open + 1 + length + 1).min(text.len());
            if length > 0 {
                return Some(Literal {
                    before: &text[..open],
                    text: &inner[..length],
                });
            }
        }
    })
}

fn end_of(inner: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        if c == quote && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    inner.len()
}

fn looks_like_one(literal: &Literal<'_>) -> bool {
    if PREFIXES.iter().any(|prefix| literal.text.starts_with(prefix)) || is_random(literal.text) {
        return true;
    }
    // The name that it is given to: `password: "…"`, `let token = "…"`, `set_password("…")`.
    let before = literal.before.trim_end_matches([' ', '\t', '\n', '\r']);
    let named = before.trim_end_matches([':', '=', '(', ' ', '\t', '"']);
    let name: String = named
        .chars()
        .rev()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let name: String = name.chars().rev().collect::<String>().to_lowercase();
    named.len() < before.len() && TELLING.iter().any(|word| name.contains(word))
}

/// Long runs of letters and digits without a word in them: keys and tokens.
fn is_random(text: &str) -> bool {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+/=_-".contains(c));
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.chars().filter(char::is_ascii_alphabetic).count();
    let uuid = text.len() == 36 && text.matches('-').count() == 4;
    plain && !uuid && text.len() >= 24 && digits >= 4 && letters >= 4
}

#[cfg(test)]
mod tests;

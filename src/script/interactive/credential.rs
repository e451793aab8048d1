//! Detects texts that look like credentials, by the name they are assigned to or by their form. This is a guess that
//! keeps accidentally typed credentials out of files; a [secret](crate::value::secret::Secret) is always one.

use crate::syntax::{CodeTokens, SourceText, TokenKind};
use crate::value::secret::{looks_like_a_token, may_name_a_credential};

/// Functions whose text argument is a prompt, not a credential.
const PROMPT_FUNCTIONS: &[&str] = &["ask_secret", "ask"];

/// Whether a text in this input looks like a credential. Includes an unquoted text if it is the whole input.
pub(crate) fn holds_credential(text: &str) -> bool {
    let flag = |word: &str| word.strip_prefix("--").is_some_and(may_name_a_credential);
    let typed = text.trim();
    if typed.starts_with(':') && typed.split([' ', '=']).any(flag) {
        return true;
    }
    if !typed.contains(char::is_whitespace) && !typed.contains(['(', '"', '`']) && looks_like_a_token(typed) {
        return true;
    }
    let source = SourceText::read(text);
    let code = source.code();
    source.tokens().iter().any(|token| {
        let inner = match token.kind {
            TokenKind::Text | TokenKind::Comment => inside(token.text(text)),
            _ => return false,
        };
        // `Bearer ${token}`: the literal part is not a credential.
        let at = code.index(token.at.start);
        let scheme = inner.trim_end_matches('$').trim_end();
        let is_only_scheme = ["", "Bearer", "Basic", "Token"].contains(&scheme) && token.interpolates(text);
        !is_only_scheme && is_credential(inner, given_to(code, at))
    })
}

/// Whether a text looks like a credential, given the parameter, key or variable that receives it.
pub(super) fn is_credential(text: &str, given_to: Option<&str>) -> bool {
    let by_name = given_to.is_some_and(may_name_a_credential) && !text.trim().is_empty();
    by_name || has_password(text) || names_one(text) || text.split(is_separator).any(looks_like_a_token)
}

/// Strips the quotes of a text or the markers of a comment.
fn inside(text: &str) -> &str {
    text.trim_matches(['"', '`', '\'', '/', '*'])
}

/// Functions that store a value under a name, which precedes it.
const SETTERS: &[&str] = &["set", "insert", "put", "add", "append", "header", "set_header"];

/// Returns the name that receives the literal at this token, derived from the code before it: `password: "…"`,
/// `let token = "…"`, `set_password("…")`, `headers.set("Cookie", "…")`.
fn given_to(code: CodeTokens<'_>, at: usize) -> Option<&str> {
    // A parenthesis that is not a call only groups.
    let calls = |at: usize| {
        let before = at.checked_sub(1);
        before.is_some_and(|before| {
            code.kind(before) == Some(TokenKind::Name) || [")", "]"].contains(&code.word(before))
        })
    };
    let mut end = at;
    while code.before(end, 1) == "(" && !calls(end - 1) {
        end -= 1;
    }
    let joint = code.before(end, 1);
    if joint == "," {
        let name = end
            .checked_sub(2)
            .filter(|name| code.kind(*name) == Some(TokenKind::Text))?;
        let puts = code.before(name, 1) == "(" && SETTERS.contains(&code.before(name, 2));
        return puts.then(|| inside(code.word(name)));
    }
    if ![":", "=", "+=", "==", "!=", "("].contains(&joint) {
        return None;
    }
    let name = end.checked_sub(if code.before(end, 2) == "]" { 3 } else { 2 })?;
    let asks = joint == "(" && PROMPT_FUNCTIONS.contains(&code.word(name));
    let has_name = matches!(
        code.kind(name),
        Some(TokenKind::Name | TokenKind::Text | TokenKind::Keyword)
    );
    (has_name && !asks).then(|| inside(code.word(name)))
}

/// Whether the text has a URL with a password: `https://user:password@host`.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        let user = authority
            .rsplit_once('@')
            .and_then(|(user, _)| user.split_once(':'));
        user.is_some_and(|(_, password)| !password.is_empty())
    })
}

/// Whether one text has both a name and its value, or a scheme and its value: `Authorization: Bearer …`, `?token=…`,
/// `{"password": "…"}`.
fn names_one(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find([':', '=']) {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        // In JSON, the name is quoted, the quotes may be escaped, and so may the value.
        let is_quote = |c: char| ['"', '\'', '\\'].contains(&c);
        let plain = before.trim_end().trim_end_matches(is_quote);
        let quoted = plain.len() < before.trim_end().len();
        let name = plain.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let value = after.split(['&', '\n', ',', ';']).next().unwrap_or_default();
        let value = if quoted { json_value(value) } else { value.trim() };
        let is_value = value.len() >= if quoted { 1 } else { 3 } && !value.starts_with("//");
        if is_value && name.into_iter().next().is_some_and(may_name_a_credential) {
            return true;
        }
        rest = after;
    }
    ["Bearer ", "Basic ", "Token "].iter().any(|scheme| {
        let value = text.strip_prefix(scheme).unwrap_or_default();
        let mixed = value.chars().any(|c| c.is_ascii_digit() || c == '=')
            || value.chars().skip(1).any(|c| c.is_ascii_uppercase());
        value.len() >= 8 && mixed && !value.contains(char::is_whitespace)
    })
}

/// Returns the content of a JSON value; empty if it is neither text nor number, or continues in an interpolation.
fn json_value(value: &str) -> &str {
    let value = value.trim_matches(|c: char| c.is_whitespace() || "\"'\\{}[]$".contains(c));
    if ["null", "true", "false"].contains(&value) {
        ""
    } else {
        value
    }
}

/// Whether a character separates the words of a text or the parts of a URL.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || "/?&#\"'<>(){}[],;:@".contains(c)
}

#[cfg(test)]
mod tests;

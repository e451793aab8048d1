//! Detects texts that look like credentials, by the name they are assigned to or by their form. This is a guess that
//! keeps accidentally typed credentials out of files; a [secret](crate::value::secret::Secret) is always one.

use crate::script::tokens::{Piece, TokenKind, pieces};
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
    let found = pieces(text);
    let texts = found.iter().enumerate().filter(|(_, piece)| {
        let kind = piece.kind;
        kind == TokenKind::Text || kind == TokenKind::Comment
    });
    let texts = texts.map(|(at, piece)| (at, inside(piece.text(text))));
    // `Bearer ${token}`: the literal part is not a credential.
    let mut texts = texts.filter(|(at, inner)| {
        let next = found
            .get(at + 1)
            .filter(|next| next.at.start == found[*at].at.end);
        let goes_on = next.is_some_and(|next| next.text(text).starts_with(['{', '$']));
        let scheme = inner.trim_end_matches('$').trim_end();
        !(goes_on && ["", "Bearer", "Basic", "Token"].contains(&scheme))
    });
    texts.any(|(at, inner)| is_credential(inner, given_to(text, &found[..at]).as_deref()))
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

/// Returns the name that receives a literal, derived from the code before it: `password: "…"`, `let token = "…"`,
/// `set_password("…")`, `headers.set("Cookie", "…")`.
fn given_to(text: &str, before: &[Piece]) -> Option<String> {
    // A parenthesis that is not a call only groups.
    let calls = |at: usize| {
        let before = at.checked_sub(1).map(|at| &before[at]);
        before.is_some_and(|piece| piece.kind == TokenKind::Name || [")", "]"].contains(&piece.text(text)))
    };
    let mut end = before.len();
    while end > 0 && before[end - 1].text(text) == "(" && !calls(end - 1) {
        end -= 1;
    }
    let mut names = before[..end]
        .iter()
        .rev()
        .map(|piece| (piece.kind, piece.text(text)));
    let (_, joint) = names.next()?;
    if joint == "," {
        let (kind, name) = names.next()?;
        let (_, opening) = names.next()?;
        let (_, function) = names.next()?;
        let puts = kind == TokenKind::Text && opening == "(" && SETTERS.contains(&function);
        return puts.then(|| inside(name).to_owned());
    }
    if ![":", "=", "+=", "==", "!=", "("].contains(&joint) {
        return None;
    }
    let (kind, name) = names.next()?;
    let (kind, name) = if name == "]" { names.next()? } else { (kind, name) };
    let is_name = matches!(kind, TokenKind::Name | TokenKind::Text | TokenKind::Keyword);
    let asks = joint == "(" && PROMPT_FUNCTIONS.contains(&name);
    (is_name && !asks).then(|| inside(name).to_owned())
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

//! Finds the end of a literal in a `@param` line, and its value.

use super::convert;
use super::parse;
use crate::syntax::{SourceText, TokenKind, is_name};
use crate::value::Value;

/// The default after the `=` of a `@param` line.
#[derive(Debug, PartialEq)]
pub(super) enum DefaultExpr {
    /// A literal.
    Literal(Value),
    /// A bare word: the name of another parameter.
    Name(String),
}

/// Splits `text` after its first literal or word. The error says what is wrong with it.
pub(super) fn split(text: &str) -> Result<(DefaultExpr, &str), String> {
    let end = first_literal_end(text)?;
    let (first, rest) = text.split_at(end);
    if is_name(first) && !matches!(first, "true" | "false") {
        return Ok((DefaultExpr::Name(first.to_owned()), rest));
    }
    let literal =
        parse::literal(first).and_then(|literal| convert::to_value(literal, "default", &|_| true).ok());
    match literal {
        Some(value) => Ok((DefaultExpr::Literal(value), rest)),
        None => Err(format!("`{first}` is not a literal")),
    }
}

/// Returns the byte offset after the first literal or word: at the end of a string or of what is in brackets, or at the
/// next space outside of them.
fn first_literal_end(text: &str) -> Result<usize, String> {
    let source = SourceText::read(text);
    let code = source.code();
    let mut end = 0;
    for at in code.outer() {
        if code.start(at) > end {
            break;
        }
        let is_string = code.kind(at) == Some(TokenKind::Text);
        let last = if is_string {
            code.after_string(at)
        } else {
            code.after(at)
        } - 1;
        if code.is_open(if is_string { last } else { at }) {
            return Err("the default does not end on this line".into());
        }
        end = code.end(last);
        if is_string || code.opens(at) {
            return Ok(end);
        }
    }
    let space = text[end..].find(char::is_whitespace);
    Ok(space.map_or(text.len(), |space| end + space))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> (String, &str) {
        match split(text).unwrap() {
            (DefaultExpr::Literal(value), rest) => (value.to_masked_json().to_string(), rest),
            (DefaultExpr::Name(name), rest) => (name, rest),
        }
    }

    #[test]
    fn a_literal_is_split_from_the_text_after_it() {
        assert_eq!(
            literal("email  the app's name"),
            ("email".into(), "  the app's name")
        );
        assert_eq!(literal("\"a \\\" b\" text"), (r#""a \" b""#.into(), " text"));
        assert_eq!(literal("-3 text"), ("-3".into(), " text"));
        assert_eq!(literal("2.5"), ("2.5".into(), ""));
        assert_eq!(literal("true x"), ("true".into(), " x"));
        assert_eq!(literal("[1, \"]\"] x"), (r#"[1,"]"]"#.into(), " x"));
        assert_eq!(
            literal("#{ a: [1], b: \"}\" } x"),
            (r#"{"a":[1],"b":"}"}"#.into(), " x")
        );
        assert_eq!(literal("`back tick` x"), (r#""back tick""#.into(), " x"));
    }

    #[test]
    fn defaults_that_are_not_literals_are_refused() {
        assert_eq!(
            split("https://x.example"),
            Err("`https://x.example` is not a literal".into())
        );
        assert_eq!(
            split("\"open"),
            Err("the default does not end on this line".into())
        );
        assert_eq!(split("[1, x]"), Err("`[1, x]` is not a literal".into()));
    }
}

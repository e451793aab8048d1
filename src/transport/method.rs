//! What a request does to its target.

use std::fmt;

/// What a request does to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads what a GET would answer with, but for its body.
    Head,
    /// Reads what may be done.
    Options,
    /// Makes, or does something.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
    /// Something that only the service knows the meaning of, so it may change anything.
    Other(Token),
}

/// A method's name (RFC 9110, 9.1): a token, which the service reads letter by letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token {
    bytes: [u8; LONGEST],
    length: usize,
}

/// Why there is no such method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// It is no name of a method.
    #[error(
        "is not the name of a method: letters, digits and hyphens such as GET or VERSION-CONTROL, {LONGEST} at most"
    )]
    NoToken,
    /// It asks for something else than an answer.
    #[error("opens a tunnel and gives no answer")]
    Connect,
    /// It has the whole request sent back, credentials among it.
    #[error("has the request sent back with its credentials")]
    Trace,
}

/// The longest name; those that are registered have 17 letters at most.
const LONGEST: usize = 32;

impl Method {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Other(token) => token.as_str(),
        }
    }

    /// The method of this name: those that everybody knows in any case, others as they are written.
    ///
    /// Errors: what is no name of a method, CONNECT and TRACE.
    pub fn parse(name: &str) -> Result<Method, MethodError> {
        let known = [
            Method::Get,
            Method::Head,
            Method::Options,
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
        ];
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        if let Some(known) = known.into_iter().find(|method| is(method.as_str())) {
            return Ok(known);
        }
        if is("CONNECT") {
            return Err(MethodError::Connect);
        }
        if is("TRACE") || is("TRACK") {
            return Err(MethodError::Trace);
        }
        Token::read(name).map(Method::Other).ok_or(MethodError::NoToken)
    }

    /// Can it change anything?
    pub fn changes(self) -> bool {
        !matches!(self, Method::Get | Method::Head | Method::Options)
    }
}

impl Token {
    fn read(name: &str) -> Option<Token> {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        if name.is_empty() || name.len() > LONGEST || !name.as_bytes().iter().all(fits) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Some(Token {
            bytes,
            length: name.len(),
        })
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_usual_ones_are_known_in_any_case_and_others_stay_as_they_are() {
        assert_eq!(Method::parse("options"), Ok(Method::Options));
        assert_eq!(Method::parse("Delete"), Ok(Method::Delete));
        for name in ["PROPFIND", "PURGE", "VERSION-CONTROL", "purge"] {
            let method = Method::parse(name).unwrap();
            assert_eq!(method.as_str(), name);
            assert!(method.changes());
        }
        assert!(!Method::Options.changes());
    }

    #[test]
    fn what_is_no_method_is_refused_with_its_reason() {
        for name in ["", "GE T", "GET\r\nX: y", "PÜRGE", "A:B", &"A".repeat(33)] {
            assert_eq!(Method::parse(name), Err(MethodError::NoToken), "{name:?}");
        }
        assert_eq!(Method::parse("connect"), Err(MethodError::Connect));
        assert_eq!(Method::parse("Trace"), Err(MethodError::Trace));
    }
}

//! HTTP methods.

use std::fmt;

/// The HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the response to a GET without its body.
    Head,
    /// Reads which methods are allowed.
    Options,
    /// Creates a resource or performs an action.
    Post,
    /// Replaces a resource.
    Put,
    /// Updates a resource in part.
    Patch,
    /// Removes a resource.
    Delete,
    /// Any other method. Only the service knows its meaning, so it may change anything.
    Other(Token),
}

/// A method's name (RFC 9110, 9.1): a case-sensitive token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token {
    bytes: [u8; MAX_METHOD_LEN],
    length: usize,
}

/// Why a method is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// The name is not a valid method name.
    #[error(
        "is not a valid method name: use letters, digits and hyphens, as in GET or VERSION-CONTROL, {MAX_METHOD_LEN} at most"
    )]
    NoToken,
    /// CONNECT: opens a tunnel instead of giving a response.
    #[error("opens a tunnel and returns no response")]
    Connect,
    /// TRACE or TRACK: returns the whole request, including its credentials.
    #[error("would return the request with its credentials")]
    Trace,
}

/// The maximum length of a name; registered names have at most 17 letters.
const MAX_METHOD_LEN: usize = 32;

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

    /// Parses a method's name: well-known methods in any case, others exactly as written.
    ///
    /// Fails for invalid names, CONNECT and TRACE.
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

    /// Whether it may change anything.
    pub fn changes(self) -> bool {
        !matches!(self, Method::Get | Method::Head | Method::Options)
    }
}

impl Token {
    fn read(name: &str) -> Option<Token> {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        if name.is_empty() || name.len() > MAX_METHOD_LEN || !name.as_bytes().iter().all(fits) {
            return None;
        }
        let mut bytes = [0; MAX_METHOD_LEN];
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
    fn standard_http_methods_are_case_insensitive_and_custom_ones_verbatim() {
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
    fn invalid_http_methods_are_refused_with_a_reason() {
        for name in ["", "GE T", "GET\r\nX: y", "PÜRGE", "A:B", &"A".repeat(33)] {
            assert_eq!(Method::parse(name), Err(MethodError::NoToken), "{name:?}");
        }
        assert_eq!(Method::parse("connect"), Err(MethodError::Connect));
        assert_eq!(Method::parse("Trace"), Err(MethodError::Trace));
    }
}

//! One account: where it is, and who signs in.

use std::fmt;

use url::Url;

use crate::platform::Password;
use crate::platform::error::{ApiError, ApiErrorKind};
use crate::transport::address;

/// Where Sparrow's enterprise API is, without a final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(String);

impl Base {
    /// Reads an address as people write it: with or without scheme and trailing slashes.
    pub fn parse(text: &str) -> Result<Base, ApiError> {
        let text = text.trim();
        let bad = |why: &str| {
            Err(ApiError::new(
                ApiErrorKind::Address,
                format!("the address of Sparrow SMS {why}"),
            ))
        };
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let Ok(mut url) = Url::parse(&full) else {
            return bad("looks like https://ent-api.sparrowsms.com");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return bad("looks like https://ent-api.sparrowsms.com");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad("must not carry credentials; give api_token and partner_token apart");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return bad("has no ? or # part");
        }
        let near = address::is_loopback(&url) || url.host_str().is_some_and(address::is_sandbox_host);
        if !text.contains("://") && near && url.set_scheme("http").is_err() {
            return bad("looks like http://127.0.0.1:8080/sparrow");
        }
        Ok(Base(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host's name, for messages.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The address of a call: `path` starts and ends with a slash.
    pub(super) fn at(&self, path: &str) -> Result<Url, ApiError> {
        Url::parse(&format!("{}{path}", self.0))
            .map_err(|_| ApiError::bad_input("the path cannot be part of an address"))
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One account. Its two tokens are all that tells it from others, as all share one address.
#[derive(Clone)]
pub struct Account {
    /// Where the API is.
    pub base: Base,
    /// A name for it in this process: a profile's, or made of what a script gave.
    pub name: String,
    /// How to get the token for programs.
    pub api_token: Password,
    /// How to get the account's permanent token.
    pub partner_token: Password,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} {})", self.base, self.name)
    }
}

#[cfg(test)]
mod tests;

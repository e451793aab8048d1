//! One account: where it is, and who signs in.

use std::fmt;

use url::Url;

use crate::client::Password;
use crate::client::error::ApiError;
pub(crate) use crate::client::site::{Site, Wording};

/// Where Sparrow's enterprise API is, without a final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(Site);

const WORDING: Wording = Wording {
    what: "the address of Sparrow SMS",
    like: "https://ent-api.sparrowsms.com",
    apart: "api_token and partner_token",
};

impl Base {
    /// Reads an address as people write it: with or without scheme and trailing slashes.
    pub fn parse(text: &str) -> Result<Base, ApiError> {
        Ok(Base(Site::parse(text, &WORDING)?))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host's name, for messages.
    pub fn host(&self) -> &str {
        self.0.host()
    }

    /// The address of a call: `path` starts and ends with a slash.
    pub(super) fn at(&self, path: &str) -> Result<Url, ApiError> {
        self.0.at(path)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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

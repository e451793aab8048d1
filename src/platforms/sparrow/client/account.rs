//! An account: its address and credentials.

use std::fmt;

use url::Url;

use crate::client::Password;
use crate::client::error::ApiError;
pub(crate) use crate::client::site::{Site, Wording};

/// The address of Sparrow's enterprise API, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Site);

const WORDING: Wording = Wording {
    subject: "the address of Sparrow SMS",
    sample: "https://ent-api.sparrowsms.com",
    credential_fields: "api_token and partner_token",
};

impl BaseUrl {
    /// Parses an address with or without scheme and trailing slashes.
    pub fn parse(text: &str) -> Result<BaseUrl, ApiError> {
        Ok(BaseUrl(Site::parse(text, &WORDING)?))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host name, for messages.
    pub fn host(&self) -> &str {
        self.0.host()
    }

    /// The address of a call; `path` starts and ends with a slash.
    pub(super) fn at(&self, path: &str) -> Result<Url, ApiError> {
        self.0.at(path)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One account. Only its two tokens identify it, as all accounts share one address.
#[derive(Clone)]
pub struct Account {
    /// The address of the API.
    pub base: BaseUrl,
    /// Its name in this process: a profile's, or derived from a script's arguments.
    pub name: String,
    /// The source of the API token.
    pub api_token: Password,
    /// The source of the account's permanent token.
    pub partner_token: Password,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} {})", self.base, self.name)
    }
}

#[cfg(test)]
mod tests;

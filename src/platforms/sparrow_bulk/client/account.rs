//! An account: its address and its token.

use std::fmt;

use url::Url;

use crate::client::Password;
use crate::client::error::ApiError;
use crate::client::site::{Site, Wording};

/// The address of the bulk API, without its version and a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Site);

const WORDING: Wording = Wording {
    subject: "the address of Sparrow's bulk API",
    sample: "http://api.sparrowsms.com",
    credential_fields: "api_token",
};

impl BaseUrl {
    /// Parses an address with or without scheme, version (`/v2`) and trailing slashes.
    pub fn parse(text: &str) -> Result<BaseUrl, ApiError> {
        Ok(BaseUrl(Site::parse(text, &WORDING)?.without("/v2")))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
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

/// One account. Only its token identifies it, as all accounts share one address.
#[derive(Clone)]
pub struct Account {
    /// The address of the API.
    pub base: BaseUrl,
    /// Its name in this process: a profile's, or empty for one that a script describes.
    pub name: String,
    /// The source of the token.
    pub token: Password,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} {})", self.base, self.name)
    }
}

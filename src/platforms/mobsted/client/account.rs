//! An account: its address, credentials and role.

use std::fmt;

use url::Url;

use crate::client::Password;
use crate::client::error::ApiError;
pub(crate) use crate::client::site::{Site, Wording};

/// The path of the API, which follows an account's address in every call.
pub(super) const API: &str = "/api/v8";

/// The relation of an account to the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A partner's own account, or possibly one: its App 1 must never be changed.
    Master,
    /// Known to be a sub-account, because a master account created or listed it: its App 1 is an ordinary app.
    SubAccount,
}

/// An account's address, as `scheme://host[:port][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(Site);

const WORDING: Wording = Wording {
    subject: "an account's address",
    sample: "https://acme-admin.mobsted.com",
    credential_fields: "login and password",
};

impl BaseUrl {
    /// Parses an address as written by users or returned by the platform: with or without scheme, trailing slashes and
    /// `/api/v8`. Without a scheme it is https, or plain http for this machine and the sandbox.
    pub fn parse(text: &str) -> Result<BaseUrl, ApiError> {
        Ok(BaseUrl(Site::parse(text, &WORDING)?.without(API)))
    }

    /// The address, without a trailing slash.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host name, for messages.
    pub fn host(&self) -> &str {
        self.0.host()
    }

    /// The tenant's name within Mobsted's host name: `a23r56k8` in `https://a23r56k8-admin.mobsted.com`.
    pub fn tenant(&self) -> &str {
        let host = self.host();
        let label = host.split(['.', ':']).next().unwrap_or(host);
        label.strip_suffix("-admin").unwrap_or(label)
    }

    /// The address of a call below the API; `path` starts with a slash.
    pub(super) fn api(&self, path: &str) -> Result<Url, ApiError> {
        self.0.at(&format!("{API}{path}"))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One account.
#[derive(Clone)]
pub struct Account {
    /// The account's address.
    pub base: BaseUrl,
    /// The login, an e-mail address.
    pub login: String,
    /// The source of the password.
    pub password: Password,
    /// Its role.
    pub role: Role,
}

impl Account {
    /// The account's name in the token store, bound to address and login so that no token is sent elsewhere.
    pub fn key(&self) -> String {
        format!("mobsted {} {}", self.base, self.login)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} {} {:?})", self.base, self.login, self.role)
    }
}

#[cfg(test)]
mod tests;

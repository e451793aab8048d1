//! One account: where it is, who signs in, and what it may do.

use std::fmt;

use url::Url;

use crate::platform::Password;
use crate::platform::error::{ApiError, ApiErrorKind};
use crate::transport::address;

/// What follows an account's address in every call.
pub(super) const API: &str = "/api/v8";

/// What an account is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A partner's own account, or one that may be: its App 1 must never be changed.
    Master,
    /// Known to be a sub-account, because a master account made or listed it: its App 1 is an ordinary app.
    SubAccount,
}

/// An account's address, as `scheme://host[:port][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Base(String);

impl Base {
    /// Reads an address as people write it and platforms answer it: with or without scheme, trailing slashes and
    /// `/api/v8`. Without a scheme it is https; plain http for this machine and the sandbox.
    pub fn parse(text: &str) -> Result<Base, ApiError> {
        let text = text.trim();
        let bad = |why: &str| {
            Err(ApiError::new(
                ApiErrorKind::Address,
                format!("an account's address {why}"),
            ))
        };
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let Ok(mut url) = Url::parse(&full) else {
            return bad("looks like https://acme-admin.mobsted.com");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return bad("looks like https://acme-admin.mobsted.com");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad("must not carry credentials; give login and password apart");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return bad("has no ? or # part");
        }
        let near = address::is_loopback(&url) || url.host_str().is_some_and(address::is_sandbox_host);
        if !text.contains("://") && near && url.set_scheme("http").is_err() {
            return bad("looks like http://127.0.0.1:8080");
        }
        let trimmed = url.as_str().trim_end_matches('/');
        let trimmed = trimmed.strip_suffix(API).unwrap_or(trimmed).trim_end_matches('/');
        Ok(Base(trimmed.to_owned()))
    }

    /// The address, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host's name, for messages.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The tenant's name as Mobsted's hosts carry it: `a23r56k8` in `https://a23r56k8-admin.mobsted.com`.
    pub fn tenant(&self) -> &str {
        let host = self.host();
        let label = host.split(['.', ':']).next().unwrap_or(host);
        label.strip_suffix("-admin").unwrap_or(label)
    }

    /// The address of a call below the API: `path` starts with a slash.
    pub(super) fn api(&self, path: &str) -> Result<Url, ApiError> {
        Url::parse(&format!("{}{API}{path}", self.0))
            .map_err(|_| ApiError::bad_input("the path cannot be part of an address"))
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One account.
#[derive(Clone)]
pub struct Account {
    /// Where it is.
    pub base: Base,
    /// Who signs in: an e-mail address.
    pub login: String,
    /// How to get the password.
    pub password: Password,
    /// What it is to us.
    pub role: Role,
}

impl Account {
    /// The name under which its tokens are kept: bound to address and login, so that no token goes elsewhere.
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

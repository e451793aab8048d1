//! An account: its address, application, credentials and company.

use std::fmt;

use url::Url;

use crate::client::Password;
use crate::client::error::ApiError;
pub(crate) use crate::client::site::{Site, Wording};

/// The supported versions of the API. The first is the default if an address names none.
const VERSIONS: [&str; 3] = ["v1", "v3", "v5"];

/// The address of an API, as `scheme://host[:port][/prefix]/api/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    root: Site,
    version: &'static str,
    full: String,
}

const WORDING: Wording = Wording {
    subject: "a JRNI account's address",
    sample: "https://acme.bookingbug.com/api/v1",
    credential_fields: "login and password",
};

impl BaseUrl {
    /// Parses an address with or without scheme, trailing slashes and `/api/v1`, `/api/v3` or `/api/v5`. Without a
    /// scheme it is https, or plain http for this machine and the sandbox.
    pub fn parse(text: &str) -> Result<BaseUrl, ApiError> {
        let site = Site::parse(text, &WORDING)?;
        let version = match site.as_str().rsplit_once("/api/") {
            Some((_, named)) => VERSIONS.into_iter().find(|known| *known == named),
            None => Some(VERSIONS[0]),
        };
        let version = version.ok_or_else(|| WORDING.bad("ends in /api/v1, /api/v3 or /api/v5"))?;
        let root = site.without(&format!("/api/{version}"));
        let full = format!("{root}/api/{version}");
        Ok(BaseUrl { root, version, full })
    }

    /// The address, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// The host name, for messages.
    pub fn host(&self) -> &str {
        self.root.host()
    }

    /// Whether an `App-Key` is sent. Later versions have none (vendor's documents).
    pub(super) fn takes_key(&self) -> bool {
        self.version == VERSIONS[0]
    }

    /// The address of a call below the API; `path` starts with a slash.
    pub(super) fn api(&self, path: &str) -> Result<Url, ApiError> {
        self.root.at(&format!("/api/{}{path}", self.version))
    }

    /// Whether the address is below the API, in either version, on the account's own host. Responses of version 5 link
    /// to version 1.
    pub(super) fn owns(&self, url: &Url) -> bool {
        self.below(url).is_some()
    }

    /// The path of the address below the API, if it is there.
    pub(super) fn below<'a>(&self, url: &'a Url) -> Option<&'a str> {
        VERSIONS.into_iter().find_map(|version| {
            let api = self.root.at(&format!("/api/{version}/")).ok()?;
            let below = url.path().strip_prefix(api.path())?;
            (url.origin() == api.origin()).then_some(below)
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

/// One account.
#[derive(Clone)]
pub struct Account {
    /// The address of the API.
    pub base: BaseUrl,
    /// The login, an e-mail address.
    pub login: String,
    /// The source of the password.
    pub password: Password,
    /// The value of the header `App-Id` of every request.
    pub app_id: String,
    /// The source of the header `App-Key`; newer customers have none.
    pub app_key: Option<Password>,
    /// The company to sign in to, if the login has several.
    pub company: Option<u64>,
}

impl Account {
    /// The account's name in the token store, bound to address, login, application and company so that no token is sent
    /// elsewhere.
    pub fn key(&self) -> String {
        let company = self.company.map(|company| company.to_string());
        format!(
            "jrni {} {} {} {}",
            self.base,
            self.login,
            self.app_id,
            company.unwrap_or_default()
        )
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} {} {:?})", self.base, self.login, self.company)
    }
}

#[cfg(test)]
mod tests;

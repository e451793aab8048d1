//! The address of an account, parsed the same way for every platform.

use std::fmt;

use url::Url;

use super::error::{ApiError, ApiErrorKind};
use crate::transport::address;

/// An address, as `scheme://host[:port][/prefix]` without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Site(String);

/// How error messages describe an address that cannot be read.
pub(crate) struct Wording {
    /// What it is, as in `a CRM account's address`.
    pub(crate) subject: &'static str,
    /// An example of a valid address.
    pub(crate) sample: &'static str,
    /// The credentials that users put in, and that belong elsewhere.
    pub(crate) credential_fields: &'static str,
}

impl Wording {
    /// The error for an invalid address; `reason` follows the subject of the sentence.
    pub(crate) fn bad(&self, reason: &str) -> ApiError {
        ApiError::new(ApiErrorKind::Address, format!("{} {reason}", self.subject))
    }
}

impl Site {
    /// Parses an address with or without scheme and trailing slashes. Without a scheme it is https, or plain http for
    /// this machine and the sandbox.
    pub(crate) fn parse(text: &str, wording: &Wording) -> Result<Site, ApiError> {
        let text = text.trim();
        let bad_form = || wording.bad(&format!("looks like {}", wording.sample));
        let named = text.contains("://");
        let full = if named {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let mut url = Url::parse(&full).map_err(|_| bad_form())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(bad_form());
        }
        if !url.username().is_empty() || url.password().is_some() {
            let reason = format!(
                "must not contain credentials; give {} separately",
                wording.credential_fields
            );
            return Err(wording.bad(&reason));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wording.bad("must not have a ? or # part"));
        }
        let near = address::is_loopback(&url) || url.host_str().is_some_and(address::is_sandbox_host);
        if !named && near && url.set_scheme("http").is_err() {
            return Err(bad_form());
        }
        Ok(Site(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The same address without the suffix `tail`, if present.
    #[must_use]
    pub(crate) fn without(&self, tail: &str) -> Site {
        let text = self.0.strip_suffix(tail).unwrap_or(&self.0);
        Site(text.trim_end_matches('/').to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The host name, with the port if there is one.
    pub(crate) fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The address of `path`, which starts with a slash, below this one.
    pub(crate) fn at(&self, path: &str) -> Result<Url, ApiError> {
        Url::parse(&format!("{}{path}", self.0))
            .map_err(|_| ApiError::bad_input("the path cannot be part of an address"))
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes text as one path segment. It must not consist of dots only: that would be a relative step.
pub(crate) fn segment(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect::<Vec<_>>().concat()
}

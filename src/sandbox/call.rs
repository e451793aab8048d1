//! A request, read as far as every platform needs it: for which account, what, and in which style of address.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use serde_json::Value;
use url::form_urlencoded;

/// A request to a platform.
#[derive(Debug)]
pub(super) struct Call {
    /// The name of the account.
    pub(super) account: String,
    /// How the account was addressed, and so how answers address accounts.
    pub(super) style: Style,
    pub(super) method: Method,
    /// What follows `/api/v8/`; empty when the path is not below it.
    pub(super) path: String,
    query: String,
    pub(super) bearer: Option<String>,
    pub(super) body: Bytes,
}

/// How accounts are addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Style {
    /// By host name, as on the real platform; with what follows the account's name in it.
    Host(String),
    /// By the first part of the path, for clients that cannot resolve the sandbox's host names; with the host and port
    /// that the client used.
    Path(String),
}

impl Call {
    /// Reads a request. Accounts are addressed by a host `NAME-admin.{server}`, with any labels before the server's, or
    /// by a first path segment `NAME-admin` on any other host; without either it is the master account's.
    pub(super) fn read(parts: &Parts, body: Bytes, server: &str, master: &str) -> Call {
        let given = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        // A client that uses the sandbox as its proxy sends the whole URL.
        let host = parts
            .uri
            .authority()
            .map(axum::http::uri::Authority::as_str)
            .or(given)
            .unwrap_or_default();
        let name = host
            .rsplit_once(':')
            .map_or(host, |(name, _)| name)
            .to_ascii_lowercase();
        let path = parts.uri.path().trim_start_matches('/');
        let named = name
            .find("-admin.")
            .filter(|_| name.ends_with(&format!(".{server}")));
        let (account, style, path) = if let Some(at) = named {
            let (account, rest) = name.split_at(at);
            (account.to_owned(), Style::Host(rest.to_owned()), path)
        } else {
            let (first, rest) = path.split_once('/').unwrap_or((path, ""));
            let style = Style::Path(host.to_owned());
            match first.strip_suffix("-admin") {
                Some(account) => (account.to_owned(), style, rest),
                None => (master.to_owned(), style, path),
            }
        };
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let bearer = header
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| {
                // RFC 9110: the scheme's case does not matter.
                scheme.eq_ignore_ascii_case("bearer")
            });
        Call {
            account,
            style,
            method: parts.method.clone(),
            path: path.strip_prefix("api/v8/").unwrap_or_default().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            bearer: bearer.map(|(_, token)| token.trim().to_owned()),
            body,
        }
    }

    /// The parts of the path.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect()
    }

    /// The first query parameter of that name, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// A query parameter that is a whole number; its name in any case.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.parse().ok())
    }

    /// The body as a JSON object, whether it was sent as JSON or as a form.
    pub(super) fn fields(&self) -> Result<serde_json::Map<String, Value>, StatusCode> {
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') {
            return serde_json::from_slice(&self.body).map_err(|_| StatusCode::BAD_REQUEST);
        }
        if first.is_none() || !self.body.contains(&b'=') {
            return Err(StatusCode::BAD_REQUEST);
        }
        let pairs = form_urlencoded::parse(&self.body);
        Ok(pairs
            .map(|(key, value)| (key.into_owned(), Value::from(value.into_owned())))
            .collect())
    }
}

/// A path segment with its percent signs decoded.
pub(super) fn decoded(segment: &str) -> String {
    // Form decoding is the same but for the plus sign.
    let escaped = format!("s={}", segment.replace('+', "%2B"));
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

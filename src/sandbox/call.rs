//! A request, parsed as far as all platforms need: its account, content and address style.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use url::form_urlencoded;

use super::address::{Address, Style};
use super::form::{self, Fields};
use super::platform::Simulator;

/// A request to a platform.
#[derive(Debug)]
pub(super) struct Call {
    /// The name of the account, on platforms that give each account its own host.
    pub(super) account: String,
    /// How the platform was addressed, and so which URLs its responses contain.
    pub(super) style: Style,
    pub(super) method: Method,
    /// The path below the platform's address.
    pub(super) path: String,
    query: String,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    /// Parses a request. Returns its platform, too.
    pub(super) fn read(parts: &Parts, body: Bytes) -> (&'static Simulator, Call) {
        let given = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        // A client that uses the sandbox as its proxy sends the whole URL.
        let host = parts.uri.authority().map(Authority::as_str).or(given);
        let host = host.unwrap_or_default();
        let (simulator, address) = Address::read(host, parts.uri.path());
        let call = Call {
            account: address.account,
            style: address.style,
            method: parts.method.clone(),
            path: address.path,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
            body,
        };
        (simulator, call)
    }

    /// Returns a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns all headers.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the query's fields in order, decoded.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        form::pairs(self.query.as_bytes())
    }

    /// Returns the token of an `Authorization: Bearer` header.
    pub(super) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(AUTHORIZATION.as_str())?.split_once(' ')?;
        // RFC 9110: the scheme is case-insensitive.
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Returns the non-empty segments of the path.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect()
    }

    /// Returns the first query parameter of that name, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Returns a query parameter that is a whole number; its name is case-insensitive.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.parse().ok())
    }

    /// Returns the requested page of a list, by the names of the parameters for its number and size. The size is
    /// reduced to `most`.
    pub(super) fn page(&self, number: &str, size: &str, default: u64, most: u64) -> Page {
        Page {
            number: self.number(number).unwrap_or(1).max(1),
            size: self.number(size).unwrap_or(default).clamp(1, most),
        }
    }

    /// Returns the body as a JSON object, whether it was sent as JSON, as a form or as multipart; `None` if it is none
    /// of them.
    pub(super) fn fields(&self) -> Option<Fields> {
        if let Some(boundary) = self.header(CONTENT_TYPE.as_str()).and_then(form::boundary) {
            return form::multipart(&self.body, boundary);
        }
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') {
            return serde_json::from_slice(&self.body).ok();
        }
        if first.is_none() || !self.body.contains(&b'=') {
            return None;
        }
        Some(form::urlencoded(&self.body))
    }
}

/// The requested part of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// The number of the page, from 1.
    pub(super) number: u64,
    /// The most items on a page.
    pub(super) size: u64,
}

impl Page {
    /// Returns the items on this page, and how many there are in all.
    pub(super) fn of<T>(self, items: impl IntoIterator<Item = T>) -> (Vec<T>, usize) {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let first = count((self.number - 1).saturating_mul(self.size));
        let shown = first..first.saturating_add(count(self.size));
        let (mut page, mut total) = (Vec::new(), 0);
        for item in items {
            if shown.contains(&total) {
                page.push(item);
            }
            total += 1;
        }
        (page, total)
    }
}

/// Decodes the percent-encoding of a path segment.
pub(super) fn decoded(segment: &str) -> String {
    // Form decoding differs only in the plus sign.
    let escaped = format!("s={}", segment.replace('+', "%2B"));
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

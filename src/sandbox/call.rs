//! A request, parsed as far as all platforms need: its account, content and address style.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use url::form_urlencoded;

use super::address::{Address, PlatformName, Style};
use super::form;

/// A request to a platform.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) platform: PlatformName,
    /// The name of the account, on platforms that give each account its own host.
    pub(super) account: String,
    /// How the platform was addressed, and so which URLs its responses contain.
    pub(super) style: Style,
    pub(super) method: Method,
    /// The path below the platform's address (for Mobsted below `/api/v8/`; empty if the path is not below it).
    pub(super) path: String,
    query: String,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    /// Parses a request.
    pub(super) fn read(parts: &Parts, body: Bytes) -> Call {
        let given = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        // A client that uses the sandbox as its proxy sends the whole URL.
        let host = parts
            .uri
            .authority()
            .map(axum::http::uri::Authority::as_str)
            .or(given)
            .unwrap_or_default();
        let Address {
            platform,
            account,
            style,
            path,
        } = Address::read(host, parts.uri.path());
        Call {
            platform,
            account,
            style,
            method: parts.method.clone(),
            path,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
            body,
        }
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

    /// Returns the body as a JSON object, whether it was sent as JSON, as a form or as multipart.
    pub(super) fn fields(&self) -> Result<serde_json::Map<String, Value>, StatusCode> {
        if let Some(boundary) = self.header(CONTENT_TYPE.as_str()).and_then(form::boundary) {
            return form::multipart(&self.body, boundary).ok_or(StatusCode::BAD_REQUEST);
        }
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') {
            return serde_json::from_slice(&self.body).map_err(|_| StatusCode::BAD_REQUEST);
        }
        if first.is_none() || !self.body.contains(&b'=') {
            return Err(StatusCode::BAD_REQUEST);
        }
        Ok(form::urlencoded(&self.body))
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

//! A platform's response: status, headers, body, and its text without secrets.

use serde_json::Value as Json;

use super::body_preview;
use super::request::Request;
use crate::value::read_json;
use crate::value::secret::Scrubber;

/// Why a body cannot be read as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body is empty.
    #[error("the response is empty")]
    Empty,
    /// The body is a web page.
    #[error("the response is a web page, not JSON")]
    Html,
    /// The body is neither JSON nor a web page.
    #[error("the response is not JSON")]
    NotJson,
    /// The body is not text.
    #[error("the response is not text")]
    NotText,
}

/// A response. Its body may contain secrets: extract them by type, and show people only [`Response::text_excerpt`].
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The number of attempts.
    pub tries: u32,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) scrubber: Scrubber,
}

impl Response {
    pub(super) fn new(
        status: u16,
        headers: reqwest::header::HeaderMap,
        body: Vec<u8>,
        request: &Request,
    ) -> Response {
        let scrubber = request.scrubber();
        Response {
            status,
            tries: 1,
            headers,
            body,
            scrubber,
        }
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of a header, if present and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers whose values are text, in order; names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.headers.iter();
        texts.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The body encoded as base64.
    pub fn base64(&self) -> String {
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &self.body)
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the body is empty or only white space.
    pub fn is_empty(&self) -> bool {
        self.body.trim_ascii().is_empty()
    }

    /// Whether the response is declared as, or looks like, a web page.
    pub fn is_html(&self) -> bool {
        let kind = self
            .header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        kind.contains("html") || body_preview::looks_like_html(&self.body)
    }

    /// Whether the content type is JSON.
    pub fn is_json(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        kind.to_ascii_lowercase().contains("json")
    }

    /// Parses the body as JSON, whatever its content type.
    pub fn json(&self) -> Result<Json, BodyError> {
        if self.is_empty() {
            return Err(BodyError::Empty);
        }
        let start = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body);
        read_json(start).map_err(|_| {
            if self.is_html() {
                BodyError::Html
            } else {
                BodyError::NotJson
            }
        })
    }

    /// The body as text. It may contain secrets.
    pub fn text(&self) -> Result<&str, BodyError> {
        std::str::from_utf8(&self.body).map_err(|_| BodyError::NotText)
    }

    /// The body's text for display: without markup, known secrets masked, at most 300 characters. Empty if there is no
    /// text.
    pub fn text_excerpt(&self) -> String {
        self.excerpt_of(&String::from_utf8_lossy(&self.body))
    }

    /// Prepares a part of the response for display like [`Response::text_excerpt`].
    pub fn excerpt_of(&self, text: &str) -> String {
        body_preview::excerpt(text, &self.scrubber)
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither body nor headers: both may hold secrets.
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

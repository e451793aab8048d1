//! HTTP requests and their secrets: the only place where a request's secrets are converted to text.

#![allow(clippy::disallowed_methods, reason = "requests carry secrets")]

mod multipart;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value as Json;
use url::Url;

use crate::flight::Flight;
use crate::value::secret::{Scrubber, Secret};
use crate::value::{Record, Value};

pub use super::method::{Method, MethodError};
pub use multipart::{Part, PartContent};

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Body {
    /// No body.
    #[default]
    None,
    /// A JSON document.
    Json(Value),
    /// `application/x-www-form-urlencoded` fields. A list repeats its field; a record becomes JSON text.
    Form(Record),
    /// `multipart/form-data` parts, in this order.
    Multipart(Vec<Part>),
    /// Any other content.
    Raw {
        /// The content type, as in `text/csv`.
        kind: String,
        /// A string or a secret.
        content: Value,
    },
}

/// One request. Clones are cheap and share their secrets.
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
#[derive(Debug, Clone)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The address without the query.
    pub url: Url,
    /// The query's fields in order; they may contain secrets.
    pub query: Vec<(String, Value)>,
    /// Additional headers in order; they may contain secrets.
    pub headers: Vec<(String, Value)>,
    /// The body.
    pub body: Body,
    /// The bearer token.
    pub bearer: Option<Secret>,
    /// The user name and password of basic authentication.
    pub basic: Option<(String, Secret)>,
    /// Whether sending it twice has the same effect as once. Reads only: transient failures are then retried.
    pub idempotent: bool,
    /// Whether the query itself is a credential and must never be shown.
    pub sensitive: bool,
    /// The timeout of one attempt, if not [`super::HttpConfig::reply_timeout`].
    pub timeout: Option<Duration>,
    /// Secrets that the response may contain, besides those of the request itself.
    pub known: Vec<Secret>,
    /// For a changing request: records whether it was sent.
    pub flight: Option<Flight>,
    /// Whether a redirect that is not followed is returned as the response instead of an error.
    pub shows_redirects: bool,
    /// Whether 429 guarantees that a change was not carried out. Some platforms may carry it out first.
    pub put_off_is_certain: bool,
}

impl Request {
    /// Creates a request to `url`. GET, HEAD and OPTIONS are idempotent by default.
    pub fn new(method: Method, url: Url) -> Request {
        Request {
            method,
            url,
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            bearer: None,
            basic: None,
            idempotent: !method.changes(),
            sensitive: false,
            timeout: None,
            known: Vec::new(),
            flight: None,
            shows_redirects: false,
            put_off_is_certain: false,
        }
    }

    /// Adds a field to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<Value>) -> Request {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Request {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Request {
        self.body = body;
        self
    }

    /// Sets the bearer token.
    #[must_use]
    pub fn bearer(mut self, token: &Secret) -> Request {
        self.bearer = Some(token.clone());
        self
    }

    /// Sets the timeout of one attempt.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Request {
        self.timeout = Some(timeout);
        self
    }

    /// Hides the query in all messages.
    #[must_use]
    pub fn sensitive(mut self) -> Request {
        self.sensitive = true;
        self
    }

    /// Marks the request as not idempotent.
    #[must_use]
    pub fn not_idempotent(mut self) -> Request {
        self.idempotent = false;
        self
    }

    /// Whether the request may be resent unchanged after a 429 response. A change that may have been carried out anyway
    /// may not: its caller looks it up first, or fails.
    pub(super) fn can_resend_when_throttled(&self) -> bool {
        self.flight.is_none() || self.put_off_is_certain
    }

    /// Method, host and path, as messages show a request; never the query.
    pub fn label(&self) -> String {
        format!("{} {}{}", self.method.as_str(), self.host(), self.url.path())
    }

    /// The host, with its port if that is not the default.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The address for display: secrets masked, a sensitive query hidden as a whole.
    pub fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        match (self.query.is_empty(), self.sensitive) {
            (true, _) => url.to_string(),
            (false, true) => format!("{url}?REDACTED"),
            (false, false) => {
                let mut pairs = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in &self.query {
                    pairs.append_pair(name, &masked_text(value));
                }
                format!("{url}?{}", pairs.finish())
            }
        }
    }

    /// Returns a scrubber that removes this request's secrets from foreign text.
    pub fn scrubber(&self) -> Scrubber {
        let mut scrubber = Scrubber::new();
        self.for_each_secret(&mut |secret| scrubber.add_secret(secret));
        self.known.iter().for_each(|secret| scrubber.add_secret(secret));
        self.encoded_basic()
            .iter()
            .for_each(|text| scrubber.add_secret(text));
        scrubber
    }

    /// Calls `each` with every secret that is sent with this request.
    pub(super) fn for_each_secret(&self, each: &mut dyn FnMut(&Secret)) {
        let basic = self.basic.iter().map(|(_, password)| password);
        self.bearer.iter().chain(basic).for_each(&mut *each);
        let named = self.query.iter().chain(&self.headers);
        named.for_each(|(_, value)| value.for_each_secret(each));
        match &self.body {
            Body::None => {}
            Body::Json(value) => value.for_each_secret(each),
            Body::Form(fields) => fields.values().for_each(|value| value.for_each_secret(each)),
            Body::Multipart(parts) => parts.iter().for_each(|part| {
                if let PartContent::Value(content) = &part.content {
                    content.for_each_secret(each);
                }
            }),
            Body::Raw { content, .. } => content.for_each_secret(each),
        }
    }

    /// The claims of the JSON web tokens in this request. They contain nothing that grants access.
    pub fn token_claims(&self) -> Vec<Json> {
        let mut held: Vec<String> = self.wire_authorization().into_iter().collect();
        held.extend(self.wire_headers().into_iter().map(|(_, text)| text));
        held.extend(self.wire_url().query_pairs().map(|(_, text)| text.into_owned()));
        let words = held.iter().flat_map(|text| text.split_whitespace());
        let claims = words.filter_map(|word| {
            let payload = word.split('.').nth(1)?;
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
        });
        claims.filter(Json::is_object).collect()
    }

    /// The address with its query, in clear: for the wire only.
    pub(super) fn wire_url(&self) -> Url {
        let mut url = self.url.clone();
        if !self.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &self.query {
                append(name, value, &mut |name, text| {
                    pairs.append_pair(name, text);
                });
            }
        }
        url
    }

    /// The `Authorization` header, in clear: for the wire only.
    pub(super) fn wire_authorization(&self) -> Option<String> {
        match (&self.bearer, self.encoded_basic()) {
            (Some(token), _) => Some(format!("Bearer {}", token.expose())),
            (None, Some(encoded)) => Some(format!("Basic {}", encoded.expose())),
            (None, None) => None,
        }
    }

    /// User and password in the encoding of RFC 7617.
    fn encoded_basic(&self) -> Option<Secret> {
        let (user, password) = self.basic.as_ref()?;
        Some(Secret::new(
            STANDARD.encode(format!("{user}:{}", password.expose())),
        ))
    }

    /// The additional headers, in clear: for the wire only.
    pub(super) fn wire_headers(&self) -> Vec<(&str, String)> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            append(name, value, &mut |_, text| {
                headers.push((name.as_str(), text.to_owned()));
            });
        }
        headers
    }

    /// The body's type and bytes, in clear: for the wire only.
    pub(super) fn wire_body(&self) -> Option<(String, Vec<u8>)> {
        match &self.body {
            Body::None => None,
            Body::Json(value) => Some((
                "application/json".to_owned(),
                clear_json(value).to_string().into_bytes(),
            )),
            Body::Form(fields) => {
                let mut pairs = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    append(name, value, &mut |name, text| {
                        pairs.append_pair(name, text);
                    });
                }
                let kind = "application/x-www-form-urlencoded".to_owned();
                Some((kind, pairs.finish().into_bytes()))
            }
            Body::Multipart(parts) => Some(multipart::to_wire_bytes(parts)),
            Body::Raw { kind, content } => {
                let mut bytes = Vec::new();
                append("", content, &mut |_, text| {
                    bytes.extend_from_slice(text.as_bytes());
                });
                Some((kind.clone(), bytes))
            }
        }
    }
}

/// Appends one field of a query or form: nothing for null, one pair per list item, JSON text for a record.
fn append(name: &str, value: &Value, push: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Null => {}
        Value::Text(text) => push(name, text),
        Value::Secret(secret) => push(name, secret.expose()),
        Value::List(items) => items.iter().for_each(|item| append(name, item, push)),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Record(_) | Value::Object(_) => {
            push(name, &clear_json(value).to_string());
        }
    }
}

fn clear_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(int) => Json::from(*int),
        Value::Float(float) => Json::from(*float),
        Value::Text(text) => Json::String(text.clone()),
        Value::Secret(secret) => Json::String(secret.expose().to_owned()),
        Value::List(items) => Json::Array(items.iter().map(clear_json).collect()),
        Value::Record(fields) => clear_fields(fields),
        Value::Object(object) => clear_fields(object.shown_fields()),
    }
}

fn clear_fields<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Json {
    let fields = fields.into_iter();
    Json::Object(
        fields
            .map(|(name, value)| (name.clone(), clear_json(value)))
            .collect(),
    )
}

fn masked_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => match other.to_masked_json() {
            Json::String(text) => text,
            json => json.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;

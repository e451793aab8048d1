//! Any other service of the web: one request, and the answer as it is.

pub mod account;

mod guarded;

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::client::error::{ApiError, ApiErrorKind};
use crate::client::{Body, Flight, Method, Network};
use crate::transport::request::Request;
use crate::transport::response::{BodyError, Response};
use crate::value::secret::Secret;
use crate::value::{Record, Value};

use guarded::Guard;

pub use account::Accounts;

pub use crate::transport::request::Part;

/// A request to anywhere.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What it does.
    pub method: Method,
    /// Where; may hold a query of its own.
    pub url: Url,
    /// Further fields of the query, in order.
    pub query: Vec<(String, Value)>,
    /// Headers, in order.
    pub headers: Vec<(String, Value)>,
    /// What it carries.
    pub body: Body,
    /// A token that says who asks.
    pub bearer: Option<Secret>,
    /// A user and a password that say who asks.
    pub basic: Option<(String, Secret)>,
    /// How long one try may take.
    pub timeout: Option<Duration>,
}

/// An answer. What is named like a credential, or repeats a secret of the request, is a secret in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers by their names in lower case; a list where one is there more than once.
    pub headers: Record,
    /// JSON as a value when the answer says that it is JSON, else its text; nothing when it is empty. Bytes that are no
    /// text are base64, and `encoding` says so.
    pub body: Value,
    /// `base64` when the body is.
    pub encoding: Option<&'static str>,
}

/// Speaks to any service. Keeps nothing between requests but the credential of its own.
#[derive(Clone)]
pub struct Client {
    network: Network,
    /// The service that a profile describes.
    known: Option<Arc<account::Known>>,
}

impl Client {
    /// A client over `network`.
    pub fn new(network: Network) -> Client {
        Client { network, known: None }
    }

    /// Sends a request. Every status is an answer; for reads, 429 and 5xx after they were tried several times. One that
    /// changes something passes `flight` right before it leaves, and leaves once.
    pub async fn send(&self, asked: Asked, flight: Option<&Flight>) -> Result<Reply, ApiError> {
        let request = request(self.signed(asked).await?, flight);
        let response = self.network.send(&request).await?;
        reply(&request, &response)
    }

    /// The same, for those who only want to know that it went well: a status from 400 on is an error.
    pub async fn send_checked(&self, asked: Asked, flight: Option<&Flight>) -> Result<Reply, ApiError> {
        let request = request(self.signed(asked).await?, flight);
        let response = self.network.send(&request).await?;
        if response.status >= 400 {
            return Err(ApiError::from_answer(&request, &response));
        }
        reply(&request, &response)
    }

    async fn signed(&self, asked: Asked) -> Result<Asked, ApiError> {
        match &self.known {
            Some(known) => known.signed(asked).await,
            None => Ok(asked),
        }
    }
}

/// Reads the address of a request. One that carries a user or a password is refused: addresses are shown in many places.
pub fn address(text: &str) -> Result<Url, ApiError> {
    let bad = |why: &str| Err(ApiError::new(ApiErrorKind::Address, format!("the address {why}")));
    let Ok(mut url) = Url::parse(text.trim()) else {
        return bad("is not one: it begins with https:// and names a host");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return bad("is not one of the web: it begins with https:// and names a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return bad("carries a user or a password; give them apart, as `basic: #{user, password}`");
    }
    url.set_fragment(None);
    Ok(url)
}

fn request(asked: Asked, flight: Option<&Flight>) -> Request {
    let flight = flight.filter(|_| asked.method.changes()).cloned();
    let mut headers = asked.headers;
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("accept"))
    {
        headers.push(("accept".to_owned(), "application/json, */*;q=0.8".into()));
    }
    Request {
        query: asked.query,
        headers,
        body: asked.body,
        bearer: asked.bearer,
        basic: asked.basic,
        timeout: asked.timeout,
        flight,
        shows_redirects: true,
        ..Request::new(asked.method, asked.url)
    }
}

fn reply(request: &Request, response: &Response) -> Result<Reply, ApiError> {
    let guard = Guard::new(request);
    let (body, encoding) = match response.json() {
        Err(BodyError::Empty) => (Value::Null, None),
        Ok(json) if response.says_json() => (guard.json(json), None),
        // A failure is a failure whatever its words are.
        Err(why) if response.says_json() && response.status < 400 => {
            return Err(ApiError::unreadable(request, response, &why.to_string()));
        }
        _ => match response.text() {
            Ok(text) => (guard.text(text), None),
            Err(_) => (Value::Text(response.base64()), Some("base64")),
        },
    };
    Ok(Reply {
        status: response.status,
        headers: guard.headers(response.headers()),
        body,
        encoding,
    })
}

#[cfg(test)]
mod tests;

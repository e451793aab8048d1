//! Any other web service: sends one request and returns the response as is.

pub mod account;
pub mod sign_in;

mod guarded;

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::client::error::{ApiError, ApiErrorKind};
use crate::client::session::Session;
use crate::client::{Body, Flight, Method, Network};
use crate::transport::request::Request;
use crate::transport::response::{BodyError, Response};
use crate::value::secret::Secret;
use crate::value::{Record, Value};

use guarded::Guard;
use sign_in::TokenAccount;

pub use account::Accounts;

pub use crate::transport::request::{Part, PartContent};

/// A request to any service.
#[derive(Debug, Clone)]
pub struct ServiceRequest {
    /// The HTTP method.
    pub method: Method,
    /// The address; may contain a query.
    pub url: Url,
    /// Additional query fields, in order.
    pub query: Vec<(String, Value)>,
    /// Headers, in order.
    pub headers: Vec<(String, Value)>,
    /// The request body.
    pub body: Body,
    /// A bearer token.
    pub bearer: Option<Secret>,
    /// User and password for basic authentication.
    pub basic: Option<(String, Secret)>,
    /// The timeout of one try.
    pub timeout: Option<Duration>,
}

/// A response. Values named like a credential, and values that repeat a secret of the request, are secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers by lower-case name; a list if a header occurs more than once.
    pub headers: Record,
    /// A value if the content type is JSON, else text; null if empty. Bytes that are not text are base64-encoded, as
    /// `encoding` indicates.
    pub body: Value,
    /// `base64` if the body is base64-encoded.
    pub encoding: Option<&'static str>,
}

/// Sends requests to any service. Keeps no state between requests except the credential of its own service.
#[derive(Clone)]
pub struct Client {
    network: Network,
    /// The service described by a profile.
    known: Option<Arc<account::ServiceCredential>>,
}

impl Client {
    /// A client over `network`.
    pub fn new(network: Network) -> Client {
        Client { network, known: None }
    }

    /// Sends a request. Any status is a valid response; for reads, 429 and 5xx are returned only after several tries. A
    /// changing request is sent once and passes `flight` right before it is sent.
    pub async fn send(&self, asked: ServiceRequest, flight: Option<&Flight>) -> Result<Reply, ApiError> {
        let request = request(self.signed(asked).await?, flight);
        let response = self.network.send(&request).await?;
        reply(&request, &response)
    }

    /// Like [`Client::send`], but a status of 400 or above is an error. If the service refuses the token of a sign-in, a
    /// new one is requested and the request sent once more.
    pub async fn send_checked(
        &self,
        asked: ServiceRequest,
        flight: Option<&Flight>,
    ) -> Result<Reply, ApiError> {
        if let Some((known, session)) = self.session() {
            let answer = session
                .send(request(known.placed(asked)?, flight), flight)
                .await?;
            return reply(&answer.request, &answer.response);
        }
        let request = request(self.signed(asked).await?, flight);
        let response = self.network.send(&request).await?;
        if response.status >= 400 {
            return Err(ApiError::from_answer(&request, &response));
        }
        reply(&request, &response)
    }

    /// Signs in, unless there is a token. Does nothing for a service without a sign-in.
    pub(crate) async fn sign_in(&self) -> Result<(), ApiError> {
        match self.session() {
            Some((_, session)) => session.tokens().await.map(drop),
            None => Ok(()),
        }
    }

    /// Removes the stored token, so that the next caller who needs one signs in. Sends nothing.
    pub(crate) async fn forget_tokens(&self) -> Result<(), ApiError> {
        match self.session() {
            Some((_, session)) => session.forget().await,
            None => Ok(()),
        }
    }

    /// When the stored token expires, in milliseconds since the Unix epoch; `None` if there is none.
    pub(crate) async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        match self.session() {
            Some((_, session)) => session.signed_in_until().await,
            None => Ok(None),
        }
    }

    /// The secrets of a sign-in known so far.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let session = self.session();
        session.map_or_else(Vec::new, |(_, session)| session.secrets())
    }

    fn session(&self) -> Option<(&account::ServiceCredential, &Session<TokenAccount>)> {
        let known = self.known.as_deref()?;
        Some((known, known.session()?))
    }

    async fn signed(&self, asked: ServiceRequest) -> Result<ServiceRequest, ApiError> {
        match &self.known {
            Some(known) => known.signed(asked).await,
            None => Ok(asked),
        }
    }
}

/// Parses the address of a request. Refuses one with a user or a password, since addresses are shown in many places.
pub fn address(text: &str) -> Result<Url, ApiError> {
    let bad = |reason: &str| {
        Err(ApiError::new(
            ApiErrorKind::Address,
            format!("the address {reason}"),
        ))
    };
    let Ok(mut url) = Url::parse(text.trim()) else {
        return bad("is not valid: it must start with https:// and name a host");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return bad("is not a web address: it must start with https:// and name a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return bad("contains a user or a password; give them separately, as `basic: #{user, password}`");
    }
    url.set_fragment(None);
    Ok(url)
}

fn request(asked: ServiceRequest, flight: Option<&Flight>) -> Request {
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
        Ok(json) if response.is_json() => (guard.json(json), None),
        // A failure is reported as such even if its body cannot be parsed.
        Err(reason) if response.is_json() && response.status < 400 => {
            return Err(ApiError::unreadable(request, response, &reason.to_string()));
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

//! Requests to sandbox hosts that are answered inside this process, without a connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::error::TransportError;
use super::exchange;
use super::request::Request;
use super::response::Response;

/// Answers the requests to all sandbox hosts. It does the waiting of the sender, too: on the clock of the client, which may
/// be frozen.
#[derive(Clone)]
pub struct InProcess(Arc<Answering>);

type Answering =
    dyn Fn(InProcessRequest) -> Pin<Box<dyn Future<Output = InProcessAnswer> + Send>> + Send + Sync;

/// A request as it would be sent.
#[derive(Debug, Clone)]
pub struct InProcessRequest {
    /// The method.
    pub method: String,
    /// The path with the query.
    pub target: String,
    /// The headers, `host` included.
    pub headers: Vec<(String, String)>,
    /// The body; empty without one.
    pub body: Vec<u8>,
    /// How long the sender waits for the response.
    pub patience: Duration,
}

/// What the sender gets.
#[derive(Debug, Clone)]
pub enum InProcessAnswer {
    /// A response; without a body if that broke off.
    Response {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Option<Vec<u8>>,
    },
    /// No response: the connection was closed.
    Cut,
    /// No response in time, and none later.
    Late,
}

impl InProcess {
    /// Calls `answer` for each request.
    pub fn new<F>(answer: impl Fn(InProcessRequest) -> F + Send + Sync + 'static) -> InProcess
    where
        F: Future<Output = InProcessAnswer> + Send + 'static,
    {
        InProcess(Arc::new(move |request| Box::pin(answer(request))))
    }

    /// Sends a request once.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        headers: &HeaderMap,
        patience: Duration,
    ) -> Result<Response, TransportError> {
        let texts = headers.iter().filter_map(|(name, value)| {
            let text = value.to_str().ok()?;
            Some((name.as_str().to_owned(), text.to_owned()))
        });
        let host = (
            HOST.as_str().to_owned(),
            url.host_str().unwrap_or_default().to_owned(),
        );
        let query = url.query().map(|query| format!("?{query}"));
        let (kind, body) = request.wire_body().unzip();
        let kind = kind.filter(|_| !headers.contains_key(CONTENT_TYPE));
        let kind = kind.map(|kind| (CONTENT_TYPE.as_str().to_owned(), kind));
        let sent = InProcessRequest {
            method: request.method.as_str().to_owned(),
            target: format!("{}{}", url.path(), query.unwrap_or_default()),
            headers: texts.chain([host]).chain(kind).collect(),
            body: body.unwrap_or_default(),
            patience,
        };
        match (self.0)(sent).await {
            InProcessAnswer::Response {
                status,
                headers,
                body,
            } => {
                let headers = headers.into_iter().filter_map(|(name, value)| {
                    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                    Some((name, HeaderValue::from_str(&value).ok()?))
                });
                let body = body.ok_or_else(|| exchange::broken_off(request));
                exchange::received(status, headers.collect(), body, request)
            }
            InProcessAnswer::Cut => Err(exchange::broken(request, "connection closed")),
            InProcessAnswer::Late => Err(exchange::late(request, patience)),
        }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

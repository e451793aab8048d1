#![allow(clippy::unwrap_used, reason = "tests")]

mod answers;
mod outages;
mod paces;
mod plain_http;
mod redirects;
mod repeats;
mod secrets;
mod tls;

use std::time::Duration;

use super::error::{ErrorKind, Sent, TransportError};
use super::request::{Method, Request};
use super::testing::{Act, ReceivedRequest, Server};
use super::{Http, HttpConfig};
use crate::clock::Clock;
use crate::value::secret::Secret;

/// A client without a wait between attempts.
fn http() -> (Http, Clock) {
    let clock = Clock::frozen(0);
    let config = HttpConfig {
        body_limit: 1000,
        ..HttpConfig::default()
    };
    (Http::new(config, clock.clone()), clock)
}

fn get(server: &Server) -> Request {
    Request::new(Method::Get, server.url("/api/v8/things"))
}

fn post(server: &Server) -> Request {
    Request::new(Method::Post, server.url("/api/v8/things"))
}

async fn failure(request: &Request) -> TransportError {
    let (http, _) = http();
    http.send(request).await.unwrap_err()
}

fn assert_failed(error: &TransportError, kind: ErrorKind, sent: Sent, tries: u32) {
    assert_eq!(
        (error.kind, error.sent, error.tries),
        (kind, sent, tries),
        "{error}"
    );
}

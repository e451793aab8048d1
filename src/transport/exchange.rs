//! One attempt of a request: sends it, follows redirects, and reads a bounded body.

use std::collections::HashSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::circuit_breaker::OutageState;
use super::error::{
    ErrorKind, Sent, TransportError, is_client_cert_rejected, is_out_of_handles, root_cause, tls_cause,
    tls_failure,
};
use super::redirect::{self, RedirectAction};
use super::request::Request;
use super::response::Response;
use super::{Http, address};
use crate::clock::millis;
use crate::flight::RequestTimeouts;
use crate::waiting::Wait;

/// The maximum time that a late response is still read for. Callers stop waiting long before.
const MAX_READ_TIME: Duration = Duration::from_hours(24);

/// The outcome of an attempt.
pub(super) enum AttemptOutcome {
    /// A response, or the reason why there is none; and whether callers wait for the address.
    Ended(Result<Response, TransportError>, OutageState),
    /// Nothing was sent: the platform stayed unreachable for the maximum wait.
    GaveUp(TransportError),
}

/// Sends the request once. Redirects that may be followed are part of the same attempt.
pub(super) async fn once(http: &Http, request: &Request) -> AttemptOutcome {
    let mut url = request.wire_url();
    let mut followed = 0;
    loop {
        if let Some(reason) = http.refusal(&url) {
            let message = format!("{} was not sent: {reason}", request.label());
            return AttemptOutcome::Ended(
                Err(TransportError::unsent(ErrorKind::Address, message)),
                OutageState::No,
            );
        }
        let (answer, outage_state) = match leave(http, request, &url).await {
            AttemptOutcome::Ended(Ok(answer), outage_state) => (answer, outage_state),
            other => return other,
        };
        match redirect::judge(request, &url, &answer, followed) {
            Ok(RedirectAction::Answer) => return AttemptOutcome::Ended(Ok(answer), outage_state),
            Ok(RedirectAction::Follow(next)) => url = next,
            Err(error) => return AttemptOutcome::Ended(Err(error), outage_state),
        }
        followed += 1;
    }
}

/// Waits until the request may be sent, and sends it. All waiting happens before the flight is notified: a request
/// leaves as soon as its timestamp is recorded.
async fn leave(http: &Http, request: &Request, url: &Url) -> AttemptOutcome {
    let pool = &http.pool;
    let (admission, mut pass) = match pool.enter(url).await {
        Ok((admission, pass)) => (admission, Some(pass)),
        Err(error) => return AttemptOutcome::GaveUp(error),
    };
    let patience = RequestTimeouts {
        connect: pool.clients.connect_timeout(),
        reply: request.timeout.unwrap_or(http.shared.config.reply_timeout),
    };
    if let Some(flight) = &request.flight
        && let Err(reason) = flight.leave(patience).await
    {
        let message = format!("{} was not sent: {reason}", request.label());
        return AttemptOutcome::Ended(
            Err(TransportError::unsent(ErrorKind::Withheld, message)),
            OutageState::No,
        );
    }
    let started = Instant::now();
    let answer = wait_for_answer(http, request, patience.reply);
    let waits = &http.shared.config.waits;
    let limit = match &request.flight {
        Some(_) => MAX_READ_TIME,
        None => patience.reply,
    };
    let mut work = pin!(exchange(http, request, url.clone(), patience.reply, limit));
    let outcome = if let Some(flight) = &request.flight {
        let in_time = tokio::time::timeout(patience.reply, &mut work);
        let answered = waits.track(|| answer, in_time).await;
        let never = matches!(&answered, Ok(Err(error)) if error.sent == Sent::Late);
        match answered {
            Ok(outcome) if !never => outcome,
            _ => {
                // Frees the slot for the lookup of this request's outcome.
                drop(pass.take());
                flight.late(late_text(request, patience.reply));
                if never {
                    std::future::pending::<()>().await;
                }
                work.await
            }
        }
    } else {
        waits.track(|| answer, work).await
    };
    drop(pass);
    log_request(request, outcome.as_ref(), started.elapsed());
    let undone = match &outcome {
        // A gateway responds 408 to a request that the platform may still be working on.
        Ok(answer) => (400..500).contains(&answer.status) && answer.status != 408,
        Err(error) => error.sent == Sent::No,
    };
    if let Some(flight) = request.flight.as_ref().filter(|_| undone) {
        flight.undone();
    }
    pool.judge(&admission, outcome.as_ref().err());
    AttemptOutcome::Ended(outcome, pool.outage_state(&admission))
}

/// The wait for the response, as shown to the user.
fn wait_for_answer(http: &Http, request: &Request, reply: Duration) -> Wait {
    Wait {
        what: format!("waiting for a response to {}", request.label()),
        until_ms: Some(http.shared.clock.now_millis().saturating_add(millis(reply))),
        reason: String::new(),
    }
}

/// Logs one request: target, response, duration. Neither query nor secrets are logged.
fn log_request(request: &Request, outcome: Result<&Response, &TransportError>, took: Duration) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let answer = match outcome {
        Ok(response) => response.status.to_string(),
        Err(error) => format!("no response: {}", error.kind.words()),
    };
    let id = outcome.ok().and_then(request_id).unwrap_or_default();
    tracing::debug!(target: "provisor::http", request = %request.label(), answer = %answer, ms, id = %id);
}

/// The platform's ID of the request, if the response has one: its support can find the request by it. Sources of the
/// header names: conventions of public services, not a platform's documentation.
fn request_id(answer: &Response) -> Option<String> {
    let named = [
        "x-request-id",
        "request-id",
        "x-correlation-id",
        "x-amzn-requestid",
    ];
    let id = named.iter().find_map(|name| answer.header(name))?.trim();
    let is_plain = id.chars().all(|c| c.is_ascii_graphic());
    (!id.is_empty() && id.len() <= 100 && is_plain).then(|| id.to_owned())
}

async fn exchange(
    http: &Http,
    request: &Request,
    url: Url,
    reply: Duration,
    timeout: Duration,
) -> Result<Response, TransportError> {
    let mut headers = headers(request)?;
    if let Some(in_process) = &http.shared.config.in_process
        && url.host_str().is_some_and(address::is_sandbox_host)
    {
        return in_process.exchange(request, &url, &headers, reply).await;
    }
    let url = resolve_sandbox_host(http, request, url, &mut headers)?;
    let client = http.pool.clients.for_url(&url)?;
    let typed = headers.contains_key(CONTENT_TYPE);
    let mut builder = client.request(method(request), url).headers(headers);
    if let Some((kind, bytes)) = request.wire_body() {
        if !typed {
            builder = builder.header(CONTENT_TYPE, kind);
        }
        builder = builder.body(bytes);
    }
    let answer = builder
        .timeout(timeout)
        .send()
        .await
        .map_err(|error| failed(http, request, &error, timeout))?;
    tracing::debug!(request = %request.label(), status = answer.status().as_u16(), "answered");
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    let body = read(http, request, answer, timeout).await;
    received(status, headers, body, request)
}

/// Returns the response with this body, if the whole of it was received or the status is enough.
pub(super) fn received(
    status: u16,
    headers: HeaderMap,
    body: Result<Vec<u8>, TransportError>,
    request: &Request,
) -> Result<Response, TransportError> {
    let body = match body {
        Ok(body) => body,
        // The status is decisive; only its explanation is lost.
        Err(_) if status >= 400 => Vec::new(),
        Err(error) if (200..300).contains(&status) => {
            let sent = Sent::Yes;
            return Err(TransportError { sent, ..error });
        }
        Err(error) => return Err(error),
    };
    Ok(Response::new(status, headers, body, request))
}

/// Replaces a sandbox host by the address where the sandbox listens. The request uses plain http, whatever its scheme,
/// and has the name in its `Host` header. This way all tenants share connections.
fn resolve_sandbox_host(
    http: &Http,
    request: &Request,
    mut url: Url,
    headers: &mut HeaderMap,
) -> Result<Url, TransportError> {
    let Some(host) = url.host_str().filter(|host| address::is_sandbox_host(host)) else {
        return Ok(url);
    };
    let unusable = || {
        let message = format!("{} was not sent: the sandbox is not running", request.label());
        TransportError::unsent(ErrorKind::Connect, message)
    };
    let place = http.shared.config.routes.find(host).ok_or_else(unusable)?;
    let name = HeaderValue::from_str(host).map_err(|_| unusable())?;
    headers.insert(HOST, name);
    url.set_scheme("http")
        .and_then(|()| url.set_ip_host(place.ip()))
        .and_then(|()| url.set_port(Some(place.port())))
        .map_err(|()| unusable())?;
    Ok(url)
}

fn method(request: &Request) -> reqwest::Method {
    use super::request::Method as Ours;
    match request.method {
        Ours::Get => reqwest::Method::GET,
        Ours::Head => reqwest::Method::HEAD,
        Ours::Options => reqwest::Method::OPTIONS,
        Ours::Post => reqwest::Method::POST,
        Ours::Put => reqwest::Method::PUT,
        Ours::Patch => reqwest::Method::PATCH,
        Ours::Delete => reqwest::Method::DELETE,
        // Its characters are those of a token, which is all that a method requires.
        Ours::Other(_) => {
            reqwest::Method::from_bytes(request.method.as_str().as_bytes()).unwrap_or(reqwest::Method::POST)
        }
    }
}

fn headers(request: &Request) -> Result<HeaderMap, TransportError> {
    let unusable = |what: &str| {
        let message = format!(
            "{} was not sent: {what} is not a valid header value",
            request.label()
        );
        TransportError::unsent(ErrorKind::Address, message)
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(bearer) = request.wire_authorization() {
        let mut value = HeaderValue::from_str(&bearer).map_err(|_| unusable("the token"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let mut written = HashSet::new();
    for (name, text) in request.wire_headers() {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable(name))?;
        let mut value = HeaderValue::from_str(&text).map_err(|_| unusable(name))?;
        value.set_sensitive(true);
        // The first value replaces the default; repeated headers are sent repeatedly.
        if written.insert(key.clone()) {
            headers.insert(key, value);
        } else {
            headers.append(key, value);
        }
    }
    Ok(headers)
}

/// Reads the body up to the size limit.
async fn read(
    http: &Http,
    request: &Request,
    mut answer: reqwest::Response,
    timeout: Duration,
) -> Result<Vec<u8>, TransportError> {
    let limit = http.shared.config.body_limit;
    let too_large = || {
        let message = format!("the response to {} is longer than {limit} bytes", request.label());
        TransportError::in_doubt(ErrorKind::TooLarge, message)
    };
    let announced = answer.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(late(request, timeout)),
            Err(_) => return Err(broken_off(request)),
        }
    }
}

/// Converts a failed attempt to an error.
fn failed(http: &Http, request: &Request, error: &reqwest::Error, timeout: Duration) -> TransportError {
    let label = request.label();
    let host = match http.pool.clients.proxy_for(&request.url) {
        Some(proxy) => format!("{} through the proxy {proxy}", request.host()),
        None => request.host(),
    };
    let tls = tls_failure(error);
    let cause = tls.map_or_else(|| root_cause(error), tls_cause);
    let cause = request.scrubber().scrub(&cause);
    let connecting = error.is_connect() || error.is_dns();
    if is_out_of_handles(error) {
        let message = format!(
            "no connection to {host}: this process has no file handles left ({cause}); run fewer rows at once (--jobs), or \
             raise `ulimit -n`"
        );
        TransportError::unsent(ErrorKind::Connect, message)
    } else if error.is_builder() {
        let message = format!("{label} was not sent: it is not a valid request");
        TransportError::unsent(ErrorKind::Address, message)
    } else if connecting && error.is_dns() {
        TransportError::unsent(ErrorKind::Dns, format!("{host} cannot be found: {cause}"))
    } else if tls.is_some_and(|failure| connecting || is_client_cert_rejected(failure)) {
        let message = format!("no secure connection to {host}: {cause}");
        TransportError::unsent(ErrorKind::Tls, message)
    } else if connecting && error.is_timeout() {
        let seconds = http.pool.clients.connect_timeout().as_secs_f64();
        let message = format!("no connection to {host} within {seconds} s");
        TransportError::unsent(ErrorKind::Connect, message)
    } else if connecting {
        TransportError::unsent(ErrorKind::Connect, format!("no connection to {host}: {cause}"))
    } else if error.is_timeout() {
        late(request, timeout)
    } else {
        broken(request, &cause)
    }
}

/// The error of a connection that broke before there was a response.
pub(super) fn broken(request: &Request, cause: &str) -> TransportError {
    let label = request.label();
    let message = format!("the connection broke before {label} was answered: {cause}");
    TransportError::in_doubt(ErrorKind::Reset, message)
}

/// The error of a response whose body did not end.
pub(super) fn broken_off(request: &Request) -> TransportError {
    let message = format!("the response to {} broke off", request.label());
    TransportError::in_doubt(ErrorKind::Truncated, message)
}

/// The error of a response that did not come in time.
pub(super) fn late(request: &Request, limit: Duration) -> TransportError {
    TransportError {
        sent: Sent::Late,
        ..TransportError::in_doubt(ErrorKind::Timeout, late_text(request, limit))
    }
}

fn late_text(request: &Request, limit: Duration) -> String {
    format!(
        "{} was not answered within {} s",
        request.label(),
        limit.as_secs_f64()
    )
}

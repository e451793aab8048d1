//! Decides whether and when to retry, from the request's idempotency and whether it may have been carried out.

use std::time::Duration;

use super::circuit_breaker::{self, OutageState};
use super::error::{ErrorKind, Sent, TransportError};
use super::request::Request;
use super::response::Response;
use crate::sabotage::Sabotage;

type Outcome = Result<Response, TransportError>;

/// The maximum number of attempts after transient failures.
const TRIES: u32 = 4;

/// The maximum number of attempts after timeouts: each costs the whole timeout.
const LATE_TRIES: u32 = 2;

/// The maximum number of attempts after 429 responses.
const THROTTLED_TRIES: u32 = 5;

/// The longest single wait, even if the platform asks for a longer one.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// The maximum number of attempts to connect to an address that would be waited for: enough that its site counts as
/// down, unless others connect.
const AWAITED_TRIES: u32 = circuit_breaker::FAILURE_THRESHOLD + 1;

/// How long to wait before the next attempt, or `None` if `outcome` is final.
pub(super) fn wait_before_next(
    request: &Request,
    outcome: &Outcome,
    outage_state: OutageState,
    tries: u32,
    now_millis: i64,
) -> Option<Duration> {
    match outcome {
        Ok(response) => after_answer(request, response, requested_delay(outcome, now_millis), tries),
        Err(error) => {
            let limit = match (error.sent, error.kind) {
                // The end of the outage is awaited before the next attempt.
                (Sent::No, kind) if circuit_breaker::counts(kind) && outage_state == OutageState::Down => {
                    return Some(Duration::ZERO);
                }
                (Sent::No, kind) if circuit_breaker::counts(kind) && outage_state == OutageState::Up => {
                    AWAITED_TRIES
                }
                (
                    _,
                    ErrorKind::Address
                    | ErrorKind::Setup
                    | ErrorKind::Withheld
                    | ErrorKind::Tls
                    | ErrorKind::Redirect
                    | ErrorKind::TooLarge,
                ) => 1,
                (Sent::Maybe | Sent::Late | Sent::Yes, _)
                    if !request.idempotent && !Sabotage::ChangeRepeated.is_on() =>
                {
                    1
                }
                (_, ErrorKind::Timeout) => LATE_TRIES,
                _ => TRIES,
            };
            (tries < limit).then(|| backoff(Duration::from_millis(200), tries))
        }
    }
}

/// How long the platform asks all callers to wait (`Retry-After`), if it does.
pub(super) fn requested_delay(outcome: &Outcome, now_millis: i64) -> Option<Duration> {
    let requested = outcome.as_ref().ok()?.header("retry-after")?;
    retry_after(requested, now_millis).map(|requested| requested.min(MAX_WAIT))
}

/// Why the request is retried: a sentence without a full stop.
pub(super) fn reason(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) if answer.status == 429 => "too many requests (429)".to_owned(),
        Ok(answer) => format!("the response was {}", answer.status),
        Err(error) => error.message.clone(),
    }
}

/// Adds the number of attempts to the outcome.
pub(super) fn finish(outcome: Outcome, tries: u32) -> Outcome {
    match outcome {
        Ok(response) => Ok(Response { tries, ..response }),
        Err(error) => Err(TransportError { tries, ..error }),
    }
}

fn after_answer(
    request: &Request,
    response: &Response,
    requested: Option<Duration>,
    tries: u32,
) -> Option<Duration> {
    // Many callers were given the same second.
    let requested = requested.map(|requested| requested + jitter(Duration::from_millis(250)));
    match response.status {
        429 if tries < THROTTLED_TRIES => {
            Some(requested.unwrap_or_else(|| backoff(Duration::from_secs(1), tries)))
        }
        // 501 is not retried: it means "never", and the refresh of tokens uses it to ask for a new sign-in.
        500 | 502 | 504 if request.idempotent && tries < TRIES => {
            Some(backoff(Duration::from_millis(200), tries))
        }
        503 if request.idempotent && tries < TRIES => {
            Some(requested.unwrap_or_else(|| backoff(Duration::from_millis(200), tries)))
        }
        _ => None,
    }
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110).
fn retry_after(text: &str, now_millis: i64) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let millis = date.timestamp().as_millisecond().saturating_sub(now_millis);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
}

/// Exponential backoff: doubles after each attempt, and half of it is random.
fn backoff(first: Duration, tries: u32) -> Duration {
    let full = first.saturating_mul(1 << (tries - 1).min(8)).min(MAX_WAIT);
    full / 2 + jitter(full / 2)
}

fn jitter(limit: Duration) -> Duration {
    limit.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests;

//! When to try again, and after how long. Decided from the request's promise and the failure's certainty.

use std::time::Duration;

use super::circuit_breaker::{self, Awaited};
use super::error::{ErrorKind, Sent, TransportError};
use super::request::Request;
use super::response::Response;
use crate::sabotage::Sabotage;

type Outcome = Result<Response, TransportError>;

/// Tries for what failed in passing.
const TRIES: u32 = 4;

/// Tries when answers do not come in time: each costs the whole timeout.
const LATE_TRIES: u32 = 2;

/// Tries for what the platform puts off.
const PUT_OFF_TRIES: u32 = 5;

/// The longest single wait, even if the platform asks for more.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Tries for connections to an address that would be waited for: enough that its site counts as down, unless others
/// get through.
const AWAITED_TRIES: u32 = circuit_breaker::TOLERATED + 1;

/// How long to wait before the next try, or nothing when `outcome` stands.
pub(super) fn wait_before_next(
    request: &Request,
    outcome: &Outcome,
    awaited: Awaited,
    tries: u32,
    now_millis: i64,
) -> Option<Duration> {
    match outcome {
        Ok(response) => after_answer(request, response, put_off(outcome, now_millis), tries),
        Err(error) => {
            let most = match (error.sent, error.kind) {
                // Before the next try the outage itself is waited for.
                (Sent::No, kind) if circuit_breaker::counts(kind) && awaited == Awaited::Down => {
                    return Some(Duration::ZERO);
                }
                (Sent::No, kind) if circuit_breaker::counts(kind) && awaited == Awaited::Up => AWAITED_TRIES,
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
            (tries < most).then(|| backoff(Duration::from_millis(200), tries))
        }
    }
}

/// How long the platform asks everybody to wait, when it does.
pub(super) fn put_off(outcome: &Outcome, now_millis: i64) -> Option<Duration> {
    let asked = outcome.as_ref().ok()?.header("retry-after")?;
    retry_after(asked, now_millis).map(|asked| asked.min(LONGEST_WAIT))
}

/// Why it is tried again, in a sentence without a full stop.
pub(super) fn why(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) if answer.status == 429 => "too many requests (429)".to_owned(),
        Ok(answer) => format!("the answer was {}", answer.status),
        Err(error) => error.message.clone(),
    }
}

/// The outcome, which knows how often it was tried.
pub(super) fn finish(outcome: Outcome, tries: u32) -> Outcome {
    match outcome {
        Ok(response) => Ok(Response { tries, ..response }),
        Err(error) => Err(TransportError { tries, ..error }),
    }
}

fn after_answer(
    request: &Request,
    response: &Response,
    asked: Option<Duration>,
    tries: u32,
) -> Option<Duration> {
    // Many callers were told the same second.
    let asked = asked.map(|asked| asked + jitter(Duration::from_millis(250)));
    match response.status {
        429 if tries < PUT_OFF_TRIES => Some(asked.unwrap_or_else(|| backoff(Duration::from_secs(1), tries))),
        // 501 is not among them: it says "never", and a refresh of tokens says "sign in again" with it.
        500 | 502 | 504 if request.idempotent && tries < TRIES => {
            Some(backoff(Duration::from_millis(200), tries))
        }
        503 if request.idempotent && tries < TRIES => {
            Some(asked.unwrap_or_else(|| backoff(Duration::from_millis(200), tries)))
        }
        _ => None,
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110).
fn retry_after(text: &str, now_millis: i64) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let millis = date.timestamp().as_millisecond().saturating_sub(now_millis);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
}

/// Twice as long after each try, and at least half of it by chance.
fn backoff(first: Duration, tries: u32) -> Duration {
    let full = first.saturating_mul(1 << (tries - 1).min(8)).min(LONGEST_WAIT);
    full / 2 + jitter(full / 2)
}

fn jitter(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests;

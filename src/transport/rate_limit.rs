//! Rate limits of one account: requests per time, concurrent requests, and none while the platform holds them back
//! (429). All callers of a line share them, whichever row they belong to.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;

/// A number of requests per time, evenly spaced: `10/s` is one every 100 ms, so no second ever sees more than ten
/// start, wherever the platform's own second begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    per: Duration,
}

impl Rate {
    /// Parses `10/s`, `90/min` or `1000/h`: a whole number up to 100 000 and a unit of time.
    pub fn parse(text: &str) -> Option<Rate> {
        let (count, unit) = text.split_once('/')?;
        let per = match unit.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3_600,
            _ => return None,
        };
        let count = count
            .trim()
            .parse()
            .ok()
            .filter(|count| (1..=100_000).contains(count))?;
        Some(Rate {
            count,
            per: Duration::from_secs(per),
        })
    }

    /// The time between two requests, in microseconds.
    fn interval_us(self) -> i64 {
        micros(self.per) / i64::from(self.count)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

/// The rate limiter of a line. Dropping a waiting future cancels the wait; nothing is sent.
#[derive(Debug)]
pub(super) struct RateLimiter {
    clock: Clock,
    interval_us: Option<i64>,
    slots: Option<Arc<Semaphore>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the next request may be sent, in microseconds since the Unix epoch.
    next_us: i64,
    /// The number of callers that wait for their turn.
    waiting: i64,
    /// The end of each origin's hold, in milliseconds since the Unix epoch.
    held: HashMap<String, i64>,
}

/// Permission to have one request in progress, until it is dropped.
#[derive(Debug)]
pub(super) struct RatePermit(#[allow(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

/// The maximum hold; a longer one means that the clock was set back.
const MAX_HOLD: Duration = Duration::from_secs(70);

/// Callers that were held together are spread over this time.
const MAX_JITTER: Duration = Duration::from_millis(250);

impl RateLimiter {
    pub(super) fn new(rate: Option<Rate>, concurrency: Option<usize>, clock: Clock) -> RateLimiter {
        RateLimiter {
            clock,
            interval_us: rate.map(Rate::interval_us),
            slots: concurrency.map(|limit| Arc::new(Semaphore::new(limit))),
            state: Mutex::default(),
        }
    }

    /// Waits until a request to `origin` may be sent.
    pub(super) async fn enter(&self, origin: &str) -> RatePermit {
        loop {
            self.wait_for_hold(origin).await;
            let permit = match &self.slots {
                // The semaphore is never closed.
                Some(slots) => Arc::clone(slots).acquire_owned().await.ok(),
                None => None,
            };
            self.wait_for_turn().await;
            // The platform may have been put on hold meanwhile; other callers need not wait behind this one.
            if self.hold_remaining(origin).is_none() {
                return RatePermit(permit);
            }
        }
    }

    /// Holds back all requests to `origin` for `wait` from now.
    pub(super) fn hold(&self, origin: &str, wait: Duration) {
        let now = self.clock.steady_millis();
        let until = now.saturating_add(millis(wait.min(MAX_HOLD)));
        let mut state = self.state();
        state.held.retain(|_, until| *until > now);
        let held = state.held.entry(origin.to_owned()).or_insert(until);
        *held = until.max(*held);
    }

    async fn wait_for_hold(&self, origin: &str) {
        let mut held = false;
        while let Some(remaining) = self.hold_remaining(origin) {
            self.clock.sleep(remaining).await;
            held = true;
        }
        if held {
            self.clock.sleep(MAX_JITTER.mul_f64(fastrand::f64())).await;
        }
    }

    /// How much longer requests to `origin` are held back.
    pub(super) fn hold_remaining(&self, origin: &str) -> Option<Duration> {
        let now = self.clock.steady_millis();
        let mut state = self.state();
        let until = *state.held.get(origin)?;
        let remaining = until - now;
        if remaining <= 0 || remaining > millis(MAX_HOLD) {
            state.held.remove(origin);
            return None;
        }
        Some(Duration::from_millis(
            u64::try_from(remaining).unwrap_or_default(),
        ))
    }

    /// Reserves the next free slot and waits for it.
    async fn wait_for_turn(&self) {
        let Some(interval) = self.interval_us else { return };
        let now = self.clock.steady_millis().saturating_mul(1_000);
        let wait = {
            let mut state = self.state();
            // No caller waits longer than for those before it, even if the clock was set back.
            let latest = now.saturating_add(interval.saturating_mul(state.waiting + 1));
            let turn = state.next_us.clamp(now, latest);
            state.next_us = turn.saturating_add(interval);
            state.waiting += 1;
            turn - now
        };
        let _waiting = Waiting(self);
        if wait > 0 {
            let wait = Duration::from_micros(u64::try_from(wait).unwrap_or_default());
            self.clock.sleep(wait).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a caller as waiting for its turn until dropped, however the wait ends.
struct Waiting<'a>(&'a RateLimiter);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

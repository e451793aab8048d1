//! How fast one account's requests leave: so many in a time, so many at once, and none while the platform asks for
//! patience. All callers of a line wait together, whichever row they belong to.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;

/// So many requests in a time, evenly spread: `10/s` is one every 100 ms, so that no second ever sees more than ten
/// begin, wherever the platform's own second begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    per: Duration,
}

impl Rate {
    /// Reads `10/s`, `90/min` or `1000/h`: a whole number up to 100 000, and the time it is for.
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

    /// The time from one request to the next.
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

/// The pace of a line. A wait that is dropped is over, and nothing was sent.
#[derive(Debug)]
pub(super) struct RateLimiter {
    clock: Clock,
    interval_us: Option<i64>,
    room: Option<Arc<Semaphore>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the next request may leave, in microseconds since the Unix epoch.
    next_us: i64,
    /// How many wait for their time.
    waiting: i64,
    /// Until when nothing is sent to an origin, in milliseconds since the Unix epoch.
    held: HashMap<String, i64>,
}

/// The right to have one request under way, until it is dropped.
#[derive(Debug)]
pub(super) struct RatePermit(#[allow(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

/// No hold is longer; a longer one means that the clock was set back.
const LONGEST_HOLD: Duration = Duration::from_secs(70);

/// Callers that were held together leave within this time of each other.
const SCATTER: Duration = Duration::from_millis(250);

impl RateLimiter {
    pub(super) fn new(rate: Option<Rate>, concurrency: Option<usize>, clock: Clock) -> RateLimiter {
        RateLimiter {
            clock,
            interval_us: rate.map(Rate::interval_us),
            room: concurrency.map(|most| Arc::new(Semaphore::new(most))),
            state: Mutex::default(),
        }
    }

    /// Waits until a request to `origin` may leave.
    pub(super) async fn enter(&self, origin: &str) -> RatePermit {
        loop {
            self.wait_for_hold(origin).await;
            let permit = match &self.room {
                // Nobody closes it.
                Some(room) => Arc::clone(room).acquire_owned().await.ok(),
                None => None,
            };
            self.wait_for_turn().await;
            // The platform may have asked for patience meanwhile; others need not wait behind that.
            if self.hold_left(origin).is_none() {
                return RatePermit(permit);
            }
        }
    }

    /// The platform behind `origin` wants nothing for `wait` from now.
    pub(super) fn hold(&self, origin: &str, wait: Duration) {
        let now = self.clock.steady_millis();
        let until = now.saturating_add(millis(wait.min(LONGEST_HOLD)));
        let mut state = self.state();
        state.held.retain(|_, until| *until > now);
        let held = state.held.entry(origin.to_owned()).or_insert(until);
        *held = until.max(*held);
    }

    async fn wait_for_hold(&self, origin: &str) {
        let mut held = false;
        while let Some(left) = self.hold_left(origin) {
            self.clock.sleep(left).await;
            held = true;
        }
        if held {
            self.clock.sleep(SCATTER.mul_f64(fastrand::f64())).await;
        }
    }

    /// How long the platform behind `origin` still wants nothing.
    pub(super) fn hold_left(&self, origin: &str) -> Option<Duration> {
        let now = self.clock.steady_millis();
        let mut state = self.state();
        let until = *state.held.get(origin)?;
        let left = until - now;
        if left <= 0 || left > millis(LONGEST_HOLD) {
            state.held.remove(origin);
            return None;
        }
        Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
    }

    /// Takes the next free time, and waits for it.
    async fn wait_for_turn(&self) {
        let Some(interval) = self.interval_us else { return };
        let now = self.clock.steady_millis().saturating_mul(1_000);
        let wait = {
            let mut state = self.state();
            // Nobody waits longer than for those before them, even if the clock was set back.
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

/// Counts a caller that waits for its time, however the wait ends.
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

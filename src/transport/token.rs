//! A cache for a token that many callers share and one of them renews.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, millis};

/// A token with its times, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease<T> {
    /// The token.
    pub token: T,
    /// From this time on, the token is renewed before use.
    pub renew_at: i64,
    /// From this time on, the token is useless.
    pub dead_at: i64,
}

/// A failed renewal.
#[derive(Debug, Clone)]
pub struct Failure<E> {
    /// The reason.
    pub error: E,
    /// How long every caller gets the same error without another attempt; `None` forever, as for a refused password.
    pub cooldown: Option<Duration>,
}

/// Caches a token of type `T`. One caller renews it while the others wait for the result: a token or an error of type
/// `E`.
#[derive(Debug)]
pub struct TokenCache<T, E> {
    state: Mutex<State<T, E>>,
    renewing: tokio::sync::Mutex<()>,
    clock: Clock,
}

#[derive(Debug)]
struct State<T, E> {
    lease: Option<Lease<T>>,
    rejected: bool,
    failed: Option<(E, Option<i64>)>,
}

impl<T: Clone + PartialEq, E: Clone> TokenCache<T, E> {
    /// Creates an empty cache.
    pub fn new(clock: Clock) -> TokenCache<T, E> {
        TokenCache {
            state: Mutex::new(State {
                lease: None,
                rejected: false,
                failed: None,
            }),
            renewing: tokio::sync::Mutex::new(()),
            clock,
        }
    }

    /// Returns the token. If there is none, or it is about to expire or was rejected, one caller runs `renew` with the
    /// cached token.
    ///
    /// If the renewal fails while the old token is still valid, the old one is returned.
    pub async fn get<R, F>(&self, renew: R) -> Result<T, E>
    where
        R: FnOnce(Option<T>) -> F,
        F: Future<Output = Result<Lease<T>, Failure<E>>>,
    {
        if let Some(known) = self.known() {
            return known;
        }
        let _renewing = self.renewing.lock().await;
        // Another caller may have renewed it meanwhile.
        if let Some(known) = self.known() {
            return known;
        }
        let outcome = renew(self.held()).await;
        self.settle(outcome)
    }

    /// The cached token, valid or not.
    pub fn held(&self) -> Option<T> {
        self.state().lease.as_ref().map(|lease| lease.token.clone())
    }

    /// Marks `token` as rejected by the platform. A newer token that has replaced it is not affected.
    pub fn reject(&self, token: &T) {
        let mut state = self.state();
        if state.lease.as_ref().is_some_and(|lease| lease.token == *token) {
            state.rejected = true;
        }
    }

    /// Extends the lease of `token`. A newer token that has replaced it is not affected.
    pub fn extend(&self, token: &T, lease: Lease<T>) {
        let mut state = self.state();
        if !state.rejected && state.lease.as_ref().is_some_and(|held| held.token == *token) {
            state.lease = Some(lease);
        }
    }

    /// The result that is available without a renewal.
    fn known(&self) -> Option<Result<T, E>> {
        let (now, monotonic_now) = (self.clock.now_millis(), self.clock.steady_millis());
        let state = self.state();
        let held_back = |until: &Option<i64>| until.is_none_or(|until| monotonic_now < until);
        let failed = state.failed.as_ref().filter(|(_, until)| held_back(until));
        let live = state
            .lease
            .as_ref()
            .filter(|lease| !state.rejected && now < lease.dead_at);
        match (live, failed) {
            (Some(lease), Some(_)) => Some(Ok(lease.token.clone())),
            (Some(lease), None) if now < lease.renew_at => Some(Ok(lease.token.clone())),
            (None, Some((error, _))) => Some(Err(error.clone())),
            _ => None,
        }
    }

    fn settle(&self, outcome: Result<Lease<T>, Failure<E>>) -> Result<T, E> {
        let now = self.clock.now_millis();
        let mut state = self.state();
        match outcome {
            Ok(lease) => {
                let token = lease.token.clone();
                *state = State {
                    lease: Some(lease),
                    rejected: false,
                    failed: None,
                };
                Ok(token)
            }
            Err(Failure { error, cooldown }) => {
                let until =
                    cooldown.map(|cooldown| self.clock.steady_millis().saturating_add(millis(cooldown)));
                state.failed = Some((error.clone(), until));
                let live = state
                    .lease
                    .as_ref()
                    .filter(|lease| !state.rejected && now < lease.dead_at);
                live.map(|lease| lease.token.clone()).ok_or(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

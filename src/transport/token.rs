//! A token that many callers share and one renews.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, millis};

/// A token with its times, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease<T> {
    /// The token.
    pub token: T,
    /// From here on it is renewed before use.
    pub renew_at: i64,
    /// From here on it is useless.
    pub dead_at: i64,
}

/// A failed renewal.
#[derive(Debug, Clone)]
pub struct Failure<E> {
    /// Why.
    pub error: E,
    /// For how long the same error is given to every caller without asking again; `None` for ever, as for a refused
    /// password.
    pub hold: Option<Duration>,
}

/// Holds a token of type `T`. One caller renews it while the others wait for the result, be it a token or an error
/// of type `E`.
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
    /// An empty cache.
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

    /// The token. When there is none, or it is near its end or was rejected, one caller runs `renew` with the token
    /// held so far.
    ///
    /// A renewal that fails while the old token still lives gives the old one.
    pub async fn get<R, F>(&self, renew: R) -> Result<T, E>
    where
        R: FnOnce(Option<T>) -> F,
        F: Future<Output = Result<Lease<T>, Failure<E>>>,
    {
        if let Some(known) = self.known() {
            return known;
        }
        let _renewing = self.renewing.lock().await;
        // Somebody else may have done it while this caller waited.
        if let Some(known) = self.known() {
            return known;
        }
        let outcome = renew(self.held()).await;
        self.settle(outcome)
    }

    /// The token that is held, be it good or not.
    pub fn held(&self) -> Option<T> {
        self.state().lease.as_ref().map(|lease| lease.token.clone())
    }

    /// The platform did not accept `token`. A newer token that has taken its place meanwhile is kept.
    pub fn reject(&self, token: &T) {
        let mut state = self.state();
        if state.lease.as_ref().is_some_and(|lease| lease.token == *token) {
            state.rejected = true;
        }
    }

    /// `token` lives longer than was known. A newer token that has taken its place meanwhile is kept.
    pub fn extend(&self, token: &T, lease: Lease<T>) {
        let mut state = self.state();
        if !state.rejected && state.lease.as_ref().is_some_and(|held| held.token == *token) {
            state.lease = Some(lease);
        }
    }

    /// What can be said without renewing.
    fn known(&self) -> Option<Result<T, E>> {
        let (now, steady) = (self.clock.now_millis(), self.clock.steady_millis());
        let state = self.state();
        let held_back = |until: &Option<i64>| until.is_none_or(|until| steady < until);
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
            Err(Failure { error, hold }) => {
                let until = hold.map(|hold| self.clock.steady_millis().saturating_add(millis(hold)));
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

//! State shared by the callers of one [`ConnectOptions`]: connections, rate limits, and which sites are down.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::HttpConfig;
use super::circuit_breaker::{self, BreakerPermit, Breakers, MaxOutage, OutageState};
use super::connect::Clients;
use super::connect_options::ConnectOptions;
use super::error::{ErrorKind, TransportError};
use super::rate_limit::{RateLimiter, RatePermit};
use crate::clock::{Clock, millis};
use crate::value::origin::Origin;
use crate::waiting::{Wait, Waiting, Waits};

/// How long to wait for a platform that was reached before, unless the options set another time.
const OUTAGE: Duration = Duration::from_mins(5);

#[derive(Debug)]
pub(super) struct ConnectionPool {
    pub(super) clients: Clients,
    /// See [`ConnectOptions::plain_http`].
    pub(super) plain_http: Option<Origin>,
    rate: Arc<RateLimiter>,
    breakers: Breakers,
    clock: Clock,
    waits: Waits,
}

impl ConnectionPool {
    /// Creates the pool for `connect_options`; it shares the rate limits of `sibling`, a pool of the same account, if
    /// given.
    pub(super) fn new(
        config: &HttpConfig,
        connect_options: &ConnectOptions,
        clock: &Clock,
        sibling: Option<&ConnectionPool>,
    ) -> ConnectionPool {
        let max_outage = MaxOutage {
            responsive: connect_options.outage.unwrap_or(OUTAGE),
            unresponsive: config.max_outage_unresponsive,
        };
        ConnectionPool {
            clients: Clients::new(config, connect_options),
            plain_http: connect_options.plain_http.clone(),
            rate: sibling.map_or_else(
                || {
                    Arc::new(RateLimiter::new(
                        connect_options.rate,
                        connect_options.concurrency,
                        clock.clone(),
                    ))
                },
                |sibling| Arc::clone(&sibling.rate),
            ),
            breakers: Breakers::new(max_outage, config.listener.clone(), clock.clone()),
            clock: clock.clone(),
            waits: config.waits.clone(),
        }
    }

    /// Waits until a request to `url` may be sent. Fails if the platform stays unreachable for the maximum wait.
    pub(super) async fn enter(&self, url: &Url) -> Result<(BreakerPermit, RatePermit), TransportError> {
        loop {
            let admission = self.breakers.admit(url).await?;
            let wait_notice = self.report_hold(url);
            let pass = self.rate.enter(&origin(url)).await;
            drop(wait_notice);
            if !admission.is_stale() {
                return Ok((admission, pass));
            }
        }
    }

    /// Reports that requests are held back for long because of a 429 response.
    fn report_hold(&self, url: &Url) -> Option<Waiting> {
        let left = self.rate.hold_remaining(&origin(url))?;
        (left >= self.waits.report_threshold()).then(|| {
            self.waits.begin(Wait {
                what: format!("waiting to ask {} again", url.host_str().unwrap_or_default()),
                until_ms: Some(self.clock.now_millis().saturating_add(millis(left))),
                reason: "too many requests (429)".to_owned(),
            })
        })
    }

    /// Updates the circuit breaker with the outcome of an attempt: a response, or this error.
    pub(super) fn judge(&self, admission: &BreakerPermit, error: Option<&TransportError>) {
        match error {
            Some(error) if circuit_breaker::counts(error.kind) => self.breakers.failed(admission, error),
            Some(error) if error.kind == ErrorKind::Address => {}
            _ => self.breakers.record_reached(admission),
        }
    }

    pub(super) fn outage_state(&self, admission: &BreakerPermit) -> OutageState {
        self.breakers.outage_state(admission)
    }

    /// Whether any caller waits for a platform that cannot be reached.
    pub(super) fn is_waiting(&self) -> bool {
        self.breakers.is_any_site_down()
    }

    /// Holds back all requests to this origin for `wait`, after a 429 response.
    pub(super) fn hold(&self, url: &Url, wait: Duration) {
        self.rate.hold(&origin(url), wait);
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

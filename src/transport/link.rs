//! What the callers of one line share: connections, pace, and the knowledge of what cannot be reached.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::HttpConfig;
use super::circuit_breaker::{self, Awaited, BreakerPermit, Breakers, Patience};
use super::connect::Clients;
use super::error::{ErrorKind, TransportError};
use super::line::Line;
use super::rate_limit::{RateLimiter, RatePermit};
use crate::clock::{Clock, millis};
use crate::waiting::{Wait, Waiting, Waits};

/// How long a platform that was reached before is waited for, unless the line says otherwise.
const OUTAGE: Duration = Duration::from_mins(5);

#[derive(Debug)]
pub(super) struct Link {
    pub(super) clients: Clients,
    pace: Arc<RateLimiter>,
    sites: Breakers,
    clock: Clock,
    waits: Waits,
}

impl Link {
    /// A link for `line`; at the pace of a line of the same account, when there is one.
    pub(super) fn new(config: &HttpConfig, line: &Line, clock: &Clock, kin: Option<&Link>) -> Link {
        let patience = Patience {
            seen: line.outage.unwrap_or(OUTAGE),
            unseen: config.unseen_patience,
        };
        Link {
            clients: Clients::new(config, line),
            pace: kin.map_or_else(
                || Arc::new(RateLimiter::new(line.rate, line.concurrency, clock.clone())),
                |kin| Arc::clone(&kin.pace),
            ),
            sites: Breakers::new(patience, config.listener.clone(), clock.clone()),
            clock: clock.clone(),
            waits: config.waits.clone(),
        }
    }

    /// Waits until a request to `url` may leave. The error says that the platform was waited for in vain.
    pub(super) async fn enter(&self, url: &Url) -> Result<(BreakerPermit, RatePermit), TransportError> {
        loop {
            let admission = self.sites.admit(url).await?;
            let told = self.tell_hold(url);
            let pass = self.pace.enter(&origin(url)).await;
            drop(told);
            if !admission.is_stale() {
                return Ok((admission, pass));
            }
        }
    }

    /// Tells when the platform wants nothing for long.
    fn tell_hold(&self, url: &Url) -> Option<Waiting> {
        let left = self.pace.hold_left(&origin(url))?;
        (left >= self.waits.untold()).then(|| {
            self.waits.begin(Wait {
                what: format!("waiting to ask {} again", url.host_str().unwrap_or_default()),
                until_ms: Some(self.clock.now_millis().saturating_add(millis(left))),
                why: "too many requests (429)".to_owned(),
            })
        })
    }

    /// Learns from how a try ended: with an answer, or with this error.
    pub(super) fn judge(&self, admission: &BreakerPermit, error: Option<&TransportError>) {
        match error {
            Some(error) if circuit_breaker::counts(error.kind) => self.sites.failed(admission, error),
            Some(error) if error.kind == ErrorKind::Address => {}
            _ => self.sites.reached(admission),
        }
    }

    pub(super) fn awaited(&self, admission: &BreakerPermit) -> Awaited {
        self.sites.awaited(admission)
    }

    /// Does anybody wait for a platform that cannot be reached?
    pub(super) fn is_waiting(&self) -> bool {
        self.sites.any_down()
    }

    /// The platform puts everybody off.
    pub(super) fn hold(&self, url: &Url, wait: Duration) {
        self.pace.hold(&origin(url), wait);
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

//! The only way to the network: checks addresses, decides on redirects, limits response sizes, and reports with each
//! failure whether the request may have been carried out.

pub mod address;
pub mod circuit_breaker;
pub mod connect_options;
pub mod custody;
pub mod error;
pub mod in_process;
pub mod rate_limit;
pub mod request;
pub mod response;
pub mod token;

mod body_preview;
mod connect;
mod exchange;
mod method;
mod pool;
mod redirect;
mod retry;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use address::{AddressRules, Routes};
use circuit_breaker::Listener;
use connect_options::{ConnectOptions, Proxies};
use custody::Releases;
use error::TransportError;
use exchange::AttemptOutcome;
use in_process::InProcess;
use pool::ConnectionPool;
use request::Request;
use response::Response;

use crate::clock::{Clock, millis};
use crate::flight::RequestTimeouts;
use crate::waiting::{Wait, Waits};

/// The default timeouts of a request, unless a profile or the request sets others.
pub const DEFAULT_TIMEOUTS: RequestTimeouts = RequestTimeouts {
    connect: Duration::from_secs(10),
    reply: Duration::from_secs(30),
};

/// The configuration of [`Http`]. The defaults are meant for real platforms.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// How long connecting may take, including name resolution and TLS handshake, unless the options set another time.
    pub connect_timeout: Duration,
    /// How long one attempt may take as a whole, unless the request says otherwise.
    pub reply_timeout: Duration,
    /// The maximum size of a response, in bytes after decompression.
    pub body_limit: usize,
    /// The value of the `User-Agent` header.
    pub user_agent: String,
    /// The addresses where the sandbox listens.
    pub routes: Routes,
    /// Answers requests to sandbox hosts inside this process; `None` to connect to [`HttpConfig::routes`].
    pub in_process: Option<InProcess>,
    /// If true, only sandbox hosts may be reached; if false, none of them.
    pub only_sandbox: bool,
    /// The proxies for lines without one.
    pub proxies: Proxies,
    /// How long to wait for an address that never responded when connecting fails; zero by default.
    pub max_outage_unresponsive: Duration,
    /// Decides where secrets may go besides their own origin.
    pub releases: Releases,
    /// Is notified when a platform becomes unreachable and when it is reached again.
    pub listener: Listener,
    /// Where long waits are reported.
    pub waits: Waits,
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig {
            connect_timeout: DEFAULT_TIMEOUTS.connect,
            reply_timeout: DEFAULT_TIMEOUTS.reply,
            body_limit: 16 << 20,
            user_agent: concat!("provisor/", env!("CARGO_PKG_VERSION")).to_owned(),
            routes: Routes::none(),
            in_process: None,
            only_sandbox: false,
            proxies: Proxies::default(),
            max_outage_unresponsive: Duration::ZERO,
            releases: Releases::default(),
            listener: Listener::default(),
            waits: Waits::default(),
        }
    }
}

/// The HTTP client of a process, on one [`ConnectOptions`]. Clones share connections.
///
/// Connections belong to the tokio runtime that opened them: use one `Http` on one runtime.
#[derive(Debug, Clone)]
pub struct Http {
    shared: Arc<Shared>,
    pool: Arc<ConnectionPool>,
}

#[derive(Debug)]
struct Shared {
    config: HttpConfig,
    rules: AddressRules,
    clock: Clock,
    /// The pools in use: one per profile, so only a few.
    pools: Mutex<Vec<(ConnectOptions, Arc<ConnectionPool>)>>,
}

impl Http {
    /// Creates a client without opening anything; even the TLS configuration is built at the first https request.
    pub fn new(config: HttpConfig, clock: Clock) -> Http {
        let rules = AddressRules {
            only_sandbox: config.only_sandbox,
        };
        let default_options = ConnectOptions::default();
        let pool = Arc::new(ConnectionPool::new(&config, &default_options, &clock, None));
        let pools = Mutex::new(vec![(default_options, Arc::clone(&pool))]);
        Http {
            shared: Arc::new(Shared {
                config,
                rules,
                clock,
                pools,
            }),
            pool,
        }
    }

    /// Returns this client with other connect options. Callers with equal options share connections and rate limits.
    #[must_use]
    pub fn with_connect_options(&self, connect_options: &ConnectOptions) -> Http {
        let mut pools = self.shared.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pools.iter().find(|(known, _)| known == connect_options);
        let found = if let Some((_, known)) = known {
            Arc::clone(known)
        } else {
            let sibling = pools.iter().find(|(known, _)| known.shares_rate(connect_options));
            let sibling = sibling.map(|(_, pool)| pool.as_ref());
            let new = Arc::new(ConnectionPool::new(
                &self.shared.config,
                connect_options,
                &self.shared.clock,
                sibling,
            ));
            pools.push((connect_options.clone(), Arc::clone(&new)));
            new
        };
        Http {
            shared: Arc::clone(&self.shared),
            pool: found,
        }
    }

    /// Whether both clients share a connection pool.
    pub fn same_pool(&self, other: &Http) -> bool {
        Arc::ptr_eq(&self.pool, &other.pool)
    }

    /// The reason why no request may go to this address, or `None` if one may.
    pub fn refusal(&self, url: &Url) -> Option<String> {
        self.shared.rules.refusal(url, self.pool.plain_http.as_ref())
    }

    /// Whether any caller, with any options, waits for a platform that cannot be reached.
    pub fn is_waiting(&self) -> bool {
        let pools = self.shared.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.iter().any(|(_, pool)| pool.is_waiting())
    }

    /// Sends a request and retries where that is safe: requests that cannot have been carried out, reads with a
    /// transient failure, and requests throttled with 429 (changes only if that status guarantees that they were not
    /// carried out).
    ///
    /// A late response to a request with a flight is still read: the flight is notified, and its caller waits or not.
    ///
    /// Returns a response for every HTTP status. An error means that there is none: see [`TransportError::sent`].
    /// Dropping the future while it waits (for its turn, for a platform that is down, between attempts) sends nothing.
    pub async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        self.shared.config.releases.check(request)?;
        let clock = &self.shared.clock;
        let mut tries = 0;
        loop {
            tries += 1;
            let (outcome, outage_state) = match exchange::once(self, request).await {
                AttemptOutcome::Ended(outcome, outage_state) => (outcome, outage_state),
                AttemptOutcome::GaveUp(error) => return retry::finish(Err(error), tries - 1),
            };
            let wait = retry::wait_before_next(request, &outcome, outage_state, tries, clock.now_millis());
            let requested_delay = matches!(&outcome, Ok(answer) if answer.status == 429);
            if let Some(hold) = retry::requested_delay(&outcome, clock.now_millis()).or(wait)
                && requested_delay
            {
                // Other requests to this account would be throttled as well.
                self.pool.hold(&request.url, hold);
            }
            let wait = wait.filter(|_| !requested_delay || request.can_resend_when_throttled());
            let Some(wait) = wait else {
                return retry::finish(outcome, tries);
            };
            tracing::debug!(request = %request.label(), tries, wait_ms = wait.as_millis(), "trying again");
            let waits = &self.shared.config.waits;
            let _told = (wait >= waits.report_threshold()).then(|| {
                waits.begin(Wait {
                    what: format!("waiting to send {} again", request.label()),
                    until_ms: Some(clock.now_millis().saturating_add(millis(wait))),
                    reason: retry::reason(&outcome),
                })
            });
            clock.sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests;

//! The one way to the network: addresses are checked, redirects judged, answers bounded, and a failure says whether
//! the request can have been carried out.

pub mod address;
pub mod circuit_breaker;
pub mod custody;
pub mod error;
pub mod line;
pub mod rate_limit;
pub mod request;
pub mod response;
pub mod token;

mod connect;
mod excerpt;
mod exchange;
mod link;
mod method;
mod redirect;
mod retry;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use address::{AddressRules, Routes};
use circuit_breaker::Listener;
use custody::Releases;
use error::TransportError;
use exchange::AttemptOutcome;
use line::{Line, Proxies};
use link::Link;
use request::Request;
use response::Response;

use crate::clock::{Clock, millis};
use crate::flight::Patience;
use crate::waiting::{Wait, Waits};

/// How long a request is waited for, unless a profile or the request says otherwise.
pub const USUAL_PATIENCE: Patience = Patience {
    connect: Duration::from_secs(10),
    reply: Duration::from_secs(30),
};

/// How [`Http`] behaves. The defaults are meant for real platforms.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// How long a connection may take, name look-up and TLS handshake included, unless the line says otherwise.
    pub connect_timeout: Duration,
    /// How long one try may take as a whole, unless the request says otherwise.
    pub reply_timeout: Duration,
    /// The longest answer that is read, in bytes after decompression.
    pub body_limit: usize,
    /// What the `User-Agent` header says.
    pub user_agent: String,
    /// Where the sandbox listens.
    pub routes: Routes,
    /// Only sandbox hosts may be reached. When false, none of them may.
    pub only_sandbox: bool,
    /// The proxies for lines that name none.
    pub proxies: Proxies,
    /// How long an address that never answered is waited for when no connection can be made; not at all by default.
    pub unseen_patience: Duration,
    /// Where secrets may go besides home.
    pub releases: Releases,
    /// Who is told when a platform cannot be reached, and when it is over.
    pub listener: Listener,
    /// Where is told what is waited for long.
    pub waits: Waits,
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig {
            connect_timeout: USUAL_PATIENCE.connect,
            reply_timeout: USUAL_PATIENCE.reply,
            body_limit: 16 << 20,
            user_agent: concat!("provisor/", env!("CARGO_PKG_VERSION")).to_owned(),
            routes: Routes::none(),
            only_sandbox: false,
            proxies: Proxies::default(),
            unseen_patience: Duration::ZERO,
            releases: Releases::default(),
            listener: Listener::default(),
            waits: Waits::default(),
        }
    }
}

/// The HTTP client of a process, on one line. A clone shares its connections.
///
/// Connections belong to the tokio runtime that opened them: use one `Http` on one runtime.
#[derive(Debug, Clone)]
pub struct Http {
    shared: Arc<Shared>,
    link: Arc<Link>,
}

#[derive(Debug)]
struct Shared {
    config: HttpConfig,
    rules: AddressRules,
    clock: Clock,
    /// The lines in use: one for each profile, so few.
    links: Mutex<Vec<(Line, Arc<Link>)>>,
}

impl Http {
    /// A client that has opened nothing yet; even its TLS configuration is built at the first https request.
    pub fn new(config: HttpConfig, clock: Clock) -> Http {
        let rules = AddressRules {
            only_sandbox: config.only_sandbox,
        };
        let usual = Line::default();
        let link = Arc::new(Link::new(&config, &usual, &clock, None));
        let links = Mutex::new(vec![(usual, Arc::clone(&link))]);
        Http {
            shared: Arc::new(Shared {
                config,
                rules,
                clock,
                links,
            }),
            link,
        }
    }

    /// The same client on another line. Whoever asks for the same line shares its connections and its pace.
    #[must_use]
    pub fn on(&self, line: &Line) -> Http {
        let mut lines = self.shared.links.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lines.iter().find(|(known, _)| known == line);
        let found = if let Some((_, known)) = known {
            Arc::clone(known)
        } else {
            let kin = lines.iter().find(|(known, _)| known.shares_pace(line));
            let kin = kin.map(|(_, link)| link.as_ref());
            let new = Arc::new(Link::new(&self.shared.config, line, &self.shared.clock, kin));
            lines.push((line.clone(), Arc::clone(&new)));
            new
        };
        Http {
            shared: Arc::clone(&self.shared),
            link: found,
        }
    }

    /// Is it the same client on the same line?
    pub fn same_line(&self, other: &Http) -> bool {
        Arc::ptr_eq(&self.link, &other.link)
    }

    /// Why no request may go to this address; `None` when it may.
    pub fn refusal(&self, url: &Url) -> Option<String> {
        self.shared.rules.refusal(url)
    }

    /// Does anybody, on any line, wait for a platform that cannot be reached?
    pub fn is_waiting(&self) -> bool {
        let links = self.shared.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.iter().any(|(_, link)| link.is_waiting())
    }

    /// Sends a request, and again where that is safe: what cannot have been carried out, reads that failed in
    /// passing, and what the platform puts off with 429: a change only where that says for certain that it was not carried
    /// out.
    ///
    /// A request with a flight is read on when its answer is late: the flight is told, and who waits decides for how long.
    ///
    /// Every HTTP status is an answer. An error means that there is none: see [`TransportError::sent`]. Dropping the
    /// future while it waits (for its turn, for a platform that is down, between tries) sends nothing.
    pub async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        self.shared.config.releases.check(request)?;
        let clock = &self.shared.clock;
        let mut tries = 0;
        loop {
            tries += 1;
            let (outcome, awaited) = match exchange::once(self, request).await {
                AttemptOutcome::Ended(outcome, awaited) => (outcome, awaited),
                AttemptOutcome::GaveUp(error) => return retry::finish(Err(error), tries - 1),
            };
            let wait = retry::wait_before_next(request, &outcome, awaited, tries, clock.now_millis());
            let put_off = matches!(&outcome, Ok(answer) if answer.status == 429);
            if let Some(hold) = retry::put_off(&outcome, clock.now_millis()).or(wait)
                && put_off
            {
                // Whoever else sends to this account would be put off as well.
                self.link.hold(&request.url, hold);
            }
            let wait = wait.filter(|_| !put_off || request.may_be_put_off());
            let Some(wait) = wait else {
                return retry::finish(outcome, tries);
            };
            tracing::debug!(request = %request.label(), tries, wait_ms = wait.as_millis(), "trying again");
            let waits = &self.shared.config.waits;
            let _told = (wait >= waits.untold()).then(|| {
                waits.begin(Wait {
                    what: format!("waiting to send {} again", request.label()),
                    until_ms: Some(clock.now_millis().saturating_add(millis(wait))),
                    why: retry::why(&outcome),
                })
            });
            clock.sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests;

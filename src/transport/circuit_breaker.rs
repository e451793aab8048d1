//! A circuit breaker for platforms that cannot be reached: callers stop connecting, one of them retries now and then,
//! and all continue when it succeeds.
//!
//! How long callers wait:
//!
//! * An address that has already responded to this process is waited for as long as the
//!   [`ConnectOptions`](super::connect_options::ConnectOptions) allows. It is known to be correct, and the waiting work
//!   is worth more than the time.
//! * An address that never responded may simply be wrong. A single caller fails at once. A run over rows waits briefly
//!   ([`super::HttpConfig::unseen_patience`]), because failing ten thousand rows within a second helps nobody.
//! * Only failures to connect count. After a broken connection or a missing response the request may have been carried
//!   out; resolving that is up to the journal.
//! * Hosts that differ only in their first label (`acme.example.com`, `globex.example.com`) are one site: tenants of a
//!   platform share its hosts and go down with it. A single dead host does not stop its site, because others connect in
//!   between, and each attempt belongs to another caller.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use url::{Host, Url};

use super::error::{ErrorKind, TransportError};
use crate::clock::Clock;

/// The number of consecutive connection failures after which a site counts as down.
pub const FAILURE_THRESHOLD: u32 = 5;

/// The wait before the first retry; it doubles before each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);

const MAX_WAIT: Duration = Duration::from_secs(30);

/// A change of a site's state that waiting callers should learn about.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// Connections fail; callers wait.
    Down {
        /// The host of the last attempt.
        host: String,
        /// The reason: a sentence without a full stop that names the host.
        reason: String,
        /// The time until the next attempt.
        retry_in: Duration,
    },
    /// The outage is over; callers continue.
    Up {
        /// The host that responded.
        host: String,
        /// How long the outage lasted.
        after: Duration,
    },
    /// The maximum wait is over; from now on callers fail until one connects.
    GaveUp {
        /// The host of the last attempt.
        host: String,
        /// How long callers waited.
        after: Duration,
    },
}

/// A callback that receives the [`Notice`]s.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(Notice) + Send + Sync>);

impl Listener {
    /// Calls `listen` with each notice; it must not block.
    pub fn new(listen: impl Fn(Notice) + Send + Sync + 'static) -> Listener {
        Listener(Arc::new(listen))
    }
}

impl Default for Listener {
    /// Ignores all notices.
    fn default() -> Listener {
        Listener::new(|_| {})
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// How long to wait for an unreachable address.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaxOutage {
    /// For an address that has responded before.
    pub(super) responsive: Duration,
    /// For an address that never responded.
    pub(super) unresponsive: Duration,
}

/// The sites reached through one line.
#[derive(Debug)]
pub(super) struct Breakers {
    clock: Clock,
    listener: Listener,
    max_outage: MaxOutage,
    known: Mutex<SiteRegistry>,
}

#[derive(Debug, Default)]
struct SiteRegistry {
    sites: HashMap<String, Arc<Site>>,
    /// Origins that have responded.
    responsive: HashSet<String>,
}

/// The maximum number of remembered origins. A forgotten one is added again at its next response.
const MAX_ORIGINS: usize = 20_000;

#[derive(Debug, Default)]
struct Site {
    state: Mutex<State>,
    /// Held by the one caller that waits for, or makes, the next attempt.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// Consecutive connection failures.
    failures: u32,
    responsive: bool,
    outage: Option<Outage>,
}

#[derive(Debug)]
struct Outage {
    since_ms: i64,
    next_ms: i64,
    wait: Duration,
    error: TransportError,
    given_up: bool,
}

/// Whether callers wait for an address when connecting to it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutageState {
    /// Callers do not wait.
    No,
    /// Callers would wait, but the site does not count as down.
    Up,
    /// Callers wait, or have waited until the maximum.
    Down,
}

/// Permission to make an attempt. While the site is down only one exists.
#[derive(Debug)]
pub(super) struct BreakerPermit {
    site: Arc<Site>,
    origin: String,
    host: String,
    turn: Option<OwnedMutexGuard<()>>,
}

impl BreakerPermit {
    /// Whether the site went down after this permit was issued.
    pub(super) fn is_stale(&self) -> bool {
        self.turn.is_none() && self.site.state().outage.is_some()
    }
}

/// The state that a caller finds a site in.
enum SiteStatus {
    Fine,
    Wait(Duration),
    Try,
    GaveUp(TransportError),
}

impl Breakers {
    pub(super) fn new(max_outage: MaxOutage, listener: Listener, clock: Clock) -> Breakers {
        Breakers {
            clock,
            listener,
            max_outage,
            known: Mutex::default(),
        }
    }

    /// Waits while the site is down. Returns the reason of the outage as an error when the maximum wait is over.
    pub(super) async fn admit(&self, url: &Url) -> Result<BreakerPermit, TransportError> {
        let site = Arc::clone(self.known().sites.entry(site_of(url)).or_default());
        let mut admission = BreakerPermit {
            site: Arc::clone(&site),
            origin: url.origin().ascii_serialization(),
            host: host_of(url),
            turn: None,
        };
        match self.look(&site) {
            SiteStatus::Fine => return Ok(admission),
            SiteStatus::GaveUp(error) => return Err(error),
            SiteStatus::Wait(_) | SiteStatus::Try => {}
        }
        let turn = match (site.has_given_up(), Arc::clone(&site.turn)) {
            (false, turn) => turn.lock_owned().await,
            // Another caller is trying; the others need not wait for a site that has been given up.
            (true, turn) => match turn.try_lock_owned() {
                Ok(turn) => turn,
                Err(_) => return self.last_error(&site).map_or(Ok(admission), Err),
            },
        };
        loop {
            match self.look(&site) {
                SiteStatus::Fine => return Ok(admission),
                SiteStatus::GaveUp(error) => return Err(error),
                SiteStatus::Try => break,
                SiteStatus::Wait(wait) => self.clock.sleep(wait).await,
            }
        }
        admission.turn = Some(turn);
        Ok(admission)
    }

    /// Records that the platform was reached, whatever its response.
    pub(super) fn record_reached(&self, admission: &BreakerPermit) {
        {
            let mut known = self.known();
            if !known.responsive.contains(&admission.origin) {
                if known.responsive.len() >= MAX_ORIGINS {
                    known.responsive.clear();
                }
                known.responsive.insert(admission.origin.clone());
            }
        }
        let over = {
            let mut state = admission.site.state();
            state.responsive = true;
            state.failures = 0;
            // A response to a request from before the outage says nothing about new connections.
            let has_turn = admission.turn.is_some();
            if has_turn { state.outage.take() } else { None }
        };
        let Some(outage) = over else { return };
        let after = span(outage.since_ms, self.clock.steady_millis());
        tracing::info!(host = %admission.host, after_ms = after.as_millis(), "reached again");
        self.notify(Notice::Up {
            host: admission.host.clone(),
            after,
        });
    }

    /// Records that no connection could be made.
    pub(super) fn failed(&self, admission: &BreakerPermit, error: &TransportError) {
        if !counts(error.kind) || self.outage_state(admission) == OutageState::No {
            return;
        }
        let now = self.clock.steady_millis();
        let turn = {
            let mut state = admission.site.state();
            let most = self.most(state.responsive);
            state.failed(error, admission.turn.is_some(), now, most)
        };
        let host = admission.host.clone();
        let notice = match turn {
            OutageChange::NoChange => return,
            OutageChange::Down(retry_in) => Notice::Down {
                host,
                reason: error.message.clone(),
                retry_in,
            },
            OutageChange::GaveUp(after) => Notice::GaveUp { host, after },
        };
        tracing::info!(?notice, "a platform cannot be reached");
        self.notify(notice);
    }

    /// Whether callers wait for this address.
    pub(super) fn outage_state(&self, admission: &BreakerPermit) -> OutageState {
        let responsive = self.known().responsive.contains(&admission.origin);
        if self.most(responsive).is_zero() {
            return OutageState::No;
        }
        match admission.site.state().outage {
            Some(_) => OutageState::Down,
            None => OutageState::Up,
        }
    }

    /// Whether any caller waits for a site that is down.
    pub(super) fn is_any_site_down(&self) -> bool {
        let waits = |site: &Arc<Site>| {
            site.state()
                .outage
                .as_ref()
                .is_some_and(|outage| !outage.given_up)
        };
        self.known().sites.values().any(waits)
    }

    fn most(&self, responsive: bool) -> Duration {
        let MaxOutage {
            responsive: long,
            unresponsive,
        } = self.max_outage;
        if responsive { long } else { unresponsive.min(long) }
    }

    fn look(&self, site: &Site) -> SiteStatus {
        let now = self.clock.steady_millis();
        let state = site.state();
        let Some(outage) = &state.outage else {
            return SiteStatus::Fine;
        };
        let remaining = outage.next_ms - now;
        // A longer wait means that the clock was set back.
        let due = remaining <= 0 || remaining > millis(MAX_WAIT);
        match (due, outage.given_up) {
            (true, _) => SiteStatus::Try,
            (false, true) => SiteStatus::GaveUp(outage.error(now)),
            (false, false) => SiteStatus::Wait(Duration::from_millis(
                u64::try_from(remaining).unwrap_or_default(),
            )),
        }
    }

    fn last_error(&self, site: &Site) -> Option<TransportError> {
        let now = self.clock.steady_millis();
        site.state().outage.as_ref().map(|outage| outage.error(now))
    }

    fn notify(&self, notice: Notice) {
        (self.listener.0)(notice);
    }

    fn known(&self) -> MutexGuard<'_, SiteRegistry> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Site {
    fn has_given_up(&self) -> bool {
        self.state().outage.as_ref().is_some_and(|outage| outage.given_up)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Records a connection failure of the caller that tries on behalf of all (`tries`) or of another one.
    fn failed(&mut self, error: &TransportError, tries: bool, now: i64, most: Duration) -> OutageChange {
        let Some(outage) = &mut self.outage else {
            self.failures += 1;
            if self.failures < FAILURE_THRESHOLD {
                return OutageChange::NoChange;
            }
            let wait = FIRST_WAIT.min(most);
            self.outage = Some(Outage {
                since_ms: now,
                next_ms: now.saturating_add(millis(wait)),
                wait,
                error: error.clone(),
                given_up: false,
            });
            return OutageChange::Down(wait);
        };
        let lasted = span(outage.since_ms, now);
        if !tries {
            // It left before the outage was noticed and is not news.
            return OutageChange::NoChange;
        }
        if outage.given_up {
            outage.delay_next_try(error, now, MAX_WAIT);
            return OutageChange::NoChange;
        }
        if lasted >= most {
            outage.given_up = true;
            outage.delay_next_try(error, now, MAX_WAIT);
            return OutageChange::GaveUp(lasted);
        }
        // Schedules the last attempt at the end of the maximum wait, not after it.
        let wait = (outage.wait * 2).min(MAX_WAIT).min(most.saturating_sub(lasted));
        outage.delay_next_try(error, now, wait);
        OutageChange::NoChange
    }
}

/// The effect of a failure, as far as it is reported.
enum OutageChange {
    NoChange,
    Down(Duration),
    GaveUp(Duration),
}

impl Outage {
    fn delay_next_try(&mut self, error: &TransportError, now: i64, wait: Duration) {
        self.error = error.clone();
        self.wait = wait;
        self.next_ms = now.saturating_add(millis(wait));
    }

    fn error(&self, now: i64) -> TransportError {
        let mut error = self.error.clone();
        let seconds = span(self.since_ms, now).as_secs();
        error.message = format!("{}; it has been so for {seconds} s", error.message);
        error
    }
}

/// Whether this failure means that no connection could be made.
pub(super) fn counts(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Dns | ErrorKind::Connect | ErrorKind::Tls)
}

/// The key of the hosts that go down together.
fn site_of(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    let name = match url.host() {
        Some(Host::Domain(name)) => match name.split_once('.') {
            Some((_, parent)) if parent.contains('.') => parent.to_owned(),
            _ => name.to_owned(),
        },
        Some(host) => host.to_string(),
        None => String::new(),
    };
    format!("{}://{name}:{port}", url.scheme())
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn span(from_ms: i64, to_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or_default())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

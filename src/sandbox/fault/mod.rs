//! Fault injection: what goes wrong in the sandbox, where, and how often.

mod every;
mod parse;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use parse::FaultError;

use Effect::{Late, Nothing, Now};
use Response::{
    BadGateway, Correct, Dropped, Empty, Expired, Garbage, Never, ServerError, TooMany, Truncated,
};

use super::{SIMULATORS, lease};

/// The requests that a fault may hit: a name, as in `partners` or `web-items-post`. It covers requests of that name
/// and of names that extend it after a hyphen; `*` covers all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route(&'static str);

/// A kind of fault: a combination of an effect and a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The name in the text of a fault.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What happens to the request.
    pub effect: Effect,
    /// What the client sees.
    pub response: Response,
}

/// The effect of a request that a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is done.
    Nothing,
    /// The request is carried out.
    Now,
    /// The request is carried out after the fault's delay, whether or not the client waits. Unless the response waits for
    /// it, another process carries it out if this one ends.
    Late,
}

/// The response to a request that a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// The correct one, when the effect is there.
    Correct,
    /// The connection drops.
    Dropped,
    /// 500.
    ServerError,
    /// 502 with an HTML page.
    BadGateway,
    /// 429 with `Retry-After: 1`.
    TooMany,
    /// None ever: the connection stays open.
    Never,
    /// A success without useful content; a refusal stays a refusal.
    Empty,
    /// The connection drops in the middle of the body.
    Truncated,
    /// An unreadable 200.
    Garbage,
    /// 401 as if the access token had expired, and from then on it has.
    Expired,
}

/// One fault: `ROUTE:KIND[:MS][:RATE][:xN]`, as in `partners:drop-after:0.2` or `partners:drop-late:1500:x1`.
///
/// `MS` (milliseconds) applies to the kinds with a late effect, where it is required. `RATE` is the
/// fraction of requests hit, 0 to 1, by default 1. `xN` hits at most N requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The requests that it may hit.
    pub route: Route,
    /// What goes wrong.
    pub kind: Kind,
    /// The delay of the effect; zero for the kinds that have none.
    pub delay: Duration,
    /// The fraction of requests that it hits, 0 to 1.
    pub rate: f64,
    /// The maximum number of requests that it hits.
    pub limit: Option<u32>,
}

impl Route {
    /// Every request to a platform.
    pub const ANY: Route = Route("*");

    /// Creates a route from a platform's table.
    pub(super) const fn named(name: &'static str) -> Route {
        Route(name)
    }

    /// Returns its name in the text of a fault.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Returns all routes.
    pub fn all() -> impl Iterator<Item = Route> {
        let named = SIMULATORS.iter().flat_map(|one| one.routes).copied();
        named.map(Route).chain([Route::ANY])
    }

    fn covers(self, requested: Route) -> bool {
        let narrower = || {
            requested
                .0
                .strip_prefix(self.0)
                .is_some_and(|rest| rest.starts_with('-'))
        };
        self == Route::ANY || self == requested || narrower()
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// All kinds, in the order of the help.
pub static KINDS: &[Kind] = &[
    kind(
        "drop-before",
        Nothing,
        Dropped,
        "the connection breaks, nothing is applied",
    ),
    kind("drop-after", Now, Dropped, "applied, then the connection breaks"),
    DROP_LATE,
    kind(
        "500",
        Nothing,
        ServerError,
        "a server error before anything is applied",
    ),
    kind("500-after", Now, ServerError, "applied, then a server error"),
    kind("502-html", Nothing, BadGateway, "a gateway's web page"),
    TOO_MANY,
    TOO_MANY_AFTER,
    SLOW,
    kind("hang", Nothing, Never, "no response, nothing is applied"),
    kind("hang-after", Now, Never, "applied, no response"),
    HANG_LATE,
    kind(
        "empty-yes",
        Now,
        Empty,
        "applied, then a 2xx response without content",
    ),
    EMPTY_YES_LATE,
    kind("truncate", Now, Truncated, "applied, then a truncated response"),
    kind("garbage", Now, Garbage, "applied, then an unreadable response"),
    EXPIRE_TOKEN,
];

// The kinds that code names.
const DROP_LATE: Kind = kind(
    "drop-late",
    Late,
    Dropped,
    "the connection breaks at once, the effect arrives MS later",
);
const TOO_MANY: Kind = kind(
    "429",
    Nothing,
    TooMany,
    "too many requests, try again after a second",
);
const TOO_MANY_AFTER: Kind = kind("429-after", Now, TooMany, "applied, then the same response");
const SLOW: Kind = kind(
    "slow",
    Late,
    Correct,
    "effect and response come MS later, even after the timeout",
);
const HANG_LATE: Kind = kind("hang-late", Late, Never, "applied MS later, no response");
const EMPTY_YES_LATE: Kind = kind(
    "empty-yes-late",
    Late,
    Empty,
    "the same response at once, applied MS later",
);
/// An access token that expires early.
pub const EXPIRE_TOKEN: Kind = kind(
    "expire-token",
    Nothing,
    Expired,
    "401, and the access token becomes invalid",
);

const fn kind(name: &'static str, effect: Effect, response: Response, summary: &'static str) -> Kind {
    Kind {
        name,
        summary,
        effect,
        response,
    }
}

impl Kind {
    /// Whether a fault of this kind has a delay.
    pub fn has_delay(&self) -> bool {
        self.effect == Late
    }

    /// Whether the client keeps waiting while the effect is late, and so does not know that anything is wrong.
    pub fn keeps_waiting(&self) -> bool {
        self.has_delay() && matches!(self.response, Correct | Never)
    }
}

impl Fault {
    /// Returns a fault without a delay that hits every request.
    pub fn of(route: Route, kind: Kind) -> Fault {
        Fault {
            route,
            kind,
            delay: Duration::ZERO,
            rate: 1.0,
            limit: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.route, self.kind.name)?;
        if self.kind.has_delay() {
            write!(f, ":{}", self.delay.as_millis())?;
        }
        if self.rate < 1.0 {
            write!(f, ":{}", self.rate)?;
        }
        self.limit.map_or(Ok(()), |limit| write!(f, ":x{limit}"))
    }
}

/// The faults in force. The same seed, faults and order of requests yield the same decisions.
#[derive(Debug)]
pub(super) struct Faults {
    seed: u64,
    rules: Mutex<Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    /// The file of the lease that it ends with.
    lease: Option<PathBuf>,
    salt: u64,
    matched: u64,
    hit: u32,
    /// Whether it is no longer in force; its hits still count.
    removed: bool,
}

impl Faults {
    pub(super) fn new(seed: u64, faults: &[Fault]) -> Faults {
        let rules = Mutex::default();
        let new = Faults { seed, rules };
        new.add(faults, None);
        new
    }

    /// Adds faults after those in force; the first fault that applies to a request hits it. They end with the lease of
    /// this file, if given.
    pub(super) fn add(&self, faults: &[Fault], lease: Option<&Path>) {
        self.rules().extend(faults.iter().map(|&fault| Rule {
            fault,
            lease: lease.map(Path::to_path_buf),
            salt: salt(&fault),
            matched: 0,
            hit: 0,
            removed: false,
        }));
    }

    pub(super) fn clear(&self) {
        self.rules().iter_mut().for_each(|rule| rule.removed = true);
    }

    pub(super) fn list(&self) -> Vec<Fault> {
        let mut rules = self.rules();
        in_force(&mut rules).map(|rule| rule.fault).collect()
    }

    /// Returns the number of requests that each fault hit, by its text, including removed faults.
    pub(super) fn hits(&self) -> BTreeMap<String, u32> {
        let mut hits = BTreeMap::new();
        for rule in self.rules().iter() {
            *hits.entry(rule.fault.to_string()).or_default() += rule.hit;
        }
        hits
    }

    /// Returns the fault that hits this request, if any.
    pub(super) fn decide(&self, route: Route) -> Option<Fault> {
        let mut rules = self.rules();
        for rule in in_force(&mut rules).filter(|rule| rule.fault.route.covers(route)) {
            let chance = unit(self.seed ^ rule.salt, rule.matched);
            rule.matched += 1;
            if chance < rule.fault.rate && rule.fault.limit.is_none_or(|limit| rule.hit < limit) {
                rule.hit += 1;
                return Some(rule.fault);
            }
        }
        None
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the rules in force, and removes those whose lease is no longer held.
fn in_force(rules: &mut [Rule]) -> impl Iterator<Item = &mut Rule> {
    rules.iter_mut().filter_map(|rule| {
        rule.removed = rule.removed || !rule.lease.as_deref().is_none_or(lease::is_held);
        (!rule.removed).then_some(rule)
    })
}

/// Returns a salt that makes faults of different text decide independently (FNV-1a).
fn salt(fault: &Fault) -> u64 {
    fault
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// Returns the `n`th number of the sequence of `seed` (`SplitMix64`), at least 0 and less than 1.
fn unit(seed: u64, n: u64) -> f64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let high = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default();
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests;

//! The platforms' own records of what exists and what was requested, for proofs that do not trust the client.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::address::Style;
use super::fault::Route;
use super::{SIMULATORS, SimulatedAccount, TenantBook};

/// Data of a platform among that of others.
pub trait Part: Serialize + DeserializeOwned + Default {
    /// The platform's name; empty for the first platform, whose data is at the top level, where it was when there was no
    /// other.
    const KEY: &'static str;
}

/// Data of several platforms by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parts(Map<String, Json>);

impl Parts {
    /// Returns the data of a platform. A world of an older program may lack it: then it is the default.
    pub fn get<T: Part>(&self) -> T {
        let found = match T::KEY {
            "" => T::deserialize(&self.0),
            key => self.0.get(key).map_or_else(|| Ok(T::default()), T::deserialize),
        };
        found.unwrap_or_else(|error| {
            tracing::error!(%error, "the sandbox's data of \"{}\" cannot be read", T::KEY);
            T::default()
        })
    }

    /// Returns the password of the first platform.
    pub(super) fn password(&self) -> &str {
        self.0.get("password").and_then(Json::as_str).unwrap_or_default()
    }

    /// Sets the data of a platform.
    pub fn set<T: Part>(&mut self, part: &T) {
        // It consists of texts, numbers, lists and maps with texts as keys.
        let json = serde_json::to_value(part).unwrap_or_default();
        match (T::KEY, json) {
            ("", Json::Object(fields)) => self.0.extend(fields),
            (key, json) => drop(self.0.insert(key.to_owned(), json)),
        }
    }
}

/// The account of a simulated platform, with its credentials.
pub trait Account: Part {
    /// Completes it with its URLs.
    #[must_use]
    fn located(self, place: &Place) -> Self;

    /// Returns it in the form of a profile.
    fn profile(self) -> SimulatedAccount;
}

/// Where a sandbox is served, and the label in its host names. Each world has its own label, so that accounts of
/// different worlds cannot be confused.
#[derive(Debug)]
pub struct Place {
    pub(super) address: SocketAddr,
    pub(super) label: String,
}

impl Place {
    /// Returns the URLs of a platform, by this host name and by path.
    pub(super) fn urls(&self, host: &str, platform: &str) -> (String, String) {
        let host = format!("{host}.{}.{platform}.sandbox", self.label);
        let plain = Style::Path(self.address.to_string());
        (Style::Host(host).root(platform), plain.root(platform))
    }
}

/// The records of a simulated platform.
pub trait Book {
    /// Returns the counts of its resources and actions.
    fn counts(&self) -> PlatformCounts;

    /// Returns its resources and messages.
    fn resources(&self) -> Vec<SimulatedResource>;

    /// Returns the accounts of clients that sign in with a password of their own.
    fn tenants(&self) -> Vec<TenantBook> {
        Vec::new()
    }

    /// Returns what no client should have caused, and how often it happened.
    fn violations(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// The complete state of the sandbox. It contains passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The records of each platform.
    #[serde(flatten)]
    pub books: Parts,
    /// The requests since the serving process opened the world.
    pub traffic: Traffic,
    /// Effects that may still land: deferred ones (see the fault `drop-late`), and those of requests in progress (see
    /// the fault `slow`).
    pub pending: u64,
}

/// The number of resources of each kind on a platform, and what was done on it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformCounts {
    /// Its display name.
    pub title: &'static str,
    /// The number of resources by their plural name.
    pub resources: Vec<(&'static str, usize)>,
    /// Totals by name.
    pub totals: Json,
}

impl PlatformCounts {
    pub(super) fn new(
        title: &'static str,
        resources: Vec<(&'static str, usize)>,
        totals: &impl Serialize,
    ) -> Self {
        PlatformCounts {
            title,
            resources,
            totals: serde_json::to_value(totals).unwrap_or_default(),
        }
    }
}

impl Snapshot {
    /// Returns the records of a platform.
    pub fn of<B: Book + Part>(&self) -> B {
        self.books.get()
    }

    fn books(&self) -> impl Iterator<Item = Box<dyn Book>> {
        SIMULATORS.iter().map(|one| (one.book)(&self.books))
    }

    /// Returns the counts of every platform.
    pub fn counts(&self) -> Vec<PlatformCounts> {
        self.books().map(|book| book.counts()).collect()
    }

    /// Returns the resources and messages of all platforms.
    pub fn resources(&self) -> Vec<SimulatedResource> {
        self.books().flat_map(|book| book.resources()).collect()
    }

    /// Returns what no client should have caused on any platform, and how often it happened.
    pub fn violations(&self) -> BTreeMap<&'static str, u64> {
        self.books().flat_map(|book| book.violations()).collect()
    }

    /// Returns the accounts of clients on all platforms, oldest first.
    pub fn tenants(&self) -> Vec<TenantBook> {
        self.books().flat_map(|book| book.tenants()).collect()
    }
}

/// Requests received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// All requests to a platform, whatever their outcome.
    pub requests: u64,
    /// `POST /partners`.
    pub partners: u64,
    /// `POST /applications`.
    pub applications: u64,
    /// `GET /object`: lookups of sub-accounts.
    pub object_lists: u64,
    /// `GET /applications`: lookups of apps.
    pub application_lists: u64,
    /// `GET /auth`.
    pub auths: u64,
    /// `GET /refresh`.
    pub refreshes: u64,
    /// Delayed requests in progress, whether or not their client still waits.
    #[serde(default)]
    pub under_way: u64,
    /// Requests hit by a fault.
    pub faults: u64,
    /// Requests to create something that already existed when they arrived, by natural key. A client that looks before
    /// it repeats sends none.
    pub repeats: u64,
    /// Requests of all platforms by the name of their fault route.
    #[serde(default)]
    pub routes: BTreeMap<String, u64>,
    /// The number of requests that each fault hit, by its text.
    pub hits: BTreeMap<String, u32>,
}

/// The counters behind [`Traffic`].
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) object_lists: AtomicU64,
    pub(super) repeats: AtomicU64,
    under_way: AtomicU64,
    routes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Meter {
    /// Increments the request count of a route.
    pub(super) fn count_route(&self, route: Route) {
        *self.routes().entry(route.name()).or_default() += 1;
    }

    /// Counts a request as under way until the guard is dropped.
    pub(super) fn under_way(self: &Arc<Self>) -> DelayedRequest {
        count(&self.under_way);
        DelayedRequest(Arc::clone(self))
    }

    fn routes(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, hits: BTreeMap<String, u32>) -> Traffic {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let routes = self.routes().clone();
        let of = |route: Route| routes.get(route.name()).copied().unwrap_or_default();
        Traffic {
            requests: routes.values().sum(),
            partners: of(Route::PARTNERS),
            applications: of(Route::APPLICATIONS_POST),
            object_lists: load(&self.object_lists),
            application_lists: of(Route::APPLICATIONS_GET),
            auths: of(Route::AUTH),
            refreshes: of(Route::REFRESH),
            under_way: load(&self.under_way),
            faults: hits.values().copied().map(u64::from).sum(),
            repeats: load(&self.repeats),
            routes: routes
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            hits,
        }
    }
}

/// The guard of a delayed request in progress.
pub(super) struct DelayedRequest(Arc<Meter>);

impl Drop for DelayedRequest {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Increments a counter.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A resource that exists, or a message that was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulatedResource {
    /// The kind, as in a ledger; messages are in no ledger.
    pub kind: String,
    /// A description with its owner or recipients: the same in every world.
    pub label: String,
    /// The natural key, as in a ledger; empty if it has none and so is in no ledger.
    pub name: String,
    /// The platform's identifier; empty if it has none.
    pub id: String,
    /// Part of the URL of the account that it has in a ledger.
    pub account: String,
    /// Whether identifiers of this kind come from one platform-wide sequence, and so depend on the creation order.
    pub numbered: bool,
}

impl SimulatedResource {
    /// Returns a message that was sent.
    pub(super) fn message(label: String) -> SimulatedResource {
        SimulatedResource {
            kind: "message".to_owned(),
            label,
            ..SimulatedResource::default()
        }
    }
}

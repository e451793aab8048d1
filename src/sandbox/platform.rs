//! The interface between the server, the world and a simulated platform.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::{Map, Value as Json};

use super::address::Address;
use super::call::Call;
use super::error::SandboxError;
use super::fault::Route;
use super::fault_stream::ConnectionHandle;
use super::reply::Reply;
use super::serve::{self, Site};
use super::snapshot::{Account, Book, Part, Parts, Place};
use super::world::Event;
use super::{SimulatedAccount, SimulatedService};

/// The effect of a request.
#[derive(Debug)]
pub(super) enum Action<E> {
    /// A response without a change.
    Show(Reply),
    /// A change, answered by [`Platform::done`] or [`Platform::refused`].
    Do(E),
}

/// The reason why a change was not made.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) text: String,
    /// The event that it leaves in the log, if any.
    pub(super) trace: Option<Event>,
}

impl Refusal {
    /// Creates a refusal that leaves nothing in the log.
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Refusal {
        Refusal {
            status,
            text: text.into(),
            trace: None,
        }
    }
}

/// The log could not be written, so nothing was done.
impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Refusal {
        let text = format!("The sandbox could not record the change: {error}");
        Refusal::new(StatusCode::INSUFFICIENT_STORAGE, text)
    }
}

/// The state of a simulated platform, a pure fold over its events.
pub(super) trait PlatformState: fmt::Debug + Default + Send + Sync + 'static {
    /// The platform's name: in profiles, in its host `NAME.sandbox`, in its path `/NAME/`, and in the log.
    const NAME: &'static str;

    /// A change: as requested, without what the platform chooses, and as decided and stored in the log.
    type Event: Clone + Serialize + DeserializeOwned;
    /// Its account.
    type Account: Account;
    /// Its records.
    type Book: Book + Part + 'static;

    /// Returns the first event of the platform, if the world does not have it yet.
    fn founding(&self) -> Option<Self::Event> {
        None
    }

    /// Returns the events that make these services of a host program known, unless they are.
    fn describe(&self, _services: &[SimulatedService]) -> Vec<Self::Event> {
        Vec::new()
    }

    /// Returns the event that making the requested change would produce, or the refusal.
    fn decide(&self, wanted: Self::Event) -> Result<Self::Event, Refusal>;

    /// Applies an event that happened at a time in milliseconds since the Unix epoch.
    fn apply(&mut self, event: Self::Event, at: i64);

    /// Whether the event records that a change was refused.
    fn is_refusal(_event: &Self::Event) -> bool {
        false
    }

    /// Returns the count of effects that landed after their connection was lost.
    fn landed_late(&mut self) -> &mut u64;

    /// Returns the credentials of its account.
    fn account(&self) -> Self::Account;

    /// Returns its records.
    fn book(&self) -> Self::Book;

    /// Returns what `/_sandbox/status` shows of it.
    fn status(&self) -> Map<String, Json> {
        Map::new()
    }

    /// Returns the event that ends all access tokens, if they can end early.
    fn expiry_of_all() -> Option<Self::Event> {
        None
    }
}

/// A simulated platform: what it responds to requests. It formats all its errors, including those that faults produce.
pub(super) trait Platform: PlatformState {
    /// Its fault routes.
    const ROUTES: &'static [&'static str];

    /// What to delay in tests that cover everything: a route, how often, and the route whose request then lands late.
    /// One caller lists or signs in for all; the other routes are requested for each row.
    const DELAYS: &'static [(&'static str, u32, &'static str)] = &[];

    /// The creating routes, each with whether a creation that is repeated after a lost response shows what exists. One
    /// that does not is refused, which is its only visible result.
    const CREATING: &'static [(&'static str, bool)] = &[];

    /// Completes the address of a request: the account of a platform that gives each its own host.
    fn address(address: Address) -> Address {
        address
    }

    /// Returns the fault route of a request.
    fn route(site: &Site, call: &Call) -> Route;

    /// Counts a request before any fault applies. Returns whether it would create something that already exists.
    fn count_request(_site: &Site, _call: &Call) -> bool {
        false
    }

    /// Returns how long the platform takes for the request, apart from faults.
    fn latency(_site: &Site, _call: &Call) -> Duration {
        Duration::ZERO
    }

    /// Decides the effect of a request; an error is a response without a change, too.
    fn plan(site: &Site, call: &Call) -> Result<Action<Self::Event>, Reply>;

    /// Returns the response to a change that was made.
    fn done(site: &Site, call: &Call, event: Self::Event) -> Reply;

    /// Returns the response to a change that was refused.
    fn refused(site: &Site, refusal: &Refusal) -> Reply;

    /// Returns the event that ends the access token of the request, if it has a valid one.
    fn expiry(_site: &Site, _call: &Call) -> Option<Self::Event> {
        None
    }

    /// Responds to a request below `/_sandbox/`, if the platform knows it: mostly events that no request causes.
    fn admin(_site: &Site, _method: &Method, _path: &[&str]) -> Option<Reply> {
        None
    }

    /// Returns a 401 as if the request's access token had expired.
    fn expired() -> Reply;

    /// Returns a 500.
    fn server_error() -> Reply;

    /// Returns a 429 with a retry after one second.
    fn too_many() -> Reply;

    /// Returns a success response without useful content.
    fn empty_success() -> Reply {
        Reply::ok(&serde_json::json!({ "ok": true }))
    }
}

/// The response to a request, once it is there.
pub(super) type Responding = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A simulated platform as a value: what the server and the world need without its types.
#[derive(Debug)]
pub(super) struct Simulator {
    pub(super) name: &'static str,
    pub(super) routes: &'static [&'static str],
    pub(super) delays: &'static [(&'static str, u32, &'static str)],
    pub(super) creating: &'static [(&'static str, bool)],
    pub(super) address: fn(Address) -> Address,
    pub(super) respond: fn(Arc<Site>, Call, ConnectionHandle) -> Responding,
    pub(super) admin: fn(&Site, &Method, &[&str]) -> Option<Reply>,
    pub(super) expire_all: fn(&Site) -> Result<(), SandboxError>,
    /// Its account in the form of a profile.
    pub(super) profile: fn(&Parts, &Place) -> SimulatedAccount,
    pub(super) book: fn(&Parts) -> Box<dyn Book>,
    /// Whether this is an event of the platform.
    pub(super) check: fn(&Json) -> serde_json::Result<()>,
    /// Creates its state in a new world.
    pub(super) state: fn() -> Box<dyn AnyState>,
}

impl Simulator {
    pub(super) const fn of<P: Platform>() -> Simulator {
        Simulator {
            name: P::NAME,
            routes: P::ROUTES,
            delays: P::DELAYS,
            creating: P::CREATING,
            address: P::address,
            respond: |site, call, hook| Box::pin(serve::respond::<P>(site, call, hook)),
            admin: P::admin,
            expire_all: |site| {
                let expired = P::expiry_of_all();
                expired.map_or(Ok(()), |event| site.world.record::<P>(&event))
            },
            profile: |credentials, place| credentials.get::<P::Account>().located(place).profile(),
            book: |books| Box::new(books.get::<P::Book>()),
            check: |event| P::Event::deserialize(event).map(drop),
            state: || Box::<P>::default(),
        }
    }
}

/// The state of any platform, with events in JSON.
pub(super) trait AnyState: Any + fmt::Debug + Send + Sync {
    /// See [`PlatformState::founding`].
    fn first(&self) -> Option<Event>;

    /// See [`PlatformState::describe`].
    fn unknown(&self, services: &[SimulatedService]) -> Vec<Event>;

    /// See [`PlatformState::decide`].
    fn decide_any(&self, wanted: &Json) -> Result<Event, Refusal>;

    /// Applies an event; returns whether it records a change that was made.
    fn apply_any(&mut self, event: &Json, at: i64) -> bool;

    fn count_late(&mut self);

    fn add_credentials(&self, credentials: &mut Parts);

    fn add_book(&self, books: &mut Parts);

    /// See [`PlatformState::status`].
    fn shown(&self) -> Map<String, Json>;
}

impl<P: PlatformState> AnyState for P {
    fn first(&self) -> Option<Event> {
        self.founding().as_ref().map(Event::of::<P>)
    }

    fn unknown(&self, services: &[SimulatedService]) -> Vec<Event> {
        self.describe(services).iter().map(Event::of::<P>).collect()
    }

    fn decide_any(&self, wanted: &Json) -> Result<Event, Refusal> {
        let unreadable = |error: serde_json::Error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string());
        let wanted = P::Event::deserialize(wanted).map_err(unreadable)?;
        self.decide(wanted).map(|event| Event::of::<P>(&event))
    }

    fn apply_any(&mut self, event: &Json, at: i64) -> bool {
        match P::Event::deserialize(event) {
            Ok(event) => {
                let is_refusal = P::is_refusal(&event);
                self.apply(event, at);
                !is_refusal
            }
            // It was checked when it was read.
            Err(error) => {
                tracing::error!(%error, "the sandbox could not apply an event");
                false
            }
        }
    }

    fn count_late(&mut self) {
        *self.landed_late() += 1;
    }

    fn add_credentials(&self, credentials: &mut Parts) {
        credentials.set(&self.account());
    }

    fn add_book(&self, books: &mut Parts) {
        books.set(&self.book());
    }

    fn shown(&self) -> Map<String, Json> {
        self.status()
    }
}

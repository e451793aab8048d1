//! The interface between the server, the world and a simulated platform.

use std::time::Duration;

use axum::http::StatusCode;

use super::call::Call;
use super::error::SandboxError;
use super::fault::Route;
use super::reply::Reply;
use super::serve::Site;
use super::world::{Event, Memory};

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
    pub(super) trace: Option<Box<Event>>,
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

/// A simulated platform; the value is its state, a pure fold over its events. It formats all its errors, including
/// those that faults produce.
pub(super) trait Platform: Sized + 'static {
    /// A change: as requested, without what the platform chooses, and as decided and stored in the log.
    type Event: Clone;

    /// Makes it an event of any platform.
    const WRAP: fn(Self::Event) -> Event;

    /// Returns the state of this platform among all.
    fn of(memory: &Memory) -> &Self;

    /// Returns the first event of the platform, if the world does not have it yet.
    fn founding(&self) -> Option<Self::Event> {
        None
    }

    /// Returns the event that making the requested change would produce, or the refusal.
    fn decide(&self, wanted: Self::Event) -> Result<Self::Event, Refusal>;

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

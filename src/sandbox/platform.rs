//! The interface between the server and a simulated platform.

use std::time::Duration;

use super::call::Call;
use super::fault::Route;
use super::reply::Reply;
use super::serve::Site;
use super::world;

/// The effect of a request.
#[derive(Debug)]
pub(super) enum Action<C> {
    /// A response without a change.
    Show(Reply),
    /// A change, answered by [`Platform::carry_out`].
    Do(C),
}

/// A simulated platform. It formats all its errors, including those that faults produce.
pub(super) trait Platform: 'static {
    /// A request that changes something.
    type Command: world::Command + Send + Sync + 'static;

    /// Returns the fault route of a request.
    fn route(site: &Site, call: &Call) -> Route;

    /// Counts a request before any fault applies.
    fn count_request(site: &Site, call: &Call);

    /// Returns how long the platform takes for the request, apart from faults.
    fn latency(_site: &Site, _call: &Call) -> Duration {
        Duration::ZERO
    }

    /// Decides the effect of a request.
    fn plan(site: &Site, call: &Call) -> Action<Self::Command>;

    /// Makes the change and returns the response.
    fn carry_out(site: &Site, call: &Call, command: &Self::Command) -> Reply;

    /// Returns a 401 as if the request's access token had expired; from then on it has.
    fn expire(site: &Site, call: &Call) -> Reply;

    /// Returns a 500.
    fn server_error() -> Reply;

    /// Returns a 429 with a retry after one second.
    fn too_many() -> Reply;

    /// Returns a success response without useful content.
    fn empty_success() -> Reply {
        Reply::ok(&serde_json::json!({ "ok": true }))
    }
}

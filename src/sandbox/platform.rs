//! What a simulated platform is to the server: which requests are its own, and how it answers them.

use std::time::Duration;

use super::call::Call;
use super::fault::Route;
use super::reply::Reply;
use super::serve::Site;
use super::world;

/// What a request leads to.
#[derive(Debug)]
pub(super) enum Action<C> {
    /// An answer; nothing changes.
    Show(Reply),
    /// A change, and then [`Platform::carry_out`]'s answer.
    Do(C),
}

/// A simulated platform. Errors have its own wire form, those that faults make too.
pub(super) trait Platform: 'static {
    /// A request that changes something.
    type Command: world::Command + Send + Sync + 'static;

    /// What kind of request it is for faults.
    fn route(call: &Call) -> Route;

    /// Keeps the books of what is asked, before anything can go wrong with it.
    fn notice(site: &Site, call: &Call);

    /// How long the platform takes for it, a fault aside.
    fn latency(_site: &Site, _call: &Call) -> Duration {
        Duration::ZERO
    }

    /// Decides what a request leads to.
    fn plan(site: &Site, call: &Call) -> Action<Self::Command>;

    /// Makes the change and returns the answer.
    fn carry_out(site: &Site, call: &Call, command: &Self::Command) -> Reply;

    /// 401 as if the request's access token had expired; from now on it has.
    fn expire(site: &Site, call: &Call) -> Reply;

    /// 500.
    fn server_error() -> Reply;

    /// 429, try again in a second.
    fn too_many() -> Reply;

    /// Yes, and nothing besides.
    fn bare_yes() -> Reply {
        Reply::ok(&serde_json::json!({ "ok": true }))
    }
}

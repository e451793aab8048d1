//! The simulated JRNI (formerly BookingBug) REST API, versions 1 and 5, as far as provisioning goes.
//!
//! What the vendor's documents and public clients show is done as they show it. Where they are silent (the statuses of
//! most creations, the form of most errors, creating companies at all), the most plausible convention is assumed.

mod book;
mod decide;
mod event;
mod hal;
mod login;
mod state;

use axum::http::{Method, StatusCode};
use serde_json::Value;

pub(super) use book::Access;
pub use book::{AdministratorBook, CompanyBook, JrniBook, JrniTotals, RecordBook};
pub(super) use event::{Command, Event};
pub(super) use hal::root;
pub(super) use state::State;

use super::call::Call;
use super::fault::Route;
use super::platform::Platform;
use super::reply::Reply;
use super::serve::Site;
use hal::{Base, Version};

/// The simulated platform.
#[derive(Debug)]
pub(super) struct Jrni;

/// The routes that faults know it by.
pub(super) const ROUTES: &[&str] = &["jrni", "jrni-login", "jrni-logout"];

/// What a request leads to.
type Action = super::platform::Action<Command>;

impl Platform for Jrni {
    type Command = Command;

    fn route(call: &Call) -> Route {
        let segments = call.segments();
        let path = segments.get(2..).unwrap_or_default();
        let name = match (&call.method, path) {
            (&Method::DELETE, ["login", ..]) => "jrni-logout",
            (_, ["login", ..]) => "jrni-login",
            _ => "jrni",
        };
        Route::named(name)
    }

    fn notice(_site: &Site, _call: &Call) {}

    fn plan(site: &Site, call: &Call) -> Action {
        match planned(site, call) {
            Ok(action) => action,
            Err(reply) => Action::Show(reply),
        }
    }

    fn carry_out(site: &Site, call: &Call, command: &Command) -> Reply {
        let base = Base::of(call, version(call).unwrap_or(Version::V1));
        match site.world.perform(command) {
            Ok(Event::SignedIn { token, .. }) => login::signed_in(site, &base, &token, StatusCode::CREATED),
            Ok(Event::Switched { token, .. }) => login::signed_in(site, &base, &token, StatusCode::OK),
            // A logout; nothing else comes of a command.
            Ok(_) => Reply::ok(&serde_json::json!({})),
            Err(refusal) => hal::refused(&refusal),
        }
    }

    fn expire(site: &Site, call: &Call) -> Reply {
        if let Ok((token, _)) = login::authorise(site, call)
            && let Err(error) = site.world.record(Event::Expired { token })
        {
            return hal::refused(&event::Refusal::from(error));
        }
        hal::unauthorised()
    }

    fn server_error() -> Reply {
        hal::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "Something went wrong",
        )
    }

    fn too_many() -> Reply {
        hal::error(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequests",
            "Too many requests",
        )
        .retry_after(1)
    }
}

/// The beginning of JRNI in a world: a parent company and its owner.
pub(super) fn founding() -> Event {
    Event::Founded {
        company: 37_000,
        name: "Example Group".to_owned(),
        administrator: 37_001,
        email: "owner@example.com".to_owned(),
        password: format!("{:032x}", fastrand::u128(..)),
        app_id: format!("{:08x}", fastrand::u32(..)),
        app_key: format!("{:032x}", fastrand::u128(..)),
    }
}

fn planned(site: &Site, call: &Call) -> Result<Action, Reply> {
    let version = version(call)?;
    let base = Base::of(call, version);
    check_app(site, call, version)?;
    let segments = call.segments();
    match &segments[2..] {
        ["login", rest @ ..] => login::plan(site, call, &base, rest),
        _ => Err(unknown(call)),
    }
}

/// Which version of the API is spoken.
fn version(call: &Call) -> Result<Version, Reply> {
    match call.segments().as_slice() {
        ["api", "v1", ..] => Ok(Version::V1),
        ["api", "v5", ..] => Ok(Version::V5),
        _ => Err(Reply::html(
            StatusCode::NOT_FOUND,
            "the sandbox's JRNI is below /api/v1/ and /api/v5/",
        )),
    }
}

/// Every request says which application it is. The key is asked for by the first version only, and there customers of
/// late have none: one that is sent has to be right.
fn check_app(site: &Site, call: &Call, version: Version) -> Result<(), Reply> {
    let access = site.world.jrni(State::access);
    let key = call.header("app-key").filter(|_| version == Version::V1);
    let known = call.header("app-id") == Some(access.app_id.as_str());
    if known && key.is_none_or(|key| key == access.app_key) {
        Ok(())
    } else {
        Err(hal::unauthorised())
    }
}

fn unknown(call: &Call) -> Reply {
    hal::not_found(&format!(
        "{} /{} is not known to the sandbox",
        call.method, call.path
    ))
}

/// A whole number, or its digits as text: forms have no numbers.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

//! The simulated Mobsted partner API, version 8.
//!
//! It follows the vendor's manual and public clients of the API. Where they are silent (the wire form of errors, most
//! refusals, changing and deleting apps), the most plausible convention is assumed.

mod apps;
mod auth;
mod decide;
mod domains;
mod envelope;
mod event;
mod extras;
mod hashtags;
mod lists;
mod rows;
mod state;
mod tenants;

use std::time::Duration;

use axum::http::{Method, StatusCode};

pub(super) use decide::new_password;
pub(super) use event::{Command, Event, Refusal};
pub(super) use state::{App, MASTER, State, Tenant};

use super::address::Style;
use super::call::Call;
use super::fault::Route;
use super::platform::Platform;
use super::reply::Reply;
use super::serve::Site;
use super::snapshot::count;
use state::APP_ONE;

/// The suffix after an account's name in its host.
pub(super) const HOST_SUFFIX: &str = "-admin.mobsted.sandbox";

/// The server's name in the rows of sub-accounts.
pub(super) const SERVER: &str = "mobsted.sandbox";

/// The login of the master account.
pub(super) const MASTER_LOGIN: &str = "partner@example.com";

/// The simulated platform.
#[derive(Debug)]
pub(super) struct Mobsted;

/// Its fault routes.
pub(super) const ROUTES: &[&str] = &[
    "partners",
    "applications",
    "applications-post",
    "applications-get",
    "object",
    "auth",
    "refresh",
];

/// The effect of a request.
type Action = super::platform::Action<Command>;

impl Platform for Mobsted {
    type Command = Command;

    fn route(_: &Site, call: &Call) -> Route {
        route(call)
    }

    fn count_request(site: &Site, call: &Call) {
        count_request(site, call);
    }

    fn latency(site: &Site, call: &Call) -> Duration {
        match route(call) {
            Route::PARTNERS => site.behaviour.create_latency,
            _ => Duration::ZERO,
        }
    }

    fn plan(site: &Site, call: &Call) -> Action {
        match planned(site, call) {
            Ok(action) => action,
            Err(reply) => Action::Show(reply),
        }
    }

    fn carry_out(site: &Site, call: &Call, command: &Command) -> Reply {
        carry_out(site, call, command)
    }

    fn expire(site: &Site, call: &Call) -> Reply {
        if let Ok(uid) = auth::authorise(site, call)
            && let Err(error) = site.world.record(Event::Expired { uid })
        {
            return refused(site, &Refusal::from(error));
        }
        auth::unauthorised()
    }

    fn server_error() -> Reply {
        envelope::error(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong")
    }

    fn too_many() -> Reply {
        envelope::error(StatusCode::TOO_MANY_REQUESTS, "Too many requests").retry_after(1)
    }
}

/// Returns the first event of every new world.
pub(super) fn new_master() -> Event {
    Event::Master {
        name: MASTER.to_owned(),
        email: MASTER_LOGIN.to_owned(),
        password: new_password(),
        user: decide::new_uuid(),
    }
}

/// Returns the URL of an account in the given style: `http://`, without a final slash.
pub(super) fn url_of(account: &str, style: &Style) -> String {
    match style {
        Style::Host(rest) => format!("http://{account}{rest}"),
        Style::Path(host) => format!("http://{host}/{account}-admin"),
    }
}

fn route(call: &Call) -> Route {
    match (&call.method, call.segments().as_slice()) {
        (&Method::POST, ["partners"]) => Route::PARTNERS,
        (&Method::POST, ["applications"]) => Route::APPLICATIONS_POST,
        (&Method::GET, ["applications", ..]) => Route::APPLICATIONS_GET,
        (_, ["applications", ..]) => Route::APPLICATIONS,
        (_, ["object", ..]) => Route::OBJECT,
        (_, ["auth"]) => Route::AUTH,
        (_, ["refresh"]) => Route::REFRESH,
        _ => Route::ANY,
    }
}

fn count_request(site: &Site, call: &Call) {
    if is_duplicate_create(site, call) {
        count(&site.meter.repeats);
    }
    match route(call) {
        Route::PARTNERS => count(&site.meter.partners),
        Route::APPLICATIONS_POST => count(&site.meter.applications),
        Route::APPLICATIONS_GET => count(&site.meter.application_lists),
        Route::OBJECT if call.method == Method::GET => count(&site.meter.object_lists),
        Route::AUTH => count(&site.meter.auths),
        Route::REFRESH => count(&site.meter.refreshes),
        _ if attempts_app_one(call) => {
            if let Err(error) = site.world.record(Event::AppOneAttempt) {
                tracing::error!(%error, "the sandbox could not count an attempt at App 1");
            }
        }
        _ => {}
    }
}

/// Whether the request would create something that already exists.
fn is_duplicate_create(site: &Site, call: &Call) -> bool {
    match route(call) {
        Route::PARTNERS => tenants::exists(site, call),
        Route::APPLICATIONS_POST => apps::exists(site, call),
        _ => false,
    }
}

fn planned(site: &Site, call: &Call) -> Result<Action, Reply> {
    if site.world.mobsted(|state| state.tenant(&call.account).is_none()) {
        return Err(Reply::html(
            StatusCode::NOT_FOUND,
            "there is no such account in this sandbox",
        ));
    }
    let segments = call.segments();
    let path = segments.as_slice();
    match (&call.method, path) {
        (_, []) => {
            return Err(Reply::html(
                StatusCode::NOT_FOUND,
                "the sandbox's API is below /api/v8/",
            ));
        }
        (&Method::GET, ["auth"]) => return auth::sign_in(site, call),
        (&Method::GET, ["refresh"]) => return auth::refresh(site, call),
        (&Method::GET, ["nginx", "validate"]) => return Ok(extras::validate()),
        _ => {}
    }
    auth::authorise(site, call)?;
    if attempts_app_one(call) {
        return Err(refused(site, &Refusal::AppOne));
    }
    match (&call.method, path) {
        (&Method::POST, ["partners"]) => tenants::create(call),
        (&Method::GET, ["object"]) => rows::list(site, call),
        (&Method::POST, ["object"]) => rows::create(site, call),
        (&Method::PUT | &Method::PATCH | &Method::DELETE, ["object", id]) => rows::change(site, call, id),
        (_, ["lists", ..]) => lists::plan(site, call),
        (_, ["hashtags", what]) => hashtags::plan(site, call, what),
        (&Method::POST, ["nginx", "config"]) => domains::set(call),
        (_, ["applications", rest @ ..]) => apps::plan(site, call, rest),
        _ => extras::plan(site, call, path),
    }
}

fn carry_out(site: &Site, call: &Call, command: &Command) -> Reply {
    match site.world.perform(command) {
        Ok(Event::Tenant {
            name,
            email,
            password,
            ..
        }) => tenants::created(&url_of(&name, &call.style), &email, &password),
        Ok(Event::App { tenant, id, .. } | Event::AppChanged { tenant, id, .. }) => {
            apps::show(site, &tenant, id)
        }
        Ok(Event::Object { tenant, id, .. } | Event::ObjectChanged { tenant, id, .. }) => {
            rows::show(site, &tenant, id)
        }
        Ok(Event::ListMade { tenant, id, .. }) => lists::show(site, &tenant, id),
        Ok(Event::Domain { domain, .. }) => domains::done(&domain),
        Ok(Event::Posted { id, .. }) => extras::posted(id),
        Ok(Event::SignedIn { tenant, uid } | Event::Refreshed { tenant, new: uid, .. }) => {
            auth::tokens(site, &tenant, &uid)
        }
        // A deletion, the only other result of a command.
        Ok(_) => envelope::empty(),
        Err(refusal) => refused(site, &refusal),
    }
}

fn refused(site: &Site, refusal: &Refusal) -> Reply {
    let status = match refusal {
        Refusal::Duplicate(_) => site.behaviour.duplicate.status(),
        Refusal::NoTenant(_) | Refusal::NoApp(_) | Refusal::NoObject(_) => StatusCode::NOT_FOUND,
        // A bare sentence, as in the vendor's own code for this call.
        Refusal::DomainUsed(_) => return domains::refusal(StatusCode::BAD_REQUEST, &refusal.to_string()),
        Refusal::AppOne => StatusCode::FORBIDDEN,
        Refusal::RefreshUsed => StatusCode::NOT_IMPLEMENTED,
        Refusal::Storage(_) => StatusCode::INSUFFICIENT_STORAGE,
    };
    envelope::error(status, &refusal.to_string())
}

/// Whether the request would change or delete App 1 of the master account.
fn attempts_app_one(call: &Call) -> bool {
    call.account == MASTER
        && !matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS)
        && match call.segments().as_slice() {
            ["applications", id, ..] => id.parse() == Ok(APP_ONE),
            _ => false,
        }
}

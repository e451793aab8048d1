//! The simulated Mobsted partner API, version 8.
//!
//! It follows the vendor's manual and public clients of the API. Where they are silent (the wire form of errors, most
//! refusals, changing and deleting apps), the most plausible convention is assumed.

mod apps;
mod auth;
mod book;
mod envelope;
mod event;
mod extras;
mod rows;
mod state;
mod tenants;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;

pub use book::{AppBook, Master, MobstedBook, TenantBook, Totals};
pub(super) use event::Event;
pub(super) use state::State;
use state::{MASTER, Tenant};

use super::address::{Address, Style};
use super::call::{Call, decoded};
use super::fault::Route;
use super::platform::{self, Platform, PlatformState as _, Refusal};
use super::reply::Reply;
use super::serve::Site;
use super::snapshot::count;
use super::{admin, token};
use event::{App, Object};
use state::APP_ONE;

/// The suffix after an account's name in its host.
const HOST_SUFFIX: &str = "-admin.mobsted.sandbox";

/// The server's name in the rows of sub-accounts.
const SERVER: &str = "mobsted.sandbox";

impl Route {
    /// `POST /partners`: creating a sub-account.
    pub const PARTNERS: Route = Route::named("partners");
    /// `/applications` with every method.
    pub const APPLICATIONS: Route = Route::named("applications");
    /// `POST /applications` only: creating an app.
    pub const APPLICATIONS_POST: Route = Route::named("applications-post");
    /// `GET /applications` only: listing apps or reading one.
    pub const APPLICATIONS_GET: Route = Route::named("applications-get");
    /// `/object`: listing sub-accounts or the rows of an app.
    pub const OBJECT: Route = Route::named("object");
    /// `GET /auth`: signing in.
    pub const AUTH: Route = Route::named("auth");
    /// `GET /refresh`: using a refresh token.
    pub const REFRESH: Route = Route::named("refresh");
}

type Action = platform::Action<Event>;

impl Platform for State {
    const ROUTES: &'static [&'static str] = &[
        "partners",
        "applications",
        "applications-post",
        "applications-get",
        "object",
        "auth",
        "refresh",
    ];

    const DELAYS: &'static [(&'static str, u32, &'static str)] = &[
        ("object", 3, "partners"),
        ("auth", 3, "partners"),
        ("partners", 12, "partners"),
        ("applications-get", 12, "applications-post"),
        ("auth", 15, "applications-post"),
        ("applications-post", 12, "applications-post"),
    ];

    const CREATING: &'static [(&'static str, bool)] = &[("applications-post", true), ("partners", false)];

    /// Accounts are addressed by a host `ACCOUNT-admin.mobsted.sandbox`, with any labels before the server's, or by a
    /// first path segment `ACCOUNT-admin`; without either it is the master account.
    fn address(address: Address) -> Address {
        let named = match &address.style {
            Style::Host(host) => host.find("-admin.").map(|at| host.split_at(at)),
            Style::Path(_) => None,
        };
        let (account, style, path) = if let Some((account, rest)) = named {
            let rest = rest.rsplit_once(':').map_or(rest, |(rest, _)| rest);
            (account, Style::Host(rest.to_owned()), address.path.as_str())
        } else {
            let (Style::Host(host) | Style::Path(host)) = &address.style;
            let style = Style::Path(host.clone());
            let (first, rest) = address.path.split_once('/').unwrap_or((&address.path, ""));
            match first.strip_suffix("-admin") {
                Some(account) => (account, style, rest),
                None => (MASTER, style, address.path.as_str()),
            }
        };
        Address {
            account: account.to_owned(),
            style,
            path: path.strip_prefix("api/v8/").unwrap_or_default().to_owned(),
        }
    }

    fn route(_: &Site, call: &Call) -> Route {
        route(call)
    }

    /// Counts lookups of sub-accounts and attempts at App 1, too.
    fn count_request(site: &Site, call: &Call) -> bool {
        let route = route(call);
        if route == Route::OBJECT && call.method == Method::GET {
            count(&site.meter.object_lists);
        }
        if attempts_app_one(call)
            && let Err(error) = site.world.record::<State>(&Event::AppOneAttempt)
        {
            tracing::error!(%error, "the sandbox could not count an attempt at App 1");
        }
        match route {
            Route::PARTNERS => tenants::exists(site, call),
            Route::APPLICATIONS_POST => apps::exists(site, call),
            _ => false,
        }
    }

    fn latency(site: &Site, call: &Call) -> Duration {
        match route(call) {
            Route::PARTNERS => site.behaviour.create_latency,
            _ => Duration::ZERO,
        }
    }

    fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
        if site.read(|state: &State| state.tenant(&call.account).is_none()) {
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
            return Err(envelope::refused(&state::app_one()));
        }
        match (&call.method, path) {
            (&Method::POST, ["partners"]) => tenants::create(call),
            (&Method::GET, ["object"]) => rows::list(site, call),
            (&Method::POST, ["object"]) => rows::create(site, call),
            (&Method::PUT | &Method::PATCH | &Method::DELETE, ["object", id]) => rows::change(site, call, id),
            (_, ["applications", rest @ ..]) => apps::plan(site, call, rest),
            _ => extras::plan(site, call, path),
        }
    }

    fn done(site: &Site, call: &Call, event: Event) -> Reply {
        match event {
            // The credentials are shown once, without an envelope.
            Event::Tenant(account) => Reply::ok(&json!({
                "url": url_of(&account.name, &call.style),
                "authentication": { "email": account.email, "phone": "", "password": account.password },
            })),
            Event::App(App { id, .. }) | Event::AppChanged { id, .. } => apps::show(site, call, id),
            Event::Object(Object { id, .. }) | Event::ObjectChanged { id, .. } => rows::show(site, call, id),
            Event::ListMade(list) => extras::show_list(site, call, list.id),
            Event::Domain { domain, .. } => Reply::ok(&format!("{domain} is configured")),
            Event::Posted { id, .. } => extras::posted(id),
            Event::SignedIn { tenant, uid } | Event::Refreshed { tenant, new: uid, .. } => {
                auth::tokens(site, &tenant, &uid)
            }
            // A deletion, the only other result of a request.
            _ => envelope::data([]),
        }
    }

    fn refused(site: &Site, refusal: &Refusal) -> Reply {
        match refusal.status {
            StatusCode::CONFLICT => envelope::error(site.behaviour.duplicate.status(), &refusal.text),
            status @ StatusCode::BAD_REQUEST => extras::domain_refused(status, &refusal.text),
            _ => envelope::refused(refusal),
        }
    }

    fn expiry(site: &Site, call: &Call) -> Option<Event> {
        let uid = auth::authorise(site, call).ok()?;
        Some(Event::Expired { uid })
    }

    fn admin(site: &Site, method: &Method, path: &[&str]) -> Option<Reply> {
        let book = || site.read(State::book);
        Some(match (method, path) {
            (&Method::GET, ["tenants"]) => {
                let rows = book().tenants.into_iter().map(
                    |tenant| json!({ "email": tenant.email, "name": tenant.name, "created": tenant.created }),
                );
                Reply::ok(&rows.collect::<Vec<_>>())
            }
            (&Method::GET, ["apps"]) => Reply::ok(&book().apps),
            (&Method::POST, ["tenants", email, change]) => change_tenant(site, &decoded(email), change),
            _ => return None,
        })
    }

    fn expired() -> Reply {
        auth::unauthorised()
    }

    fn server_error() -> Reply {
        envelope::error(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong")
    }

    fn too_many() -> Reply {
        envelope::error(StatusCode::TOO_MANY_REQUESTS, "Too many requests").retry_after(1)
    }
}

/// Changes a sub-account outside of the API.
fn change_tenant(site: &Site, email: &str, change: &str) -> Reply {
    let named = |state: &State| state.tenant_of(email).map(|tenant| tenant.account.name.clone());
    let Some(name) = site.read(named) else {
        return admin::missing(&format!("a sub-account for {email}"));
    };
    let event = match change {
        "password-gone" => Event::RowPasswordGone { name },
        "password-changed" => Event::PasswordChanged {
            name,
            password: token::random(),
        },
        other => {
            return admin::missing(&format!(
                "the change {other} (password-gone and password-changed are known)"
            ));
        }
    };
    admin::recorded(site.world.record::<State>(&event))
}

/// Reads the account of the request.
fn read<T>(site: &Site, call: &Call, read: impl FnOnce(&Tenant) -> T) -> T {
    // An account that does not exist has nothing.
    let nobody = Tenant::default();
    site.read(|state: &State| read(state.tenant(&call.account).unwrap_or(&nobody)))
}

/// Returns the URL of an account in the given style: `http://`, without a final slash.
fn url_of(account: &str, style: &Style) -> String {
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

/// Whether the request would change or delete App 1 of the master account.
fn attempts_app_one(call: &Call) -> bool {
    call.account == MASTER
        && !matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS)
        && match call.segments().as_slice() {
            ["applications", id, ..] => id.parse() == Ok(APP_ONE),
            _ => false,
        }
}

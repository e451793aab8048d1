//! The simulated JRNI (formerly `BookingBug`) REST API, versions 1 and 5, as far as provisioning needs it.
//!
//! It follows the vendor's documentation and public clients. Where they are silent (the statuses of most creations, the
//! form of most errors, creating companies at all), the most plausible convention is assumed.

mod book;
mod company;
mod event;
mod hal;
mod login;
mod records;
mod state;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

pub use book::{AdministratorBook, CompanyBook, JrniAccount, JrniBook, JrniTotals, RecordBook};
use event::Event;
pub(super) use state::State;

use super::call::Call;
use super::fault::Route;
use super::platform::{self, Platform, Refusal};
use super::reply::Reply;
use super::serve::Site;
use event::Kind;
use hal::{BaseUrl, V1};

type Action = platform::Action<Event>;

impl Platform for State {
    const ROUTES: &'static [&'static str] = &[
        "jrni",
        "jrni-login",
        "jrni-logout",
        "jrni-company",
        "jrni-company-post",
        "jrni-company-get",
        "jrni-company-put",
        "jrni-company-delete",
        "jrni-company-find",
        "jrni-company-children",
        "jrni-administrators",
        "jrni-administrators-post",
        "jrni-administrators-get",
        "jrni-people",
        "jrni-people-post",
        "jrni-people-get",
    ];

    const DELAYS: &'static [(&'static str, u32, &'static str)] = &[
        ("jrni-login", 3, "jrni-company-post"),
        ("jrni-company-post", 12, "jrni-company-post"),
        ("jrni-administrators-post", 12, "jrni-administrators-post"),
        ("jrni-people-post", 12, "jrni-people-post"),
    ];

    const CREATING: &'static [(&'static str, bool)] = &[
        ("jrni-company-post", true),
        ("jrni-administrators-post", true),
        ("jrni-people-post", true),
    ];

    fn route(_: &Site, call: &Call) -> Route {
        let segments = call.segments();
        Route::named(route(&call.method, segments.get(2..).unwrap_or_default()))
    }

    fn count_request(site: &Site, call: &Call) -> bool {
        let segments = call.segments();
        let ([_, _, "admin", company, part], &Method::POST) = (segments.as_slice(), &call.method) else {
            return false;
        };
        match (company.parse(), records::named(part)) {
            (Ok(company), Some(form)) => records::exists(site, call, company, form),
            _ => false,
        }
    }

    fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
        let version = version(call)?;
        let request = &Request::new(site, call, version);
        check_app(site, call, version)?;
        let segments = call.segments();
        match &segments[2..] {
            ["login", rest @ ..] => login::plan(request, rest),
            ["company", rest @ ..] => company::public(request, rest),
            ["admin", company, rest @ ..] => {
                let company = company::number(company)?;
                may_administer(request, company)?;
                match rest {
                    ["company", rest @ ..] => company::admin(request, company, rest),
                    [part, rest @ ..] => match records::named(part) {
                        Some(form) => records::admin(request, company, form, rest),
                        None => Err(unknown(call)),
                    },
                    [] => Err(unknown(call)),
                }
            }
            [company, part] if call.method == Method::GET => {
                let company = company.parse().map_err(|_| unknown(call))?;
                match *part {
                    "settings" => Ok(Action::Show(Reply::ok(&company::settings(
                        &request.base,
                        company,
                    )))),
                    "addresses" => company::addresses(request, company).map(Action::Show),
                    part => match records::named(part) {
                        Some(form) => records::public(request, company, form),
                        None => Err(unknown(call)),
                    },
                }
            }
            _ => Err(unknown(call)),
        }
    }

    fn done(site: &Site, call: &Call, event: Event) -> Reply {
        let request = &Request::new(site, call, version(call).unwrap_or(V1));
        let (record, status) = match event {
            Event::SignedIn(session) => {
                return login::signed_in(request, &session.token, StatusCode::CREATED);
            }
            Event::Switched { token, .. } => return login::signed_in(request, &token, StatusCode::OK),
            Event::Record(record) => (record, StatusCode::CREATED),
            Event::RecordChanged(record) => (record, StatusCode::OK),
            Event::RecordDeleted(record) if record.kind == Kind::Company => (record, StatusCode::OK),
            // A logout or a deletion, the only other results of a request.
            _ => return Reply::ok(&json!({})),
        };
        let company = record.company.unwrap_or_default();
        let reply = match record.kind {
            Kind::Company => company::show(request, record.id, status),
            kind => records::show(request, kind, company, record.id, status),
        };
        reply.unwrap_or_else(|refused| refused)
    }

    fn refused(_: &Site, refusal: &Refusal) -> Reply {
        hal::refused(refusal)
    }

    fn expiry(site: &Site, call: &Call) -> Option<Event> {
        let session = login::authorise(&Request::new(site, call, V1)).ok()?;
        Some(Event::Expired { token: session.token })
    }

    fn expired() -> Reply {
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

/// A request, with the base of the links in its response.
struct Request<'a> {
    site: &'a Site,
    call: &'a Call,
    base: BaseUrl,
}

impl Request<'_> {
    fn new<'a>(site: &'a Site, call: &'a Call, version: &str) -> Request<'a> {
        let base = BaseUrl::of(call, version);
        Request { site, call, base }
    }
}

/// Returns the fault route of a path below `/api/v1/`.
fn route(method: &Method, path: &[&str]) -> &'static str {
    let path = match path {
        ["admin", _, rest @ ..] => rest,
        path => path,
    };
    match (method.as_str(), path) {
        ("DELETE", ["login", ..]) => "jrni-logout",
        (_, ["login", ..]) => "jrni-login",
        (_, ["company", "find_by_ref", _]) => "jrni-company-find",
        (_, ["company", _, "children" | "search"]) => "jrni-company-children",
        ("POST", ["company", ..]) => "jrni-company-post",
        ("PUT", ["company", ..]) => "jrni-company-put",
        ("DELETE", ["company", ..]) => "jrni-company-delete",
        (_, ["company", ..]) => "jrni-company-get",
        ("POST", ["administrators"]) => "jrni-administrators-post",
        ("GET", ["administrators", ..]) => "jrni-administrators-get",
        (_, ["administrators", ..]) => "jrni-administrators",
        ("POST", ["people"]) => "jrni-people-post",
        ("GET", ["people", ..] | [_, "people"]) => "jrni-people-get",
        (_, ["people", ..]) => "jrni-people",
        _ => "jrni",
    }
}

/// Permits requests below `/admin/` to users signed in to that company or one above it.
fn may_administer(request: &Request, company: u64) -> Result<(), Reply> {
    let session = login::authorise(request)?;
    let may = request.site.read(|state: &State| {
        let known = state.company(company);
        known.map(|_| state.reaches(session.company, company))
    });
    let may = may.map_err(|refusal| hal::refused(&refusal))?;
    may.then_some(()).ok_or_else(|| {
        let detail = format!("This login is not for company {company}");
        hal::error(StatusCode::FORBIDDEN, "ForbiddenError", &detail)
    })
}

/// Returns the version of the API in the request.
fn version(call: &Call) -> Result<&str, Reply> {
    match call.segments().as_slice() {
        ["api", version @ (V1 | "v3" | "v5"), ..] => Ok(version),
        _ => Err(Reply::html(
            StatusCode::NOT_FOUND,
            "the sandbox's JRNI is below /api/v1/, /api/v3/ and /api/v5/",
        )),
    }
}

/// Checks the application in the headers. Only version 1 uses the key, and newer customers have none there: it may be
/// missing, but must be correct if sent.
fn check_app(site: &Site, call: &Call, version: &str) -> Result<(), Reply> {
    let access = site.read(State::access);
    let key = call.header("app-key").filter(|_| version == V1);
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

/// Parses a whole number, or its digits as text, because forms have no numbers.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

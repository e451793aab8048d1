//! Signs in and out, and checks tokens.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::platform::Refusal;
use super::super::reply::Reply;
use super::super::token;
use super::event::{Event, Record, Session};
use super::hal::{self, BaseUrl};
use super::state::State;
use super::{Action, Request, records, whole};

/// Plans a request to `/login` or below.
pub(super) fn plan(request: &Request, rest: &[&str]) -> Result<Action, Reply> {
    match (&request.call.method, rest) {
        (&Method::POST, [] | ["admin"]) => sign_in(request, None),
        (&Method::POST, ["admin", "reset_password_email"] | [_, "email_password_reset"]) => {
            Ok(Action::Show(Reply::ok(&json!({}))))
        }
        (&Method::POST, ["admin", company]) => {
            let company = company
                .parse()
                .map_err(|_| hal::not_found("Could not find the company"))?;
            sign_in(request, Some(company))
        }
        // Members are clients with a password; the sandbox has none.
        (&Method::POST, _) => Err(hal::unauthorised()),
        (&Method::GET, [] | ["admin"] | ["admin", _]) if request.site.behaviour.describes_sign_in => {
            let token = authorise(request)?.token;
            Ok(Action::Show(signed_in(request, &token, StatusCode::OK)))
        }
        (&Method::PUT, ["admin"]) => switch(request),
        (&Method::DELETE, _) => {
            let token = authorise(request)?.token;
            Ok(Action::Do(Event::LoggedOut { token }))
        }
        _ => Err(super::unknown(request.call)),
    }
}

/// Checks the token and returns its sign-in. This restarts its idle lifetime.
pub(super) fn authorise(Request { site, call, .. }: &Request) -> Result<Session, Reply> {
    let token = call.header("auth-token").ok_or_else(hal::unauthorised)?;
    let (now, idle) = (site.world.now(), site.behaviour.idle_life);
    let session = site.read(|state: &State| state.session(token, now, idle).cloned());
    let session = session.ok_or_else(hal::unauthorised)?;
    let note = site
        .world
        .touch(|state: &mut State| state.touch(token, now, idle));
    if note {
        let token = token.to_owned();
        let event = Event::Used { token };
        site.world
            .record::<State>(&event)
            .map_err(|error| hal::refused(&Refusal::from(error)))?;
    }
    Ok(session)
}

/// Returns the description of a sign-in, as in the vendor manual, with the token also in a header.
pub(super) fn signed_in(Request { site, base, .. }: &Request, token: &str, status: StatusCode) -> Reply {
    let now = site.world.now();
    let described = site.read(|state: &State| {
        let session = state.session(token, now, site.behaviour.idle_life)?;
        let administrators = state.administrators_for(&session.email, session.company);
        let user = administrators.first().map_or(0, |one| one.id);
        let company = session.company;
        Some(json!({
            "email": session.email,
            "auth_token": token,
            "company_id": company,
            "path": base.api(),
            "_embedded": {
                "members": [],
                "administrators": embedded(state, base, &administrators),
            },
            "_links": {
                "self": base.link(&format!("login/{company}")),
                "administrator": base.template(&format!("admin/{company}/administrators/{user}")),
            },
        }))
    });
    described.map_or_else(hal::unauthorised, |body| {
        Reply::json(status, &body).header("auth-token", token)
    })
}

/// Returns the administrators with their companies and login links.
fn embedded(state: &State, base: &BaseUrl, administrators: &[&Record]) -> Value {
    let one = |one: &&Record| {
        let mut body = records::body(base, one);
        if let Some(fields) = body.as_object_mut() {
            fields.remove("id");
        }
        let company = state.company(one.company.unwrap_or_default());
        body["company_name"] = company.map_or("", |company| company.text("name")).into();
        body["_links"]["base_login"] = base.link("login/admin");
        body
    };
    administrators.iter().map(one).collect()
}

/// Plans a sign-in; the body may be JSON, a form, or multipart. If no company is given and the credentials fit several
/// administrators, the response is a 400 that lists them.
fn sign_in(Request { site, call, base }: &Request, company: Option<u64>) -> Result<Action, Reply> {
    let fields = hal::fields(call)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let (Some(email), Some(password)) = (text("email"), text("password")) else {
        return Err(hal::bad_request("email and password are required"));
    };
    let company = company.or_else(|| fields.get("id").and_then(whole));
    let choice = site.read(|state: &State| {
        let known = state.administrators_with(email, password);
        match (company, known.as_slice()) {
            // The credentials of a parent company are valid for its children.
            (Some(company), _) => known
                .iter()
                .any(|one| one.company.is_some_and(|own| state.reaches(own, company)))
                .then_some(company)
                .ok_or_else(hal::unauthorised),
            (None, [one]) => Ok(one.company.unwrap_or_default()),
            (None, []) => Err(hal::unauthorised()),
            // In the form that three of the vendor's clients read.
            (None, several) => Err(Reply::json(
                StatusCode::BAD_REQUEST,
                &json!({
                    "error": "Please choose a company",
                    "_embedded": { "administrators": embedded(state, base, several) },
                }),
            )),
        }
    });
    Ok(Action::Do(Event::SignedIn(Session {
        email: email.trim().to_owned(),
        company: choice?,
        token: token::random(),
        ..Session::default()
    })))
}

/// Plans `PUT /login/admin`: switches the token to another company that its user may sign in to.
fn switch(request: &Request) -> Result<Action, Reply> {
    let session = authorise(request)?;
    let fields = request.call.fields().unwrap_or_default();
    let company = fields.get("company_id").and_then(whole);
    let company = company.ok_or_else(|| hal::bad_request("company_id is required"))?;
    let may = request.site.read(|state: &State| {
        let administrators = state.administrators_for(&session.email, company);
        !administrators.is_empty()
    });
    if !may {
        return Err(hal::unauthorised());
    }
    let token = session.token;
    Ok(Action::Do(Event::Switched { token, company }))
}

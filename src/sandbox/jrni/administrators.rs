//! Administrators of a company. Passwords are accepted and never shown.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::event::{Command, Refusal};
use super::fields::{FieldType, RequestFields};
use super::hal::{self, BaseUrl, Page};
use super::state::{Administrator, text};
use super::{Action, decide, unknown};

const PAGE_SIZE: u64 = 30;

const FIELDS: &[(&str, FieldType)] = &[
    ("name", FieldType::Text),
    ("email", FieldType::Text),
    ("role", FieldType::Text),
    ("password", FieldType::Text),
];

/// The possible roles of an administrator.
const ROLES: &[&str] = &["owner", "admin", "manager", "user", "callcenter"];

/// Plans a request to `/admin/{company}/administrators` or below.
pub(super) fn plan(
    site: &Site,
    call: &Call,
    base: &BaseUrl,
    company: u64,
    rest: &[&str],
) -> Result<Action, Reply> {
    let number = |id: &str| {
        id.parse()
            .map_err(|_| hal::not_found(&format!("Could not find administrator {id}")))
    };
    match (&call.method, rest) {
        (&Method::GET, []) => Ok(Action::Show(list(site, call, base, company))),
        (&Method::GET, ["new"] | [_, "edit"]) => Ok(Action::Show(hal::form(FIELDS))),
        (&Method::GET, [id]) => show(site, base, company, number(id)?, StatusCode::OK).map(Action::Show),
        (&Method::POST, []) => {
            let given = read(call)?;
            given.required("email")?;
            let mut fields = given.0;
            fields.entry("role").or_insert_with(|| "admin".into());
            Ok(Action::Do(Command::CreateAdministrator { company, fields }))
        }
        (&Method::PUT, [id]) => Ok(Action::Do(Command::ChangeAdministrator {
            company,
            id: number(id)?,
            fields: read(call)?.0,
        })),
        _ => Err(unknown(call)),
    }
}

/// Whether the company has an administrator with the address in the request.
pub(super) fn exists(site: &Site, call: &Call, company: u64) -> bool {
    let fields = call.fields().unwrap_or_default();
    let email = text(&fields, "email");
    site.world
        .jrni(|state| state.administrator(company, email).is_some())
}

/// Returns one administrator.
pub(super) fn show(
    site: &Site,
    base: &BaseUrl,
    company: u64,
    id: u64,
    status: StatusCode,
) -> Result<Reply, Reply> {
    let found = site.world.jrni(|state| {
        let one = state.administrators.get(&id);
        decide::check_owner("administrator", company, id, one.map(|one| one.company))?;
        Ok(one.map(|one| body(base, one)))
    });
    found
        .map(|body| Reply::json(status, &body))
        .map_err(|refusal: Refusal| hal::refused(&refusal))
}

fn list(site: &Site, call: &Call, base: &BaseUrl, company: u64) -> Reply {
    let page = Page::asked(call, PAGE_SIZE);
    let all: Vec<Value> = site.world.jrni(|state| {
        let all = state.administrators.values();
        all.filter(|one| one.company == company)
            .map(|one| body(base, one))
            .collect()
    });
    let total = all.len();
    let path = format!("admin/{company}/administrators");
    page.reply(base, &path, "administrators", &page.of(all), total)
}

fn read(call: &Call) -> Result<RequestFields, Reply> {
    let given = RequestFields::read(call, FIELDS)?;
    given.not_blank("name")?;
    let email = text(&given.0, "email").trim();
    if given.0.contains_key("email") && !email.contains('@') {
        return Err(hal::bad_request("email is not an address"));
    }
    let role = text(&given.0, "role");
    if !role.is_empty() && !ROLES.contains(&role) {
        return Err(hal::bad_request(&format!(
            "role is not one of {}",
            ROLES.join(", ")
        )));
    }
    Ok(given)
}

fn body(base: &BaseUrl, one: &Administrator) -> Value {
    let at = format!("admin/{}/administrators/{}", one.company, one.id);
    json!({
        "id": one.id,
        "name": one.text("name"),
        "email": one.text("email"),
        "role": one.text("role"),
        "company_id": one.company,
        "_links": {
            "self": base.link(&at),
            "edit": base.link(&format!("{at}/edit")),
            "company": base.link(&format!("admin/{}/company", one.company)),
            "login": base.link(&format!("login/admin/{}", one.company)),
        },
    })
}

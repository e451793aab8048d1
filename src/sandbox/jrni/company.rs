//! Reads, finds, creates, changes and disables companies.
//!
//! The vendor documents no way to create a company; the one here is the sandbox's own, with the fields of a change.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::{Page, decoded};
use super::super::form::Fields;
use super::super::platform::Refusal;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::event::{Event, Kind, Record};
use super::hal::{self, BaseUrl};
use super::records::form;
use super::state::State;
use super::{Action, Request, unknown};

/// Plans a request to `/company` or below, which is public.
pub(super) fn public(request: &Request, rest: &[&str]) -> Result<Action, Reply> {
    if request.call.method != Method::GET {
        return Err(unknown(request.call));
    }
    match rest {
        ["find_by_ref", reference] => find(request, &decoded(reference), None),
        [id] => show(request, number(id)?, StatusCode::OK).map(Action::Show),
        [id, part @ ("children" | "search")] => children(request, number(id)?, part),
        _ => Err(unknown(request.call)),
    }
}

/// Plans a request to `/admin/{company}/company` or below.
pub(super) fn admin(request: &Request, id: u64, rest: &[&str]) -> Result<Action, Reply> {
    let (call, form) = (request.call, form(Kind::Company));
    let company = |company: u64, id: u64, fields: Fields| Record::new(Kind::Company, company, id, fields);
    Ok(match (&call.method, rest) {
        (&Method::GET, []) => Action::Show(show(request, id, StatusCode::OK)?),
        (&Method::GET, ["find_by_ref", reference]) => find(request, &decoded(reference), Some(id))?,
        (&Method::PUT, []) => Action::Do(Event::RecordChanged(company(id, id, form.read(call, false)?))),
        (&Method::POST, []) => Action::Do(Event::Record(company(id, 0, form.read(call, true)?))),
        (&Method::DELETE, []) => Action::Do(Event::RecordDeleted(company(id, id, Fields::new()))),
        _ => return Err(unknown(call)),
    })
}

/// Returns one company with its children.
pub(super) fn show(
    Request { site, base, .. }: &Request,
    id: u64,
    status: StatusCode,
) -> Result<Reply, Reply> {
    read(site, id, |state, company| whole(state, base, company)).map(|body| Reply::json(status, &body))
}

/// Returns the body of `GET /{company}/settings`.
pub(super) fn settings(base: &BaseUrl, id: u64) -> Value {
    json!({
        "has_services": true,
        "has_resources": true,
        "has_groups": false,
        "payment_tax": 0,
        "currency": "GBP",
        "requires_login": false,
        "has_wallets": false,
        "has_question_groups": false,
        "_links": { "self": base.link(&format!("{id}/settings")) },
    })
}

/// Responds to `GET /{company}/addresses`: a list with the company's address, if it has one.
pub(super) fn addresses(Request { site, base, .. }: &Request, id: u64) -> Result<Reply, Reply> {
    let found = read(site, id, |_, company| address(base, company))?;
    let items: Vec<Value> = found.into_iter().collect();
    let page = Page {
        number: 1,
        size: hal::MAX_PAGE_SIZE,
    };
    let path = format!("{id}/addresses");
    Ok(hal::list(page, base, &path, "addresses", &items, items.len()))
}

/// Reads a company, also a disabled one.
fn read<T>(site: &Site, id: u64, read: impl FnOnce(&State, &Record) -> T) -> Result<T, Reply> {
    let found = site.read(|state: &State| state.company(id).map(|company| read(state, company)));
    found.map_err(|refusal: Refusal| hal::refused(&refusal))
}

/// Plans a search for the oldest company with a reference, restricted to `above` and the companies below it if given.
/// Disabled companies are included.
fn find(Request { site, base, .. }: &Request, reference: &str, above: Option<u64>) -> Result<Action, Reply> {
    let found = site.read(|state: &State| {
        let mut companies = state.all(Kind::Company);
        let found = companies.find(|company| {
            company.has("ref", reference) && above.is_none_or(|above| state.reaches(above, company.id))
        });
        found.map(|company| whole(state, base, company))
    });
    found
        .map(|body| Action::Show(Reply::ok(&body)))
        .ok_or_else(|| hal::not_found("Could not find the company"))
}

/// Plans `GET /company/{id}/children`, and `GET /company/{id}/search?company=`: by part of the name, ignoring case.
fn children(request: &Request, id: u64, part: &str) -> Result<Action, Reply> {
    let base = &request.base;
    let wanted = request.call.parameter("company").filter(|_| part == "search");
    let wanted = wanted.unwrap_or_default().to_lowercase();
    let reply = read(request.site, id, |state, _| {
        let children = state.below(id, Kind::Company);
        let children = children.filter(|company| company.text("name").to_lowercase().contains(&wanted));
        let path = format!("company/{id}/{part}");
        form(Kind::Company).page(request, &path, children, |company| listed(state, base, company))
    });
    reply.map(Action::Show)
}

/// Returns a company with its children, in both places where clients expect them.
fn whole(state: &State, base: &BaseUrl, company: &Record) -> Value {
    let mut body = listed(state, base, company);
    let children = state.below(company.id, Kind::Company);
    let children: Vec<Value> = children.map(|child| whole(state, base, child)).collect();
    if !children.is_empty() {
        body["_embedded"]["companies"] = children.clone().into();
        body["companies"] = children.into();
    }
    body
}

/// Returns a company in the form of a list item.
fn listed(state: &State, base: &BaseUrl, company: &Record) -> Value {
    let children = state.below(company.id, Kind::Company).count();
    let or = |name: &str, fallback: &str| match company.text(name) {
        "" => fallback.to_owned(),
        given => given.to_owned(),
    };
    let address = address(base, company);
    let mut body = json!({
        "id": company.id,
        "name": company.text("name"),
        "description": company.text("description"),
        "company_type": if children > 0 || company.company.is_none() { "parent" } else { "company" },
        "address_id": address.as_ref().map(|address| address["id"].clone()),
        "website": company.text("website"),
        "multi_status": [],
        "numeric_widget_id": company.id,
        "currency_code": or("currency_code", "GBP"),
        "timezone": or("timezone", "Europe/London"),
        "country_code": or("country_code", "gb"),
        "live": company.fields.get("live") == Some(&Value::Bool(true)),
        "disabled": company.off,
        "extra": company.fields.get("extra").cloned().unwrap_or_else(|| json!({})),
        "created_at": hal::timestamp(company.created),
        "updated_at": hal::timestamp(company.updated),
        "children_count": children,
        "locale": "en",
        "available_locales": ["en"],
        "membership_id": 1,
        "_embedded": { "settings": settings(base, company.id) },
        "_links": links(base, company),
    });
    if let Some(reference) = company.fields.get("ref") {
        body["ref"] = reference.clone();
    }
    if let Some(address) = address {
        body["address"] = address;
    }
    body
}

fn address(base: &BaseUrl, company: &Record) -> Option<Value> {
    let mut address = company.fields.get("address")?.as_object()?.clone();
    // The sandbox stores one address per company, so its identifier can be the company's.
    address.insert("id".to_owned(), company.id.into());
    for name in ["map_url", "map_marker", "phone"] {
        address.entry(name.to_owned()).or_insert_with(|| "".into());
    }
    let at = format!("{}/addresses/{}", company.id, company.id);
    address.insert("_links".to_owned(), json!({ "self": base.link(&at) }));
    Some(address.into())
}

/// Returns the links of a company. Some go to version 1 of the API, whichever version is used.
fn links(base: &BaseUrl, company: &Record) -> Value {
    let id = company.id;
    let paged = |path: &str| base.template(&format!("{path}{{?page,per_page}}"));
    let search = format!("company/{id}/search{{?company,address,page,per_page}}");
    let mut links = json!({
        "self": base.link(&format!("company/{id}")),
        "settings": base.old_link(&format!("{id}/settings")),
        "addresses": base.old_link(&format!("{id}/addresses")),
        "services": paged(&format!("{id}/services")),
        "people": paged(&format!("{id}/people")),
        "resources": paged(&format!("{id}/resources")),
        "administrators": base.link(&format!("admin/{id}/administrators")),
        "client": base.link(&format!("admin/{id}/client")),
        "new_administrator": base.link(&format!("admin/{id}/administrators/new")),
        "new_person": base.link(&format!("admin/{id}/people/new")),
        "login": base.link(&format!("login/{id}")),
        "children": paged(&format!("company/{id}/children")),
        "company_search": base.template(&search),
    });
    if let Some(parent) = company.company {
        links["parent"] = base.link(&format!("company/{parent}"));
    }
    links
}

/// Parses the identifier of a company in a path.
pub(super) fn number(text: &str) -> Result<u64, Reply> {
    text.parse()
        .map_err(|_| hal::not_found(&format!("Could not find company {text}")))
}

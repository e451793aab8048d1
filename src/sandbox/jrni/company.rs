//! Reads, finds, creates, changes and disables companies.
//!
//! The vendor documents no way to create a company; the one here is the sandbox's own, with the fields of a change.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::super::call::{Call, decoded};
use super::super::reply::Reply;
use super::super::serve::Site;
use super::event::{Command, Fields};
use super::fields::{FieldType, RequestFields};
use super::hal::{self, BaseUrl, Page};
use super::state::{Company, State, text};
use super::{Action, unknown};

/// The default page size of companies.
const PAGE_SIZE: u64 = 30;

/// The fields that a company accepts.
const FIELDS: &[(&str, FieldType)] = &[
    ("name", FieldType::Text),
    ("description", FieldType::Text),
    ("website", FieldType::Text),
    ("ref", FieldType::Text),
    ("timezone", FieldType::Text),
    ("currency_code", FieldType::Text),
    ("country_code", FieldType::Text),
    ("live", FieldType::Switch),
    ("address", FieldType::Map),
    ("extra", FieldType::Map),
];

/// Plans a request to `/company` or below, which is public.
pub(super) fn public(site: &Site, call: &Call, base: &BaseUrl, rest: &[&str]) -> Result<Action, Reply> {
    if call.method != Method::GET {
        return Err(unknown(call));
    }
    match rest {
        ["find_by_ref", reference] => find(site, base, &decoded(reference), None),
        [id] => show(site, base, number(id)?, StatusCode::OK).map(Action::Show),
        [id, "children"] => children(site, call, base, number(id)?),
        [id, "search"] => search(site, call, base, number(id)?),
        _ => Err(unknown(call)),
    }
}

/// Plans a request to `/admin/{company}/company` or below.
pub(super) fn admin(
    site: &Site,
    call: &Call,
    base: &BaseUrl,
    id: u64,
    rest: &[&str],
) -> Result<Action, Reply> {
    match (&call.method, rest) {
        (&Method::GET, []) => show(site, base, id, StatusCode::OK).map(Action::Show),
        (&Method::GET, ["find_by_ref", reference]) => find(site, base, &decoded(reference), Some(id)),
        (&Method::PUT, []) => {
            let given = RequestFields::read(call, FIELDS)?;
            given.not_blank("name")?;
            let fields = given.0;
            Ok(Action::Do(Command::ChangeCompany { id, fields }))
        }
        (&Method::POST, []) => {
            let given = RequestFields::read(call, FIELDS)?;
            given.required("name")?;
            let fields = given.0;
            Ok(Action::Do(Command::CreateCompany { parent: id, fields }))
        }
        (&Method::DELETE, []) => Ok(Action::Do(Command::DisableCompany { id })),
        _ => Err(unknown(call)),
    }
}

/// Whether the parent already has a child company with the reference in the request.
pub(super) fn exists(site: &Site, call: &Call, parent: u64) -> bool {
    let fields = call.fields().unwrap_or_default();
    let reference = text(&fields, "ref");
    !reference.is_empty()
        && site.world.jrni(|state| {
            let mut children = state.children(parent);
            children.any(|company| company.text("ref") == reference)
        })
}

/// Returns one company with its children.
pub(super) fn show(site: &Site, base: &BaseUrl, id: u64, status: StatusCode) -> Result<Reply, Reply> {
    let body = site.world.jrni(|state| {
        let company = state.companies.get(&id)?;
        Some(whole(state, base, company))
    });
    body.map(|body| Reply::json(status, &body))
        .ok_or_else(|| hal::not_found(&format!("Could not find company {id}")))
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
pub(super) fn addresses(site: &Site, base: &BaseUrl, id: u64) -> Result<Reply, Reply> {
    let found = site
        .world
        .jrni(|state| state.companies.get(&id).map(|company| address(base, company)));
    let found = found.ok_or_else(|| hal::not_found(&format!("Could not find company {id}")))?;
    let items: Vec<Value> = found.into_iter().collect();
    let total = items.len();
    Ok(Page::whole().reply(base, &format!("{id}/addresses"), "addresses", &items, total))
}

fn find(site: &Site, base: &BaseUrl, reference: &str, below: Option<u64>) -> Result<Action, Reply> {
    let found = site.world.jrni(|state| {
        let company = state.by_reference(reference, below)?;
        Some(whole(state, base, company))
    });
    found
        .map(|body| Action::Show(Reply::ok(&body)))
        .ok_or_else(|| hal::not_found("Could not find the company"))
}

fn children(site: &Site, call: &Call, base: &BaseUrl, id: u64) -> Result<Action, Reply> {
    listing(site, call, base, id, "children", |_| true)
}

/// Plans `GET /company/{id}/search?company=`: by part of the name, ignoring case.
fn search(site: &Site, call: &Call, base: &BaseUrl, id: u64) -> Result<Action, Reply> {
    let wanted = call.parameter("company").unwrap_or_default().to_lowercase();
    listing(site, call, base, id, "search", |company| {
        company.text("name").to_lowercase().contains(&wanted)
    })
}

fn listing(
    site: &Site,
    call: &Call,
    base: &BaseUrl,
    id: u64,
    what: &str,
    wanted: impl Fn(&Company) -> bool,
) -> Result<Action, Reply> {
    let page = Page::asked(call, PAGE_SIZE);
    let found = site.world.jrni(|state| {
        state.companies.get(&id)?;
        let all: Vec<&Company> = state.children(id).filter(|company| wanted(company)).collect();
        let total = all.len();
        let shown = page.of(all);
        let shown: Vec<Value> = shown.into_iter().map(|one| listed(state, base, one)).collect();
        Some((shown, total))
    });
    let (items, total) = found.ok_or_else(|| hal::not_found(&format!("Could not find company {id}")))?;
    let path = format!("company/{id}/{what}");
    Ok(Action::Show(page.reply(base, &path, "companies", &items, total)))
}

/// Returns a company with its children, in both places where clients expect them.
fn whole(state: &State, base: &BaseUrl, company: &Company) -> Value {
    let mut body = listed(state, base, company);
    let children: Vec<Value> = state
        .children(company.id)
        .map(|child| whole(state, base, child))
        .collect();
    if let Some(fields) = body.as_object_mut().filter(|_| !children.is_empty()) {
        if let Some(embedded) = fields.get_mut("_embedded").and_then(Value::as_object_mut) {
            embedded.insert("companies".to_owned(), children.clone().into());
        }
        fields.insert("companies".to_owned(), children.into());
    }
    body
}

/// Returns a company in the form of a list item.
fn listed(state: &State, base: &BaseUrl, company: &Company) -> Value {
    let children = state.children(company.id).count();
    let or = |name: &str, fallback: &str| match company.text(name) {
        "" => fallback.to_owned(),
        given => given.to_owned(),
    };
    let address = address(base, company);
    let mut body = json!({
        "id": company.id,
        "name": company.text("name"),
        "description": company.text("description"),
        "company_type": if children > 0 || company.parent.is_none() { "parent" } else { "company" },
        "address_id": address.as_ref().map(|address| address["id"].clone()),
        "website": company.text("website"),
        "multi_status": [],
        "numeric_widget_id": company.id,
        "currency_code": or("currency_code", "GBP"),
        "timezone": or("timezone", "Europe/London"),
        "country_code": or("country_code", "gb"),
        "live": company.fields.get("live") == Some(&Value::Bool(true)),
        "disabled": company.disabled,
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
    if let Some(fields) = body.as_object_mut() {
        if let Some(reference) = company.fields.get("ref") {
            fields.insert("ref".to_owned(), reference.clone());
        }
        if let Some(address) = address {
            fields.insert("address".to_owned(), address);
        }
    }
    body
}

fn address(base: &BaseUrl, company: &Company) -> Option<Value> {
    let given: &Fields = company.fields.get("address")?.as_object()?;
    let mut address = given.clone();
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
fn links(base: &BaseUrl, company: &Company) -> Map<String, Value> {
    let id = company.id;
    let mut links = Map::new();
    let mut add = |name: &str, link: Value| {
        links.insert(name.to_owned(), link);
    };
    add("self", base.link(&format!("company/{id}")));
    if let Some(parent) = company.parent {
        add("parent", base.link(&format!("company/{parent}")));
    }
    for name in ["settings", "addresses"] {
        add(name, base.old_link(&format!("{id}/{name}")));
    }
    for name in ["services", "people", "resources"] {
        add(name, base.template(&format!("{id}/{name}{{?page,per_page}}")));
    }
    for name in ["administrators", "client"] {
        add(name, base.link(&format!("admin/{id}/{name}")));
    }
    add(
        "new_administrator",
        base.link(&format!("admin/{id}/administrators/new")),
    );
    add("new_person", base.link(&format!("admin/{id}/people/new")));
    add("login", base.link(&format!("login/{id}")));
    add(
        "children",
        base.template(&format!("company/{id}/children{{?page,per_page}}")),
    );
    let search = format!("company/{id}/search{{?company,address,page,per_page}}");
    add("company_search", base.template(&search));
    links
}

fn number(text: &str) -> Result<u64, Reply> {
    text.parse()
        .map_err(|_| hal::not_found(&format!("Could not find company {text}")))
}

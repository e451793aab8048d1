//! People, clients, services and resources of a company, which share one form.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::super::call::{Call, decoded};
use super::super::reply::Reply;
use super::super::serve::Site;
use super::event::{Command, Kind, Refusal};
use super::fields::{FieldType, RequestFields};
use super::hal::{self, BaseUrl, Page};
use super::state::{Record, State, same_email, text};
use super::{Action, unknown};

/// The paths and fields of one kind.
struct Form {
    kind: Kind,
    /// The plural in paths and in `_embedded`.
    plural: &'static str,
    page_size: u64,
    required: &'static str,
    fields: &'static [(&'static str, FieldType)],
}

const FORMS: [Form; 4] = [
    Form {
        kind: Kind::Person,
        plural: "people",
        page_size: 300,
        required: "name",
        fields: &[
            ("name", FieldType::Text),
            ("description", FieldType::Text),
            ("email", FieldType::Text),
            ("phone_prefix", FieldType::Text),
            ("phone", FieldType::Text),
            ("mobile", FieldType::Text),
            ("ical_link", FieldType::Text),
            ("never_booked", FieldType::Switch),
            ("notify", FieldType::Switch),
            ("reference", FieldType::Text),
            ("all_staff", FieldType::Switch),
            ("client_queue_id", FieldType::Whole),
            ("queuing_disabled", FieldType::Switch),
        ],
    },
    Form {
        kind: Kind::Client,
        plural: "clients",
        page_size: 30,
        required: "email",
        fields: &[
            ("first_name", FieldType::Text),
            ("last_name", FieldType::Text),
            ("email", FieldType::Text),
            ("mobile", FieldType::Text),
            ("address1", FieldType::Text),
            ("address2", FieldType::Text),
            ("address3", FieldType::Text),
            ("address4", FieldType::Text),
            ("address5", FieldType::Text),
            ("postcode", FieldType::Text),
            ("country", FieldType::Text),
            ("reference", FieldType::Text),
            ("join_date", FieldType::Text),
            ("member_type", FieldType::Whole),
            ("send_email", FieldType::Switch),
        ],
    },
    Form {
        kind: Kind::Service,
        plural: "services",
        page_size: 30,
        required: "name",
        fields: &[
            ("name", FieldType::Text),
            ("description", FieldType::Text),
            ("reference", FieldType::Text),
            ("durations", FieldType::List),
            ("prices", FieldType::List),
        ],
    },
    Form {
        kind: Kind::Resource,
        plural: "resources",
        page_size: 30,
        required: "name",
        fields: &[
            ("name", FieldType::Text),
            ("description", FieldType::Text),
            ("reference", FieldType::Text),
        ],
    },
];

/// Returns the kind that a path segment names; clients use the segment `client`.
pub(super) fn kind(part: &str) -> Option<Kind> {
    let part = if part == "client" { "clients" } else { part };
    FORMS
        .iter()
        .find(|form| form.plural == part)
        .map(|form| form.kind)
}

/// Plans a request to `/admin/{company}/{kind}` or below.
pub(super) fn admin(
    site: &Site,
    call: &Call,
    base: &BaseUrl,
    company: u64,
    kind: Kind,
    rest: &[&str],
) -> Result<Action, Reply> {
    let form = form(kind);
    match (&call.method, rest) {
        (&Method::GET, []) => list(site, call, base, company, form, "admin/"),
        (&Method::GET, ["new"] | [_, "edit"]) => Ok(Action::Show(hal::form(form.fields))),
        (&Method::GET, ["find_by_ref", reference]) => {
            let reference = decoded(reference);
            find(site, base, company, form, |record| {
                text(&record.fields, "reference") == reference
            })
        }
        (&Method::GET, ["find_by_email", email]) if kind == Kind::Client => {
            let email = decoded(email);
            find(site, base, company, form, |record| {
                same_email(text(&record.fields, "email"), &email)
            })
        }
        (&Method::GET, [id]) => {
            show(site, base, company, kind, number(id)?, StatusCode::OK).map(Action::Show)
        }
        (&Method::POST, []) => {
            let given = RequestFields::read(call, form.fields)?;
            given.required(form.required)?;
            let fields = given.0;
            Ok(Action::Do(Command::CreateRecord {
                kind,
                company,
                fields,
            }))
        }
        (&Method::PUT, [id]) => {
            let given = RequestFields::read(call, form.fields)?;
            given.not_blank(form.required)?;
            let (id, fields) = (number(id)?, given.0);
            Ok(Action::Do(Command::ChangeRecord {
                kind,
                company,
                id,
                fields,
            }))
        }
        (&Method::DELETE, [id]) => {
            let id = number(id)?;
            Ok(Action::Do(Command::DeleteRecord { kind, company, id }))
        }
        _ => Err(unknown(call)),
    }
}

/// Plans a request to `/{company}/{kind}`, which is public.
pub(super) fn public(
    site: &Site,
    call: &Call,
    base: &BaseUrl,
    company: u64,
    kind: Kind,
) -> Result<Action, Reply> {
    if call.method != Method::GET || kind == Kind::Client {
        return Err(unknown(call));
    }
    list(site, call, base, company, form(kind), "")
}

/// Whether the company has a record with the reference in the request.
pub(super) fn exists(site: &Site, call: &Call, company: u64, kind: Kind) -> bool {
    let fields = call.fields().unwrap_or_default();
    let reference = text(&fields, "reference");
    let same = |record: &&Record| text(&record.fields, "reference") == reference;
    !reference.is_empty()
        && site
            .world
            .jrni(|state| of(state, company, kind).any(|record| same(&record)))
}

/// Returns one record.
pub(super) fn show(
    site: &Site,
    base: &BaseUrl,
    company: u64,
    kind: Kind,
    id: u64,
    status: StatusCode,
) -> Result<Reply, Reply> {
    let found = site.world.jrni(|state| {
        state.record(kind, company, id)?;
        Ok(state
            .records
            .get(&(kind, id))
            .map(|record| body(base, kind, record)))
    });
    found
        .map(|body| Reply::json(status, &body))
        .map_err(|refusal: Refusal| hal::refused(&refusal))
}

fn form(kind: Kind) -> &'static Form {
    match kind {
        Kind::Person => &FORMS[0],
        Kind::Client => &FORMS[1],
        Kind::Service => &FORMS[2],
        Kind::Resource => &FORMS[3],
    }
}

/// Returns the company's records that have not been deleted.
fn of(state: &State, company: u64, kind: Kind) -> impl Iterator<Item = &Record> {
    let all = state.records.range((kind, 0)..=(kind, u64::MAX));
    all.map(|(_, record)| record)
        .filter(move |record| record.company == company && !record.deleted)
}

/// Lists records; with `children=true`, those of the child companies, too.
fn list(
    site: &Site,
    call: &Call,
    base: &BaseUrl,
    company: u64,
    form: &Form,
    below: &str,
) -> Result<Action, Reply> {
    let page = Page::asked(call, form.page_size);
    let spanning = call.parameter("children").as_deref() == Some("true");
    let all = site.world.jrni(|state| {
        state.companies.get(&company)?;
        let children = state.children(company).filter(|_| spanning);
        let companies = std::iter::once(company).chain(children.map(|child| child.id));
        let all = companies.flat_map(|company| of(state, company, form.kind));
        Some(
            all.map(|record| body(base, form.kind, record))
                .collect::<Vec<_>>(),
        )
    });
    let all = all.ok_or_else(|| hal::not_found(&format!("Could not find company {company}")))?;
    let total = all.len();
    let path = format!("{below}{company}/{}", form.plural);
    Ok(Action::Show(page.reply(
        base,
        &path,
        form.plural,
        &page.of(all),
        total,
    )))
}

fn find(
    site: &Site,
    base: &BaseUrl,
    company: u64,
    form: &Form,
    wanted: impl Fn(&Record) -> bool,
) -> Result<Action, Reply> {
    let found = site.world.jrni(|state| {
        of(state, company, form.kind)
            .find(|record| wanted(record))
            .map(|record| body(base, form.kind, record))
    });
    found
        .map(|body| Action::Show(Reply::ok(&body)))
        .ok_or_else(|| hal::not_found(&format!("Could not find the {}", form.kind.name())))
}

/// Returns the stored fields with those that the platform adds.
fn body(base: &BaseUrl, kind: Kind, record: &Record) -> Value {
    let mut body: Map<String, Value> = record.fields.clone();
    // These are instructions, not data.
    body.remove("notify");
    body.remove("send_email");
    let (company, plural) = (record.company, form(kind).plural);
    let at = format!("admin/{company}/{plural}/{}", record.id);
    let items = base.template(&format!("{company}/items{{?{}_id,event_id}}", kind.name()));
    let added = json!({
        "id": record.id,
        "type": kind.name(),
        "deleted": record.deleted,
        "disabled": false,
        "company_id": company,
        "order": record.id,
        "_embedded": {},
        "_links": { "self": base.link(&at), "edit": base.link(&format!("{at}/edit")), "items": items,
            "images": base.link(&format!("{at}/images")), "company": base.link(&format!("company/{company}")) },
    });
    if let Value::Object(added) = added {
        body.extend(added);
    }
    match kind {
        Kind::Person => {
            body.insert("person_companies".to_owned(), json!([company]));
        }
        Kind::Client => {
            let name = format!(
                "{} {}",
                text(&record.fields, "first_name"),
                text(&record.fields, "last_name")
            );
            body.insert("name".to_owned(), name.trim().into());
        }
        Kind::Service => {
            for name in ["durations", "prices"] {
                body.entry(name).or_insert_with(|| json!([]));
            }
        }
        Kind::Resource => {
            body.insert("max_book".to_owned(), 1.into());
        }
    }
    body.into()
}

fn number(text: &str) -> Result<u64, Reply> {
    text.parse()
        .map_err(|_| hal::not_found(&format!("Could not find {text}")))
}

//! The resources of a company. They share one table of their fields, and all but companies share their paths.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::{Call, decoded};
use super::super::form::{Fields, object, text};
use super::super::platform::Refusal;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::event::{Event, Kind, Record};
use super::hal::{self, BaseUrl};
use super::state::State;
use super::{Action, Request, unknown, whole};

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    Text,
    Whole,
    /// `true` or `false`, also as text: the vendor's own examples send `"true"`.
    Switch,
    Map,
    List,
}

use FieldType::{List, Map, Switch, Text, Whole};

/// The paths and fields of one kind.
pub(super) struct Form {
    pub(super) kind: Kind,
    /// The plural in paths and in `_embedded`.
    plural: &'static str,
    /// The default page size.
    page_size: u64,
    /// The text that a creation needs; it may not be blank in a change either.
    required: &'static str,
    /// The text that a client knows it by.
    key: &'static str,
    fields: &'static [(&'static str, FieldType)],
}

/// What most kinds have in common: the form of a resource.
const RECORD: Form = Form {
    kind: Kind::Resource,
    plural: "resources",
    page_size: 30,
    required: "name",
    key: "reference",
    fields: &[("name", Text), ("description", Text), ("reference", Text)],
};

const FORMS: [Form; 6] = [
    Form {
        kind: Kind::Company,
        plural: "company",
        key: "ref",
        fields: &[
            ("name", Text),
            ("description", Text),
            ("website", Text),
            ("ref", Text),
            ("timezone", Text),
            ("currency_code", Text),
            ("country_code", Text),
            ("live", Switch),
            ("address", Map),
            ("extra", Map),
        ],
        ..RECORD
    },
    Form {
        kind: Kind::Administrator,
        plural: "administrators",
        required: "email",
        key: "email",
        fields: &[
            ("name", Text),
            ("email", Text),
            ("role", Text),
            ("password", Text),
        ],
        ..RECORD
    },
    Form {
        kind: Kind::Person,
        plural: "people",
        page_size: 300,
        fields: &[
            ("name", Text),
            ("description", Text),
            ("email", Text),
            ("phone_prefix", Text),
            ("phone", Text),
            ("mobile", Text),
            ("ical_link", Text),
            ("never_booked", Switch),
            ("notify", Switch),
            ("reference", Text),
            ("all_staff", Switch),
            ("client_queue_id", Whole),
            ("queuing_disabled", Switch),
        ],
        ..RECORD
    },
    Form {
        kind: Kind::Client,
        plural: "clients",
        required: "email",
        fields: &[
            ("first_name", Text),
            ("last_name", Text),
            ("email", Text),
            ("mobile", Text),
            ("address1", Text),
            ("address2", Text),
            ("address3", Text),
            ("address4", Text),
            ("address5", Text),
            ("postcode", Text),
            ("country", Text),
            ("reference", Text),
            ("join_date", Text),
            ("member_type", Whole),
            ("send_email", Switch),
        ],
        ..RECORD
    },
    Form {
        kind: Kind::Service,
        plural: "services",
        fields: &[
            ("name", Text),
            ("description", Text),
            ("reference", Text),
            ("durations", List),
            ("prices", List),
        ],
        ..RECORD
    },
    RECORD,
];

/// The possible roles of an administrator.
const ROLES: &[&str] = &["owner", "admin", "manager", "user", "callcenter"];

impl FieldType {
    fn read(self, value: &Value) -> Option<Value> {
        match self {
            Text => value.as_str().map(Value::from),
            Whole => whole(value).map(Value::from),
            Switch => match value {
                Value::Bool(_) => Some(value.clone()),
                Value::String(text) => text.parse::<bool>().ok().map(Value::from),
                _ => None,
            },
            Map => value.is_object().then(|| value.clone()),
            List => value.is_array().then(|| value.clone()),
        }
    }

    /// Returns its name in a JSON schema, and in an error.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            Text => ("string", "a text"),
            Whole => ("integer", "a whole number"),
            Switch => ("boolean", "true or false"),
            Map => ("object", "an object"),
            List => ("array", "a list"),
        }
    }
}

/// Returns the form of a kind.
pub(super) fn form(kind: Kind) -> &'static Form {
    // The table is in the order of the kinds.
    &FORMS[kind as usize]
}

/// Returns the form that a path segment names; clients use the segment `client`.
pub(super) fn named(part: &str) -> Option<&'static Form> {
    let part = if part == "client" { "clients" } else { part };
    FORMS.iter().find(|form| form.plural == part)
}

impl Form {
    /// Reads the fields of a creation or a change, each of its type. Unknown fields are left out, as on the real
    /// platform.
    pub(super) fn read(&self, call: &Call, creates: bool) -> Result<Fields, Reply> {
        let body = hal::fields(call)?;
        let mut fields = Fields::new();
        for (name, kind) in self.fields {
            let Some(value) = body.get(*name).filter(|value| !value.is_null()) else {
                continue;
            };
            let value = kind
                .read(value)
                .ok_or_else(|| hal::bad_request(&format!("{name} is not {}", kind.names().1)))?;
            fields.insert((*name).to_owned(), value);
        }
        if self.kind == Kind::Administrator {
            check_administrator(&mut fields, creates)?;
        }
        check_text(&fields, self.required, creates)?;
        Ok(fields)
    }

    /// Returns a page of the form's kind.
    pub(super) fn page<'a>(
        &self,
        Request { call, base, .. }: &Request,
        path: &str,
        all: impl Iterator<Item = &'a Record>,
        shown: impl Fn(&'a Record) -> Value,
    ) -> Reply {
        let plural = match self.kind {
            Kind::Company => "companies",
            _ => self.plural,
        };
        let page = hal::page(call, self.page_size);
        let (records, total) = page.of(all);
        let records: Vec<Value> = records.into_iter().map(shown).collect();
        hal::list(page, base, path, plural, &records, total)
    }
}

/// Returns an error if a text is blank, or missing though needed.
fn check_text(fields: &Fields, name: &str, needed: bool) -> Result<(), Reply> {
    match fields.get(name) {
        None if needed => Err(hal::bad_request(&format!("{name} is required"))),
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(hal::bad_request(&format!("{name} cannot be blank")))
        }
        _ => Ok(()),
    }
}

fn check_administrator(fields: &mut Fields, creates: bool) -> Result<(), Reply> {
    check_text(fields, "name", false)?;
    if fields.contains_key("email") && !text(fields, "email").trim().contains('@') {
        return Err(hal::bad_request("email is not an address"));
    }
    let role = text(fields, "role");
    if !role.is_empty() && !ROLES.contains(&role) {
        let roles = ROLES.join(", ");
        return Err(hal::bad_request(&format!("role is not one of {roles}")));
    }
    if creates {
        fields.entry("role").or_insert_with(|| "admin".into());
    }
    Ok(())
}

/// Plans a request to `/admin/{company}/{plural}` or below, except to a company.
pub(super) fn admin(request: &Request, company: u64, form: &Form, rest: &[&str]) -> Result<Action, Reply> {
    let (call, kind) = (request.call, form.kind);
    let is_administrator = kind == Kind::Administrator;
    let number = |id: &str| {
        let what = if is_administrator { "administrator " } else { "" };
        id.parse::<u64>()
            .map_err(|_| hal::not_found(&format!("Could not find {what}{id}")))
    };
    match (&call.method, rest) {
        (&Method::GET, []) => list(request, company, form, "admin/"),
        (&Method::GET, ["new"] | [_, "edit"]) => Ok(Action::Show(hal::form(form.fields))),
        (&Method::GET, ["find_by_ref", reference]) if !is_administrator => {
            find(request, company, kind, "reference", &decoded(reference))
        }
        (&Method::GET, ["find_by_email", email]) if kind == Kind::Client => {
            find(request, company, kind, "email", &decoded(email))
        }
        (&Method::GET, [id]) => show(request, kind, company, number(id)?, StatusCode::OK).map(Action::Show),
        (&Method::POST, []) => {
            let fields = form.read(call, true)?;
            Ok(Action::Do(Event::Record(Record::new(kind, company, 0, fields))))
        }
        (&Method::PUT, [id]) => {
            // For an administrator the path is checked before the body.
            let early = is_administrator.then(|| number(id)).transpose()?;
            let fields = form.read(call, false)?;
            let change = Record::new(kind, company, early.map_or_else(|| number(id), Ok)?, fields);
            Ok(Action::Do(Event::RecordChanged(change)))
        }
        (&Method::DELETE, [id]) if !is_administrator => {
            let deleted = Record::new(kind, company, number(id)?, Fields::new());
            Ok(Action::Do(Event::RecordDeleted(deleted)))
        }
        _ => Err(unknown(call)),
    }
}

/// Plans a request to `/{company}/{plural}`, which is public.
pub(super) fn public(request: &Request, company: u64, form: &Form) -> Result<Action, Reply> {
    if matches!(form.kind, Kind::Company | Kind::Administrator | Kind::Client) {
        return Err(unknown(request.call));
    }
    list(request, company, form, "")
}

/// Whether the company has a resource with the key in the request.
pub(super) fn exists(site: &Site, call: &Call, company: u64, form: &Form) -> bool {
    let fields = call.fields().unwrap_or_default();
    let key = text(&fields, form.key);
    let has = |state: &State| {
        state
            .below(company, form.kind)
            .any(|record| record.has(form.key, key))
    };
    !key.is_empty() && site.read(has)
}

/// Returns one resource that is no company.
pub(super) fn show(
    Request { site, base, .. }: &Request,
    kind: Kind,
    company: u64,
    id: u64,
    status: StatusCode,
) -> Result<Reply, Reply> {
    let found = site.read(|state: &State| state.record(kind, company, id).map(|record| body(base, record)));
    found
        .map(|body| Reply::json(status, &body))
        .map_err(|refusal| hal::refused(&refusal))
}

/// Lists records; with `children=true`, those of the child companies, too.
fn list(request: &Request, company: u64, form: &Form, above: &str) -> Result<Action, Reply> {
    let children = request.call.parameter("children");
    let spans = form.kind != Kind::Administrator && children.as_deref() == Some("true");
    let path = format!("{above}{company}/{}", form.plural);
    let reply = request.site.read(|state: &State| {
        state.company(company)?;
        let children = state.below(company, Kind::Company).filter(|_| spans);
        let companies = std::iter::once(company).chain(children.map(|child| child.id));
        let all = companies.flat_map(|company| state.below(company, form.kind));
        Ok(form.page(request, &path, all, |record| body(&request.base, record)))
    });
    reply
        .map(Action::Show)
        .map_err(|refusal: Refusal| hal::refused(&refusal))
}

fn find(
    Request { site, base, .. }: &Request,
    company: u64,
    kind: Kind,
    name: &str,
    value: &str,
) -> Result<Action, Reply> {
    let found = site.read(|state: &State| {
        let found = state.below(company, kind).find(|record| record.has(name, value));
        found.map(|record| body(base, record))
    });
    found
        .map(|body| Action::Show(Reply::ok(&body)))
        .ok_or_else(|| hal::not_found(&format!("Could not find the {}", kind.name())))
}

/// Returns an administrator, or the stored fields of another record with those that the platform adds.
pub(super) fn body(base: &BaseUrl, record: &Record) -> Value {
    let (kind, company) = (record.kind, record.company.unwrap_or_default());
    let at = format!("admin/{company}/{}/{}", form(kind).plural, record.id);
    if kind == Kind::Administrator {
        // Passwords are accepted and never shown.
        return json!({
            "id": record.id,
            "name": record.text("name"),
            "email": record.text("email"),
            "role": record.text("role"),
            "company_id": company,
            "_links": {
                "self": base.link(&at),
                "edit": base.link(&format!("{at}/edit")),
                "company": base.link(&format!("admin/{company}/company")),
                "login": base.link(&format!("login/admin/{company}")),
            },
        });
    }
    let mut body = record.fields.clone();
    // These are instructions, not data.
    body.remove("notify");
    body.remove("send_email");
    body.extend(object(json!({
        "id": record.id,
        "type": kind.name(),
        "deleted": record.off,
        "disabled": false,
        "company_id": company,
        "order": record.id,
        "_embedded": {},
        "_links": {
            "self": base.link(&at),
            "edit": base.link(&format!("{at}/edit")),
            "items": base.template(&format!("{company}/items{{?{}_id,event_id}}", kind.name())),
            "images": base.link(&format!("{at}/images")),
            "company": base.link(&format!("company/{company}")),
        },
    })));
    match kind {
        Kind::Person => {
            body.insert("person_companies".to_owned(), json!([company]));
        }
        Kind::Client => {
            let name = format!("{} {}", record.text("first_name"), record.text("last_name"));
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
        Kind::Company | Kind::Administrator => {}
    }
    body.into()
}

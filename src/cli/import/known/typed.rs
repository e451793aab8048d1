//! From a request's parts to the call of one operation of the table.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::{Ask, Called, Carried, Done, Form, Meaning};
use crate::cli::import::body;
use crate::cli::import::code::{Code, quoted};
use crate::cli::import::collection::Field;
use crate::cli::import::secrets::scrubbed;
use crate::cli::import::values::Values;
use crate::cli::import::web::OMITTED;
use crate::operation::spec::OpSpec;

/// Fields of a query that say which part of a list: operations read all of it.
const PAGING: &[&str] = &["page", "pagesize", "perpage", "per_page"];

/// What keeps others from remembering an answer: operations ask anew each time.
const FRESH: &str = "_";

/// Headers that a session writes itself, or that say nothing of what is meant.
const OWN_HEADERS: &[&str] = &["app-id", "app-key", "auth-token", "cache-control", "user-agent"];

/// What an operation takes from the request.
pub(super) enum Arg<'a> {
    /// A part of the path.
    Text(&'a str),
    /// A field of the query.
    Query(&'static str),
    /// A field of the query that the operation means by itself.
    Meant(&'static str),
    /// A field of the body.
    Field(&'static str),
    /// The whole body.
    Body,
    /// The body but for these fields; an empty map when that is nothing.
    Rest(&'static [&'static str]),
    /// The same under this key of the options; nothing when that is nothing.
    More(&'static str, &'static [&'static str]),
    /// One field of the body under another name of the options; nothing when it is not there.
    Renamed(&'static str, &'static str),
    /// A map that was made for it.
    Made(Code),
}

/// An operation, and where its arguments come from.
pub(super) struct Typed<'a> {
    op: &'static str,
    session: String,
    args: Vec<Arg<'a>>,
    /// Fields of the body that the operation knows without being told.
    implied: &'static [&'static str],
    note: Option<&'static str>,
}

impl<'a> Typed<'a> {
    pub(super) fn new(op: &'static str, session: &str, args: Vec<Arg<'a>>) -> Typed<'a> {
        Typed {
            op,
            session: session.to_owned(),
            args,
            implied: &[],
            note: None,
        }
    }

    pub(super) fn note(self, note: &'static str) -> Typed<'a> {
        Typed {
            note: Some(note),
            ..self
        }
    }

    pub(super) fn implied(self, implied: &'static [&'static str]) -> Typed<'a> {
        Typed { implied, ..self }
    }
}

/// The arguments of a call, and which parts of the request they were made of.
#[derive(Default)]
struct Taken {
    args: Vec<String>,
    query: BTreeSet<String>,
    fields: BTreeSet<String>,
    body: bool,
}

impl Ask<'_> {
    /// A call of an operation of the table; the platform's raw one when it is not there, the request lacks what it takes,
    /// or has what it does not take.
    pub(super) fn typed(&self, values: &mut Values, typed: &Typed) -> Done {
        let Some(op) = self.catalogue.operation(typed.op) else {
            return self.raw(values);
        };
        let Some(taken) = self.taken(values, typed)? else {
            return self.raw(values);
        };
        let asks_more = self.query.iter().any(|(key, value)| {
            let key = key.to_lowercase();
            let reads_all = PAGING.contains(&key.as_str()) && !is_further(&key, &values.expanded(value));
            !reads_all && key != FRESH && !taken.query.contains(&key)
        });
        if asks_more || (self.carries == Carried::Other && !taken.body) {
            return self.raw(values);
        }
        let mut notes: Vec<String> = typed.note.map(str::to_owned).into_iter().collect();
        let left: Vec<String> = self.left(&taken, typed);
        if !left.is_empty() {
            notes.push(format!("the operation does not take {}", left.join(", ")));
        }
        let pages = self.query.iter().map(|(key, _)| key);
        let pages = pages.filter(|key| PAGING.contains(&key.to_lowercase().as_str()));
        let pages: Vec<String> = pages.map(|key| format!("`{key}`")).collect();
        if !pages.is_empty() {
            notes.push(format!(
                "the operation reads the whole list, and does not take {}",
                pages.join(", ")
            ));
        }
        notes.extend(self.left_headers(values));
        Ok(Meaning::Call(Called {
            code: call(&typed.session, &op, &taken.args),
            notes,
        }))
    }

    /// Fields of the body that the call says nothing of.
    fn left(&self, taken: &Taken, typed: &Typed) -> Vec<String> {
        let keys = self.fields().into_iter().flat_map(Map::keys);
        keys.filter(|key| {
            let folded = key.to_lowercase();
            let implied = typed.implied.iter().any(|known| known.eq_ignore_ascii_case(key));
            !taken.body && !taken.fields.contains(&folded) && !implied
        })
        .map(|key| format!("`{key}`"))
        .collect()
    }

    fn taken(&self, values: &mut Values, typed: &Typed) -> Result<Option<Taken>, String> {
        let mut taken = Taken::default();
        for arg in &typed.args {
            let code = match arg {
                Arg::Text(text) => values.value(text, "id")?,
                Arg::Meant(name) => {
                    taken.query.insert(name.to_lowercase());
                    continue;
                }
                Arg::Query(name) => {
                    taken.query.insert(name.to_lowercase());
                    match self.query(name).as_str() {
                        "" => return Ok(None),
                        text => values.value(text, name)?,
                    }
                }
                Arg::Field(name) => {
                    taken.fields.insert(name.to_lowercase());
                    match self.field(name) {
                        None | Some(Json::Null) => return Ok(None),
                        Some(json) => body::value(json, name, values)?,
                    }
                }
                Arg::Body | Arg::Rest(_) => {
                    taken.body = true;
                    let without = if let Arg::Rest(without) = arg {
                        without
                    } else {
                        &[][..]
                    };
                    let Some(rest) = self.rest(without) else {
                        return Ok(None);
                    };
                    body::value(&Json::Object(rest), "", values)?
                }
                Arg::More(key, without) => {
                    taken.body = true;
                    match self.rest(without).filter(|rest| !rest.is_empty()) {
                        None => continue,
                        Some(rest) => under(key, body::value(&Json::Object(rest), "", values)?),
                    }
                }
                Arg::Renamed(name, key) => {
                    taken.fields.insert(name.to_lowercase());
                    match self.field(name) {
                        None => continue,
                        Some(json) => under(key, body::value(json, name, values)?),
                    }
                }
                Arg::Made(code) => {
                    taken.body = true;
                    code.clone()
                }
            };
            taken.args.push(code.render(4));
        }
        Ok(Some(taken))
    }

    /// The fields without these.
    fn rest(&self, without: &[&str]) -> Option<Map<String, Json>> {
        let mut fields = self.fields()?.clone();
        fields.retain(|key, _| !without.iter().any(|name| name.eq_ignore_ascii_case(key)));
        Some(fields)
    }

    /// The platform's raw call, which signs in by itself; nothing when the platform has none that does the same.
    pub(super) fn raw(&self, values: &mut Values) -> Done {
        let (name, module) = (self.method.to_lowercase(), self.platform.name);
        let mut all = self.catalogue.operations().iter();
        let Some(op) = all.find(|op| op.module == module && op.name == name && op.receiver.is_some()) else {
            return Ok(Meaning::Unknown);
        };
        let carries_body = matches!(self.method, "POST" | "PUT");
        let (fields, form) = match &self.carries {
            Carried::Nothing => (Map::new(), Form::Json),
            Carried::Fields(fields, form) if carries_body && *form != Form::Parts => (fields.clone(), *form),
            _ => return Ok(Meaning::Unknown),
        };
        let mut args = vec![values.address(&format!("/{}", self.path.join("/")))?];
        let mut query = Vec::new();
        for (key, value) in &self.query {
            query.push((key.clone(), values.value(value, key)?));
        }
        let query = (!query.is_empty()).then_some(Code::Map(query));
        if carries_body {
            args.push(body::value(&Json::Object(fields), "", values)?.render(4));
            let mut options = Vec::new();
            if form == Form::Pairs {
                options.push(("encoding".to_owned(), Code::Expr(quoted("form"))));
            }
            options.extend(query.map(|query| ("query".to_owned(), query)));
            if !options.is_empty() {
                args.push(Code::Map(options).render(4));
            }
        } else {
            args.extend(query.map(|query| query.render(4)));
        }
        Ok(Meaning::Call(Called {
            code: call(self.session, op, &args),
            notes: self.left_headers(values),
        }))
    }

    /// Headers of the request that no operation sends.
    fn left_headers(&self, values: &Values) -> Vec<String> {
        let known = values.credentials();
        let left = self.headers.iter().filter(|field| !is_own(field, values));
        let names: Vec<String> = left
            .map(|field| format!("`{}`", scrubbed(field.key.trim(), &known)))
            .collect();
        if names.is_empty() {
            return Vec::new();
        }
        let what = if names.len() == 1 { "header" } else { "headers" };
        vec![format!(
            "the operation does not take the {what} {}",
            names.join(", ")
        )]
    }
}

/// Does a field of a query ask for another page than the first?
fn is_further(key: &str, value: &str) -> bool {
    key == "page" && value.trim().parse().is_ok_and(|page: i64| page > 1)
}

/// Does the session say the same as a header by itself?
fn is_own(field: &Field, values: &Values) -> bool {
    let name = field.key.trim().to_lowercase();
    let value = values.expanded(&field.value).trim().to_lowercase();
    match name.as_str() {
        "authorization" => value.starts_with("bearer ") || value.starts_with("{{"),
        "accept" => value.is_empty() || value.contains("json") || value.contains("*/*"),
        "content-type" => {
            let kinds = [
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ];
            value.is_empty() || kinds.iter().any(|kind| value.starts_with(kind))
        }
        name => OWN_HEADERS.contains(&name) || OMITTED.contains(&name),
    }
}

fn under(key: &str, code: Code) -> Code {
    Code::Map(vec![(key.to_owned(), code)])
}

fn call(session: &str, op: &OpSpec, args: &[String]) -> String {
    format!("{session}.{}({})", op.name, args.join(", "))
}

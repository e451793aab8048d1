//! Converts a request to a call of an operation.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::body;
use super::code::{Code, quoted};
use super::collection::Field;
use super::known::{
    ConvertedCall, Form, Meaning, MeaningResult, RequestPayload, RequestProperties, RouteMatch,
};
use super::secrets::scrubbed;
use super::values::Values;
use super::web::OMITTED;
use crate::operation::import::ImportArg;
use crate::operation::spec::{OpSpec, Type};

/// Query fields for paging: operations read the whole list.
const PAGING: &[&str] = &["page", "pagesize", "perpage", "per_page"];

/// The query field that bypasses caches: operations never use a cached response.
const CACHE_BUSTER: &str = "_";

/// Headers that every session sends itself, or that do not affect the meaning.
const OWN_HEADERS: &[&str] = &["cache-control", "user-agent"];

/// The arguments of a call, and the parts of the request that they use.
#[derive(Default)]
struct MatchedArguments {
    args: Vec<String>,
    query: BTreeSet<String>,
    fields: BTreeSet<String>,
    body: bool,
}

impl RequestProperties<'_> {
    /// Converts the request to a call of `op`; to the platform's raw call if there is no such operation, or if the
    /// request lacks one of its arguments or has more than it takes.
    pub(super) fn typed(
        &self,
        values: &mut Values,
        fit: &RouteMatch,
        op: &'static str,
        args: &[ImportArg],
    ) -> MeaningResult {
        let session = match fit.route.within {
            Some(name) => self.session_for_part(fit.part(name), values)?,
            None => self.session.to_owned(),
        };
        let Some(op) = self.catalogue.operation(op) else {
            return self.raw(values);
        };
        let Some(taken) = self.taken(values, fit, &op, args)? else {
            return self.raw(values);
        };
        let asks_more = self.query.iter().any(|(key, value)| {
            let key = key.to_lowercase();
            let reads_all = PAGING.contains(&key.as_str()) && !is_later_page(&key, &values.expanded(value));
            !reads_all && key != CACHE_BUSTER && !taken.query.contains(&key)
        });
        if asks_more || (self.payload == RequestPayload::Other && !taken.body) {
            return self.raw(values);
        }
        let mut notes: Vec<String> = fit.route.note.map(str::to_owned).into_iter().collect();
        let left: Vec<String> = self.left(&taken, fit.route.implied);
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
        notes.extend(self.unsent_headers_note(values));
        Ok(Meaning::Call(ConvertedCall {
            code: call(&session, &op, &taken.args),
            notes,
        }))
    }

    /// Returns the session, switched to the part of the account that the request names.
    fn session_for_part(&self, part: &str, values: &mut Values) -> Result<String, String> {
        let Some(scope) = self.platform.import.scope else {
            return Ok(self.session.to_owned());
        };
        if self.part == Some(values.expanded(part).as_str()) {
            return Ok(self.session.to_owned());
        }
        let part = values.value(part, scope.key)?.render(4);
        Ok(format!("{}.{}({part})", self.session, scope.switch))
    }

    /// Body fields that the call does not use.
    fn left(&self, taken: &MatchedArguments, implied: &[&str]) -> Vec<String> {
        let keys = self.fields().into_iter().flat_map(Map::keys);
        keys.filter(|key| {
            let folded = key.to_lowercase();
            let implied = implied.iter().any(|known| known.eq_ignore_ascii_case(key));
            !taken.body && !taken.fields.contains(&folded) && !implied
        })
        .map(|key| format!("`{key}`"))
        .collect()
    }

    /// Builds the arguments of a call; `None` if the request lacks one.
    fn taken(
        &self,
        values: &mut Values,
        fit: &RouteMatch,
        op: &OpSpec,
        args: &[ImportArg],
    ) -> Result<Option<MatchedArguments>, String> {
        let mut taken = MatchedArguments::default();
        taken
            .query
            .extend(fit.route.query.map(|(name, _)| name.to_lowercase()));
        for arg in args {
            let code = match *arg {
                ImportArg::Path(name) => values.value(fit.part(name), "id")?,
                ImportArg::Text(text) => Code::text(text),
                ImportArg::Query(name) => {
                    taken.query.insert(name.to_lowercase());
                    match self.query(name).as_str() {
                        "" => return Ok(None),
                        text => values.value(text, name)?,
                    }
                }
                ImportArg::Field(name) => {
                    taken.fields.insert(name.to_lowercase());
                    match self.field(name) {
                        None | Some(Json::Null) => return Ok(None),
                        Some(json) => body::value(json, name, values)?,
                    }
                }
                ImportArg::Body | ImportArg::Rest(_) => {
                    taken.body = true;
                    let without = if let ImportArg::Rest(without) = *arg {
                        without
                    } else {
                        &[][..]
                    };
                    let Some(rest) = self.rest(without) else {
                        return Ok(None);
                    };
                    body::value(&Json::Object(rest), "", values)?
                }
                ImportArg::RestAs(key, without) => {
                    taken.body = true;
                    match self.rest(without).filter(|rest| !rest.is_empty()) {
                        None => continue,
                        Some(rest) => under(key, body::value(&Json::Object(rest), "", values)?),
                    }
                }
                ImportArg::FieldAs(name, key) => {
                    taken.fields.insert(name.to_lowercase());
                    match self.field(name) {
                        None => continue,
                        Some(json) => under(key, body::value(json, name, values)?),
                    }
                }
                ImportArg::Map { places, moves } => {
                    taken.body = true;
                    match self.map(values, op, places, moves)? {
                        None => return Ok(None),
                        Some(map) => map,
                    }
                }
            };
            taken.args.push(code.render(4));
        }
        Ok(Some(taken))
    }

    /// Builds a map of the whole JSON body; `None` if a value has no place in it, or if a key that the operation
    /// requires is missing.
    fn map(
        &self,
        values: &mut Values,
        op: &OpSpec,
        places: &[(&str, &str)],
        moves: &[(&str, &str)],
    ) -> Result<Option<Code>, String> {
        let RequestPayload::Fields(fields, Form::Json) = &self.payload else {
            return Ok(None);
        };
        let mut rest = Json::Object(fields.clone());
        for (from, to) in moves {
            let value = rest.pointer_mut(from).map(Json::take).unwrap_or_default();
            let (parent, key) = to.rsplit_once('/').unwrap_or_default();
            if let Some(Json::Object(parent)) = rest.pointer_mut(parent) {
                parent.insert(key.to_owned(), value);
            }
        }
        let mut map = Vec::new();
        for (key, place) in places {
            let found = rest.pointer_mut(place).map(Json::take);
            if let Some(found) = found.filter(|found| !found.is_null()) {
                map.push(((*key).to_owned(), body::value(&found, key, values)?));
            }
        }
        let has = |key: &str| map.iter().any(|(known, _)| known == key);
        let is_whole = is_empty(&rest) && required(op).all(has);
        Ok(is_whole.then_some(Code::Map(map)))
    }

    /// The body fields except those in `without`.
    fn rest(&self, without: &[&str]) -> Option<Map<String, Json>> {
        let mut fields = self.fields()?.clone();
        fields.retain(|key, _| !without.iter().any(|name| name.eq_ignore_ascii_case(key)));
        Some(fields)
    }

    /// Converts to the platform's raw call, which signs in automatically; [`Meaning::Unknown`] if none is equivalent.
    pub(super) fn raw(&self, values: &mut Values) -> MeaningResult {
        let (name, module) = (self.method.to_lowercase(), self.platform.name);
        let mut all = self.catalogue.operations().iter();
        let Some(op) = all.find(|op| op.module == module && op.name == name && op.receiver.is_some()) else {
            return Ok(Meaning::Unknown);
        };
        let carries_body = matches!(self.method, "POST" | "PUT");
        let (fields, form) = match &self.payload {
            RequestPayload::Nothing => (Map::new(), Form::Json),
            RequestPayload::Fields(fields, form) if carries_body && *form != Form::Parts => {
                (fields.clone(), *form)
            }
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
        Ok(Meaning::Call(ConvertedCall {
            code: call(self.session, op, &args),
            notes: self.unsent_headers_note(values),
        }))
    }

    /// A note on the headers that no operation sends, if there are any.
    fn unsent_headers_note(&self, values: &Values) -> Vec<String> {
        let known = values.credentials();
        let is_own = |field: &&Field| {
            let name = field.key.trim();
            let mut own = self.platform.import.headers.iter();
            own.any(|(own, _)| own.eq_ignore_ascii_case(name)) || is_implied(field, values)
        };
        let left = self.headers.iter().filter(|field| !is_own(field));
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

/// Whether a query field asks for a page after the first.
fn is_later_page(key: &str, value: &str) -> bool {
    key == "page" && value.trim().parse().is_ok_and(|page: i64| page > 1)
}

/// Whether every session sends an equivalent header itself.
fn is_implied(field: &Field, values: &Values) -> bool {
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

/// The required keys of the operation's map.
fn required(op: &OpSpec) -> impl Iterator<Item = &'static str> + use<> {
    let keys = match op.params.first().map(|param| param.ty) {
        Some(Type::Options(keys)) => keys,
        _ => &[],
    };
    keys.iter().filter(|key| key.required).map(|key| key.name)
}

/// Whether every value has been taken out.
fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

fn under(key: &str, code: Code) -> Code {
    Code::Map(vec![(key.to_owned(), code)])
}

fn call(session: &str, op: &OpSpec, args: &[String]) -> String {
    format!("{session}.{}({})", op.name, args.join(", "))
}

//! Maps requests to operations by platform, method and path.

use serde_json::{Map, Value as Json};

use super::body;
use super::collection::{Field, Request, fields};
use super::values::Values;
use crate::operation::catalogue::Catalogue;
use crate::operation::import::{ImportArg, ImportRoute, RouteMeaning};
use crate::operation::platform::Platform;

/// The properties of a request that determine its operation.
pub(super) struct RequestProperties<'a> {
    pub(super) catalogue: Catalogue,
    pub(super) platform: &'static Platform,
    pub(super) method: &'a str,
    /// The path segments below the API root; a variable is `{{name}}`.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) payload: RequestPayload,
    pub(super) headers: &'a [Field],
    /// The expression for its session.
    pub(super) session: &'a str,
    /// The part of the account that the session acts on, with variables resolved; `None` if unspecified.
    pub(super) part: Option<&'a str>,
}

/// A request body.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum RequestPayload {
    #[default]
    Nothing,
    /// The fields of a JSON object or a form.
    Fields(Map<String, Json>, Form),
    /// Any other body.
    Other,
}

/// The encoding of body fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Pairs,
    Parts,
}

/// An operation call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ConvertedCall {
    /// The call as an expression.
    pub(super) code: String,
    /// Notes for the reader of the script.
    pub(super) notes: Vec<String>,
}

/// The meaning of a request on its platform.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// Done by provisor automatically, as this note says.
    ByItself(&'static str),
    /// A call of an operation.
    Call(ConvertedCall),
    /// No operation does exactly this.
    Unknown,
}

/// The meaning of a request. The error describes variables that are circular or grow too large.
pub(super) type MeaningResult = Result<Meaning, String>;

const SIGN_IN_NOTE: &str = "provisor signs in by itself when an operation needs it";

/// A route of the platform that matches a request.
pub(super) struct RouteMatch<'a> {
    pub(super) route: &'static ImportRoute,
    /// The path segments that the route names.
    parts: Vec<(&'static str, &'a str)>,
}

impl<'a> RouteMatch<'a> {
    /// Returns a named path segment; empty if the route has no such name.
    pub(super) fn part(&self, name: &str) -> &'a str {
        let found = self.parts.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, part)| part)
    }
}

/// Determines the meaning of a request.
pub(super) fn meaning(ask: &RequestProperties, values: &mut Values) -> MeaningResult {
    let Some(fit) = ask.fit() else {
        return ask.raw(values);
    };
    match fit.route.meaning {
        RouteMeaning::SignIn(_) => Ok(Meaning::ByItself(SIGN_IN_NOTE)),
        RouteMeaning::ByItself(sentence) => Ok(Meaning::ByItself(sentence)),
        RouteMeaning::Call(op, args) => ask.typed(values, &fit, op, args),
    }
}

/// Returns the account fields in a sign-in request, by key and unresolved; `None` if it does not sign in.
pub(super) fn sign_in(ask: &RequestProperties) -> Option<Vec<(&'static str, String)>> {
    let fit = ask.fit()?;
    let RouteMeaning::SignIn(keys) = fit.route.meaning else {
        return None;
    };
    let read_field = |(key, arg): &(&'static str, ImportArg)| {
        let text = match *arg {
            ImportArg::Path(name) => fit.part(name).to_owned(),
            ImportArg::Query(name) => ask.query(name),
            ImportArg::Field(name) => ask.field_text(name),
            _ => String::new(),
        };
        (*key, text)
    };
    Some(keys.iter().map(read_field).collect())
}

/// Reads a request body, as far as operations can use its fields.
pub(super) fn carried(request: &Request, values: &Values) -> RequestPayload {
    let body = &request.body;
    if body.is_null() || body["disabled"] == true {
        return RequestPayload::Nothing;
    }
    match body["mode"].as_str() {
        None => RequestPayload::Nothing,
        Some("raw") if super::collection::text(&body["raw"]).trim().is_empty() => RequestPayload::Nothing,
        Some("raw") => match body::document(body, values) {
            Json::Object(fields) => RequestPayload::Fields(fields, Form::Json),
            _ => RequestPayload::Other,
        },
        Some("urlencoded") => form(&body["urlencoded"], Form::Pairs),
        Some("formdata") => form(&body["formdata"], Form::Parts),
        Some(_) => RequestPayload::Other,
    }
}

fn form(json: &Json, form: Form) -> RequestPayload {
    let given = fields(json);
    if given.is_empty() {
        return RequestPayload::Nothing;
    }
    let mut map = Map::new();
    for field in given {
        if field.file.is_some() || map.insert(field.key, field.value.into()).is_some() {
            return RequestPayload::Other;
        }
    }
    RequestPayload::Fields(map, form)
}

impl RequestProperties<'_> {
    /// Returns the first route of the platform that matches the request.
    fn fit(&self) -> Option<RouteMatch<'_>> {
        self.platform.import.routes.iter().find_map(|route| {
            let parts = self.parts(route.path)?;
            let is_method = route.methods.split('|').any(|method| method == self.method);
            let is_query = route.query.is_none_or(|(name, value)| self.query(name) == value);
            let has = |name: &&str| self.field(name).is_some();
            (is_method && is_query && route.needs.iter().all(has)).then_some(RouteMatch { route, parts })
        })
    }

    /// Returns the path segments that a route's path names; `None` if the path does not match.
    fn parts(&self, path: &'static str) -> Option<Vec<(&'static str, &str)>> {
        let mut parts = Vec::new();
        let mut own = self.path.iter();
        for expected in path.split('/') {
            let part = own.next()?;
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => parts.push((name, part.as_str())),
                None if expected != part => return None,
                None => {}
            }
        }
        own.next().is_none().then_some(parts)
    }

    /// Returns a query field, ignoring case; empty if missing.
    pub(super) fn query(&self, name: &str) -> String {
        let found = self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The fields of the body, if it has any.
    pub(super) fn fields(&self) -> Option<&Map<String, Json>> {
        match &self.payload {
            RequestPayload::Fields(fields, _) => Some(fields),
            _ => None,
        }
    }

    /// Returns a field of the body, ignoring case.
    pub(super) fn field(&self, name: &str) -> Option<&Json> {
        let mut fields = self.fields()?.iter();
        fields
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns a field of the body as text; empty if missing.
    fn field_text(&self, name: &str) -> String {
        self.field(name).map(body::as_written).unwrap_or_default()
    }
}

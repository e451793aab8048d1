//! Requests that provisor has operations for: by platform, method and path.

use serde_json::{Map, Value as Json};

use super::body;
use super::collection::{Field, Request, fields};
use super::values::Values;
use crate::operation::catalogue::Catalogue;
use crate::operation::import::{ImportArg, ImportRoute, RouteMeaning};
use crate::operation::platform::Platform;

/// A request, as far as it tells which operation it is.
pub(super) struct Ask<'a> {
    pub(super) catalogue: Catalogue,
    pub(super) platform: &'static Platform,
    pub(super) method: &'a str,
    /// The path below the API, in parts; a variable is `{{name}}`.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) carries: Carried,
    pub(super) headers: &'a [Field],
    /// The session that it is made of, as an expression.
    pub(super) session: &'a str,
    /// The part of the account that the session acts on, variables resolved; `None` when it names none.
    pub(super) part: Option<&'a str>,
}

/// What a request carries.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Carried {
    #[default]
    Nothing,
    /// Fields, as JSON or as a form's texts.
    Fields(Map<String, Json>, Form),
    /// Anything else.
    Other,
}

/// In what form fields are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Pairs,
    Parts,
}

/// A call of an operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Called {
    /// The expression.
    pub(super) code: String,
    /// What a reader must know.
    pub(super) notes: Vec<String>,
}

/// What a request is on its platform.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// Provisor does it by itself.
    ByItself(&'static str),
    /// An operation.
    Call(Called),
    /// No operation does exactly this.
    Unknown,
}

/// The error names a circle of variables.
pub(super) type Done = Result<Meaning, String>;

const SIGNS_IN: &str = "provisor signs in by itself when an operation needs it";

/// A route of the platform that a request fits.
pub(super) struct Fit<'a> {
    pub(super) route: &'static ImportRoute,
    /// The parts of its path that the route names.
    parts: Vec<(&'static str, &'a str)>,
}

impl<'a> Fit<'a> {
    /// A part of the path; empty when the route names none like this.
    pub(super) fn part(&self, name: &str) -> &'a str {
        let found = self.parts.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, part)| part)
    }
}

/// Finds out what a request is.
pub(super) fn meaning(ask: &Ask, values: &mut Values) -> Done {
    let Some(fit) = ask.fit() else {
        return ask.raw(values);
    };
    match fit.route.meaning {
        RouteMeaning::SignIn(_) => Ok(Meaning::ByItself(SIGNS_IN)),
        RouteMeaning::ByItself(sentence) => Ok(Meaning::ByItself(sentence)),
        RouteMeaning::Call(op, args) => ask.typed(values, &fit, op, args),
    }
}

/// The description of the account that a request signs in to, by key, as it is written; nothing when it does not sign in.
pub(super) fn sign_in(ask: &Ask) -> Option<Vec<(&'static str, String)>> {
    let fit = ask.fit()?;
    let RouteMeaning::SignIn(keys) = fit.route.meaning else {
        return None;
    };
    let told = |(key, arg): &(&'static str, ImportArg)| {
        let text = match *arg {
            ImportArg::Path(name) => fit.part(name).to_owned(),
            ImportArg::Query(name) => ask.query(name),
            ImportArg::Field(name) => ask.field_text(name),
            _ => String::new(),
        };
        (*key, text)
    };
    Some(keys.iter().map(told).collect())
}

/// What a request carries, as far as operations can take it apart.
pub(super) fn carried(request: &Request, values: &Values) -> Carried {
    let body = &request.body;
    if body.is_null() || body["disabled"] == true {
        return Carried::Nothing;
    }
    match body["mode"].as_str() {
        None => Carried::Nothing,
        Some("raw") if super::collection::text(&body["raw"]).trim().is_empty() => Carried::Nothing,
        Some("raw") => match body::document(body, values) {
            Json::Object(fields) => Carried::Fields(fields, Form::Json),
            _ => Carried::Other,
        },
        Some("urlencoded") => form(&body["urlencoded"], Form::Pairs),
        Some("formdata") => form(&body["formdata"], Form::Parts),
        Some(_) => Carried::Other,
    }
}

fn form(json: &Json, form: Form) -> Carried {
    let given = fields(json);
    if given.is_empty() {
        return Carried::Nothing;
    }
    let mut map = Map::new();
    for field in given {
        if field.file.is_some() || map.insert(field.key, field.value.into()).is_some() {
            return Carried::Other;
        }
    }
    Carried::Fields(map, form)
}

impl Ask<'_> {
    /// The first route of the platform that the request fits.
    fn fit(&self) -> Option<Fit<'_>> {
        self.platform.import.routes.iter().find_map(|route| {
            let parts = self.parts(route.path)?;
            let is_method = route.methods.split('|').any(|method| method == self.method);
            let is_query = route.query.is_none_or(|(name, value)| self.query(name) == value);
            let has = |name: &&str| self.field(name).is_some();
            (is_method && is_query && route.needs.iter().all(has)).then_some(Fit { route, parts })
        })
    }

    /// The parts of the path that a route's path names; `None` when it is another path.
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

    /// A field of the query; empty when it is not there.
    pub(super) fn query(&self, name: &str) -> String {
        let found = self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The fields that it carries.
    pub(super) fn fields(&self) -> Option<&Map<String, Json>> {
        match &self.carries {
            Carried::Fields(fields, _) => Some(fields),
            _ => None,
        }
    }

    /// One of the fields that it carries; upper and lower case are the same.
    pub(super) fn field(&self, name: &str) -> Option<&Json> {
        let mut fields = self.fields()?.iter();
        fields
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The same as text; empty when it is not there.
    fn field_text(&self, name: &str) -> String {
        self.field(name).map(body::as_written).unwrap_or_default()
    }
}

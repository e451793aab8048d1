//! Requests that provisor has operations for: by platform, method and path.

mod jrni;
mod mobsted;
mod sparrow;
mod typed;

use crate::operation::catalogue::Catalogue;
use serde_json::{Map, Value as Json};

use super::body;
use super::collection::{Field, Request, fields};
use super::values::Values;
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
    /// The company that the session acts on, variables resolved; only JRNI's has one.
    pub(super) company: Option<&'a str>,
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
type Done = Result<Meaning, String>;

const SIGNS_IN: &str = "provisor signs in by itself when an operation needs it";

/// Says what a request is.
pub(super) fn meaning(ask: &Ask, values: &mut Values) -> Done {
    if sign_in(ask).is_some() {
        return Ok(Meaning::ByItself(SIGNS_IN));
    }
    match ask.platform.name {
        "mobsted" => mobsted::meaning(ask, values),
        "jrni" => jrni::meaning(ask, values),
        "sparrow" => sparrow::meaning(ask, values),
        _ => Ok(Meaning::Unknown),
    }
}

/// The description of the account that a request signs in to, by key, as it is written; nothing when it does not sign in.
pub(super) fn sign_in(ask: &Ask) -> Option<Vec<(&'static str, String)>> {
    match ask.platform.name {
        "mobsted" => mobsted::sign_in(ask),
        "jrni" => jrni::sign_in(ask),
        "sparrow" => sparrow::sign_in(ask),
        _ => None,
    }
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
    /// A field of the query; empty when it is not there.
    fn query(&self, name: &str) -> String {
        let found = self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The fields that it carries.
    fn fields(&self) -> Option<&Map<String, Json>> {
        match &self.carries {
            Carried::Fields(fields, _) => Some(fields),
            _ => None,
        }
    }

    /// One of the fields that it carries; upper and lower case are the same.
    fn field(&self, name: &str) -> Option<&Json> {
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

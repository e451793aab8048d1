//! Requests that provisor has operations for: by platform, method and path.

use serde_json::Value as Json;

use super::code::{Code, quoted};
use super::values::Values;
use crate::ops::doc;
use crate::ops::spec::OpSpec;

/// A request, as far as it tells which operation it is.
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    /// The path below the API, in parts; a variable is `{{name}}`.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    /// The body as JSON, or a form as an object of texts; nothing when there is none, or it is another form.
    pub(super) body: Json,
    /// The form of the body: `json` or `form`.
    pub(super) form: bool,
}

/// A platform by what its addresses have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Platform {
    /// The module of its operations.
    pub(super) module: &'static str,
    /// The part of the path that its API begins with.
    pub(super) api: &'static str,
}

const MOBSTED: Platform = Platform {
    module: "mobsted",
    api: "/api/v8",
};

/// The platform of an address without its query, and the address's base and path below the API. Only a platform whose
/// operations there are.
pub(super) fn platform(url: &str) -> Option<(Platform, String, String)> {
    let (base, path) = url.split_once(MOBSTED.api)?;
    (path.is_empty() || path.starts_with('/'))
        .then(|| (MOBSTED, base.to_owned(), path.to_owned()))
        .filter(|(platform, ..)| doc::all().any(|op| op.module == platform.module))
}

/// A call of an operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Called {
    /// The expression, on a session of this name.
    pub(super) code: String,
    /// What a reader must know.
    pub(super) note: Option<&'static str>,
}

/// What a request is on its platform.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// It signs in: the login and the password, as they are written.
    SignIn(String, String),
    /// Provisor does it by itself.
    ByItself(&'static str),
    /// An operation.
    Call(Called),
    /// No operation does exactly this.
    Unknown,
}

type Done = Result<Meaning, String>;

/// Says what a request is. The error names a circle of variables.
pub(super) fn meaning(ask: &Ask, session: &str, values: &mut Values) -> Done {
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    match (ask.method, path.as_slice()) {
        ("GET", ["auth"]) => Ok(Meaning::SignIn(ask.query("login"), ask.query("password"))),
        ("GET", ["refresh"]) => Ok(Meaning::ByItself("provisor renews tokens by itself")),
        ("POST", ["partners"]) => ask.typed(
            values,
            &Typed {
                op: "mobsted::ensure_tenant",
                session,
                args: vec![Arg::Field("email")],
                note: Some("created, or given back as it is when it is on record already"),
            },
        ),
        ("GET", ["object"]) => match ask.query("applicationId").as_str() {
            "1" => ask.typed(values, &Typed::new("mobsted::tenants", session, vec![])),
            _ => ask.typed(
                values,
                &Typed::new("mobsted::objects", session, vec![Arg::Query("applicationId")]),
            ),
        },
        ("GET", ["applications"]) => ask.typed(values, &Typed::new("mobsted::apps", session, vec![])),
        ("POST", ["applications"]) => ask.typed(
            values,
            &Typed {
                op: "mobsted::ensure_app",
                session,
                args: vec![
                    Arg::Field("Name"),
                    Arg::Field("appWebSiteUrl"),
                    Arg::More("fields", &["Name", "appWebSiteUrl", "type"]),
                ],
                note: Some("created, or given back as it is when it is on record already"),
            },
        ),
        ("PUT", ["applications", id]) => ask.typed(
            values,
            &Typed::new("mobsted::update_app", session, vec![Arg::Text(id), Arg::Body]),
        ),
        ("DELETE", ["applications", id]) => ask.typed(
            values,
            &Typed::new("mobsted::delete_app", session, vec![Arg::Text(id)]),
        ),
        ("GET", ["screen"]) => ask.typed(
            values,
            &Typed::new("mobsted::screens", session, vec![Arg::Query("ApplicationId")]),
        ),
        ("GET", ["lists"]) => ask.typed(
            values,
            &Typed::new("mobsted::lists", session, vec![Arg::Query("appId")]),
        ),
        ("GET", ["hashtags", "info"]) => ask.typed(
            values,
            &Typed::new("mobsted::hashtags", session, vec![Arg::Query("applicationId")]),
        ),
        ("POST", ["hashtags", "objects"]) => {
            let args = vec![Arg::Field("applicationId"), Arg::Field("ids"), Arg::Field("tags")];
            ask.typed(values, &Typed::new("mobsted::object_tags", session, args))
        }
        ("POST", ["nginx", "config"]) => {
            let args = vec![Arg::Field("domain"), Arg::Renamed("appId", "app")];
            ask.typed(values, &Typed::new("mobsted::set_domain", session, args))
        }
        _ => ask.raw(session, values),
    }
}

/// What a typed operation takes from the request.
enum Arg<'a> {
    /// A part of the path.
    Text(&'a str),
    /// A field of the query.
    Query(&'static str),
    /// A field of the body.
    Field(&'static str),
    /// The whole body.
    Body,
    /// The body but for these fields, under this key of the options; nothing when that is nothing.
    More(&'static str, &'static [&'static str]),
    /// One field of the body under another name of the options; nothing when it is not there.
    Renamed(&'static str, &'static str),
}

struct Typed<'a> {
    op: &'static str,
    session: &'a str,
    args: Vec<Arg<'a>>,
    note: Option<&'static str>,
}

impl<'a> Typed<'a> {
    fn new(op: &'static str, session: &'a str, args: Vec<Arg<'a>>) -> Typed<'a> {
        Typed {
            op,
            session,
            args,
            note: None,
        }
    }
}

impl Ask<'_> {
    fn query(&self, name: &str) -> String {
        let found = self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn field(&self, name: &str) -> Option<&Json> {
        let fields = self.body.as_object()?;
        let found = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// A call of an operation of the table; a raw one when it is not there, or the request lacks what it takes.
    fn typed(&self, values: &mut Values, typed: &Typed) -> Done {
        let Some(op) = doc::all().find(|op| op.id() == typed.op) else {
            return self.raw(typed.session, values);
        };
        let mut args: Vec<String> = Vec::new();
        for arg in &typed.args {
            let code = match arg {
                Arg::Text(text) => Some(values.value(text, "id")?),
                Arg::Query(name) => match self.query(name).as_str() {
                    "" => None,
                    text => Some(values.value(text, name)?),
                },
                Arg::Field(name) => self
                    .field(name)
                    .map(|json| super::body::value(json, name, values))
                    .transpose()?,
                Arg::Body if self.body.is_object() => Some(super::body::value(&self.body, "", values)?),
                Arg::Body => None,
                Arg::More(key, without) => match self.more(without) {
                    None => continue,
                    Some(more) => {
                        let more = super::body::value(&more, "", values)?;
                        Some(Code::Map(vec![((*key).to_owned(), more)]))
                    }
                },
                Arg::Renamed(name, key) => match self.field(name) {
                    None => continue,
                    Some(json) => {
                        let code = super::body::value(json, name, values)?;
                        Some(Code::Map(vec![((*key).to_owned(), code)]))
                    }
                },
            };
            match code {
                Some(code) => args.push(code.render(4)),
                None => return self.raw(typed.session, values),
            }
        }
        Ok(Meaning::Call(Called {
            code: call(typed.session, op, &args),
            note: typed.note,
        }))
    }

    /// The body without these fields.
    fn more(&self, without: &[&str]) -> Option<Json> {
        let mut fields = self.body.as_object()?.clone();
        fields.retain(|key, _| !without.iter().any(|name| name.eq_ignore_ascii_case(key)));
        (!fields.is_empty()).then_some(Json::Object(fields))
    }

    /// The platform's raw call, which signs in by itself.
    fn raw(&self, session: &str, values: &mut Values) -> Done {
        let name = self.method.to_lowercase();
        let Some(op) = doc::all().find(|op| op.module == "mobsted" && op.name == name) else {
            return Ok(Meaning::Unknown);
        };
        let mut args = vec![values.address(&format!("/{}", self.path.join("/")))?];
        let mut query = Vec::new();
        for (key, value) in &self.query {
            query.push((key.clone(), values.value(value, key)?));
        }
        let query = Code::Map(query);
        let no_query = query == Code::Map(Vec::new());
        if matches!(self.method, "POST" | "PUT") {
            args.push(if self.body.is_object() {
                super::body::value(&self.body, "", values)?.render(4)
            } else {
                "#{}".to_owned()
            });
            let mut options = Vec::new();
            if self.form {
                options.push(("encoding".to_owned(), Code::Expr(quoted("form"))));
            }
            if !no_query {
                options.push(("query".to_owned(), query));
            }
            if !options.is_empty() {
                args.push(Code::Map(options).render(4));
            }
        } else if !no_query {
            args.push(query.render(4));
        }
        Ok(Meaning::Call(Called {
            code: call(session, op, &args),
            note: None,
        }))
    }
}

fn call(session: &str, op: &OpSpec, args: &[String]) -> String {
    format!("{session}.{}({})", op.name, args.join(", "))
}

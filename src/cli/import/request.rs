//! One request as a function of the script.

use serde_json::Value as Json;

use super::address;
use super::body;
use super::code::{Code, comment};
use super::collection::{Auth, Request, Script, fields};
use super::known::{self, Ask, Meaning};
use super::secrets::scrubbed;
use super::sessions::Sessions;
use super::values::Values;

/// What became of a request.
#[derive(Debug)]
pub(super) struct Written {
    /// The expression that carries it out; nothing when there is nothing to do.
    pub(super) code: Option<String>,
    pub(super) kind: Kind,
    /// What a reader must know, a line each.
    pub(super) notes: Vec<String>,
}

/// By what means a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An operation of a platform.
    Typed,
    /// A raw web operation.
    Web,
    /// Provisor does it by itself.
    Omitted,
}

/// Headers that are made anew for each request, or that a form of body implies.
const OMITTED: &[&str] = &[
    "content-length",
    "host",
    "postman-token",
    "connection",
    "accept-encoding",
];

/// Writes a request. The error names a circle of variables.
pub(super) fn write(
    request: &Request,
    values: &mut Values,
    sessions: &mut Sessions,
) -> Result<Written, String> {
    let address = address::read(&request.url);
    if address.base.trim().is_empty() {
        return Ok(Written {
            code: None,
            kind: Kind::Omitted,
            notes: vec!["it has no address".into()],
        });
    }
    if let Some(written) = typed(request, &address, values, sessions)? {
        return Ok(written);
    }
    web(request, &address, values)
}

/// The request as an operation of its platform, when it is one.
fn typed(
    request: &Request,
    address: &address::Address,
    values: &mut Values,
    sessions: &mut Sessions,
) -> Result<Option<Written>, String> {
    let Some((_, base, path)) = known::platform(&address.base) else {
        return Ok(None);
    };
    let (body, form) = plain_body(&request.body);
    let query = address
        .query
        .iter()
        .map(|field| (field.key.clone(), field.value.clone()));
    let ask = Ask {
        method: &request.method,
        path: path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        query: query.collect(),
        body,
        form,
    };
    let session = sessions.of(&base, values)?;
    let by_itself = |note: &str| Written {
        code: None,
        kind: Kind::Omitted,
        notes: vec![note.to_owned()],
    };
    Ok(match known::meaning(&ask, &session, values)? {
        Meaning::SignIn(..) => Some(by_itself(
            "provisor signs in by itself when an operation needs it",
        )),
        Meaning::ByItself(note) => Some(by_itself(note)),
        Meaning::Call(called) => {
            sessions.uses(&session);
            Some(Written {
                code: Some(called.code),
                kind: Kind::Typed,
                notes: called.note.map(str::to_owned).into_iter().collect(),
            })
        }
        Meaning::Unknown => None,
    })
}

/// A body that an operation may take apart: JSON, or a form.
fn plain_body(body: &Json) -> (Json, bool) {
    match body["mode"].as_str() {
        Some("raw") => (body::document(body), false),
        Some("urlencoded") => {
            let given = fields(&body["urlencoded"]).into_iter();
            (
                Json::Object(given.map(|field| (field.key, field.value.into())).collect()),
                true,
            )
        }
        _ => (Json::Null, false),
    }
}

fn web(request: &Request, address: &address::Address, values: &mut Values) -> Result<Written, String> {
    let mut notes = Vec::new();
    if address.scheme_added {
        notes.push("the address had no scheme; it is taken as https".to_owned());
    }
    let mut options: Vec<(String, Code)> = Vec::new();
    let mut headers = Vec::new();
    let mut query = address.query.clone();
    let auth = auth(
        request.auth.as_ref(),
        address,
        (&mut headers, &mut query),
        values,
        &mut notes,
    )?;
    let url = values.address(&address.base)?;
    if !query.is_empty() {
        options.push(("query".into(), body::pairs(&query, values)?));
    }
    options.extend(auth);
    let content_type = header(request, "content-type");
    let carried = body::read(&request.body, content_type.as_deref(), values)?;
    notes.extend(carried.notes);
    let implied = matches!(carried.option, Some(("json" | "form" | "multipart", _)));
    for field in &request.headers {
        let name = field.key.to_lowercase();
        if OMITTED.contains(&name.as_str()) || (implied && name == "content-type") {
            continue;
        }
        if name == "authorization" && bearer(&field.value, values, &mut options)? {
            continue;
        }
        headers.push((field.key.clone(), values.value(&field.value, &field.key)?));
    }
    if let (Some(kind), None) = (carried.content_type, content_type) {
        headers.push(("Content-Type".into(), Code::text(&kind)));
    }
    if !headers.is_empty() {
        options.push(("headers".into(), Code::Map(headers)));
    }
    options.extend(carried.option.map(|(key, code)| (key.to_owned(), code)));
    Ok(Written {
        code: Some(call(&request.method, &url, options)),
        kind: Kind::Web,
        notes,
    })
}

fn header(request: &Request, name: &str) -> Option<String> {
    let found = request
        .headers
        .iter()
        .find(|field| field.key.eq_ignore_ascii_case(name));
    found.map(|field| field.value.to_lowercase())
}

fn call(method: &str, url: &str, options: Vec<(String, Code)>) -> String {
    let plain = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method);
    let (name, first) = if plain {
        (method.to_lowercase(), String::new())
    } else {
        ("request".to_owned(), format!("{}, ", super::code::quoted(method)))
    };
    if options.is_empty() && method == "GET" {
        return format!("http::{name}({first}{url})");
    }
    format!("http::{name}({first}{url}, {})", Code::Map(options).render(4))
}

/// `Authorization: Bearer X` as the option that it is.
fn bearer(value: &str, values: &mut Values, options: &mut Vec<(String, Code)>) -> Result<bool, String> {
    let Some((scheme, token)) = value.trim().split_once(' ') else {
        return Ok(false);
    };
    if !scheme.eq_ignore_ascii_case("bearer") || options.iter().any(|(key, _)| key == "bearer") {
        return Ok(false);
    }
    options.push(("bearer".into(), values.value(token.trim(), "token")?));
    Ok(true)
}

type Fields<'a> = (&'a mut Vec<(String, Code)>, &'a mut Vec<super::collection::Field>);

/// How the request signs in: options of the call, or a header or a field of the query.
fn auth(
    auth: Option<&Auth>,
    address: &address::Address,
    (headers, query): Fields,
    values: &mut Values,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Code)>, String> {
    let mut basic = |user: &str, password: &str| -> Result<Vec<(String, Code)>, String> {
        let login = values.value(user, "login")?;
        let password = values.value(password, "password")?;
        let both = Code::Map(vec![("login".into(), login), ("password".into(), password)]);
        Ok(vec![("basic".into(), both)])
    };
    let Some(auth) = auth.filter(|auth| auth.kind != "noauth") else {
        return match &address.user {
            Some((user, password)) => basic(user, password),
            None => Ok(Vec::new()),
        };
    };
    match auth.kind.as_str() {
        "basic" => basic(auth.field("username"), auth.field("password")),
        "bearer" => Ok(vec![(
            "bearer".into(),
            values.value(auth.field("token"), "token")?,
        )]),
        "oauth2" => {
            let token = match auth.field("accessToken") {
                "" => "{{access_token}}",
                token => token,
            };
            notes.push("its OAuth token is to be had elsewhere, and given to the script".into());
            Ok(vec![("bearer".into(), values.value(token, "token")?)])
        }
        "apikey" => {
            let name = match auth.field("key") {
                "" => "X-Api-Key",
                name => name,
            };
            let key = auth.field("value");
            if auth.field("in") == "query" {
                query.push(super::collection::Field {
                    key: name.to_owned(),
                    value: secret_value(key, name, values)?,
                    file: None,
                });
            } else {
                let value = secret_value(key, name, values)?;
                headers.push((name.to_owned(), values.value(&value, "api_key")?));
            }
            Ok(Vec::new())
        }
        other => {
            notes.push(format!(
                "it signs in by `{other}`, which has to be written by hand"
            ));
            Ok(Vec::new())
        }
    }
}

/// A key's value as a variable that is a secret, whatever the field is called.
fn secret_value(value: &str, name: &str, values: &mut Values) -> Result<String, String> {
    // Registers it under a name that is a credential's, so that its other uses are the same parameter.
    values.value(
        value,
        if super::secrets::name_is_secret(name) {
            name
        } else {
            "api_key"
        },
    )?;
    Ok(value.to_owned())
}

/// The scripts of something as comments.
pub(super) fn scripts_as_comments(scripts: &[Script], marker: &str, known: &[String]) -> String {
    let mut text = String::new();
    for script in scripts {
        let of = if script.of.is_empty() {
            String::new()
        } else {
            format!(" of {}", script.of)
        };
        text.push_str(&comment(
            marker,
            &format!("Its script ({}){of}, which does not run:", script.when),
        ));
        let shown = script.lines.iter().take(LONGEST_SCRIPT);
        for line in shown {
            let line = scrubbed(line, known);
            text.push_str(comment(&format!("{marker}    "), &line).as_str());
        }
        if script.lines.len() > LONGEST_SCRIPT {
            let more = script.lines.len() - LONGEST_SCRIPT;
            text.push_str(&comment(marker, &format!("… and {more} more lines")));
        }
    }
    text
}

/// Lines of a script that are kept.
const LONGEST_SCRIPT: usize = 400;

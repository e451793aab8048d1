//! App 1 of a master account: the partner account stops working when it is changed or deleted (partner manual).
//!
//! Typed calls take a [`DisposableAppId`], which cannot be made for it. Raw calls are judged here by what a server
//! might make of them, so in doubt the call is refused: before anything is sent, and no flag switches it off.

mod fields;
mod rows;
mod spelling;
#[cfg(test)]
mod tests;

use super::account::{API, Base, Role};
use super::endpoints::Endpoints;
use crate::platform::error::{ApiError, ApiErrorKind};
use crate::transport::request::{Body, Method};
use crate::value::{Record, Value};
pub(super) use rows::rows_to_look_up;

use fields::{body_is_one, names_apps, query_is_one};
use spelling::{decoded, decoded_fully, is_plain_id, letters, may_be_one, resolved, segments};

/// The id of an app that may be changed and deleted. It cannot be made for App 1 of a master account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisposableAppId(String);

impl DisposableAppId {
    /// Checks an app's id, a whole number or a text of letters, digits, `-` and `_`.
    pub fn new(id: &Value, role: Role) -> Result<DisposableAppId, ApiError> {
        let text = match id {
            Value::Int(int) if *int >= 0 => int.to_string(),
            Value::Text(text) => text.trim().to_owned(),
            _ => String::new(),
        };
        let id = DisposableAppId(text);
        id.for_role(role)?;
        Ok(id)
    }

    /// The id, if the app may be changed on an account of this role.
    pub(super) fn for_role(&self, role: Role) -> Result<&str, ApiError> {
        let id = self.0.as_str();
        if !id.is_empty() && role == Role::Master && may_be_one(id) {
            return Err(protected());
        }
        if is_plain_id(id) {
            Ok(id)
        } else {
            Err(ApiError::bad_input("an app id is a whole number or a plain text"))
        }
    }
}

/// Where a raw call goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    /// The path below the API, percent-decoded once: what is sent.
    segments: Vec<String>,
    /// The same decoded until nothing is left to decode: what a server might see.
    deep: Vec<String>,
    /// The query, the path's own part first.
    pub(super) query: Vec<(String, Value)>,
}

impl Target {
    /// Reads a path as people write it: relative to the API, with `/api/v8`, or as a full address below it.
    pub(super) fn parse(base: &Base, path: &str, query: &Record) -> Result<Target, ApiError> {
        let outside = || {
            let message = format!("a path must stay below {base}{API}");
            ApiError::new(ApiErrorKind::Address, message)
        };
        let path = path.trim();
        let path = path.split_once('#').map_or(path, |(path, _)| path);
        let (path, own_query) = path.split_once('?').unwrap_or((path, ""));
        let path = if path.contains("://") {
            below(base, path).ok_or_else(outside)?
        } else {
            path
        };
        let deep = segments(&decoded_fully(path)).ok_or_else(outside)?;
        let once: Vec<String> = path.split('/').map(decoded).collect();
        let segments = resolved(once.iter().map(String::as_str)).ok_or_else(outside)?;
        let own = url::form_urlencoded::parse(own_query.as_bytes());
        let own = own.map(|(name, value)| (name.into_owned(), Value::Text(value.into_owned())));
        let given = query.iter().map(|(name, value)| (name.clone(), value.clone()));
        Ok(Target {
            segments: without_api(segments),
            deep: without_api(deep),
            query: own.chain(given).collect(),
        })
    }

    /// The address to send to, without its query.
    pub(super) fn url(&self, base: &Base) -> Result<url::Url, ApiError> {
        let mut url = base.api("")?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&self.segments);
        }
        Ok(url)
    }
}

/// Refuses a raw call that could change App 1 of a master account.
pub(super) fn check_raw(
    role: Role,
    endpoints: &Endpoints,
    method: Method,
    target: &Target,
    body: &Body,
) -> Result<(), ApiError> {
    if role == Role::SubAccount || !may_change(method, target) {
        return Ok(());
    }
    let on_app = match app_in_path(endpoints, &target.deep) {
        InPath::NoApp => false,
        InPath::Other => true,
        // The whole collection, App 1 included, unless the query or body names others.
        InPath::All if method == Method::Post || names_apps(&target.query, body, true) => true,
        InPath::One | InPath::All => return Err(protected()),
    };
    let first = target.deep.first().map(|first| letters(first));
    let body_only_asks = matches!(first.as_deref(), Some("hashtags" | "filters"));
    if query_is_one(&target.query, on_app)
        || is_routed_to_one(endpoints, &target.query)
        || (!body_only_asks && body_is_one(body, on_app))
    {
        return Err(protected());
    }
    if target.deep != target.segments {
        return Err(ApiError::bad_input(
            "the path of a changing call must be written plainly, without doubly encoded or hidden parts",
        ));
    }
    Ok(())
}

/// Refuses a body for the app endpoint that names App 1 of a master account.
pub(super) fn check_app_body(role: Role, body: &Body) -> Result<(), ApiError> {
    if role == Role::Master && body_is_one(body, true) {
        Err(protected())
    } else {
        Ok(())
    }
}

/// What is refused when a call on a master account would touch something without saying of which app.
pub(super) fn unnamed_app(what: &str) -> ApiError {
    ApiError::new(
        ApiErrorKind::ProtectedApp,
        format!(
            "{what} of a master account may be App 1's: name the application it belongs to, another than App 1"
        ),
    )
}

pub(super) fn protected() -> ApiError {
    ApiError::new(
        ApiErrorKind::ProtectedApp,
        "App 1 of a master account must never be changed or deleted: the partner account would stop working",
    )
}

/// Can the call change anything? Some servers let a query or a path override what the method says.
fn may_change(method: Method, target: &Target) -> bool {
    const VERBS: &[&str] = &[
        "delete", "remove", "destroy", "update", "edit", "save", "clear", "reset",
    ];
    let overrides = |name: &str| ["method", "httpmethod", "xhttpmethodoverride"].contains(&&*letters(name));
    let is_verb = |part: &String| VERBS.iter().any(|verb| letters(part).starts_with(verb));
    method.changes()
        || target.query.iter().any(|(name, _)| overrides(name))
        || target.deep.iter().any(is_verb)
}

/// Which app a path is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InPath {
    /// None.
    NoApp,
    /// Perhaps App 1.
    One,
    /// Certainly another.
    Other,
    /// The collection, with no id.
    All,
}

fn app_in_path(endpoints: &Endpoints, segments: &[String]) -> InPath {
    let own = endpoints
        .get("applications")
        .rsplit('/')
        .next()
        .map(letters)
        .unwrap_or_default();
    let is_collection = |part: &String| {
        let name = letters(part);
        name == own || ["application", "applications", "app", "apps"].contains(&&*name)
    };
    let mut answer = InPath::NoApp;
    for (at, _) in segments
        .iter()
        .enumerate()
        .filter(|(_, part)| is_collection(part))
    {
        match id_after(&segments[at + 1..]) {
            InPath::One => return InPath::One,
            found => answer = found,
        }
    }
    answer
}

/// The first id among these segments, which may follow words such as `delete`.
fn id_after(segments: &[String]) -> InPath {
    let mut found = InPath::All;
    for part in segments {
        let is_word = is_plain_id(part) && part.starts_with(|c: char| c.is_ascii_alphabetic());
        match is_word {
            // A text id, perhaps; a number may still follow.
            true if part.contains(|c: char| c.is_ascii_digit()) => found = InPath::Other,
            true => {}
            false if may_be_one(part) => return InPath::One,
            false => return InPath::Other,
        }
    }
    found
}

/// Some servers take the path from the query: `?r=applications/1`.
fn is_routed_to_one(endpoints: &Endpoints, query: &[(String, Value)]) -> bool {
    let route = |(name, value): &(String, Value)| match &*letters(name) {
        "r" | "route" | "path" => segments(&decoded_fully(value.as_text()?)),
        _ => None,
    };
    query
        .iter()
        .filter_map(route)
        .any(|path| app_in_path(endpoints, &path) == InPath::One)
}

/// The part of a full address below the account's API.
fn below<'a>(base: &Base, address: &'a str) -> Option<&'a str> {
    let rest = address.strip_prefix(base.as_str())?.strip_prefix(API)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// A path may be written with or without the API's own prefix.
fn without_api(segments: Vec<String>) -> Vec<String> {
    match segments.as_slice() {
        [api, version, rest @ ..] if api == "api" && version == "v8" => rest.to_vec(),
        _ => segments,
    }
}

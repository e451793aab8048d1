//! Protects a partner's own account. Its App 1 holds the sub-accounts, and the partner account stops working if App 1
//! is changed or deleted (partner manual).
//!
//! A short allowlist defines the permitted changes. Everything else is refused before anything is sent, and no flag
//! overrides that. The list applies to outgoing requests from any source: typed calls, raw calls and `http::`.

mod fields;
#[cfg(test)]
mod tests;

use super::endpoints::Endpoints;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::platforms::mobsted::fault::PROTECTED_APP;
use crate::sabotage::Sabotage;
use crate::transport::request::{Body, Method, Request};
use crate::value::Value;

use fields::{Fields, words};
pub(super) use fields::{decoded, is_part, names_an_app, whole};

/// The kinds of items that an app consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A row of its table.
    Object,
    Screen,
    List,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Object, Kind::Screen, Kind::List];

    /// The endpoint that lists the items of an app.
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Kind::Object => "objects",
            Kind::Screen => "screens",
            Kind::List => "lists",
        }
    }
}

/// Items that a request claims belong to an app. This must be looked up before the request is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Items {
    pub(super) kind: Kind,
    pub(super) app: u64,
    /// Empty if the request creates an item.
    pub(super) ids: Vec<u64>,
}

/// Judges a request to a partner's own account. Refuses any change not on the allowlist; returns the items that must be
/// looked up for a permitted one.
pub(super) fn judge(request: &Request, endpoints: &Endpoints) -> Result<Option<Items>, ApiError> {
    if Sabotage::App1Open.is_on() {
        return Ok(None);
    }
    judge_headers(request)?;
    let named = Fields::of(request)?;
    if !request.method.changes() {
        return judge_read(request).map(|()| None);
    }
    let unlisted = || {
        refused(&format!(
            "{} is not on the list of permitted changes to a master account: a sub-account, an app other than App 1, and \
             an object that, by the request, belongs to such an app",
            request.label()
        ))
    };
    let path = below_api(request.url.path()).ok_or_else(unlisted)?;
    let method = request.method;
    if method == Method::Post && only_asks(path, endpoints) {
        return Ok(None);
    }
    let behind = |key: &str| parts_behind(path, endpoints.get(key));
    if let (Method::Post, Some([])) = (method, behind("partners").as_deref()) {
        return named.nothing().map(|()| None);
    }
    // A path that is one of items, too, is judged as that.
    let is_of_items = |path: &str| {
        Kind::ALL
            .iter()
            .any(|kind| endpoints.get(kind.endpoint()) == path)
    };
    let creating = endpoints.get("create_application");
    if let (Method::Post, Some([]), false) = (
        method,
        parts_behind(path, creating).as_deref(),
        is_of_items(creating),
    ) {
        return named.nothing().map(|()| None);
    }
    if let Some(parts) = behind("applications") {
        return judge_app(method, &parts, named, unlisted).map(|()| None);
    }
    if let (Method::Post, Some([])) = (method, behind("domains").as_deref()) {
        let items = named.items(Kind::Object, None)?;
        return items.ids.is_empty().then_some(None).ok_or_else(unlisted);
    }
    if let (Method::Post, Some([])) = (method, behind("events").as_deref()) {
        return named.items(Kind::Object, None).map(Some);
    }
    for kind in Kind::ALL {
        let Some(parts) = behind(kind.endpoint()) else {
            continue;
        };
        let items = match (method, parts.as_slice()) {
            (Method::Post, []) => return named.items(kind, None).map(Some),
            (Method::Put | Method::Patch | Method::Delete, []) => named.items(kind, None)?,
            (Method::Put | Method::Patch | Method::Delete, [id]) => named.items(kind, Some(id))?,
            (Method::Post, [word]) if is_part(word) => named.items(kind, None)?,
            _ => return Err(unlisted()),
        };
        return if items.ids.is_empty() {
            Err(unlisted())
        } else {
            Ok(Some(items))
        };
    }
    Err(unlisted())
}

/// Judges a change of apps: a new app, or the one named in the path.
fn judge_app(
    method: Method,
    parts: &[&str],
    named: Fields,
    unlisted: impl Fn() -> ApiError,
) -> Result<(), ApiError> {
    match (method, parts) {
        (Method::Post, []) => named.nothing(),
        (Method::Other(_), _) => Err(unlisted()),
        (_, [id, rest @ ..]) if rest.iter().all(|part| is_part(part)) => match whole(&Value::from(*id)) {
            Some(id) if id > 1 => named.nothing_but(id),
            _ => Err(protected()),
        },
        _ => Err(protected()),
    }
}

/// Refuses a read that a server could interpret as a change.
fn judge_read(request: &Request) -> Result<(), ApiError> {
    let path = decoded(request.url.path());
    let verb = path.split(['/', '\\']).find(|part| is_said_to_change(part));
    match verb {
        Some(part) => Err(refused(&format!(
            "`{part}` in the path of a read looks like a change"
        ))),
        None if request.body != Body::None => Err(refused("a read must not have a body")),
        None => Ok(()),
    }
}

/// Refuses headers by which some servers override the method or path.
fn judge_headers(request: &Request) -> Result<(), ApiError> {
    const REROUTING: [&str; 5] = ["method", "override", "rewrite", "original", "forwarded"];
    for (name, value) in &request.headers {
        let letters = words(name).concat();
        if REROUTING.iter().any(|part| letters.contains(part)) {
            return Err(refused(&format!(
                "the header `{name}` could turn it into a different request"
            )));
        }
        let retyped = letters == "contenttype" && !value.as_text().is_some_and(|kind| kind.contains("json"));
        if retyped && request.method.changes() {
            return Err(refused("its `content-type` does not match the form of its body"));
        }
    }
    Ok(())
}

/// Whether a path segment indicates a change: `edit`, `deleteApp`.
fn is_said_to_change(part: &str) -> bool {
    const VERBS: [&str; 18] = [
        "edit", "save", "set", "move", "rename", "replace", "write", "put", "patch", "create", "add", "copy",
        "clone", "disable", "enable", "block", "archive", "publish",
    ];
    let is_verb = |word: &str| VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(word));
    is_said_to_delete(part) || is_verb(part) || words(part).iter().any(|word| is_verb(word))
}

/// Whether a path segment indicates that something is deleted or replaced.
pub(super) fn is_said_to_delete(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    let verbs = [
        "delete", "remove", "destroy", "purge", "clear", "reset", "drop", "update",
    ];
    verbs.iter().any(|verb| part.contains(verb))
}

/// Whether a POST only reads: tags and filter columns are requested that way (public clients).
fn only_asks(path: &str, endpoints: &Endpoints) -> bool {
    const TAGS: [&str; 6] = ["objects", "applications", "tenant", "list", "system", "taxes"];
    let tags = parts_behind(path, endpoints.get("hashtags"));
    match tags.as_deref() {
        Some([of]) => TAGS.contains(of),
        Some(["filters", of]) => ["objects", "events", "lists"].contains(of),
        _ => path == "filters/info/columns",
    }
}

/// The path below the API; `None` if the API is not where it is expected.
fn below_api(path: &str) -> Option<&str> {
    let (before, path) = path.split_once("/api/v8/")?;
    let plain = |part: &str| is_part(part) && !names_an_app(part);
    before.split('/').skip(1).all(plain).then_some(path)
}

/// The path segments after an endpoint; `None` if the path belongs to another one.
fn parts_behind<'a>(path: &'a str, endpoint: &str) -> Option<Vec<&'a str>> {
    match path.strip_prefix(endpoint.strip_prefix('/')?)? {
        "" => Some(Vec::new()),
        rest => Some(rest.strip_prefix('/')?.split('/').collect()),
    }
}

pub(super) fn protected() -> ApiError {
    refused(
        "App 1 of a master account must never be changed or deleted: the partner account would stop working",
    )
}

pub(super) fn refused(reason: &str) -> ApiError {
    ApiError::new(ApiErrorKind::Own(&PROTECTED_APP), reason)
}

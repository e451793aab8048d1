//! Protects a partner's own account. Its App 1 holds the sub-accounts, and the partner account stops working if App 1
//! is changed or deleted (partner manual).
//!
//! A short allowlist defines the permitted changes. Everything else is refused before anything is sent, and no flag
//! overrides that. The list applies to outgoing requests from any source: typed calls, raw calls and `http::`.

use super::endpoints::Endpoints;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::platforms::mobsted::fault::PROTECTED_APP;
use crate::sabotage::Sabotage;
use crate::transport::request::{Body, Method, Request};
use crate::value::Value;

#[cfg(test)]
mod tests;

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
    use Method::{Delete, Patch, Post, Put};
    if Sabotage::App1Open.is_on() {
        return Ok(None);
    }
    let method = request.method;
    refuse_rerouting(request)?;
    if !method.changes() {
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
    if method == Post && only_asks(path, endpoints) {
        return Ok(None);
    }
    let behind = |key: &str| parts_behind(path, endpoints.get(key));
    let named = || NamedItems::of(request);
    // Items first: a path that a profile gives to them and to something else is judged as theirs.
    for kind in Kind::ALL {
        let Some(parts) = behind(kind.endpoint()) else {
            continue;
        };
        let (id, creates) = match (method, parts.as_slice()) {
            (Post, []) => (None, true),
            (Put | Patch | Delete, [id]) => (Some(*id), false),
            (Put | Patch | Delete, []) => (None, false),
            (Post, [word]) if is_part(word) => (None, false),
            _ => return Err(unlisted()),
        };
        let items = named()?.items(kind, id)?;
        return (creates || !items.ids.is_empty())
            .then_some(Some(items))
            .ok_or_else(unlisted);
    }
    if let (Post | Put | Patch | Delete, Some([id, words @ ..])) = (method, behind("applications").as_deref())
    {
        let app = whole(&Value::from(*id)).filter(|id| *id > 1 && words.iter().all(|word| is_part(word)));
        return named()?.only(Some(app.ok_or_else(protected)?));
    }
    let is_posted_to = |key: &&str| method == Post && behind(key).is_some_and(|parts| parts.is_empty());
    let endpoints = [
        "events",
        "domains",
        "partners",
        "applications",
        "create_application",
    ];
    match endpoints.into_iter().find(is_posted_to) {
        Some("events") => named()?.items(Kind::Object, None).map(Some),
        Some("domains") if named()?.items(Kind::Object, None)?.ids.is_empty() => Ok(None),
        Some("domains") | None => Err(unlisted()),
        Some(_) => named()?.only(None),
    }
}

/// Refuses headers and fields by which some servers override the method or path.
fn refuse_rerouting(request: &Request) -> Result<(), ApiError> {
    const REROUTING: [&str; 5] = ["method", "override", "rewrite", "original", "forwarded"];
    let other = |kind: &str, name: &str| {
        refused(&format!(
            "the {kind} `{name}` could turn it into a different request"
        ))
    };
    for (name, value) in &request.headers {
        let letters = words(name).concat();
        if REROUTING.iter().any(|part| letters.contains(part)) {
            return Err(other("header", name));
        }
        let retyped = letters == "contenttype" && !value.as_text().is_some_and(|kind| kind.contains("json"));
        if retyped && request.method.changes() {
            return Err(refused("its `content-type` does not match the form of its body"));
        }
    }
    for_each_field(request, &mut |name, _, _| match FieldMeaning::of(name) {
        FieldMeaning::Route => Err(other("field", name)),
        _ => Ok(()),
    })
}

/// Refuses a read that a server could interpret as a change.
fn judge_read(request: &Request) -> Result<(), ApiError> {
    const VERBS: [&str; 18] = [
        "edit", "save", "set", "move", "rename", "replace", "write", "put", "patch", "create", "add", "copy",
        "clone", "disable", "enable", "block", "archive", "publish",
    ];
    let path = decoded(request.url.path());
    let changes = |part: &&str| {
        let mut words = words(part);
        words.push(part.to_ascii_lowercase());
        is_said_to_delete(part) || words.iter().any(|word| VERBS.contains(&word.as_str()))
    };
    match path.split(['/', '\\']).find(changes) {
        Some(part) => Err(refused(&format!(
            "`{part}` in the path of a read looks like a change"
        ))),
        None if request.body != Body::None => Err(refused("a read must not have a body")),
        None => Ok(()),
    }
}

/// Whether a path segment indicates that something is deleted or replaced.
pub(super) fn is_said_to_delete(part: &str) -> bool {
    const VERBS: [&str; 8] = [
        "delete", "remove", "destroy", "purge", "clear", "reset", "drop", "update",
    ];
    let part = part.to_ascii_lowercase();
    VERBS.iter().any(|verb| part.contains(verb))
}

/// Whether a POST only reads: tags and filter columns are requested that way (public clients).
fn only_asks(path: &str, endpoints: &Endpoints) -> bool {
    const TAGS: [&str; 6] = ["objects", "applications", "tenant", "list", "system", "taxes"];
    match parts_behind(path, endpoints.get("hashtags")).as_deref() {
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

/// The app and the items that the fields of a change name.
#[derive(Debug, Default)]
struct NamedItems {
    app: Option<u64>,
    ids: Vec<(Option<Kind>, u64)>,
}

impl NamedItems {
    /// Reads query and body. Refuses fields that could name App 1, or something that belongs to it.
    fn of(request: &Request) -> Result<NamedItems, ApiError> {
        let mut named = NamedItems::default();
        for_each_field(request, &mut |name, value, place| named.take(name, value, place))?;
        match &request.body {
            Body::Json(Value::Record(_)) | Body::None | Body::Form(_) | Body::Multipart(_) => Ok(named),
            Body::Json(_) | Body::Raw { .. } => Err(refused(
                "the body of a change on a master account must be a map of fields, so that provisor can check which \
                 objects it names",
            )),
        }
    }

    fn take(&mut self, name: &str, value: &Value, place: FieldLocation) -> Result<(), ApiError> {
        match (FieldMeaning::of(name), place) {
            (FieldMeaning::App, _) => match whole(value) {
                Some(id) if id > 1 && self.app.is_none_or(|app| app == id) => self.app = Some(id),
                _ => return Err(protected()),
            },
            (FieldMeaning::Id(kind), FieldLocation::Top) => {
                let ids = match value {
                    Value::List(ids) if !ids.is_empty() => ids,
                    id => std::slice::from_ref(id),
                };
                for id in ids {
                    self.ids.push((kind, whole(id).ok_or_else(unreadable)?));
                }
            }
            (FieldMeaning::LikeApp, _) | (FieldMeaning::Id(_), FieldLocation::Inside) => {
                return Err(refused(&format!(
                    "the field `{name}` could name App 1, or something that belongs to it"
                )));
            }
            _ => {}
        }
        Ok(())
    }

    /// Succeeds if the fields name at most this app.
    fn only(self, app: Option<u64>) -> Result<Option<Items>, ApiError> {
        let is_own = |(kind, id): &(Option<Kind>, u64)| kind.is_none() && Some(*id) == app;
        if self.app.is_none_or(|named| Some(named) == app) && self.ids.iter().all(is_own) {
            return Ok(None);
        }
        Err(refused(&app.map_or_else(
            || {
                "a request that creates something on a master account must not contain an identifier"
                    .to_owned()
            },
            |app| format!("the path names app {app}, but the fields name something else"),
        )))
    }

    /// The items of one app that the fields, and possibly the path, name.
    fn items(self, kind: Kind, in_path: Option<&str>) -> Result<Items, ApiError> {
        let app = self.app.ok_or_else(|| {
            refused(
                "it may belong to App 1: on a master account, a change must name the application it belongs to, \
                 which must not be App 1",
            )
        })?;
        let mut ids = Vec::new();
        if let Some(id) = in_path {
            ids.push(whole(&Value::from(id)).ok_or_else(unreadable)?);
        }
        for (named, id) in self.ids {
            if named.is_some_and(|named| named != kind) {
                return Err(refused("the fields and the path name different kinds of objects"));
            }
            ids.push(id);
        }
        Ok(Items { kind, app, ids })
    }
}

/// The location of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FieldLocation {
    /// In the query, or at the top level of the body.
    Top,
    /// Inside another field.
    Inside,
    /// In JSON inside the text of a field.
    Text,
}

/// Receives the name, value and location of a field.
type Visitor<'a> = dyn FnMut(&str, &Value, FieldLocation) -> Result<(), ApiError> + 'a;

/// Visits each field of query and body, at any depth.
fn for_each_field(request: &Request, visit: &mut Visitor<'_>) -> Result<(), ApiError> {
    for (name, text) in request.url.query_pairs() {
        walk(&name, &Value::from(text.as_ref()), FieldLocation::Top, visit)?;
    }
    for (name, value) in &request.query {
        walk(name, value, FieldLocation::Top, visit)?;
    }
    match &request.body {
        Body::Form(fields) | Body::Json(Value::Record(fields)) => fields
            .iter()
            .try_for_each(|(name, value)| walk(name, value, FieldLocation::Top, visit)),
        Body::Multipart(parts) => parts
            .iter()
            .try_for_each(|part| walk(&part.name, &part.content.as_value(), FieldLocation::Top, visit)),
        Body::None | Body::Json(_) | Body::Raw { .. } => Ok(()),
    }
}

/// Visits a field and those inside it. Items of lists have no name.
fn walk(name: &str, value: &Value, place: FieldLocation, visit: &mut Visitor<'_>) -> Result<(), ApiError> {
    visit(name, value, place)?;
    let inside = match place {
        FieldLocation::Top => FieldLocation::Inside,
        deeper => deeper,
    };
    match value {
        Value::Record(fields) => {
            { fields.iter() }.try_for_each(|(name, value)| walk(name, value, inside, visit))
        }
        Value::Object(object) => walk("", &Value::Record(object.fields.clone()), inside, visit),
        Value::List(items) => items.iter().try_for_each(|item| walk("", item, inside, visit)),
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) => {
            let json = serde_json::from_str(text).map(Value::from_json);
            json.map_or(Ok(()), |json| walk("", &json, FieldLocation::Text, visit))
        }
        _ => Ok(()),
    }
}

/// The meaning of a field, by its name.
enum FieldMeaning {
    /// The app that something belongs to, in one of the platform's spellings.
    App,
    /// Possibly another app: `newApp`, `data[appId]`.
    LikeApp,
    /// An item, with its kind if the name contains it.
    Id(Option<Kind>),
    /// A field that some servers interpret as the request's method or path.
    Route,
    Other,
}

impl FieldMeaning {
    fn of(name: &str) -> FieldMeaning {
        // ApplicationId and applicationId, appId and AppId: the platform's calls differ (public clients).
        if ["applicationid", "appid"].contains(&name.to_ascii_lowercase().as_str()) {
            return FieldMeaning::App;
        }
        let words = words(&decoded(name));
        let all = words.concat();
        // `data[id]` is a nested field.
        let nests_id = || name.contains('[') && words.iter().any(|word| word.starts_with("id"));
        match all.as_str() {
            "appname" | "appwebsiteurl" | "appparams" | "apptype" => FieldMeaning::Other,
            "r" | "route" | "path" | "controller" | "method" | "xmethod" => FieldMeaning::Route,
            _ if all.contains("httpmethod") || all.contains("override") => FieldMeaning::Route,
            _ if all.contains("appid") || all.contains("applicationid") => FieldMeaning::LikeApp,
            _ if words.iter().any(|word| names_an_app(word)) => FieldMeaning::LikeApp,
            "screenid" | "screenids" => FieldMeaning::Id(Some(Kind::Screen)),
            "listid" | "listids" => FieldMeaning::Id(Some(Kind::List)),
            "objectid" | "objectids" | "objid" | "objids" | "rowid" | "rowids" => {
                FieldMeaning::Id(Some(Kind::Object))
            }
            "id" | "ids" | "pk" => FieldMeaning::Id(None),
            _ if nests_id() => FieldMeaning::LikeApp,
            _ => FieldMeaning::Other,
        }
    }
}

/// Whether the word means apps.
pub(super) fn names_an_app(word: &str) -> bool {
    ["app", "apps", "application", "applications"].contains(&word.to_ascii_lowercase().as_str())
}

/// Whether the text can be a path segment that is not a number: letters, digits, `-` and `_`, starting with a letter.
pub(super) fn is_part(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_plain)
}

/// A whole number in its unambiguous form: digits without a leading zero.
pub(super) fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Text(text) => { text.parse().ok() }.filter(|number: &u64| number.to_string() == *text),
        _ => None,
    }
}

/// The words of a name, in lower case: `ApplicationId`, `application_id` and `data[applicationId]` contain
/// `application` and `id`. Digits are ignored.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let starts = !c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && before.is_ascii_lowercase());
        if starts {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_ascii_alphabetic(), words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The text with percent-escapes decoded repeatedly until none is left.
pub(super) fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let plain = text.replace(['&', '=', '+'], " ");
        let parsed = url::form_urlencoded::parse(plain.as_bytes());
        let next: String = parsed.map(|(text, _)| text).collect();
        // Each round that finds an escape shortens the text.
        if next.len() >= text.len() {
            return text;
        }
        text = next;
    }
}

pub(super) fn protected() -> ApiError {
    refused(
        "App 1 of a master account must never be changed or deleted: the partner account would stop working",
    )
}

fn unreadable() -> ApiError {
    refused("on a master account, an identifier in a change must be a plain whole number")
}

pub(super) fn refused(reason: &str) -> ApiError {
    ApiError::new(ApiErrorKind::Own(&PROTECTED_APP), reason)
}

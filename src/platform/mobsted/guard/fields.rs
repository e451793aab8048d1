//! Which fields of a query or body name an app, and whether one of them names App 1.

use super::spelling::{decoded_fully, holds_one, letters};
use crate::transport::request::Body;
use crate::value::{Record, Value};

/// Does a query field name App 1? On the app endpoint `id` is an app's id too.
pub(super) fn query_is_one(query: &[(String, Value)], on_app: bool) -> bool {
    query
        .iter()
        .any(|(name, value)| field_is_one(name, value, on_app))
}

/// Does a body name App 1?
pub(super) fn body_is_one(body: &Body, on_app: bool) -> bool {
    match body {
        Body::None => false,
        Body::Form(fields) => record_is_one(fields, on_app),
        Body::Json(value) => (on_app && is_bare(value) && is_one(value)) || inside(value, on_app),
        Body::Multipart(parts) => parts
            .iter()
            .any(|part| field_is_one(&part.name, &part.content, on_app)),
        // What cannot be read may name it.
        Body::Raw { .. } => true,
    }
}

/// Do a query and a body together name any app? On the app endpoint `id` is an app's id too.
pub(super) fn names_apps(query: &[(String, Value)], body: &Body, on_app: bool) -> bool {
    let in_query = query
        .iter()
        .any(|(name, value)| names_app(name, on_app) && *value != Value::Null);
    let named = |fields: &Record| fields.keys().any(|name| names_app(name, on_app));
    in_query
        || match body {
            Body::Form(fields) | Body::Json(Value::Record(fields)) => named(fields),
            Body::Json(value) => on_app && is_bare(value) && *value != Value::Null,
            Body::Multipart(parts) => parts.iter().any(|part| names_app(&part.name, on_app)),
            Body::None | Body::Raw { .. } => false,
        }
}

fn field_is_one(name: &str, value: &Value, on_app: bool) -> bool {
    (names_app(name, on_app) && is_one(value)) || inside(value, on_app || names_app(name, false))
}

fn record_is_one(fields: &Record, on_app: bool) -> bool {
    // A resource that says itself what it is: {"type": "application", "id": "1"}.
    let is_app = fields.iter().any(|(name, value)| {
        letters(name) == "type"
            && value
                .as_text()
                .is_some_and(|kind| letters(kind).starts_with("app"))
    });
    fields
        .iter()
        .any(|(name, value)| field_is_one(name, value, on_app || is_app))
}

/// Does something inside a list, a record, or JSON in a text name App 1?
fn inside(value: &Value, on_app: bool) -> bool {
    match value {
        Value::Record(fields) => record_is_one(fields, on_app),
        Value::Object(object) => record_is_one(&object.fields, on_app),
        Value::List(items) => items.iter().any(|item| inside(item, on_app)),
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).is_ok_and(|json| inside(&Value::from_json(json), on_app))
        }
        _ => false,
    }
}

/// Does a field of this name hold an app's id: `applicationId`, `AppId`, `app_ids[]`, `data[applicationId]`?
fn names_app(name: &str, on_app: bool) -> bool {
    let name = decoded_fully(name);
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let last = { words }.rfind(|word| !word.is_empty() && word.parse::<u64>().is_err());
    let all: String = letters(&name.replace(['.', ';'], "_"))
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .collect();
    let is_app = ["application", "applications", "app", "apps"].contains(&&*all)
        || ["applicationid", "applicationids", "appid", "appids"]
            .iter()
            .any(|end| all.ends_with(end));
    let is_id = last.is_some_and(|last| ["id", "ids", "pk"].contains(&&*last.to_ascii_lowercase()));
    is_app || (on_app && is_id)
}

/// Is it a scalar or a list of scalars?
fn is_bare(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().all(is_bare),
        Value::Record(_) | Value::Object(_) => false,
        _ => true,
    }
}

/// Could the value of an id field be 1? A secret one cannot be read here, so it could.
fn is_one(value: &Value) -> bool {
    match value {
        Value::Null | Value::Record(_) | Value::Object(_) => false,
        Value::Bool(flag) => *flag,
        Value::Int(int) => *int == 1,
        Value::Float(float) => (1.0..2.0).contains(float),
        Value::Text(text) => holds_one(text),
        Value::Secret(_) => true,
        Value::List(items) => items.iter().any(is_one),
    }
}

//! Objects of a master account: a row's id alone does not say whether it is one of App 1's.

use super::super::account::Role;
use super::super::endpoints::Endpoints;
use super::fields::names_apps;
use super::spelling::{decoded_fully, is_plain_id, letters, segments};
use super::{Target, may_change, unnamed_app};
use crate::platform::error::ApiError;
use crate::transport::request::{Body, Method};
use crate::value::{Record, Value};

/// The objects that a raw call would change on a master account, which must be looked for in App 1 first; none when it
/// changes no object, or none by its id. Refuses a call that does not say of which app they are.
pub(in crate::platform::mobsted) fn rows_to_look_up(
    role: Role,
    endpoints: &Endpoints,
    method: Method,
    target: &Target,
    body: &Body,
) -> Result<Vec<u64>, ApiError> {
    if role == Role::SubAccount || !may_change(method, target) || only_asks(target) {
        return Ok(Vec::new());
    }
    let mut paths = vec![target.deep.clone()];
    paths.extend(routes(&target.query));
    let mut behind = paths.iter().filter_map(|path| {
        let at = path.iter().position(|part| is_objects(endpoints, part))?;
        Some(&path[at + 1..])
    });
    let Some(first) = behind.next() else {
        return Ok(Vec::new());
    };
    if !names_apps(&target.query, body, false) {
        return Err(unnamed_app("an object"));
    }
    let mut ids = Vec::new();
    for part in std::iter::once(first).chain(behind).flatten() {
        let is_word = is_plain_id(part) && part.chars().all(|c| c.is_ascii_alphabetic() || "-_".contains(c));
        if !is_word {
            ids.push(whole(&Value::from(part.as_str()))?);
        }
    }
    for (name, value) in &target.query {
        collect(name, value, &mut ids)?;
    }
    match body {
        Body::None => {}
        Body::Form(fields) | Body::Json(Value::Record(fields)) => collect_all(fields, &mut ids)?,
        // A bare list or number can only be ids.
        Body::Json(value) | Body::Raw { content: value, .. } => collect("ids", value, &mut ids)?,
        Body::Multipart(parts) => {
            for part in parts {
                collect(&part.name, &part.content, &mut ids)?;
            }
        }
    }
    Ok(ids)
}

/// `/hashtags/objects` and `/filters/objects` are asked with a POST and change nothing.
fn only_asks(target: &Target) -> bool {
    let first = target.deep.first().map(|first| letters(first));
    matches!(first.as_deref(), Some("hashtags" | "filters"))
}

fn is_objects(endpoints: &Endpoints, part: &str) -> bool {
    let own = endpoints.get("objects").rsplit('/').next().map(letters);
    let name = letters(part);
    Some(&name) == own.as_ref() || ["object", "objects"].contains(&&*name)
}

/// Some servers take the path from the query: `?r=object/5`.
fn routes(query: &[(String, Value)]) -> impl Iterator<Item = Vec<String>> {
    query.iter().filter_map(|(name, value)| match &*letters(name) {
        "r" | "route" | "path" => segments(&decoded_fully(value.as_text()?)),
        _ => None,
    })
}

fn collect_all(fields: &Record, ids: &mut Vec<u64>) -> Result<(), ApiError> {
    fields
        .iter()
        .try_for_each(|(name, value)| collect(name, value, ids))
}

/// Finds the ids of objects in a field, wherever it lies.
fn collect(name: &str, value: &Value, ids: &mut Vec<u64>) -> Result<(), ApiError> {
    let is_id = ["id", "ids", "pk", "object", "objects", "objectid", "objectids"].contains(&&*letters(name));
    match value {
        Value::Record(fields) => collect_all(fields, ids),
        Value::Object(object) => collect_all(&object.fields, ids),
        Value::List(items) => items.iter().try_for_each(|item| collect(name, item, ids)),
        Value::Null => Ok(()),
        value if is_id => {
            ids.push(whole(value)?);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// An object's id, if it is written so that every reader sees the same number.
fn whole(value: &Value) -> Result<u64, ApiError> {
    let id = match value {
        Value::Int(id) => u64::try_from(*id).ok(),
        Value::Text(id) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => id.parse().ok(),
        _ => None,
    };
    id.ok_or_else(|| {
        ApiError::bad_input(
            "on a master account, the id of an object that is changed must be a plain whole number",
        )
    })
}

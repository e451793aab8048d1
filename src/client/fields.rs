//! Lenient access to a platform's JSON: field names in any case, numbers as text.

use serde_json::{Map, Value as Json};

use crate::value::Value;
use crate::value::secret::Secret;
pub(super) use crate::value::secret::is_credential_field;

/// The fields of a JSON object.
pub(crate) type Fields = Map<String, Json>;

/// Returns the first of these fields that is present and not null, ignoring the case of its name.
pub(crate) fn field<'a>(fields: &'a Fields, names: &[&str]) -> Option<&'a Json> {
    let find = |name: &str| {
        let exact = fields.get(name);
        let found = exact.or_else(|| {
            fields
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        });
        found.filter(|value| !value.is_null())
    };
    names.iter().find_map(|name| find(name))
}

/// Like [`field`], as text: numbers become their digits; empty and blank text counts as missing.
pub(crate) fn text(fields: &Fields, names: &[&str]) -> Option<String> {
    let present = |name: &&str| {
        let text = match field(fields, &[name])? {
            Json::String(text) => text.trim().to_owned(),
            Json::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    };
    names.iter().find_map(present)
}

/// Like [`field`], as a whole number, whether written as a number or as text.
pub(crate) fn int(fields: &Fields, names: &[&str]) -> Option<i64> {
    match field(fields, names)? {
        Json::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Like [`field`], as a secret. Not trimmed: a password may start or end with a space.
pub(crate) fn secret(fields: &Fields, names: &[&str]) -> Option<Secret> {
    let present = |name: &&str| match field(fields, &[name])? {
        Json::String(text) if !text.is_empty() => Some(Secret::new(text.as_str())),
        Json::Number(number) => Some(Secret::new(number.to_string())),
        _ => None,
    };
    names.iter().find_map(present)
}

/// Returns the first of these fields as an id: a whole number or non-empty text.
pub(crate) fn id_in(fields: &Fields, names: &[&str]) -> Option<Value> {
    match field(fields, names)? {
        Json::String(text) if !text.trim().is_empty() => Some(Value::Text(text.trim().to_owned())),
        Json::Number(number) if !number.is_f64() => Some(Value::from_json(Json::Number(number.clone()))),
        _ => None,
    }
}

/// Converts a JSON response to a value in which text in credential fields is secret.
pub(crate) fn mark_credentials(json: Json) -> Value {
    mark_credentials_by(json, is_credential_field)
}

/// Like [`mark_credentials`], where `names` decides which fields are credentials.
pub(super) fn mark_credentials_by(json: Json, names: fn(&str) -> bool) -> Value {
    match json {
        Json::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item| mark_credentials_by(item, names))
                .collect(),
        ),
        Json::Object(fields) => {
            let guard = |(name, json): (String, Json)| {
                let value = if names(&name) {
                    all_text_secret(json)
                } else {
                    mark_credentials_by(json, names)
                };
                (name, value)
            };
            Value::Record(fields.into_iter().map(guard).collect())
        }
        plain => Value::from_json(plain),
    }
}

/// Makes all text below a credential field secret. Numbers stay: they count tokens, or the days a password lasts.
fn all_text_secret(json: Json) -> Value {
    match json {
        Json::String(text) => Value::Secret(Secret::new(text)),
        Json::Array(items) => Value::List(items.into_iter().map(all_text_secret).collect()),
        Json::Object(fields) => {
            let hide = |(name, json): (String, Json)| (name, all_text_secret(json));
            Value::Record(fields.into_iter().map(hide).collect())
        }
        plain => Value::from_json(plain),
    }
}

fn whole(number: f64) -> Option<i64> {
    let text = format!("{number:.0}");
    text.parse().ok().filter(|_| number.fract() == 0.0)
}

#[cfg(test)]
mod tests;

//! A result that a person gives in place of an answer that was lost.

use super::spec::{Kind, OpSpec};
use crate::platform::mobsted::account::Base;
use crate::value::secret::Secret;
use crate::value::{Object, Record, Value};

/// The value that a step of `op` is to have as its outcome, from what a person wrote. `known` are fields that need not
/// be written, because the journal knows them. The error says what is missing or does not fit, in a sentence without a
/// full stop.
pub fn given(op: &OpSpec, written: Value, known: Record) -> Result<Value, String> {
    let Some(kind) = super::kind(op.result) else {
        return Ok(written);
    };
    let Value::Record(written) = written else {
        return Err(format!("a {} is a JSON object with {}", kind.name, names(kind)));
    };
    if let Some(stranger) = written.keys().find(|key| property(kind, key).is_none()) {
        return Err(format!(
            "a {} has no `{stranger}`; it has {}",
            kind.name,
            names(kind)
        ));
    }
    let mut fields = known;
    fields.extend(written);
    if !fields.contains_key("login") && property(kind, "login").is_some() {
        let email = fields.get("email").cloned().unwrap_or_default();
        fields.insert("login".into(), email);
    }
    let mut object = Object::new(kind.name, []);
    for (name, ty, _) in kind.properties {
        let value = fields.remove(*name).unwrap_or_default();
        object.fields.insert((*name).into(), fit(name, ty, value)?);
    }
    // What is left over is hidden, such as the profile by which a tenant is spoken to.
    object.fields.extend(fields);
    Ok(Value::Object(object))
}

/// What a person has to write for a result of `op`: the properties, or nothing when anything will do.
pub fn wanted(op: &OpSpec) -> Option<String> {
    let kind = super::kind(op.result);
    kind.map(names)
}

fn fit(name: &str, ty: &str, value: Value) -> Result<Value, String> {
    match (name, ty, value) {
        ("outcome", _, Value::Null) => Ok("created".into()),
        ("url" | "login" | "email" | "id", _, Value::Null) => Err(format!("`{name}` is missing")),
        ("url", _, Value::Text(url)) => match Base::parse(&url) {
            Ok(base) => Ok(base.as_str().into()),
            Err(error) => Err(format!("`url`: {}", error.message)),
        },
        (_, "secret", Value::Text(text)) => Ok(Secret::new(text).into()),
        (_, "map", Value::Null) => Ok(Value::Record(Record::new())),
        (_, "bool", Value::Null) => Ok(Value::Bool(false)),
        (_, "bool", value @ Value::Bool(_))
        | (_, "secret", value @ (Value::Null | Value::Secret(_)))
        | (_, "int", value @ (Value::Int(_) | Value::Text(_)))
        | (_, "map", value @ Value::Record(_))
        | (_, "string", value @ Value::Text(_)) => Ok(value),
        (_, "string", Value::Null) => Ok("".into()),
        (_, ty, other) => Err(format!("`{name}` must be {ty}, not {}", other.type_name())),
    }
}

fn property<'a>(kind: &'a Kind, name: &str) -> Option<&'a str> {
    let mut properties = kind.properties.iter();
    properties
        .find(|(known, _, _)| *known == name)
        .map(|(_, ty, _)| *ty)
}

fn names(kind: &Kind) -> String {
    let names = kind
        .properties
        .iter()
        .map(|(name, ty, _)| format!("{name} ({ty})"));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

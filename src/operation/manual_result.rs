//! Results that a person enters in place of a lost response.

use serde_json::{Value as Json, json};

use super::catalogue::Catalogue;
use super::platform::Operation;
use super::spec::{Fields, Kind};
use crate::value::secret::{Secret, names_a_credential};
use crate::value::{Object, Record, Value};

/// Converts the input of a person to the outcome of a step of `op`. `known` are fields from the journal, which may be
/// omitted. The error names what is missing or invalid, in a sentence without a full stop.
pub fn given(catalogue: &Catalogue, op: Operation, written: Value, known: Record) -> Result<Value, String> {
    match Shape::of(catalogue, op) {
        Shape::Nothing => match written {
            Value::Null => Ok(Value::Null),
            _ => Err(format!("{} returns nothing", op.id())),
        },
        Shape::Kind(kind) => object(op, kind, written, known),
        Shape::Fields(fields) => map(fields, written, known),
        Shape::Map => match written {
            Value::Record(_) => Ok(mark_credentials(written)),
            other => Err(format!(
                "a result of {} must be a JSON object, not {}",
                op.id(),
                other.type_name()
            )),
        },
        Shape::Any => Ok(mark_credentials(written)),
    }
}

/// The input expected from a person.
#[derive(Debug, PartialEq)]
pub struct ExpectedResult {
    /// A description: `a JSON object with id (string), …`.
    pub shape: String,
    /// An example, as JSON.
    pub example: String,
}

/// Returns the input expected for a result of `op`; `None` if it returns nothing.
pub fn expected_result(catalogue: &Catalogue, op: Operation) -> Option<ExpectedResult> {
    let (shape, example) = match Shape::of(catalogue, op) {
        Shape::Nothing => return None,
        Shape::Kind(kind) => with(kind.properties),
        Shape::Fields(fields) => with(fields),
        Shape::Map => ("a JSON object".to_owned(), json!({"id": "…"})),
        Shape::Any => (
            "any JSON; null is fine if the script does not use it".to_owned(),
            Json::Null,
        ),
    };
    let example = example.to_string();
    Some(ExpectedResult { shape, example })
}

/// Describes an object with these fields, and gives an example.
fn with(fields: Fields) -> (String, Json) {
    let needed = fields
        .iter()
        .filter(|(name, ty, _)| *ty != "map" && !OPTIONAL_FIELDS.contains(name));
    let example = needed.map(|(name, ty, _)| ((*name).to_owned(), sample(name, ty)));
    (
        format!("a JSON object with {}", names(fields)),
        Json::Object(example.collect()),
    )
}

/// Fields that some results do not have, or that may be omitted.
const OPTIONAL_FIELDS: &[&str] = &["encoding", "outcome"];

/// The form of an operation's results.
enum Shape {
    Nothing,
    Kind(&'static Kind),
    Fields(Fields),
    /// A map with arbitrary fields of the platform.
    Map,
    Any,
}

impl Shape {
    fn of(catalogue: &Catalogue, op: Operation) -> Shape {
        match (catalogue.kind(op.result), catalogue.fields(op), op.result) {
            (Some(kind), ..) => Shape::Kind(kind),
            (_, Some(fields), _) => Shape::Fields(fields),
            (.., "()") => Shape::Nothing,
            (.., "map") => Shape::Map,
            _ => Shape::Any,
        }
    }
}

fn object(op: Operation, kind: &Kind, written: Value, known: Record) -> Result<Value, String> {
    let mut fields = taken(&format!("a {}", kind.name), kind.properties, written, known)?;
    if !fields.contains_key("login") && has(kind.properties, "login") {
        let email = fields.get("email").cloned().unwrap_or_default();
        fields.insert("login".into(), email);
    }
    let mut object = Object::new(kind.name, []);
    for (name, ty, _) in kind.properties {
        let value = fields.remove(*name).unwrap_or_default();
        object.fields.insert((*name).into(), fit(op, name, ty, value)?);
    }
    // The remaining fields are hidden, such as the profile used to connect to a tenant.
    object.fields.extend(fields);
    Ok(Value::Object(object))
}

/// Returns a map with all its fields. The first must be given, even if `null`: a script is likely to read it.
fn map(fields: Fields, written: Value, known: Record) -> Result<Value, String> {
    let mut given = taken("it", fields, written, known)?;
    let mut all = Record::new();
    for (at, (name, ty, _)) in fields.iter().enumerate() {
        let value = match (given.remove(*name), *ty) {
            (None, _) if at == 0 => {
                return Err(format!("`{name}` is missing; write null if it is unknown"));
            }
            (None, "map") => Value::Record(Record::new()),
            (None, _) if OPTIONAL_FIELDS.contains(name) => continue,
            (value, _) => value.unwrap_or_default(),
        };
        let fits = matches!(
            (*ty, &value),
            (_, Value::Null)
                | ("any value", _)
                | ("string", Value::Text(_))
                | ("int", Value::Int(_))
                | ("map", Value::Record(_))
                | ("list", Value::List(_))
        );
        if !fits {
            return Err(format!("`{name}` must be {ty}, not {}", value.type_name()));
        }
        all.insert((*name).into(), mark_credentials(value));
    }
    Ok(Value::Record(all))
}

/// Merges the input with the known fields.
fn taken(what: &str, fields: Fields, written: Value, known: Record) -> Result<Record, String> {
    let Value::Record(written) = written else {
        return Err(format!("{what} must be a JSON object with {}", names(fields)));
    };
    if let Some(unknown_key) = written.keys().find(|key| !has(fields, key)) {
        return Err(format!("{what} has no `{unknown_key}`; it has {}", names(fields)));
    }
    let mut all = known;
    all.extend(written);
    Ok(all)
}

fn fit(op: Operation, name: &str, ty: &str, value: Value) -> Result<Value, String> {
    match (name, ty, value) {
        ("outcome", _, Value::Null) => Ok("created".into()),
        ("url" | "login" | "email" | "id", _, Value::Null) => Err(format!("`{name}` is missing")),
        ("url", _, Value::Text(url)) => match op.driver().address(&url) {
            Ok(address) => Ok(address.into()),
            Err(reason) => Err(format!("`url`: {reason}")),
        },
        (_, "secret", Value::Text(text)) => Ok(Secret::new(text).into()),
        (_, "map", Value::Null) => Ok(Value::Record(Record::new())),
        (_, "bool", Value::Null) => Ok(Value::Bool(false)),
        (_, "bool", value @ Value::Bool(_))
        | (_, "secret", value @ (Value::Null | Value::Secret(_)))
        | (_, "int" | "int or string", value @ (Value::Int(_) | Value::Text(_)))
        | (_, "map", value @ Value::Record(_))
        | (_, "string", value @ Value::Text(_)) => Ok(value),
        (_, "string", Value::Null) => Ok("".into()),
        (_, ty, other) => Err(format!("`{name}` must be {ty}, not {}", other.type_name())),
    }
}

/// Turns every text with a credential's name into a secret, as in a platform's response.
fn mark_credentials(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(mark_credentials).collect()),
        Value::Record(fields) => {
            let guard = |(name, value): (String, Value)| match value {
                Value::Text(text) if names_a_credential(&name) => (name, Secret::new(text).into()),
                other => (name, mark_credentials(other)),
            };
            Value::Record(fields.into_iter().map(guard).collect())
        }
        plain => plain,
    }
}

fn sample(name: &str, ty: &str) -> Json {
    match (name, ty) {
        ("status", _) => json!(201),
        ("url", _) => json!("https://…"),
        (_, "int") => json!(1),
        (_, "bool") => json!(false),
        (_, "list") => json!([]),
        (_, "map") => json!({}),
        (_, "any value") => Json::Null,
        _ => json!("…"),
    }
}

fn has(fields: Fields, name: &str) -> bool {
    fields.iter().any(|(known, ..)| *known == name)
}

fn names(fields: Fields) -> String {
    let names = fields.iter().map(|(name, ty, _)| format!("{name} ({ty})"));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

//! Parses the fields of a request.

use serde_json::Value;

use super::super::call::Call;
use super::super::reply::Reply;
use super::event::Fields;
use super::{hal, whole};

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    Text,
    Whole,
    /// `true` or `false`, also as text: the vendor's own examples send `"true"`.
    Switch,
    Map,
    List,
}

/// The known fields of a request, each of its type. Unknown fields are left out, as on the real platform.
#[derive(Debug)]
pub(super) struct RequestFields(pub(super) Fields);

impl RequestFields {
    /// Parses a body.
    pub(super) fn read(call: &Call, known: &[(&str, FieldType)]) -> Result<RequestFields, Reply> {
        let body = call
            .fields()
            .map_err(|_| hal::bad_request("the body is not JSON, a form or multipart"))?;
        let mut fields = Fields::new();
        for (name, kind) in known {
            let Some(value) = body.get(*name).filter(|value| !value.is_null()) else {
                continue;
            };
            let value = kind
                .read(value)
                .ok_or_else(|| hal::bad_request(&format!("{name} is not {}", kind.name())))?;
            fields.insert((*name).to_owned(), value);
        }
        Ok(RequestFields(fields))
    }

    /// Returns an error if a text is missing or blank.
    pub(super) fn required(&self, name: &str) -> Result<(), Reply> {
        if self.0.contains_key(name) {
            return self.not_blank(name);
        }
        Err(hal::bad_request(&format!("{name} is required")))
    }

    /// Returns an error if a text is present but blank.
    pub(super) fn not_blank(&self, name: &str) -> Result<(), Reply> {
        match self.0.get(name).and_then(Value::as_str) {
            Some(text) if text.trim().is_empty() => Err(hal::bad_request(&format!("{name} cannot be blank"))),
            _ => Ok(()),
        }
    }
}

impl FieldType {
    fn read(self, value: &Value) -> Option<Value> {
        match self {
            FieldType::Text => value.as_str().map(Value::from),
            FieldType::Whole => whole(value).map(Value::from),
            FieldType::Switch => match value {
                Value::Bool(_) => Some(value.clone()),
                Value::String(text) => text.parse::<bool>().ok().map(Value::from),
                _ => None,
            },
            FieldType::Map => value.is_object().then(|| value.clone()),
            FieldType::List => value.is_array().then(|| value.clone()),
        }
    }

    /// Returns its name in a JSON schema.
    pub(super) fn json_type(self) -> &'static str {
        match self {
            FieldType::Text => "string",
            FieldType::Whole => "integer",
            FieldType::Switch => "boolean",
            FieldType::Map => "object",
            FieldType::List => "array",
        }
    }

    fn name(self) -> &'static str {
        match self {
            FieldType::Text => "a text",
            FieldType::Whole => "a whole number",
            FieldType::Switch => "true or false",
            FieldType::Map => "an object",
            FieldType::List => "a list",
        }
    }
}

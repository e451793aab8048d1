//! The values that flow through provisor. They may hold secrets, and never show them.

pub mod digest;
pub mod identity;
pub mod nearest;
pub mod origin;
pub mod secret;
pub mod status;
pub mod visible;

use std::borrow::Cow;
use std::collections::BTreeMap;

use origin::Origin;
use secret::{Home, Scrubber, Secret};
use serde_json::Value as Json;

/// Named values, sorted by name so that equal records have equal bytes.
pub type Record = BTreeMap<String, Value>;

/// A value: passed by a script to an operation, returned by one, or kept in the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value: Rhai's `()`, JSON's `null`.
    #[default]
    Null,
    /// A Boolean.
    Bool(bool),
    /// A 64-bit integer. Larger JSON integers become text, so that no platform id is rounded.
    Int(i64),
    /// A finite or non-finite float.
    Float(f64),
    /// Text.
    Text(String),
    /// A text that is never shown.
    Secret(Secret),
    /// A list of values.
    List(Vec<Value>),
    /// A map of named values.
    Record(Record),
    /// A record of a named kind, with methods: a session, a tenant, an app.
    Object(Object),
}

/// A record of a named kind. The operation table lists the properties and methods of each kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The kind's full name, for example `crm::Contact`.
    pub kind: String,
    /// The fields, including hidden ones (such as a credential that a session needs).
    pub fields: Record,
}

impl Object {
    /// Creates an object of `kind` with these fields.
    pub fn new(kind: &str, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Object {
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Object {
            kind: kind.to_owned(),
            fields,
        }
    }

    /// Creates a placeholder, shown as `<closure>`, for something that is not data, such as a closure. For display
    /// only.
    pub fn placeholder(what: &str) -> Object {
        Object {
            kind: format!("<{what}>"),
            fields: Record::new(),
        }
    }

    /// Whether this is a placeholder for something that is not data.
    pub fn is_placeholder(&self) -> bool {
        self.kind.starts_with('<')
    }

    /// Returns the fields without the hidden ones (`$…`), which provisor uses internally.
    pub fn shown_fields(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.fields.iter().filter(|(name, _)| !name.starts_with('$'))
    }

    /// Returns the text of a field; empty if it is absent or not text.
    pub fn text(&self, field: &str) -> &str {
        self.fields
            .get(field)
            .and_then(Value::as_text)
            .unwrap_or_default()
    }
}

/// Parses JSON. Integers beyond 64 bits become text, with all their digits.
pub fn read_json(text: &[u8]) -> Result<Json, serde_json::Error> {
    serde_json::from_slice(&with_long_integers_quoted(text))
}

/// Quotes the integers beyond 64 bits in a JSON text: as numbers they would be rounded.
pub fn with_long_integers_quoted(text: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted = Vec::new();
    // The text is copied up to `copied`.
    let (mut copied, mut at) = (0, 0);
    while let Some(byte) = text.get(at) {
        let rest = &text[at..];
        let length = match byte {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                rest.iter().take_while(|byte| is_part(byte)).count()
            }
            _ => 1,
        };
        if is_long_integer(&rest[..length]) {
            quoted.extend_from_slice(&text[copied..at]);
            quoted.push(b'"');
            quoted.extend_from_slice(&rest[..length]);
            quoted.push(b'"');
            copied = at + length;
        }
        at += length;
    }
    if quoted.is_empty() {
        return Cow::Borrowed(text);
    }
    quoted.extend_from_slice(&text[copied..]);
    Cow::Owned(quoted)
}

/// Returns the length of the string at the start of the text, including its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Whether the token is a JSON integer that does not fit into 64 bits.
fn is_long_integer(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    // A number of 19 digits may fit.
    digits.len() >= 19
        && digits[0] != b'0'
        && digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(token).is_ok_and(|text| text.parse::<i64>().is_err())
}

impl Value {
    /// Returns the text, if the value is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the record, if the value is one.
    pub fn as_record(&self) -> Option<&Record> {
        match self {
            Value::Record(record) => Some(record),
            _ => None,
        }
    }

    /// Returns the name of the type for messages.
    pub fn type_name(&self) -> &str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a bool",
            Value::Int(_) => "an int",
            Value::Float(_) => "a float",
            Value::Text(_) => "a string",
            Value::Secret(_) => "a secret",
            Value::List(_) => "a list",
            Value::Record(_) => "a map",
            Value::Object(object) => &object.kind,
        }
    }

    /// Converts a JSON value. Integers beyond 64 bits become text; [`read_json`] keeps their digits.
    pub fn from_json(json: Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(flag),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Value::Int(int),
                (None, Some(float)) if number.is_f64() => Value::Float(float),
                _ => Value::Text(number.to_string()),
            },
            Json::String(text) => Value::Text(text),
            Json::Array(items) => Value::List(items.into_iter().map(Value::from_json).collect()),
            Json::Object(fields) => Value::Record(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, Value::from_json(value)))
                    .collect(),
            ),
        }
    }

    /// Converts to JSON for display and reports: secrets are masked, and objects are plain maps without their hidden
    /// fields. A float that JSON cannot represent becomes `null`.
    pub fn to_masked_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Int(int) => Json::from(*int),
            Value::Float(float) => Json::from(*float),
            Value::Text(text) => Json::String(text.clone()),
            Value::Secret(secret) => Json::String(secret.to_string()),
            Value::List(items) => Json::Array(items.iter().map(Value::to_masked_json).collect()),
            Value::Record(fields) => masked_fields(fields),
            Value::Object(object) if object.is_placeholder() => Json::String(object.kind.clone()),
            Value::Object(object) => masked_fields(object.shown_fields()),
        }
    }

    /// Marks the value as received from `home`: every secret inside that has no home yet gets this one. In an object
    /// with an address of its own, such as a tenant, that address becomes part of the home.
    #[must_use]
    pub fn received_from(self, home: Option<&Home>) -> Value {
        if !self.has_secret() {
            return self;
        }
        let all = |fields: Record, home: Option<&Home>| -> Record {
            let fields = fields.into_iter();
            fields
                .map(|(name, value)| (name, value.received_from(home)))
                .collect()
        };
        match self {
            Value::Secret(secret) => Value::Secret(match home {
                Some(home) => secret.with_home(home),
                None => secret,
            }),
            Value::List(items) => {
                Value::List(items.into_iter().map(|item| item.received_from(home)).collect())
            }
            Value::Record(fields) => Value::Record(all(fields, home)),
            Value::Object(object) => {
                let own = Origin::parse(object.text("url"));
                let given = home.map(Home::origins).unwrap_or_default();
                let home = Home::of(own.into_iter().chain(given.iter().cloned()));
                Value::Object(Object {
                    fields: all(object.fields, home.as_ref()),
                    kind: object.kind,
                })
            }
            plain => plain,
        }
    }

    /// Turns every text that repeats a known secret into a secret, and masks such field names. Fields that identify an
    /// object stay text.
    #[must_use]
    pub fn mark_known_secrets(self, known: &Scrubber) -> Value {
        let all = |fields: Record, keeps: &[&str]| -> Record {
            let fields = fields.into_iter().map(|(name, value)| {
                if keeps.contains(&name.as_str()) || name.starts_with('$') {
                    return (name, value);
                }
                let shown = match known.echo(&name) {
                    Some(name) => name.to_string(),
                    None => name,
                };
                (shown, value.mark_known_secrets(known))
            });
            fields.collect()
        };
        match self {
            Value::Text(text) => known.echo(&text).map_or(Value::Text(text), Value::Secret),
            Value::List(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| item.mark_known_secrets(known))
                    .collect(),
            ),
            Value::Record(fields) => Value::Record(all(fields, &[])),
            Value::Object(object) => Value::Object(Object {
                fields: all(object.fields, &["url", "login", "email", "id", "outcome"]),
                kind: object.kind,
            }),
            plain => plain,
        }
    }

    /// Calls `each` with every secret inside, at any depth.
    pub fn for_each_secret(&self, each: &mut dyn FnMut(&Secret)) {
        match self {
            Value::Secret(secret) => each(secret),
            Value::List(items) => items.iter().for_each(|item| item.for_each_secret(each)),
            Value::Record(fields) => fields.values().for_each(|field| field.for_each_secret(each)),
            Value::Object(object) => object
                .fields
                .values()
                .for_each(|field| field.for_each_secret(each)),
            _ => {}
        }
    }

    /// Whether there is a secret inside, at any depth.
    pub fn has_secret(&self) -> bool {
        match self {
            Value::Secret(_) => true,
            Value::List(items) => items.iter().any(Value::has_secret),
            Value::Record(fields) => fields.values().any(Value::has_secret),
            Value::Object(object) => object.fields.values().any(Value::has_secret),
            _ => false,
        }
    }
}

fn masked_fields<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Json {
    Json::Object(
        fields
            .into_iter()
            .map(|(name, value)| (name.clone(), value.to_masked_json()))
            .collect(),
    )
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Value {
        Value::Int(int)
    }
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Value {
        Value::Secret(secret)
    }
}

#[cfg(test)]
mod tests;

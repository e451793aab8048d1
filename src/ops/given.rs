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
mod tests {
    use super::*;

    fn op(name: &str) -> &'static OpSpec {
        let mut all = super::super::ALL.iter().copied().flatten();
        all.find(|op| op.name == name).unwrap()
    }

    fn json(text: &str) -> Value {
        Value::from_json(serde_json::from_str(text).unwrap())
    }

    fn known() -> Record {
        Record::from([
            ("email".to_owned(), "ann@example.com".into()),
            ("$profile".to_owned(), "acme".into()),
        ])
    }

    #[test]
    fn a_tenant_is_complete_and_its_password_a_secret() {
        let written = json(r#"{"url": "a1-admin.mobsted.com/", "password": "hunter2"}"#);
        let Value::Object(tenant) = given(op("ensure_tenant"), written, known()).unwrap() else {
            panic!("not an object");
        };
        assert_eq!(tenant.text("url"), "https://a1-admin.mobsted.com");
        assert_eq!(tenant.text("login"), "ann@example.com");
        assert_eq!(tenant.text("outcome"), "created");
        assert_eq!(tenant.text("$profile"), "acme");
        assert_eq!(tenant.fields["password"], Secret::new("hunter2").into());
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let refused = |text: &str| given(op("ensure_tenant"), json(text), known()).unwrap_err();
        assert_eq!(refused("{}"), "`url` is missing");
        assert!(refused(r#"{"pasword": "x"}"#).contains("no `pasword`"));
        assert!(refused("null").contains("JSON object with email (string)"));
        assert_eq!(
            refused(r#"{"url": "a1-admin.mobsted.com", "password": 1}"#),
            "`password` must be secret, not an int"
        );
    }

    #[test]
    fn an_operation_without_a_kind_takes_anything() {
        assert_eq!(given(op("post"), Value::Null, Record::new()), Ok(Value::Null));
        assert_eq!(wanted(op("post")), None);
    }
}

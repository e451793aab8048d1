//! Which secrets a report writes in clear text: those of the columns that the user names.

#![allow(
    clippy::disallowed_methods,
    reason = "the user asks for these secrets in clear text"
)]

use serde_json::Value as Json;

use crate::value::Value;

/// The columns whose secrets are written in clear text. Empty unless the user names some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reveal {
    columns: Vec<String>,
}

impl Reveal {
    /// Masks every secret.
    pub(crate) fn nothing() -> Reveal {
        Reveal::default()
    }

    /// Writes the secrets of these columns in clear text, including those nested in lists and maps.
    pub(crate) fn columns(names: impl IntoIterator<Item = impl Into<String>>) -> Reveal {
        Reveal {
            columns: names.into_iter().map(Into::into).collect(),
        }
    }

    /// Converts a column's value to JSON, in clear text if the column is named, otherwise masked.
    pub(crate) fn json(&self, column: &str, value: &Value) -> Json {
        let named = self.columns.iter().any(|name| name == column.trim());
        if named && value.has_secret() {
            clear(value)
        } else {
            value.to_masked_json()
        }
    }
}

fn clear(value: &Value) -> Json {
    match value {
        Value::Secret(secret) => Json::String(secret.expose().to_owned()),
        Value::List(items) => Json::Array(items.iter().map(clear).collect()),
        Value::Record(fields) => clear_fields(fields),
        Value::Object(object) => clear_fields(object.shown_fields()),
        other => other.to_masked_json(),
    }
}

fn clear_fields<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Json {
    let fields = fields.into_iter();
    Json::Object(fields.map(|(name, value)| (name.clone(), clear(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Object;
    use crate::value::secret::Secret;

    #[test]
    fn only_revealed_columns_show_their_secrets() {
        let reveal = Reveal::columns(["password"]);
        let secret = Value::Secret(Secret::new("hunter2"));
        assert_eq!(reveal.json("password", &secret), "hunter2");
        assert_eq!(reveal.json(" password ", &secret), "hunter2");
        assert_eq!(reveal.json("Password", &secret), "***");
        assert_eq!(Reveal::nothing().json("password", &secret), "***");
    }

    #[test]
    fn a_revealed_column_shows_nested_secrets_but_no_hidden_fields() {
        let tenant = Value::Object(Object::new(
            "mobsted::Tenant",
            [
                ("password", Secret::new("hunter2").into()),
                ("$token", Secret::new("hidden").into()),
            ],
        ));
        let list = Value::List(vec![tenant]);
        let json = Reveal::columns(["tenants"]).json("tenants", &list);
        assert_eq!(json.to_string(), r#"[{"password":"hunter2"}]"#);
    }
}

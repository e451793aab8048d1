//! Addresses: Postman writes them as a text, as parts, or as both.

use serde_json::Value as Json;

use super::collection::{Field, fields, text};

/// An address in its parts, variables still in it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Address {
    /// Everything before the query, with a scheme.
    pub(super) base: String,
    pub(super) query: Vec<Field>,
    /// A user and a password that stood in it.
    pub(super) user: Option<(String, String)>,
    /// Was there no scheme? Postman takes http then, and provisor https.
    pub(super) scheme_added: bool,
}

/// Reads an address.
pub(super) fn read(json: &Json) -> Address {
    let raw = match json {
        Json::String(raw) => raw.clone(),
        other => match text(&other["raw"]) {
            raw if raw.trim().is_empty() => built(other),
            raw => raw,
        },
    };
    let raw = raw.trim();
    let raw = raw.split_once('#').map_or(raw, |(before, _)| before);
    let (base, own) = raw.split_once('?').unwrap_or((raw, ""));
    let query = match &json["query"] {
        // Postman sends what is escaped already as it is.
        Json::Array(_) => fields(&json["query"]).into_iter().map(unescaped).collect(),
        _ => pairs(own),
    };
    let base = with_path_variables(base, json);
    let (base, user) = without_user(&base);
    let (base, scheme_added) = with_scheme(base);
    Address {
        base,
        query,
        user,
        scheme_added,
    }
}

/// The query of a text, decoded, with its variables as they are.
fn pairs(query: &str) -> Vec<Field> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            Field {
                key: decoded(key),
                value: decoded(value),
                file: None,
            }
        })
        .collect()
}

fn unescaped(field: Field) -> Field {
    Field {
        key: decoded(&field.key.replace('+', "%2B")),
        value: decoded(&field.value.replace('+', "%2B")),
        file: None,
    }
}

fn decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('&', "%26"));
    let first = url::form_urlencoded::parse(pair.as_bytes()).next();
    first.map_or_else(|| text.to_owned(), |(_, value)| value.into_owned())
}

/// An address from its parts.
fn built(json: &Json) -> String {
    let joined = |json: &Json, with: &str| match json {
        Json::String(text) => text.clone(),
        Json::Array(parts) => parts.iter().map(part).collect::<Vec<_>>().join(with),
        _ => String::new(),
    };
    let host = joined(&json["host"], ".");
    let path = joined(&json["path"], "/");
    let protocol = text(&json["protocol"]);
    let scheme = if protocol.is_empty() {
        String::new()
    } else {
        format!("{}://", protocol.trim_end_matches("://"))
    };
    let port = match text(&json["port"]) {
        port if port.is_empty() => port,
        port => format!(":{port}"),
    };
    match path.trim_start_matches('/') {
        "" => format!("{scheme}{host}{port}"),
        path => format!("{scheme}{host}{port}/{path}"),
    }
}

/// A part of a path: a text, or an object with its value.
fn part(json: &Json) -> String {
    match json {
        Json::Object(fields) => fields.get("value").map(text).unwrap_or_default(),
        other => text(other),
    }
}

/// Puts values in the place of `:name` parts; one without a value becomes the variable of its name.
fn with_path_variables(base: &str, json: &Json) -> String {
    let variables = super::collection::variables(&json["variable"]);
    let (scheme, rest) = base
        .split_once("://")
        .map_or(("", base), |(scheme, rest)| (scheme, rest));
    let parts: Vec<String> = rest
        .split('/')
        .enumerate()
        .map(|(index, part)| match part.strip_prefix(':') {
            Some(name) if index > 0 && !name.is_empty() => path_variable(name, &variables),
            _ => part.to_owned(),
        })
        .collect();
    let rest = parts.join("/");
    if scheme.is_empty() {
        rest
    } else {
        format!("{scheme}://{rest}")
    }
}

/// What stands for `:name`, behind which an ending may stand, as in `:id.json`.
fn path_variable(name: &str, variables: &[super::collection::Variable]) -> String {
    let exact = variables.iter().find(|variable| variable.key == name);
    let begun = || {
        variables.iter().find(|variable| {
            name.strip_prefix(&variable.key)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    };
    let key = match exact.or_else(begun) {
        Some(variable) => variable.key.as_str(),
        None => name.split('.').next().unwrap_or(name),
    };
    let ending = name.strip_prefix(key).unwrap_or_default();
    let value = variables
        .iter()
        .find(|variable| variable.key == key)
        .map_or("", |variable| variable.value.trim());
    // What programs write where they know no value.
    let nothing = value.is_empty() || value == key || value == "{}" || value.starts_with([':', '<']);
    match nothing {
        true => format!("{{{{{key}}}}}{ending}"),
        false => format!("{value}{ending}"),
    }
}

/// Takes `user:password@` out.
fn without_user(base: &str) -> (String, Option<(String, String)>) {
    let (scheme, rest) = base
        .split_once("://")
        .map_or(("", base), |(scheme, rest)| (scheme, rest));
    let host = rest.split('/').next().unwrap_or(rest);
    let Some((user, _)) = host.rsplit_once('@') else {
        return (base.to_owned(), None);
    };
    let rest = &rest[user.len() + 1..];
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let base = if scheme.is_empty() {
        rest.to_owned()
    } else {
        format!("{scheme}://{rest}")
    };
    (base, Some((decoded(name), decoded(password))))
}

/// A scheme where there is none and no variable that may hold one.
fn with_scheme(base: String) -> (String, bool) {
    if base.contains("://") || base.starts_with("{{") || base.is_empty() {
        return (base, false);
    }
    (format!("https://{base}"), true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_read_in_every_form() {
        let parts = json!({"protocol": "https", "host": ["api", "example", "com"], "port": "8443", "path": ["v1", {"type": "string", "value": "users"}, ":id"],
            "query": [{"key": "a", "value": "1+1%26"}, {"key": "b", "value": "2", "disabled": true}], "variable": [{"key": "id", "value": "7"}]});
        let read_parts = read(&parts);
        assert_eq!(read_parts.base, "https://api.example.com:8443/v1/users/7");
        assert_eq!(read_parts.query.len(), 1);
        let text = read(&json!("{{base}}/users/:id?q=a%20b&t={{t}}#top"));
        assert_eq!(text.base, "{{base}}/users/{{id}}");
        let ending =
            read(&json!({"raw": "{{base}}/users/:id.json", "variable": [{"id": "id", "value": "id"}]}));
        assert_eq!(ending.base, "{{base}}/users/{{id}}.json");
        let query: Vec<&str> = text.query.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(query, ["a b", "{{t}}"]);
    }

    #[test]
    fn a_user_is_taken_out_and_a_scheme_put_in() {
        let with_user = read(&json!("https://ann:s3cret@example.com/x"));
        assert_eq!(with_user.base, "https://example.com/x");
        assert_eq!(with_user.user, Some(("ann".into(), "s3cret".into())));
        let bare = read(&json!("example.com/x"));
        assert!(bare.scheme_added && bare.base == "https://example.com/x");
        assert!(!read(&json!("{{host}}/x")).scheme_added);
        assert_eq!(read(&json!(null)).base, "");
    }
}

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
    /// Was there no scheme? Postman takes http then, and provisor https but for this machine.
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
        Json::Array(_) => fields(&json["query"]).iter().map(unescaped).collect(),
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
            Field::new(&decoded(key), &decoded(value))
        })
        .collect()
}

fn unescaped(field: &Field) -> Field {
    let plain = |text: &str| decoded(&text.replace('+', "%2B"));
    Field::new(&plain(&field.key), &plain(&field.value))
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
    if nothing {
        format!("{{{{{key}}}}}{ending}")
    } else {
        format!("{value}{ending}")
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
    if scheme(&base).is_some() || base.starts_with("{{") || base.is_empty() {
        return (base, false);
    }
    (format!("{}{base}", scheme_for(&base)), true)
}

/// The scheme that an address begins with.
pub(super) fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once("://")?;
    (!scheme.contains(['/', ':'])).then_some(scheme)
}

/// What an address without a scheme begins with: Postman's http on this machine, https everywhere else.
pub(super) fn scheme_for(address: &str) -> &'static str {
    if is_near(address) { "http://" } else { "https://" }
}

/// The host of an address, with or without a scheme.
pub(super) fn host(address: &str) -> &str {
    let start = scheme(address).map_or(0, |scheme| scheme.len() + "://".len());
    let rest = &address[start..];
    let end = match rest.find(']') {
        Some(end) if rest.starts_with('[') => Some(end + 1),
        _ => rest.find(['/', ':']),
    };
    &rest[..end.unwrap_or(rest.len())]
}

/// Does an address, with or without a scheme, lead to this machine?
pub(super) fn is_near(address: &str) -> bool {
    crate::cli::config::is_near(&format!("http://{}", host(address)))
}

#[cfg(test)]
mod tests;

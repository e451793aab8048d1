//! URLs, which Postman stores as a string, as parts, or as both.

use serde_json::Value as Json;

use super::collection::{Field, fields, text};

/// The parts of an address, with variables unresolved.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Address {
    /// Everything before the query, including the scheme.
    pub(super) base: String,
    pub(super) query: Vec<Field>,
    /// The user and password that were in the address, if any.
    pub(super) user: Option<(String, String)>,
    /// Whether a missing scheme was added. Postman defaults to http; provisor to https, except on this machine.
    pub(super) scheme_added: bool,
}

/// Parses an address.
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
        // Postman sends existing escapes as they are, so decode them.
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

/// Parses and decodes a query string; variables stay as they are.
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

/// Builds an address from its parts.
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

/// The text of a part, which is a string or an object with a `value`.
fn part(json: &Json) -> String {
    match json {
        Json::Object(fields) => fields.get("value").map(text).unwrap_or_default(),
        other => text(other),
    }
}

/// Replaces `:name` parts by their values; one without a value becomes the variable of that name.
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

/// The replacement for `:name`, which may have a suffix, as in `:id.json`.
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
    // Placeholders that programs write for an unknown value.
    let nothing = value.is_empty() || value == key || value == "{}" || value.starts_with([':', '<']);
    if nothing {
        format!("{{{{{key}}}}}{ending}")
    } else {
        format!("{value}{ending}")
    }
}

/// Splits off `user:password@`.
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

/// Adds a scheme unless there is one or a leading variable may hold one. Returns whether it was added.
fn with_scheme(base: String) -> (String, bool) {
    if scheme(&base).is_some() || base.starts_with("{{") || base.is_empty() {
        return (base, false);
    }
    let base = base.strip_prefix("//").unwrap_or(&base);
    (format!("{}{base}", scheme_for(base)), true)
}

/// The scheme of an address, if it has one.
pub(super) fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once("://")?;
    (!scheme.contains(['/', ':'])).then_some(scheme)
}

/// The default scheme of an address: http on this machine, as in Postman; https everywhere else.
pub(super) fn scheme_for(address: &str) -> &'static str {
    if is_loopback_address(address) {
        "http://"
    } else {
        "https://"
    }
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

/// Whether an address, with or without a scheme, points to this machine.
pub(super) fn is_loopback_address(address: &str) -> bool {
    crate::cli::config::is_local_or_sandbox(&format!("http://{}", host(address)))
}

#[cfg(test)]
mod tests;

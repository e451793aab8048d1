//! Links in responses: addresses and templates (RFC 6570), followed only below the account's own API.

use iri_string::spec::UriSpec;
use iri_string::template::UriTemplateStr;
use iri_string::template::simple_context::SimpleContext;
use url::Url;

use super::account::BaseUrl;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::value::{Record, Value};

/// Expands a template with these variables. Variables without a value are omitted, as RFC 6570 requires.
pub(super) fn expand(template: &str, variables: &Record) -> Result<String, ApiError> {
    let broken = || {
        ApiError::bad_input(format!(
            "`{template}` is not a link: its template cannot be parsed"
        ))
    };
    let mut context = SimpleContext::new();
    for (name, value) in variables {
        match value {
            Value::Null => {}
            Value::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(plain).collect();
                let items = items.ok_or_else(|| link_value_error(name))?;
                context.insert(
                    name.as_str(),
                    iri_string::template::simple_context::Value::List(items),
                );
            }
            one => {
                context.insert(name.as_str(), plain(one).ok_or_else(|| link_value_error(name))?);
            }
        }
    }
    let template = UriTemplateStr::new(template).map_err(|_| broken())?;
    let expanded = template.expand::<UriSpec, _>(&context).map_err(|_| broken())?;
    Ok(expanded.to_string())
}

/// Resolves a link, which must be below the account's API: a token is sent nowhere else.
pub(super) fn own(base: &BaseUrl, link: &str) -> Result<Url, ApiError> {
    let elsewhere = |place: &str| {
        let message = format!("the link leads to {place}, but calls must stay below {base}");
        ApiError::new(ApiErrorKind::Address, message)
    };
    let url = base
        .api("/")?
        .join(link)
        .map_err(|_| ApiError::bad_input("the link is not an address"))?;
    let clean = url.username().is_empty() && url.password().is_none() && !has_encoded_dot_segment(url.path());
    if clean && base.owns(&url) {
        Ok(url)
    } else {
        Err(elsewhere(url.host_str().unwrap_or("no host")))
    }
}

/// Whether some servers would decode a part of the path to `..`.
fn has_encoded_dot_segment(path: &str) -> bool {
    let path = path.to_ascii_lowercase().replace("%2e", ".");
    path.replace("%2f", "/")
        .replace("%5c", "/")
        .split(['/', '\\'])
        .any(|part| part == "..")
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(int) => Some(int.to_string()),
        Value::Float(float) => Some(float.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn link_value_error(name: &str) -> ApiError {
    ApiError::bad_input(format!(
        "`{name}` cannot be part of a link; use a text, a number or a list of them"
    ))
}

#[cfg(test)]
mod tests;

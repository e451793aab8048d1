//! Builds the HTTP request from the arguments of a call.

use std::ops::RangeInclusive;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::http::{self, Part, PartContent, ServiceRequest};
use crate::client::{Body, Method};
pub(crate) use crate::operation::call::{Call, parse_duration};
use crate::operation::error::{Code, OpError};
use crate::value::{Record, Value};

/// Headers that only the transport sets.
const OWN_HEADERS: &[&str] = &["host", "content-length", "transfer-encoding", "connection"];

/// The permitted range of the timeout of one try.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(24);

/// Builds the request for a call.
pub(super) fn asked(call: &Call, method: Method) -> Result<ServiceRequest, OpError> {
    let map = |key: &str| match call.option(key) {
        Some(Value::Record(fields)) => fields.clone(),
        _ => Record::new(),
    };
    let (body, kind) = body(call)?;
    if matches!(method, Method::Get | Method::Head) && body != Body::None {
        return Err(bad(format!("a {} cannot have a body", method.as_str())));
    }
    let mut headers = headers(map("headers"))?;
    let typed = |name: &String| name.eq_ignore_ascii_case("content-type");
    match (kind, &body) {
        (Some(_), _) if headers.iter().any(|(name, _)| typed(name)) => {
            return Err(bad(
                "`content_type` and the header `content-type` are both given".to_owned()
            ));
        }
        (None, Body::Multipart(_) | Body::Form(_)) if headers.iter().any(|(name, _)| typed(name)) => {
            return Err(bad("provisor sets the header `content-type` of a form".to_owned()));
        }
        (Some(kind), Body::Json(_)) => headers.push(("content-type".to_owned(), kind.into())),
        _ => {}
    }
    let basic = map("basic");
    let user = basic.get("user").and_then(Value::as_text).map(str::to_owned);
    let bearer = call.option("bearer").and_then(Call::secret);
    if user.as_ref().is_some_and(|user| user.contains(':')) {
        return Err(bad(
            "the user of `basic` contains a colon, which HTTP does not allow".to_owned(),
        ));
    }
    let authorised = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if [user.is_some(), bearer.is_some(), authorised]
        .iter()
        .filter(|given| **given)
        .count()
        > 1
    {
        let message =
            "`bearer`, `basic` and the header `authorization` all sign the request; pass only one of them";
        return Err(bad(message.to_owned()));
    }
    Ok(ServiceRequest {
        method,
        url: http::address(&call.text("url"))?,
        query: map("query").into_iter().collect(),
        headers,
        body,
        bearer,
        basic: user.zip(basic.get("password").and_then(Call::secret)),
        timeout: timeout(call)?,
    })
}

/// The timeout of one try, if given.
fn timeout(call: &Call) -> Result<Option<Duration>, OpError> {
    match call.option("timeout").and_then(parse_duration) {
        Some(timeout) if !TIMEOUTS.contains(&timeout) => Err(bad(
            "`timeout` must be from 1ms to 24h: how long one attempt may take".to_owned(),
        )),
        timeout => Ok(timeout),
    }
}

fn headers(given: Record) -> Result<Vec<(String, Value)>, OpError> {
    let mut headers = Vec::new();
    for (name, value) in given {
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(bad(format!("provisor sets the header `{name}`")));
        }
        if http::account::header(&name).is_err() {
            let name = name.escape_debug();
            return Err(bad(format!(
                "`{name}` is not a valid header name: use letters, digits and dashes"
            )));
        }
        match value {
            Value::Record(_) | Value::Object(_) => {
                return Err(bad(format!(
                    "the header `{name}` must be text, not {}",
                    value.type_name()
                )));
            }
            value => headers.push((name, value)),
        }
    }
    Ok(headers)
}

/// The body, and its content type if the script gives one.
fn body(call: &Call) -> Result<(Body, Option<String>), OpError> {
    let given: Vec<&str> = ["json", "form", "multipart", "body"]
        .into_iter()
        .filter(|key| call.option(key).is_some_and(|value| *value != Value::Null))
        .collect();
    let kind = call
        .option("content_type")
        .and_then(Value::as_text)
        .map(str::to_owned);
    let [one] = given.as_slice() else {
        return match (given.as_slice(), kind) {
            ([], None) => Ok((Body::None, None)),
            ([], Some(_)) => Err(bad("`content_type` goes with `body`".to_owned())),
            _ => Err(bad(format!(
                "a request has one body, not {}",
                given.join(" and ")
            ))),
        };
    };
    let value = call.option(one).cloned().unwrap_or_default();
    if kind.is_some() && matches!(*one, "form" | "multipart") {
        return Err(bad(format!(
            "use `content_type` with `body` or `json`, not with `{one}`"
        )));
    }
    let body = match (*one, value) {
        ("json", value) => Body::Json(value),
        ("form", Value::Record(fields)) => Body::Form(fields),
        ("multipart", Value::Record(fields)) => Body::Multipart(parts(fields)?),
        (_, content) => {
            let kind = kind.unwrap_or_else(|| "text/plain; charset=utf-8".to_owned());
            return Ok((Body::Raw { kind, content }, None));
        }
    };
    Ok((body, kind))
}

fn parts(fields: Record) -> Result<Vec<Part>, OpError> {
    let mut parts = Vec::new();
    for (name, value) in fields {
        match value {
            Value::List(items) => {
                for item in items {
                    parts.push(part(&name, item)?);
                }
            }
            Value::Null => {}
            one => parts.push(part(&name, one)?),
        }
    }
    Ok(parts)
}

fn part(name: &str, value: Value) -> Result<Part, OpError> {
    let plain = |content: Value| Part {
        name: name.to_owned(),
        filename: None,
        kind: None,
        content: PartContent::Value(content),
    };
    let Value::Record(mut file) = value else {
        return match value {
            Value::List(_) | Value::Object(_) | Value::Null => Err(bad(format!(
                "the part `{name}` must be text or a map, not {}",
                value.type_name()
            ))),
            content => Ok(plain(content)),
        };
    };
    let content = file
        .remove("content")
        .filter(|content| matches!(content, Value::Text(_) | Value::Secret(_)));
    let content = content.ok_or_else(|| bad(format!("the part `{name}` has no text under `content`")))?;
    let mut text = |key: &str| match file.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) if !text.contains(['\r', '\n', '"']) => Ok(Some(text)),
        Some(_) => Err(bad(format!(
            "`{key}` of the part `{name}` must be text on one line, without quotes"
        ))),
    };
    let (filename, kind, encoding) = (text("filename")?, text("type")?, text("encoding")?);
    let content = match (encoding.as_deref(), content) {
        (None, content) => PartContent::Value(content),
        (Some("base64"), Value::Text(content)) => {
            let bytes = STANDARD.decode(content).map_err(|_| {
                bad(format!(
                    "`content` of the part `{name}` is not base64, as `encoding` says"
                ))
            })?;
            PartContent::Bytes(bytes)
        }
        (Some("base64"), _) => {
            return Err(bad(format!(
                "the part `{name}` is base64, which a secret cannot be"
            )));
        }
        (Some(_), _) => {
            return Err(bad(format!(
                "`encoding` of the part `{name}` can only be \"base64\""
            )));
        }
    };
    if let Some(unknown_key) = file.keys().next() {
        return Err(bad(format!(
            "the part `{name}` has no key `{unknown_key}`; it has content, encoding, filename, type"
        )));
    }
    Ok(Part {
        name: name.to_owned(),
        filename,
        kind,
        content,
    })
}

fn bad(message: String) -> OpError {
    OpError::new(Code::BadArgument, message)
}

#[cfg(test)]
mod tests;

//! The envelopes of Sparrow's responses.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::reply::Reply;

/// Returns a 200 with `data`.
pub(super) fn ok(data: &Value) -> Reply {
    Reply::ok(&json!({ "data": data, "meta": {}, "result": "00", "status": "OK" }))
}

/// Returns a 200 for a message that was only kept as a draft.
pub(super) fn draft(data: &Value) -> Reply {
    Reply::ok(&json!({ "data": data, "meta": {}, "result": "01", "status": "DRAFT" }))
}

/// Returns a 400 in the documented form of failed sends.
pub(super) fn data_error(text: &str) -> Reply {
    failed(StatusCode::BAD_REQUEST, text)
}

/// Returns the same with another status.
pub(super) fn failed(status: StatusCode, text: &str) -> Reply {
    let body = json!({ "data": { "errors": text }, "meta": {}, "result": "11", "status": "DATA_ERROR" });
    Reply::json(status, &body)
}

/// Returns a response of the platform's underlying framework.
pub(super) fn detail(status: StatusCode, text: &str) -> Reply {
    Reply::json(status, &json!({ "detail": text }))
}

//! The form of Sparrow's answers.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::reply::Reply;

/// 200 with `data`.
pub(super) fn ok(data: &Value) -> Reply {
    Reply::ok(&json!({ "data": data, "meta": {}, "result": "00", "status": "OK" }))
}

/// 200 for what was kept as a draft only.
pub(super) fn draft(data: &Value) -> Reply {
    Reply::ok(&json!({ "data": data, "meta": {}, "result": "01", "status": "DRAFT" }))
}

/// 400: the documented form of failed sends.
pub(super) fn data_error(text: &str) -> Reply {
    failed(StatusCode::BAD_REQUEST, text)
}

/// The same with another status.
pub(super) fn failed(status: StatusCode, text: &str) -> Reply {
    let body = json!({ "data": { "errors": text }, "meta": {}, "result": "11", "status": "DATA_ERROR" });
    Reply::json(status, &body)
}

/// What the framework below the platform answers by itself.
pub(super) fn detail(status: StatusCode, text: &str) -> Reply {
    Reply::json(status, &json!({ "detail": text }))
}

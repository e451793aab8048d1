//! The forms of Mobsted's requests and responses: bodies, `data` with `meta`, and `errors`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::call::{Call, Page};
use super::super::form::Fields;
use super::super::platform::Refusal;
use super::super::reply::Reply;

/// The largest page size that public clients are known to use; larger ones are reduced to it (assumed).
const MAX_PAGE_SIZE: u64 = 200;

/// The default page size (assumed).
const PAGE_SIZE: u64 = 20;

/// Reads `page` (from 1) and `pageSize`.
pub(super) fn page(call: &Call) -> Page {
    call.page("page", "pageSize", PAGE_SIZE, MAX_PAGE_SIZE)
}

/// Reads the body of a call that the vendor documents with JSON.
pub(super) fn document(call: &Call) -> Result<Fields, Reply> {
    call.fields()
        .ok_or_else(|| bad_request("The body is not a JSON object"))
}

/// Reads the body of a call that public clients send as a form.
pub(super) fn form(call: &Call) -> Result<Fields, Reply> {
    call.fields()
        .ok_or_else(|| bad_request("The body is neither JSON nor a form"))
}

/// Parses a whole number, or its digits as text, because forms have no numbers.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns a resource as it is in `data`.
pub(super) fn resource(kind: &str, id: u64, attributes: impl Into<Value>) -> Value {
    json!({ "type": kind, "id": id, "attributes": attributes.into() })
}

/// Returns the requested page of a list.
pub(super) fn list<T>(
    call: &Call,
    items: impl IntoIterator<Item = T>,
    resource: impl FnMut(T) -> Value,
) -> Reply {
    let page = page(call);
    let (items, total) = page.of(items);
    let items: Vec<Value> = items.into_iter().map(resource).collect();
    on_page(page, &items, total)
}

/// Returns a page of a list that has `total` items in all.
pub(super) fn on_page(page: Page, data: &[Value], total: usize) -> Reply {
    let last_page = (total as u64).div_ceil(page.size).max(1);
    Reply::ok(&json!({
        "data": data,
        "meta": {
            "current_page": page.number,
            "last_page": last_page,
            "total": total,
            "per_page": page.size,
        },
    }))
}

/// Returns a list without pages: of one resource, of some, or of none.
pub(super) fn data(resources: impl IntoIterator<Item = Value>) -> Reply {
    let resources: Vec<Value> = resources.into_iter().collect();
    Reply::ok(&json!({ "data": resources, "meta": {} }))
}

/// Returns an error. Its wire form is assumed.
pub(super) fn error(status: StatusCode, detail: &str) -> Reply {
    let title = status.canonical_reason().unwrap_or("Error");
    let error = json!({ "status": status.as_str(), "title": title, "detail": detail });
    Reply::json(status, &json!({ "errors": [error] }))
}

/// Returns a 400.
pub(super) fn bad_request(detail: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, detail)
}

/// Returns the response to a refused change.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    error(refusal.status, &refusal.text)
}

/// Returns a 404 for a call that the sandbox does not simulate.
pub(super) fn unknown(call: &Call) -> Reply {
    let path = call.segments().join("/");
    let detail = format!("{} /{path} is not known to the sandbox", call.method);
    error(StatusCode::NOT_FOUND, &detail)
}

/// Formats a time as Mobsted does: UTC, microseconds, no zone.
pub(super) fn timestamp(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

#[cfg(test)]
mod tests;

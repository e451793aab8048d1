//! The envelopes of Mobsted's responses: `data` with `meta`, and `errors`.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::super::call::Call;
use super::super::reply::Reply;

/// The largest page size that public clients are known to use; larger ones are reduced to it (assumed).
const MAX_PAGE_SIZE: u64 = 200;

/// The default page size (assumed).
const PAGE_SIZE: u64 = 20;

/// One resource in `data`.
#[derive(Debug, Serialize)]
pub(super) struct Resource<A> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) id: u64,
    pub(super) attributes: A,
}

/// The requested part of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    number: u64,
    size: u64,
}

#[derive(Serialize)]
struct Listing<A> {
    data: Vec<Resource<A>>,
    meta: Meta,
}

#[derive(Serialize)]
struct Meta {
    current_page: u64,
    last_page: u64,
    total: usize,
    per_page: u64,
}

impl Page {
    /// Reads `page` (from 1) and `pageSize`.
    pub(super) fn asked(call: &Call) -> Page {
        let size = call
            .number("pageSize")
            .unwrap_or(PAGE_SIZE)
            .clamp(1, MAX_PAGE_SIZE);
        Page {
            number: call.number("page").unwrap_or(1).max(1),
            size,
        }
    }

    /// Returns the items of this page.
    pub(super) fn of<T>(self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        items
            .skip(count((self.number - 1).saturating_mul(self.size)))
            .take(count(self.size))
    }

    /// Returns a page of a list that has `total` items in all.
    pub(super) fn reply<A: Serialize>(self, data: Vec<Resource<A>>, total: usize) -> Reply {
        let last_page = (total as u64).div_ceil(self.size).max(1);
        let meta = Meta {
            current_page: self.number,
            last_page,
            total,
            per_page: self.size,
        };
        Reply::ok(&Listing { data, meta })
    }
}

/// Returns a list of one resource.
pub(super) fn single<A: Serialize>(resource: &Resource<A>) -> Reply {
    Reply::ok(&json!({ "data": [resource], "meta": {} }))
}

/// Returns an empty list.
pub(super) fn empty() -> Reply {
    Reply::ok(&json!({ "data": [], "meta": {} }))
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

/// Formats a time as Mobsted does: UTC, microseconds, no zone.
pub(super) fn timestamp(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

#[cfg(test)]
mod tests;

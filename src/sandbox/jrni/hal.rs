//! The forms of JRNI's requests and responses: bodies, HAL (a resource with `_links` and `_embedded`), paged lists, and
//! errors.
//!
//! Links are absolute and use the address that the client used, as on the real platform; some are RFC 6570 templates.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::call::{Call, Page};
use super::super::form::Fields;
use super::super::platform::Refusal;
use super::super::reply::Reply;
use super::records::FieldType;

/// The first version of the API.
pub(super) const V1: &str = "v1";

/// The base of links: the address that the client used.
#[derive(Debug, Clone)]
pub(super) struct BaseUrl {
    root: String,
    /// The version of the API, as in `v1`.
    version: String,
}

impl BaseUrl {
    /// Returns the address that the call used.
    pub(super) fn of(call: &Call, version: &str) -> BaseUrl {
        BaseUrl {
            root: call.style.root("jrni"),
            version: version.to_owned(),
        }
    }

    /// Returns the URL of the API, without a final slash.
    pub(super) fn api(&self) -> String {
        format!("{}/api/{}", self.root, self.version)
    }

    /// Returns a link to a path below the API.
    pub(super) fn link(&self, path: &str) -> Value {
        json!({ "href": format!("{}/{path}", self.api()) })
    }

    /// Returns a link that is a URI template.
    pub(super) fn template(&self, path: &str) -> Value {
        json!({ "href": format!("{}/{path}", self.api()), "templated": true })
    }

    /// Returns a link to version 1 of the API, which responses of version 5 still contain.
    pub(super) fn old_link(&self, path: &str) -> Value {
        json!({ "href": format!("{}/api/v1/{path}", self.root) })
    }
}

/// The largest page size; larger ones are reduced to it (assumed: no limit is published).
pub(super) const MAX_PAGE_SIZE: u64 = 1000;

/// Reads `page` (from 1) and `per_page`, whose default differs from list to list.
pub(super) fn page(call: &Call, default_size: u64) -> Page {
    call.page("page", "per_page", default_size, MAX_PAGE_SIZE)
}

/// Reads the body of a call.
pub(super) fn fields(call: &Call) -> Result<Fields, Reply> {
    call.fields()
        .ok_or_else(|| bad_request("the body is not JSON, a form or multipart"))
}

/// Returns a page of a list that has `total` items in all. Version 1 of the API links to the adjacent pages as `next`
/// and `previous`, version 5 as `next` and `back`.
pub(super) fn list(
    page: Page,
    base: &BaseUrl,
    path: &str,
    rel: &str,
    items: &[Value],
    total: usize,
) -> Reply {
    let at = |number: u64| base.link(&format!("{path}?page={number}&per_page={}", page.size));
    let mut links = Map::new();
    links.insert("self".to_owned(), at(page.number));
    if page.number.saturating_mul(page.size) < total as u64 {
        links.insert("next".to_owned(), at(page.number + 1));
    }
    if page.number > 1 {
        let name = if base.version == V1 { "previous" } else { "back" };
        links.insert(name.to_owned(), at(page.number - 1));
    }
    Reply::ok(&json!({
        "total_entries": total,
        "_embedded": { rel: items },
        "_links": links,
    }))
}

/// Returns the JSON schema of the accepted fields, the target of `new` and `edit` links.
pub(super) fn form(fields: &[(&str, FieldType)]) -> Reply {
    let property = |(name, kind): &(&str, FieldType)| {
        (
            (*name).to_owned(),
            json!({ "title": name.replace('_', " "), "type": kind.names().0 }),
        )
    };
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    Reply::ok(
        &json!({ "form": fields.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "schema": { "type": "object", "properties": properties } }),
    )
}

/// Formats a time as JRNI does: UTC.
pub(super) fn timestamp(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Returns an error. The form of all but 401 is assumed, from the documented one of 409.
pub(super) fn error(status: StatusCode, message: &str, detail: &str) -> Reply {
    let body = json!({ "status": status.as_u16(), "message": message, "error": detail });
    Reply::json(status, &body)
}

/// Returns a 400 for an invalid parameter.
pub(super) fn bad_request(detail: &str) -> Reply {
    let body = json!({
        "status": 400, "message": "ValidationError", "error": "400 Bad Request", "detail": detail,
    });
    Reply::json(StatusCode::BAD_REQUEST, &body)
}

/// Returns a 401, in the vendor manual's form.
pub(super) fn unauthorised() -> Reply {
    Reply::json(StatusCode::UNAUTHORIZED, &json!({ "error": "401 Unauthorized" }))
}

/// Returns a 404.
pub(super) fn not_found(detail: &str) -> Reply {
    error(StatusCode::NOT_FOUND, "NotFoundError", detail)
}

/// Returns the response to a refused change.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    let message = match refusal.status {
        StatusCode::NOT_FOUND => "NotFoundError",
        StatusCode::FORBIDDEN => "ForbiddenError",
        StatusCode::CONFLICT => "DuplicateError",
        _ => "StorageError",
    };
    error(refusal.status, message, &refusal.text)
}

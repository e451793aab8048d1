//! The forms of JRNI's responses: HAL (a resource with `_links` and `_embedded`), paged lists, and errors.
//!
//! Links are absolute and use the address that the client used, as on the real platform; some are RFC 6570 templates.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::address::Style;
use super::super::call::Call;
use super::super::reply::Reply;
use super::event::Refusal;
use super::fields::FieldType;

/// The version of the API that a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V3,
    V5,
}

/// The base of links: the address that the client used.
#[derive(Debug, Clone)]
pub(super) struct BaseUrl {
    root: String,
    version: Version,
}

/// Returns the URL of the platform in the given style: `http://`, without a final slash or the API's path.
pub(in crate::sandbox) fn root(style: &Style) -> String {
    match style {
        Style::Host(host) => format!("http://{host}"),
        Style::Path(host) => format!("http://{host}/jrni"),
    }
}

impl Version {
    /// Returns its name in URLs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Version::V1 => "v1",
            Version::V3 => "v3",
            Version::V5 => "v5",
        }
    }
}

impl BaseUrl {
    /// Returns the address that the call used.
    pub(super) fn of(call: &Call, version: Version) -> BaseUrl {
        BaseUrl {
            root: root(&call.style),
            version,
        }
    }

    /// Returns the URL of the API, without a final slash.
    pub(super) fn api(&self) -> String {
        format!("{}/api/{}", self.root, self.version.name())
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

/// The requested part of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    number: u64,
    size: u64,
}

/// The largest page size; larger ones are reduced to it (assumed: no limit is published).
const MAX_PAGE_SIZE: u64 = 1000;

impl Page {
    /// Reads `page` (from 1) and `per_page`, whose default differs from list to list.
    pub(super) fn asked(call: &Call, default_size: u64) -> Page {
        Page {
            number: call.number("page").unwrap_or(1).max(1),
            size: call
                .number("per_page")
                .unwrap_or(default_size)
                .clamp(1, MAX_PAGE_SIZE),
        }
    }

    /// Returns one page that holds all items.
    pub(super) fn whole() -> Page {
        Page {
            number: 1,
            size: MAX_PAGE_SIZE,
        }
    }

    /// Returns the items of this page.
    pub(super) fn of<T>(self, items: Vec<T>) -> Vec<T> {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let skipped = count((self.number - 1).saturating_mul(self.size));
        items.into_iter().skip(skipped).take(count(self.size)).collect()
    }

    /// Returns a page of a list that has `total` items in all. Version 1 of the API links to the adjacent pages as
    /// `next` and `previous`, version 5 as `next` and `back`.
    pub(super) fn reply(self, base: &BaseUrl, path: &str, rel: &str, items: &[Value], total: usize) -> Reply {
        let at = |page: u64| base.link(&format!("{path}?page={page}&per_page={}", self.size));
        let mut links = Map::new();
        links.insert("self".to_owned(), at(self.number));
        if self.number.saturating_mul(self.size) < total as u64 {
            links.insert("next".to_owned(), at(self.number + 1));
        }
        if self.number > 1 {
            let name = match base.version {
                Version::V1 => "previous",
                Version::V3 | Version::V5 => "back",
            };
            links.insert(name.to_owned(), at(self.number - 1));
        }
        Reply::ok(&json!({
            "total_entries": total,
            "_embedded": { rel: items },
            "_links": links,
        }))
    }
}

/// Returns the JSON schema of the accepted fields, the target of `new` and `edit` links.
pub(super) fn form(fields: &[(&str, FieldType)]) -> Reply {
    let property = |(name, kind): &(&str, FieldType)| {
        (
            (*name).to_owned(),
            json!({ "title": name.replace('_', " "), "type": kind.json_type() }),
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

/// Returns the response to a refused command.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    let text = refusal.to_string();
    match refusal {
        Refusal::NoCompany(_) | Refusal::Nothing { .. } => not_found(&text),
        Refusal::NotOwned { .. } => error(StatusCode::FORBIDDEN, "ForbiddenError", &text),
        Refusal::Duplicate(_) => error(StatusCode::CONFLICT, "DuplicateError", &text),
        Refusal::Storage(_) => error(StatusCode::INSUFFICIENT_STORAGE, "StorageError", &text),
    }
}

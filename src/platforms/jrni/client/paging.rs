//! Paged lists, read completely or not at all: a truncated list would hide existing resources.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::Client;
pub(crate) use crate::client::answer::Answer;
use crate::client::error::{ApiError, ApiErrorKind};
pub(crate) use crate::client::fields::{self, Fields};
use crate::transport::request::Request;
use crate::value::{Value, digest};

/// Items requested per page. No limit is published; the default for people is 300.
const PAGE_SIZE: i64 = 100;

/// The page limit beyond which a list is considered endless.
const MAX_PAGES: i64 = 10_000;

impl Client {
    /// Reads all items named `rel` of a paged list; `None` if there is no such list. Pages are counted, not followed:
    /// the links between them are named differently in the two versions, and may lead to another host.
    pub(super) async fn listed(&self, request: &Request, rel: &str) -> Result<Option<Vec<Fields>>, ApiError> {
        let mut all: Vec<Fields> = Vec::new();
        let mut seen = HashSet::new();
        for number in 1..=MAX_PAGES {
            let request = request
                .clone()
                .query("page", Value::Int(number))
                .query("per_page", Value::Int(PAGE_SIZE));
            let Some(answer) = self.find(request).await? else {
                return Ok(None);
            };
            let page = read(&answer, rel)?;
            if !page.items.is_empty() && !seen.insert(page.digest) {
                return Err(answer.unreadable("a page of the list repeats an earlier one"));
            }
            let (none, full) = (
                page.items.is_empty(),
                i64::try_from(page.items.len()).is_ok_and(|items| items >= PAGE_SIZE),
            );
            all.extend(page.items);
            let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
            let ended = match page.total {
                Some(total) if none && count < total => {
                    return Err(answer.unreadable("the list has fewer entries than the total it reports"));
                }
                Some(total) => count >= total,
                None => !page.next && !full,
            };
            if ended || none {
                return Ok(Some(all));
            }
        }
        let message = format!("the list of {rel} has more than {MAX_PAGES} pages");
        Err(ApiError::new(ApiErrorKind::Unreadable, message))
    }
}

/// The items named `rel` inside a resource: embedded, or at the top level as in older responses.
pub(super) fn embedded(resource: &Fields, rel: &str) -> Option<Vec<Fields>> {
    let inner = resource
        .get("_embedded")
        .and_then(|embedded| embedded.get(rel))
        .or_else(|| resource.get(rel))?;
    let items = inner.as_array()?.iter();
    items.map(|item| item.as_object().cloned()).collect()
}

struct Page {
    items: Vec<Fields>,
    total: Option<i64>,
    next: bool,
    digest: String,
}

fn read(answer: &Answer, rel: &str) -> Result<Page, ApiError> {
    let json = answer.json()?;
    let top = json
        .as_object()
        .ok_or_else(|| answer.unreadable("it is not an object"))?;
    let items = embedded(top, rel).ok_or_else(|| answer.unreadable(&format!("it has no list of {rel}")))?;
    let next = top.get("_links").and_then(|links| links.get("next"));
    let shown: Vec<Json> = items.iter().cloned().map(Json::Object).collect();
    Ok(Page {
        total: fields::int(top, &["total_entries"]),
        next: next.is_some_and(|next| !next.is_null()),
        digest: digest::sha256(Json::from(shown).to_string().as_bytes()),
        items,
    })
}

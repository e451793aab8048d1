//! Lists in pages, read to their end or not at all: a list cut short would hide what exists.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serde_json::Value as Json;

use super::Client;
use super::wire::{self, Fields};
use crate::platform::answer::Answer;
use crate::platform::error::{ApiError, ApiErrorKind};
use crate::transport::request::Method;
use crate::value::{Value, digest};

/// Items asked for per page (public clients).
const PAGE_SIZE: i64 = 100;

/// More pages than this mean that the list never ends.
const MOST_PAGES: i64 = 10_000;

impl Client {
    /// Gives `each` the items of one page after another, until the last or until it breaks.
    pub(super) async fn each_page(
        &self,
        path: &str,
        query: &[(&str, Value)],
        mut each: impl FnMut(Vec<Fields>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        let mut seen = HashSet::new();
        for number in 1..=MOST_PAGES {
            let mut request = self.request(Method::Get, path)?;
            for (name, value) in query {
                request = request.query(name, value.clone());
            }
            let request = request
                .query("page", Value::Int(number))
                .query("pageSize", Value::Int(PAGE_SIZE));
            let answer = self.ask(request).await?;
            let page = read(&answer, number)?;
            if !page.items.is_empty() && !seen.insert(page.digest) {
                return Err(answer.unreadable("a page of the list repeats an earlier one"));
            }
            if each(page.items).is_break() || page.last {
                return Ok(());
            }
        }
        let message = format!("the list at {path} has more than {MOST_PAGES} pages");
        Err(ApiError::new(ApiErrorKind::Unreadable, message))
    }
}

struct Page {
    items: Vec<Fields>,
    digest: String,
    last: bool,
}

fn read(answer: &Answer, number: i64) -> Result<Page, ApiError> {
    let mut json = answer.json()?;
    let data = json.get_mut("data").map(Json::take);
    let Some(Json::Array(data)) = data else {
        return Err(answer.unreadable("it has no list under `data`"));
    };
    let Some(meta) = json.get("meta").and_then(Json::as_object) else {
        return Err(answer.unreadable("it has no `meta`"));
    };
    if wire::int(meta, &["current_page"]).is_some_and(|current| current != number) {
        return Err(answer.unreadable("it is another page than the one asked for"));
    }
    let count = i64::try_from(data.len()).unwrap_or(i64::MAX);
    let last = match wire::int(meta, &["last_page"]) {
        Some(last) => number >= last,
        // Not documented to be missing. Only a page that is not full proves the end then.
        None => count < PAGE_SIZE,
    };
    let digest = digest::sha256(Json::from(data.clone()).to_string().as_bytes());
    let items: Option<Vec<Fields>> = data.into_iter().map(object).collect();
    let items = items.ok_or_else(|| answer.unreadable("an item of the list is no object"))?;
    Ok(Page { items, digest, last })
}

fn object(item: Json) -> Option<Fields> {
    match item {
        Json::Object(fields) => Some(fields),
        _ => None,
    }
}

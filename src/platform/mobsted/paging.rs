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

/// A list as it was read last. It can be read on from there.
#[derive(Debug)]
pub struct Listing<T> {
    items: Vec<(String, T)>,
    /// The page that was read last, none at first; how many items came before it; and the first item on it.
    page: i64,
    before: usize,
    first: Option<Value>,
}

impl<T> Listing<T> {
    /// The items of this name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &T> {
        self.items
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, item)| item)
    }

    /// All items.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(|(_, item)| item)
    }

    /// Was it ever read?
    pub fn is_read(&self) -> bool {
        self.page > 0
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Listing<T> {
        Listing {
            items: Vec::new(),
            page: 0,
            before: 0,
            first: None,
        }
    }
}

impl Client {
    /// Reads a list again: its last page and what has come behind it, or the whole when something before has moved.
    /// `read` gives the name and the item.
    pub(super) async fn read_on<T: Send>(
        &self,
        path: &str,
        query: &[(&str, Value)],
        listing: &mut Listing<T>,
        read: impl Fn(&Fields) -> Option<(String, T)> + Send + Sync,
    ) -> Result<(), ApiError> {
        if listing.page > 1 && self.read_from_last(path, query, listing, &read).await? {
            return Ok(());
        }
        *listing = Listing::default();
        self.read_from_last(path, query, listing, &read).await.map(drop)
    }

    /// Reads from the page on that was read last. Says whether the list goes on where it did.
    async fn read_from_last<T: Send>(
        &self,
        path: &str,
        query: &[(&str, Value)],
        listing: &mut Listing<T>,
        read: &(impl Fn(&Fields) -> Option<(String, T)> + Send + Sync),
    ) -> Result<bool, ApiError> {
        let start = listing.page.max(1);
        let mut number = start - 1;
        let mut moved = false;
        let mut items = Vec::new();
        let mut last = (listing.before, None);
        let known = listing.first.clone();
        let pages = self.each_page_from(start, path, query, |page| {
            number += 1;
            let first = page.first().and_then(|item| wire::id_in(item, &["id"]));
            moved = number == start && start > 1 && (first.is_none() || first != known);
            if moved {
                return ControlFlow::Break(());
            }
            last = (listing.before + items.len(), first);
            items.extend(page.iter().filter_map(read));
            ControlFlow::Continue(())
        });
        match pages.await {
            // A list that has become shorter has no such page.
            Err(error) if start > 1 && error.kind == ApiErrorKind::Unreadable => return Ok(false),
            other => other?,
        }
        if !moved {
            listing.items.truncate(listing.before);
            listing.items.extend(items);
            listing.page = number;
            (listing.before, listing.first) = last;
        }
        Ok(!moved)
    }

    /// Gives `each` the items of one page after another, until the last or until it breaks.
    pub(super) async fn each_page(
        &self,
        path: &str,
        query: &[(&str, Value)],
        each: impl FnMut(Vec<Fields>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        self.each_page_from(1, path, query, each).await
    }

    async fn each_page_from(
        &self,
        start: i64,
        path: &str,
        query: &[(&str, Value)],
        mut each: impl FnMut(Vec<Fields>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        let mut seen = HashSet::new();
        for number in start..=MOST_PAGES {
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

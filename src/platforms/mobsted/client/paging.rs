//! Paged lists, read completely or not at all: a truncated list would hide existing resources.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;

use serde_json::Value as Json;

use super::Client;
use super::objects::id_text;
use super::wire::{self, Fields};
pub(crate) use crate::client::answer::Answer;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::transport::request::Method;
use crate::value::{Value, digest};

/// Items requested per page (public clients).
const PAGE_SIZE: i64 = 100;

/// The page limit beyond which a list is considered endless.
const MAX_PAGES: i64 = 10_000;

/// An item of a list with its search keys.
pub(super) struct Entry<T> {
    /// Its normalized name.
    pub(super) name: String,
    /// Its id, if callers search by it.
    pub(super) id: Option<String>,
    pub(super) item: T,
}

/// The last known state of a list, from which reading can continue. Only the last page is kept in full; earlier pages
/// are indexed by name and id, so that a list of a million items takes little memory.
pub struct Listing<T> {
    /// The page read last, 0 at first, and the id of its first item.
    page: i64,
    first: Option<Value>,
    last: Vec<Entry<T>>,
    /// Hashes of names and ids, with their pages.
    marks: BTreeSet<(u64, i64)>,
    digests: RandomState,
}

/// The entries of a list with one name.
pub struct Named<T> {
    /// The pages before the last one that contain it.
    pub pages: Vec<i64>,
    /// The entries on the last page.
    pub last: Vec<T>,
}

impl<T: Clone> Listing<T> {
    /// Returns the entries with this name.
    pub fn named(&self, name: &str) -> Named<T> {
        let last = self.last.iter().filter(|entry| entry.name == name);
        Named {
            pages: self.pages(&Mark::Name(name)).collect(),
            last: last.map(|entry| entry.item.clone()).collect(),
        }
    }
}

/// The value that a hash is computed from.
#[derive(Hash)]
enum Mark<'a> {
    Name(&'a str),
    Id(&'a str),
}

impl<T> Listing<T> {
    /// Whether the list contains an item with this id.
    pub fn has_id(&self, id: &Value) -> bool {
        let id = id_text(id);
        let on_last = self.last.iter().any(|entry| entry.id.as_ref() == Some(&id));
        on_last || self.pages(&Mark::Id(&id)).next().is_some()
    }

    /// Whether the list has ever been read.
    pub fn is_read(&self) -> bool {
        self.page > 0
    }

    fn pages(&self, mark: &Mark<'_>) -> impl Iterator<Item = i64> {
        let digest = self.digests.hash_one(mark);
        self.marks
            .range((digest, 0)..=(digest, i64::MAX))
            .map(|(_, page)| *page)
    }

    /// Adds a page: the last one again, or the next one.
    fn take(&mut self, page: i64, first: Option<Value>, entries: Vec<Entry<T>>) {
        let before = std::mem::replace(&mut self.last, entries);
        if page > self.page {
            for entry in &before {
                let id = entry.id.as_deref().map(Mark::Id);
                for mark in [Some(Mark::Name(&entry.name)), id].into_iter().flatten() {
                    self.marks.insert((self.digests.hash_one(mark), self.page));
                }
            }
        }
        (self.page, self.first) = (page, first);
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Listing<T> {
        Listing {
            page: 0,
            first: None,
            last: Vec::new(),
            marks: BTreeSet::new(),
            digests: RandomState::new(),
        }
    }
}

impl Client {
    /// Updates a list: reads its last page and those after it, or all of it if an earlier part has changed.
    pub(super) async fn read_on<T: Send>(
        &self,
        path: &str,
        query: &[(&str, Value)],
        listing: &mut Listing<T>,
        read: impl Fn(&Fields) -> Option<Entry<T>> + Send + Sync,
    ) -> Result<(), ApiError> {
        if listing.page > 1 && self.read_from_last(path, query, listing, &read).await? {
            return Ok(());
        }
        *listing = Listing::default();
        self.read_from_last(path, query, listing, &read).await.map(drop)
    }

    /// Reads from the page that was read last. Returns whether the list continues where it ended.
    async fn read_from_last<T: Send>(
        &self,
        path: &str,
        query: &[(&str, Value)],
        listing: &mut Listing<T>,
        read: &(impl Fn(&Fields) -> Option<Entry<T>> + Send + Sync),
    ) -> Result<bool, ApiError> {
        let start = listing.page.max(1);
        let mut number = start - 1;
        let mut moved = false;
        let pages = self.for_each_page_from(start, path, query, |page| {
            number += 1;
            let first = page.first().and_then(|item| wire::id_in(item, &["id"]));
            moved = number == start && start > 1 && (first.is_none() || first != listing.first);
            if moved {
                return ControlFlow::Break(());
            }
            listing.take(number, first, page.iter().filter_map(read).collect());
            ControlFlow::Continue(())
        });
        match pages.await {
            // A list that has become shorter has no such page.
            Err(error) if start > 1 && error.kind == ApiErrorKind::Unreadable => Ok(false),
            other => other.map(|()| !moved),
        }
    }

    /// The items with this name on one page of a list; none if the list has become shorter.
    pub(super) async fn named_on_page<T: Send>(
        &self,
        path: &str,
        query: &[(&str, Value)],
        (page, name): (i64, &str),
        read: impl Fn(&Fields) -> Option<Entry<T>> + Send + Sync,
    ) -> Result<Vec<T>, ApiError> {
        let mut found = Vec::new();
        let pages = self.for_each_page_from(page, path, query, |items| {
            let entries = items.iter().filter_map(&read);
            found.extend(entries.filter(|entry| entry.name == name).map(|entry| entry.item));
            ControlFlow::Break(())
        });
        match pages.await {
            Err(error) if error.kind == ApiErrorKind::Unreadable => Ok(Vec::new()),
            other => other.map(|()| found),
        }
    }

    /// Passes the items of each page to `each`, until the last page or until it breaks.
    pub(super) async fn for_each_page(
        &self,
        path: &str,
        query: &[(&str, Value)],
        each: impl FnMut(Vec<Fields>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        self.for_each_page_from(1, path, query, each).await
    }

    async fn for_each_page_from(
        &self,
        start: i64,
        path: &str,
        query: &[(&str, Value)],
        mut each: impl FnMut(Vec<Fields>) -> ControlFlow<()> + Send,
    ) -> Result<(), ApiError> {
        let mut seen = HashSet::new();
        for number in start..=MAX_PAGES {
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
        let message = format!("the list at {path} has more than {MAX_PAGES} pages");
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
        return Err(answer.unreadable("it is not the page that was requested"));
    }
    let count = i64::try_from(data.len()).unwrap_or(i64::MAX);
    let last = match wire::int(meta, &["last_page"]) {
        Some(last) => number >= last,
        // Undocumented. Then only a page that is not full proves the end.
        None => count < PAGE_SIZE,
    };
    let digest = digest::sha256(Json::from(data.clone()).to_string().as_bytes());
    let items: Option<Vec<Fields>> = data.into_iter().map(object).collect();
    let items = items.ok_or_else(|| answer.unreadable("an item of the list is not an object"))?;
    Ok(Page { items, digest, last })
}

fn object(item: Json) -> Option<Fields> {
    match item {
        Json::Object(fields) => Some(fields),
        _ => None,
    }
}

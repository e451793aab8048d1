//! Tracks which items belong to which app. An item's id does not reveal it, and App 1 has items like any other app.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use super::Client;
use super::judge::{Items, Kind, protected, refused, whole};
use super::tenants::SUB_ACCOUNTS_APP;
use super::wire::{self, Fields};
pub(crate) use crate::client::answer::Answer;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::value::Value;

/// The ids of items by kind and app, as listed by the platform. An item never moves to another app.
#[derive(Default)]
pub(super) struct Members(Mutex<HashMap<(Kind, u64), HashSet<u64>>>);

impl Members {
    /// The first of these items not known to belong to its app.
    fn stranger(&self, items: &Items) -> Option<u64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = known.get(&(items.kind, items.app));
        let is_known = |id: &&u64| own.is_some_and(|own| own.contains(id));
        items.ids.iter().find(|id| !is_known(id)).copied()
    }

    fn note(&self, kind: Kind, app: u64, ids: impl IntoIterator<Item = u64>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry((kind, app)).or_default().extend(ids);
    }
}

impl Client {
    /// Refuses items that do not certainly belong to the claimed app. The app's list is read if one of them is not
    /// known yet.
    pub(super) async fn refuse_foreign_items(&self, items: &Items) -> Result<(), ApiError> {
        if self.0.members.stranger(items).is_none() {
            return Ok(());
        }
        let first_of_app_one = self.item_ids(items.kind, SUB_ACCOUNTS_APP, true).await;
        let first_of_app_one = match first_of_app_one {
            // An account without App 1 has nothing to protect.
            Err(error) if error.kind == ApiErrorKind::NotFound => HashSet::new(),
            other => other?,
        };
        let own = self.item_ids(items.kind, items.app, false).await?;
        if !own.is_disjoint(&first_of_app_one) {
            // The platform does not separate the lists by app, so they prove nothing.
            return Err(protected());
        }
        self.0.members.note(items.kind, items.app, own);
        match self.0.members.stranger(items) {
            None => Ok(()),
            Some(id) => Err(refused(&format!(
                "{id} was not found in app {}, so it may belong to App 1, which must never be changed",
                items.app
            ))),
        }
    }

    /// Records the item that a request has just created in an app.
    pub(super) fn note_new(&self, items: &Items, answer: &Answer) {
        let made = answer.json().ok();
        let data = made.as_ref().and_then(|json| json.get("data"));
        let item = data.and_then(|data| data.get(0).unwrap_or(data).as_object());
        self.0.members.note(items.kind, items.app, item.and_then(id));
    }

    async fn item_ids(&self, kind: Kind, app: u64, first_page: bool) -> Result<HashSet<u64>, ApiError> {
        let field = match kind {
            Kind::Object => self.endpoints().get("objects_app_field"),
            Kind::Screen => "ApplicationId",
            Kind::List => "appId",
        };
        let mut ids = HashSet::new();
        let of = [(field, Value::from(app.to_string()))];
        self.for_each_page(self.endpoints().get(kind.endpoint()), &of, |page| {
            ids.extend(page.iter().filter_map(id));
            if first_page {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await?;
        Ok(ids)
    }
}

fn id(item: &Fields) -> Option<u64> {
    let id = wire::id_in(item, &["id"]).or_else(|| wire::id_in(wire::attributes(item), &["id"]));
    whole(&id?)
}

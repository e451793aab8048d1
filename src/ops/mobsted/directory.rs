//! What accounts have, list by list: each is read once, and from then on only what came behind.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::MutexGuard;

use super::{APP, TENANT, account_of};
use crate::ops::error::OpError;
use crate::ops::world::World;
use crate::platform::error::{ApiError, ApiErrorKind};
use crate::platform::mobsted::apps::App;
use crate::platform::mobsted::paging::Listing;
use crate::platform::mobsted::tenants::TenantRow;
use crate::sabotage::Sabotage;
use crate::value::{Object, identity};

/// The lists of a process, by account.
#[derive(Default)]
pub(in crate::ops) struct Directories {
    tenants: Lists<TenantRow>,
    apps: Lists<App>,
}

type Lists<T> = Mutex<HashMap<String, Arc<List<T>>>>;

/// One list of one account. Whoever asks gets what was read after it asked; those who ask meanwhile share a reading.
struct List<T> {
    asked: AtomicU64,
    kept: tokio::sync::Mutex<Kept<T>>,
}

struct Kept<T> {
    listing: Listing<T>,
    /// As many askers had come when it was read.
    serves: u64,
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List {
            asked: AtomicU64::new(0),
            kept: tokio::sync::Mutex::new(Kept {
                listing: Listing::default(),
                serves: 0,
            }),
        }
    }
}

impl<T> Kept<T> {
    /// Notes a reading. An account that may not list is told so when it creates; look-ups will not settle anything for it.
    fn note(&mut self, read: Result<(), ApiError>, serves: u64) -> Result<(), OpError> {
        match read {
            Err(error) if !matches!(error.kind, ApiErrorKind::Forbidden | ApiErrorKind::NotFound) => {
                Err(error.into())
            }
            _ => {
                self.serves = serves;
                Ok(())
            }
        }
    }
}

impl<T> List<T> {
    /// Was it read in this process?
    async fn is_read(&self) -> bool {
        self.kept.lock().await.listing.is_read()
    }

    /// The list as it is now: `read` reads it on, unless another asker's reading began after this one came.
    async fn now(
        &self,
        read: impl AsyncFnOnce(&mut Listing<T>) -> Result<(), ApiError>,
    ) -> Result<MutexGuard<'_, Kept<T>>, OpError> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut kept = self.kept.lock().await;
        if kept.serves < mine && !(kept.listing.is_read() && Sabotage::ListNotReadOn.is_on()) {
            let serves = self.asked.load(Ordering::SeqCst);
            let read = read(&mut kept.listing).await;
            kept.note(read, serves)?;
        }
        Ok(kept)
    }
}

/// The list of a session's account.
fn of<T>(lists: &Lists<T>, session: &Object) -> Result<Arc<List<T>>, OpError> {
    let account = format!("{}\n{}", account_of(session)?, session.text("login"));
    let mut lists = lists.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Arc::clone(lists.entry(account).or_default()))
}

impl World {
    /// Is a tenant or an app that the ledger holds certainly gone? Looks only when its account's list was read before in
    /// this process, which then is read on.
    pub(in crate::ops) async fn is_gone(&self, session: &Object, held: &Object) -> Result<bool, OpError> {
        match held.kind.as_str() {
            TENANT => {
                let list = of(&self.mobsted.directories.tenants, session)?;
                if !list.is_read().await {
                    return Ok(false);
                }
                match identity::email(held.text("email")) {
                    Some(email) => Ok(self.tenants_now(session, &email).await?.is_empty()),
                    None => Ok(false),
                }
            }
            APP => {
                let list = of(&self.mobsted.directories.apps, session)?;
                if !list.is_read().await {
                    return Ok(false);
                }
                self.apps_now(session, "").await?;
                // It may have another name by now.
                let kept = list.kept.lock().await;
                let mut ids = kept.listing.items().map(|app| super::apps::id_text(&app.id));
                Ok(held
                    .fields
                    .get("id")
                    .is_some_and(|id| !ids.any(|own| own == super::apps::id_text(id))))
            }
            _ => Ok(false),
        }
    }

    /// The tenants of this address, in one spelling, that the account has now. What is there before a request is not
    /// what the request makes. An account that may not list has none.
    pub(super) async fn tenants_now(&self, session: &Object, email: &str) -> Result<Vec<TenantRow>, OpError> {
        let list = of(&self.mobsted.directories.tenants, session)?;
        let client = self.mobsted(session)?;
        let kept = list
            .now(async |tenants| client.read_tenants_on(tenants).await)
            .await?;
        let mut rows: Vec<TenantRow> = kept.listing.named(email).cloned().collect();
        // A row that moved from one page to the next while we read is still one row.
        rows.dedup_by(|one, other| one.id.is_some() && one.id == other.id);
        Ok(rows)
    }

    /// The apps of this name, in one spelling, that the account has now.
    pub(super) async fn apps_now(&self, session: &Object, name: &str) -> Result<Vec<App>, OpError> {
        let list = of(&self.mobsted.directories.apps, session)?;
        let client = self.mobsted(session)?;
        let kept = list
            .now(async |apps| client.read_applications_on(apps).await)
            .await?;
        let mut apps: Vec<App> = kept.listing.named(name).cloned().collect();
        apps.dedup_by(|one, other| one.id == other.id);
        Ok(apps)
    }
}

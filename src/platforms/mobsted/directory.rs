//! Cached lists of accounts: each is read once in full, and afterwards only what was appended.

use super::connection::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::MutexGuard;

use super::client::Client;
use super::client::apps::App;
use super::client::paging::Listing;
use super::client::tenants::TenantRow;
use super::{APP, TENANT, account_of};
use crate::client::clients::Recent;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::operation::context::OpContext;
use crate::operation::error::OpError;
use crate::operation::spec::Boxed;
use crate::sabotage::Sabotage;
use crate::value::{Object, identity};

/// The lists cached by a process, by account. Those not used recently are dropped, and read again when needed.
#[derive(Default)]
pub(super) struct Directories {
    tenants: Lists<TenantRow>,
    apps: Lists<App>,
}

type Lists<T> = Recent<Arc<List<T>>>;

/// The number of attempts to read a list that changes whenever one of its pages is read again.
const READ_ATTEMPTS: usize = 3;

/// One list of one account. A caller gets a state read after its request; those arriving meanwhile share a reading.
struct List<T> {
    requests: AtomicU64,
    cached: tokio::sync::Mutex<CachedListing<T>>,
}

struct CachedListing<T> {
    listing: Listing<T>,
    /// The number of requests that the last reading covers.
    serves: u64,
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List {
            requests: AtomicU64::new(0),
            cached: tokio::sync::Mutex::default(),
        }
    }
}

impl<T> Default for CachedListing<T> {
    fn default() -> CachedListing<T> {
        CachedListing {
            listing: Listing::default(),
            serves: 0,
        }
    }
}

impl<T> CachedListing<T> {
    /// Records a reading. Without permission to list, an account gets the error when it creates; lookups settle
    /// nothing.
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

/// The items of a list.
trait ListItem: Clone + Send {
    /// Continues reading the list.
    fn read_on<'a>(client: &'a Client, listing: &'a mut Listing<Self>) -> Boxed<'a, Result<(), ApiError>>;

    /// Reads the items with this name on a page before the last, as those are not cached.
    fn on_page<'a>(client: &'a Client, page: i64, name: &'a str) -> Boxed<'a, Result<Vec<Self>, ApiError>>;
}

impl ListItem for TenantRow {
    fn read_on<'a>(client: &'a Client, listing: &'a mut Listing<Self>) -> Boxed<'a, Result<(), ApiError>> {
        Box::pin(client.read_tenants_on(listing))
    }

    fn on_page<'a>(client: &'a Client, page: i64, name: &'a str) -> Boxed<'a, Result<Vec<Self>, ApiError>> {
        Box::pin(client.tenants_on_page(page, name))
    }
}

impl ListItem for App {
    fn read_on<'a>(client: &'a Client, listing: &'a mut Listing<Self>) -> Boxed<'a, Result<(), ApiError>> {
        Box::pin(client.read_applications_on(listing))
    }

    fn on_page<'a>(client: &'a Client, page: i64, name: &'a str) -> Boxed<'a, Result<Vec<Self>, ApiError>> {
        Box::pin(client.applications_on_page(page, name))
    }
}

impl<T: ListItem> List<T> {
    /// Whether the list has been read in this process.
    async fn is_read(&self) -> bool {
        self.cached.lock().await.listing.is_read()
    }

    /// Returns the current list: updated, unless another caller's reading began after this request.
    async fn now(&self, client: &Client) -> Result<MutexGuard<'_, CachedListing<T>>, OpError> {
        let ticket = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let mut cached = self.cached.lock().await;
        if cached.serves < ticket && !(cached.listing.is_read() && Sabotage::ListNotReadOn.is_on()) {
            let serves = self.requests.load(Ordering::SeqCst);
            // A failed reading covers no request.
            cached.serves = 0;
            let read = T::read_on(client, &mut cached.listing).await;
            cached.note(read, serves)?;
        }
        Ok(cached)
    }

    /// The items with this name that the list has now.
    async fn named(&self, client: &Client, name: &str) -> Result<Vec<T>, OpError> {
        for _ in 0..READ_ATTEMPTS {
            let named = self.now(client).await?.listing.named(name);
            let mut found = Vec::new();
            let mut moved = false;
            for page in named.pages {
                let items = T::on_page(client, page, name).await?;
                moved |= items.is_empty();
                found.extend(items);
            }
            if !moved {
                found.extend(named.last);
                return Ok(found);
            }
            *self.cached.lock().await = CachedListing::default();
        }
        let message = format!("the list that may contain `{name}` changes each time it is read");
        Err(ApiError::new(ApiErrorKind::Unreadable, message).into())
    }
}

/// The list of a session's account.
fn of<T>(lists: &Lists<T>, session: &Object) -> Result<Arc<List<T>>, OpError> {
    let account = format!("{}\n{}", account_of(session)?, session.text("login"));
    Ok(lists.get(account, |_| true, Arc::default))
}

impl OpContext {
    /// Whether a tenant or an app in the ledger is certainly gone. Checks only if its account's list has been read in
    /// this process before; the list is then updated.
    pub(super) async fn is_gone(&self, session: &Object, held: &Object) -> Result<bool, OpError> {
        match held.kind.as_str() {
            TENANT => {
                let list = of(&self.state::<Shared>()?.directories.tenants, session)?;
                if !list.is_read().await {
                    return Ok(false);
                }
                match identity::email(held.text("email")) {
                    Some(email) => Ok(self.current_tenants(session, &email).await?.is_empty()),
                    None => Ok(false),
                }
            }
            APP => {
                let list = of(&self.state::<Shared>()?.directories.apps, session)?;
                if !list.is_read().await {
                    return Ok(false);
                }
                self.current_apps(session, "").await?;
                // It may have been renamed.
                let cached = list.cached.lock().await;
                let id = held.fields.get("id");
                Ok(id.is_some_and(|id| !cached.listing.has_id(id)))
            }
            _ => Ok(false),
        }
    }

    /// The tenants with this normalized e-mail address that the account has now. Those present before a request were
    /// not created by it. An account without permission to list has none.
    pub(super) async fn current_tenants(
        &self,
        session: &Object,
        email: &str,
    ) -> Result<Vec<TenantRow>, OpError> {
        let list = of(&self.state::<Shared>()?.directories.tenants, session)?;
        let client = self.mobsted(session)?;
        let mut rows = list.named(&client, email).await?;
        // A row that moved to the next page during reading is counted once.
        rows.dedup_by(|one, other| one.id.is_some() && one.id == other.id);
        Ok(rows)
    }

    /// The apps with this normalized name that the account has now.
    pub(super) async fn current_apps(&self, session: &Object, name: &str) -> Result<Vec<App>, OpError> {
        let list = of(&self.state::<Shared>()?.directories.apps, session)?;
        let client = self.mobsted(session)?;
        let mut apps = list.named(&client, name).await?;
        apps.dedup_by(|one, other| one.id == other.id);
        Ok(apps)
    }
}

//! What accounts have, list by list: each is read once, and from then on only what came behind.

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
use crate::operation::error::OpError;
use crate::operation::spec::Boxed;
use crate::operation::world::World;
use crate::sabotage::Sabotage;
use crate::value::{Object, identity};

/// The lists of a process, by account. Those that nobody asked for lately are let go, and read again when somebody does.
#[derive(Default)]
pub(super) struct Directories {
    tenants: Lists<TenantRow>,
    apps: Lists<App>,
}

type Lists<T> = Recent<Arc<List<T>>>;

/// A list that moves whenever one of its pages is read again is given up after so many readings.
const READINGS: usize = 3;

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
            kept: tokio::sync::Mutex::default(),
        }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept {
            listing: Listing::default(),
            serves: 0,
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

/// What lists consist of.
trait Listed: Clone + Send {
    /// Reads the list on.
    fn read_on<'a>(client: &'a Client, listing: &'a mut Listing<Self>) -> Boxed<'a, Result<(), ApiError>>;

    /// Reads those of this name on a page before the last: they are not kept.
    fn on_page<'a>(client: &'a Client, page: i64, name: &'a str) -> Boxed<'a, Result<Vec<Self>, ApiError>>;
}

impl Listed for TenantRow {
    fn read_on<'a>(client: &'a Client, listing: &'a mut Listing<Self>) -> Boxed<'a, Result<(), ApiError>> {
        Box::pin(client.read_tenants_on(listing))
    }

    fn on_page<'a>(client: &'a Client, page: i64, name: &'a str) -> Boxed<'a, Result<Vec<Self>, ApiError>> {
        Box::pin(client.tenants_on_page(page, name))
    }
}

impl Listed for App {
    fn read_on<'a>(client: &'a Client, listing: &'a mut Listing<Self>) -> Boxed<'a, Result<(), ApiError>> {
        Box::pin(client.read_applications_on(listing))
    }

    fn on_page<'a>(client: &'a Client, page: i64, name: &'a str) -> Boxed<'a, Result<Vec<Self>, ApiError>> {
        Box::pin(client.applications_on_page(page, name))
    }
}

impl<T: Listed> List<T> {
    /// Was it read in this process?
    async fn is_read(&self) -> bool {
        self.kept.lock().await.listing.is_read()
    }

    /// The list as it is now: read on, unless another asker's reading began after this one came.
    async fn now(&self, client: &Client) -> Result<MutexGuard<'_, Kept<T>>, OpError> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut kept = self.kept.lock().await;
        if kept.serves < mine && !(kept.listing.is_read() && Sabotage::ListNotReadOn.is_on()) {
            let serves = self.asked.load(Ordering::SeqCst);
            // A reading that fails serves nobody.
            kept.serves = 0;
            let read = T::read_on(client, &mut kept.listing).await;
            kept.note(read, serves)?;
        }
        Ok(kept)
    }

    /// The items of this name that the list has now.
    async fn named(&self, client: &Client, name: &str) -> Result<Vec<T>, OpError> {
        for _ in 0..READINGS {
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
            *self.kept.lock().await = Kept::default();
        }
        let message = format!("the list that may have `{name}` changes whenever it is read");
        Err(ApiError::new(ApiErrorKind::Unreadable, message).into())
    }
}

/// The list of a session's account.
fn of<T>(lists: &Lists<T>, session: &Object) -> Result<Arc<List<T>>, OpError> {
    let account = format!("{}\n{}", account_of(session)?, session.text("login"));
    Ok(lists.get(account, |_| true, Arc::default))
}

impl World {
    /// Is a tenant or an app that the ledger holds certainly gone? Looks only when its account's list was read before in
    /// this process, which then is read on.
    pub(super) async fn is_gone(&self, session: &Object, held: &Object) -> Result<bool, OpError> {
        match held.kind.as_str() {
            TENANT => {
                let list = of(&self.state::<Shared>()?.directories.tenants, session)?;
                if !list.is_read().await {
                    return Ok(false);
                }
                match identity::email(held.text("email")) {
                    Some(email) => Ok(self.tenants_now(session, &email).await?.is_empty()),
                    None => Ok(false),
                }
            }
            APP => {
                let list = of(&self.state::<Shared>()?.directories.apps, session)?;
                if !list.is_read().await {
                    return Ok(false);
                }
                self.apps_now(session, "").await?;
                // It may have another name by now.
                let kept = list.kept.lock().await;
                let id = held.fields.get("id");
                Ok(id.is_some_and(|id| !kept.listing.has_id(id)))
            }
            _ => Ok(false),
        }
    }

    /// The tenants of this address, in one spelling, that the account has now. What is there before a request is not
    /// what the request makes. An account that may not list has none.
    pub(super) async fn tenants_now(&self, session: &Object, email: &str) -> Result<Vec<TenantRow>, OpError> {
        let list = of(&self.state::<Shared>()?.directories.tenants, session)?;
        let client = self.mobsted(session)?;
        let mut rows = list.named(&client, email).await?;
        // A row that moved from one page to the next while we read is still one row.
        rows.dedup_by(|one, other| one.id.is_some() && one.id == other.id);
        Ok(rows)
    }

    /// The apps of this name, in one spelling, that the account has now.
    pub(super) async fn apps_now(&self, session: &Object, name: &str) -> Result<Vec<App>, OpError> {
        let list = of(&self.state::<Shared>()?.directories.apps, session)?;
        let client = self.mobsted(session)?;
        let mut apps = list.named(&client, name).await?;
        apps.dedup_by(|one, other| one.id == other.id);
        Ok(apps)
    }
}

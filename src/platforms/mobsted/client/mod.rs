//! Mobsted's partner API, version 8: sub-accounts, apps, and all other calls.
//!
//! The sources are the vendor's partner manual, and clients and back-end code that others have published. What is only
//! assumed is in [`endpoints::Paths`] and can be corrected in a profile.

pub(super) mod account;
pub(super) mod accounts;
pub(super) mod apps;
pub(super) mod catalogue;
pub(super) mod domains;
pub(super) mod endpoints;
pub(super) mod events;
pub(super) mod objects;
pub(super) mod paging;
pub(super) mod partners;
pub(super) mod raw;
pub(super) mod tenants;

mod auth;
mod judge;
mod members;
mod tokens;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use account::{Account, Role};
use auth::Auth;
use endpoints::Endpoints;
use judge::judge;
use members::Members;

pub(crate) use crate::client::answer::Answer;
use crate::client::error::ApiError;
pub(crate) use crate::client::session::{LazySecret, Session};
use crate::client::{Flight, Network};
use crate::transport::request::{Method, Request};
use crate::value::secret::Secret;

/// The response timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For all other calls.
    pub reply: Duration,
    /// For creating a sub-account, which takes up to a minute (partner manual).
    pub tenant_creation: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            reply: Duration::from_secs(30),
            tenant_creation: Duration::from_secs(150),
        }
    }
}

/// The client of one account. Clones share tokens and connections; share one client per account ([`accounts::Accounts`]
/// does), so that one caller signs in for all.
#[derive(Clone)]
pub struct Client(Arc<Inner>, Option<Flight>);

struct Inner {
    session: Session<Auth>,
    timeouts: Timeouts,
    /// The items known to belong to each app.
    members: Members,
}

impl Client {
    /// Creates a client for `account`. Sends nothing.
    pub fn new(network: Network, account: Account, endpoints: Arc<Endpoints>, timeouts: Timeouts) -> Client {
        let auth = Auth {
            password: LazySecret::new(account.password.clone()),
            account,
            endpoints,
            reply: timeouts.reply,
        };
        let session = Session::new(auth, network);
        let inner = Inner {
            session,
            timeouts,
            members: Members::default(),
        };
        Client(Arc::new(inner), None)
    }

    /// The same client, whose changing requests pass `flight` right before they are sent, each time.
    #[must_use]
    pub fn with_flight(&self, flight: Option<&Flight>) -> Client {
        Client(Arc::clone(&self.0), flight.cloned())
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.0.session.account.account
    }

    /// Signs in, unless there are valid tokens; then it sends nothing.
    pub async fn sign_in(&self) -> Result<(), ApiError> {
        self.0.session.tokens().await.map(|_| ())
    }

    /// When the stored tokens expire, in milliseconds since the Unix epoch; `None` if there are none.
    pub async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        self.0.session.signed_in_until().await
    }

    /// Removes the tokens stored on this machine. The manual has no call to revoke them on the platform.
    pub async fn forget_tokens(&self) -> Result<(), ApiError> {
        self.0.session.forget().await
    }

    /// The account's secrets known so far.
    pub fn secrets(&self) -> Vec<Secret> {
        self.0.session.secrets()
    }

    fn role(&self) -> Role {
        self.account().role
    }

    fn endpoints(&self) -> &Endpoints {
        &self.0.session.account.endpoints
    }

    /// A request to `path` below the API; it starts with a slash.
    fn request(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let url = self.account().base.api(path)?;
        Ok(Request::new(method, url).timeout(self.0.timeouts.reply))
    }

    /// Sends a request as this account, if it is permitted. Any status but 2xx is an error.
    ///
    /// Any request that could change App 1 of a master account is refused before anything is sent.
    async fn call(&self, request: Request) -> Result<Answer, ApiError> {
        let items = match self.role() {
            Role::Master => judge(&request, self.endpoints())?,
            Role::SubAccount => None,
        };
        if let Some(items) = &items {
            self.refuse_foreign_items(items).await?;
        }
        let answer = self.ask(request).await?;
        if let Some(items) = items.filter(|items| items.ids.is_empty()) {
            self.note_new(&items, &answer);
        }
        Ok(answer)
    }

    /// Sends a request that changes nothing, or that has been judged already.
    async fn ask(&self, request: Request) -> Result<Answer, ApiError> {
        self.0.session.send(request, self.1.as_ref()).await
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.account())
    }
}

//! JRNI's REST API (formerly `BookingBug`), versions 1 and 5: companies and their staff.
//!
//! The sources are the vendor's documents, and clients that the vendor and others have published. What is only assumed
//! is in [`endpoints::Paths`] and can be corrected in a profile.

pub(super) mod account;
pub(super) mod accounts;
pub(super) mod companies;
pub(super) mod endpoints;
pub(super) mod fault;
pub(super) mod raw;
mod resources;

mod auth;
mod link;
mod paging;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use account::Account;
use auth::Auth;
use endpoints::Endpoints;

pub(crate) use crate::client::answer::Answer;
use crate::client::error::{ApiError, ApiErrorKind};
pub(crate) use crate::client::fields::{self, Fields};
pub(crate) use crate::client::session::{LazySecret, Session};
pub(crate) use crate::client::tokens::Tokens;
use crate::client::{Flight, Network};
use crate::transport::request::{Body, Method, Request};
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// The client of one account, acting on one company. Clones share the token and connections; share one client per
/// account ([`accounts::Accounts`] does), so that one caller signs in for all.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    flight: Option<Flight>,
    company: Option<u64>,
}

struct Inner {
    session: Session<Auth>,
    reply: Duration,
}

impl Client {
    /// Creates a client for `account` with this response timeout. Sends nothing.
    pub fn new(network: Network, account: Account, endpoints: Arc<Endpoints>, reply: Duration) -> Client {
        let auth = Auth {
            password: LazySecret::new(account.password.clone()),
            app_key: account.app_key.clone().map(LazySecret::new),
            account,
            endpoints,
            reply,
        };
        Client {
            inner: Arc::new(Inner {
                session: Session::new(auth, network),
                reply,
            }),
            flight: None,
            company: None,
        }
    }

    /// The same client, whose changing requests pass `flight` right before they are sent, each time.
    #[must_use]
    pub fn with_flight(mut self, flight: Option<&Flight>) -> Client {
        self.flight = flight.cloned();
        self
    }

    /// The same client, acting on a child of the company that it signs in to, for which the same token is valid
    /// (vendor's documents).
    #[must_use]
    pub fn on_company(mut self, company: Option<u64>) -> Client {
        self.company = company;
        self
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.inner.session.account.account
    }

    /// The account's secrets known so far.
    pub fn secrets(&self) -> Vec<Secret> {
        self.inner.session.secrets()
    }

    /// Signs in, unless there is a token; then it sends nothing.
    pub async fn sign_in(&self) -> Result<(), ApiError> {
        self.inner.session.tokens().await.map(|_| ())
    }

    /// Whether a token used within the last day is stored here. Only the platform knows whether it is still valid.
    pub async fn is_signed_in(&self) -> Result<bool, ApiError> {
        let now = self.inner.session.network.clock.now_millis();
        let until = self.signed_in_until().await?;
        Ok(until.is_some_and(|until| until > now))
    }

    /// Removes the token stored on this machine, but leaves it valid on the platform.
    pub async fn forget_tokens(&self) -> Result<(), ApiError> {
        self.inner.session.forget().await
    }

    /// Invalidates the token for all who share it, here and on the platform. The next call signs in again. Returns
    /// whether there was one.
    pub async fn log_out(&self) -> Result<bool, ApiError> {
        let request = self.request(Method::Delete, self.endpoints().get("logout"))?;
        self.inner.session.sign_out(request, self.flight.as_ref()).await
    }

    /// Whether the platform still accepts the stored token. Never signs in.
    pub async fn accepts_token(&self) -> Result<bool, ApiError> {
        let request = self.request(Method::Get, self.endpoints().get("login"))?;
        self.inner.session.verify_tokens(request).await
    }

    /// When the stored token expires unless it is used, in milliseconds since the Unix epoch; `None` if there is none.
    pub async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        self.inner.session.signed_in_until().await
    }

    /// The id of the company that calls act on: the one named, else the one that the platform signed the account in to.
    pub async fn company_id(&self) -> Result<u64, ApiError> {
        if let Some(company) = self.company.or(self.account().company) {
            return Ok(company);
        }
        let session = &self.inner.session;
        let tokens = session.tokens().await?;
        if let Some(company) = tokens.company {
            return Ok(company);
        }
        // The sign-in did not report it, or an earlier version of provisor has not stored it. Some servers report the
        // company of a token (vendor's SDK); otherwise a new sign-in does.
        let described = self.described_company().await?;
        let tokens = match described {
            Some(company) => {
                let tokens = session.tokens().await?;
                let amended = Tokens {
                    company: tokens.company.or(Some(company)),
                    ..tokens.clone()
                };
                session.replace_tokens(&tokens, amended).await?
            }
            None => session.sign_in_again(&tokens).await?,
        };
        tokens.company.ok_or_else(|| {
            let host = self.account().base.host();
            let message = format!("{host} does not report which company the account signs in to");
            ApiError::new(ApiErrorKind::Own(&fault::CHOOSE_COMPANY), message)
        })
    }

    /// The id of the company that calls act on, if known on this machine. Sends nothing.
    pub async fn known_company(&self) -> Result<Option<u64>, ApiError> {
        match self.company.or(self.account().company) {
            Some(company) => Ok(Some(company)),
            None => self.inner.session.known(|tokens| tokens.company).await,
        }
    }

    /// The company of the token according to the platform; `None` if it does not describe sign-ins.
    async fn described_company(&self) -> Result<Option<u64>, ApiError> {
        match self
            .call(self.request(Method::Get, self.endpoints().get("login"))?)
            .await
        {
            Ok(answer) => Ok(answer.json()?.as_object().and_then(auth::company_of)),
            Err(error) if matches!(error.status, Some(400 | 404 | 405)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn endpoints(&self) -> &Endpoints {
        &self.inner.session.account.endpoints
    }

    /// A request to `path` below the API; it starts with a slash.
    fn request(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let url = self.account().base.api(path)?;
        Ok(Request::new(method, url).timeout(self.inner.reply))
    }

    /// A request to `path` below the company's admin path.
    async fn admin(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let company = self.company_id().await?;
        self.request(method, &format!("/admin/{company}{path}"))
    }

    /// Sends a request as this account. Any status but 2xx is an error.
    async fn call(&self, request: Request) -> Result<Answer, ApiError> {
        self.inner.session.send(request, self.flight.as_ref()).await
    }

    /// Sends fields as JSON.
    async fn send(&self, request: Request, fields: &Record) -> Result<Answer, ApiError> {
        self.call(request.body(Body::Json(Value::Record(fields.clone()))))
            .await
    }

    /// Sends a request for a resource that may not exist.
    async fn find(&self, request: Request) -> Result<Option<Answer>, ApiError> {
        match self.call(request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.status == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.account())
    }
}

/// The id of a resource.
pub(super) fn id(item: &Fields) -> Option<u64> {
    u64::try_from(fields::int(item, &["id"])?).ok()
}

fn unreadable(message: &str) -> ApiError {
    ApiError::new(ApiErrorKind::Unreadable, message)
}

fn missing(what: &str) -> ApiError {
    ApiError {
        status: Some(404),
        ..ApiError::new(
            ApiErrorKind::NotFound,
            format!("the company has no list of {what} (404)"),
        )
    }
}

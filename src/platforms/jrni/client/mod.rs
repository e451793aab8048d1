//! JRNI's REST API (formerly `BookingBug`), versions 1 and 5: companies and who works for them.
//!
//! What is known comes from the vendor's documents and from clients that the vendor and others have published; what is
//! only assumed stands in [`endpoints::Paths`] and can be corrected in a profile.

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

/// One account's API, acting on one company. A clone shares the token and connections; share one client per account
/// ([`accounts::Accounts`] does), so that one caller signs in for all.
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
    /// A client for `account`, which waits so long for an answer. Sends nothing.
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

    /// The same client, whose requests that change something pass `flight` right before they leave, each time they do.
    #[must_use]
    pub fn through(mut self, flight: Option<&Flight>) -> Client {
        self.flight = flight.cloned();
        self
    }

    /// The same client, acting on another company than the one it signs in to: one below it, for which the same token
    /// is good (vendor's documents).
    #[must_use]
    pub fn within(mut self, company: Option<u64>) -> Client {
        self.company = company;
        self
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.inner.session.account.account
    }

    /// What the account signs in with, as far as it is at hand.
    pub fn secrets(&self) -> Vec<Secret> {
        self.inner.session.secrets()
    }

    /// Signs in, unless a token is at hand; then it sends nothing.
    pub async fn sign_in(&self) -> Result<(), ApiError> {
        self.inner.session.tokens().await.map(|_| ())
    }

    /// Is a token kept on this machine that was used within a day? Whether it still works only the platform can tell.
    pub async fn is_signed_in(&self) -> Result<bool, ApiError> {
        let now = self.inner.session.network.clock.now_millis();
        let until = self.signed_in_until().await?;
        Ok(until.is_some_and(|until| until > now))
    }

    /// Drops the token that is kept on this machine, and leaves it as it is on the platform.
    pub async fn forget_tokens(&self) -> Result<(), ApiError> {
        self.inner.session.forget().await
    }

    /// Makes the token invalid for all who share it, here and on the platform. The next call signs in anew. Says
    /// whether there was one.
    pub async fn log_out(&self) -> Result<bool, ApiError> {
        let request = self.request(Method::Delete, self.endpoints().get("logout"))?;
        self.inner.session.sign_out(request, self.flight.as_ref()).await
    }

    /// Does the platform still accept the token that is kept? Never signs in.
    pub async fn accepts_token(&self) -> Result<bool, ApiError> {
        let request = self.request(Method::Get, self.endpoints().get("login"))?;
        self.inner.session.are_accepted(request).await
    }

    /// When the token that is kept ends unless it is used, in milliseconds since the Unix epoch; nothing when there is
    /// none.
    pub async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        self.inner.session.signed_in_until().await
    }

    /// The number of the company that calls act on: the one that was named, or else the one that the platform signed
    /// the account in to.
    pub async fn company_id(&self) -> Result<u64, ApiError> {
        if let Some(company) = self.company.or(self.account().company) {
            return Ok(company);
        }
        let session = &self.inner.session;
        let tokens = session.tokens().await?;
        if let Some(company) = tokens.company {
            return Ok(company);
        }
        // Its sign-in did not say, or an earlier version of ours has not kept it. Some servers tell what a token is for
        // (vendor's SDK); where this one does not, a sign-in of our own does.
        let described = self.described_company().await?;
        let tokens = match described {
            Some(company) => {
                let tokens = session.tokens().await?;
                let told = Tokens {
                    company: tokens.company.or(Some(company)),
                    ..tokens.clone()
                };
                session.amend(&tokens, told).await?
            }
            None => session.anew(&tokens).await?,
        };
        tokens.company.ok_or_else(|| {
            let host = self.account().base.host();
            let message = format!("{host} does not say which company the account signs in to");
            ApiError::new(ApiErrorKind::Own(&fault::CHOOSE_COMPANY), message)
        })
    }

    /// The number of the company that calls act on, as far as this machine knows it. Sends nothing.
    pub async fn known_company(&self) -> Result<Option<u64>, ApiError> {
        match self.company.or(self.account().company) {
            Some(company) => Ok(Some(company)),
            None => self.inner.session.known(|tokens| tokens.company).await,
        }
    }

    /// The company that the platform says the token is for; nothing where it describes no sign-ins.
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

    /// A request to `path` below the API, which starts with a slash.
    fn request(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let url = self.account().base.api(path)?;
        Ok(Request::new(method, url).timeout(self.inner.reply))
    }

    /// A request to `path` below the company's administration.
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

    /// Reads what may not be there.
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

/// The number of a resource.
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

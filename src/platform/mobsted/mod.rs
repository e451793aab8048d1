//! Mobsted's partner API, version 8: sub-accounts, apps, and every other call.
//!
//! What is known comes from the vendor's partner manual and from clients and back-end code that others have
//! published; what is only assumed stands in [`endpoints::TABLE`] and can be corrected in a profile.

pub mod account;
pub mod accounts;
pub mod apps;
pub mod endpoints;
pub mod error;
pub mod guard;
pub mod raw;
pub mod tenants;

mod auth;
mod paging;
#[cfg(test)]
mod tests;
mod tokens;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;

use account::{Account, Role};
use auth::Auth;
use endpoints::Endpoints;
use error::ApiError;

use super::{Gate, TokenStore};
use crate::clock::Clock;
use crate::transport::Http;
use crate::transport::request::{Method, Request};
use crate::transport::response::{BodyError, Response};
use crate::transport::token::TokenCache;
use crate::value::Value;

/// How long to wait for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For every call but the next.
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

/// One account's API. A clone shares tokens and connections; share one client per account ([`accounts::Accounts`]
/// does), so that one caller signs in for all.
#[derive(Clone)]
pub struct Client(Arc<Inner>, Option<Gate>);

struct Inner {
    auth: Auth,
    timeouts: Timeouts,
}

impl Client {
    /// A client for `account`. Sends nothing.
    pub fn new(
        http: Http,
        account: Account,
        endpoints: Arc<Endpoints>,
        timeouts: Timeouts,
        store: Arc<dyn TokenStore>,
        clock: Clock,
    ) -> Client {
        let auth = Auth {
            http,
            account,
            endpoints,
            store,
            tokens: TokenCache::new(clock.clone()),
            clock,
            password: Mutex::new(None),
            reply: timeouts.reply,
        };
        Client(Arc::new(Inner { auth, timeouts }), None)
    }

    /// The same client, whose requests that change something pass `gate` right before they leave, each time they do.
    #[must_use]
    pub fn through(&self, gate: Option<&Gate>) -> Client {
        Client(Arc::clone(&self.0), gate.cloned())
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.0.auth.account
    }

    /// Signs in, unless tokens that live are at hand; then it sends nothing.
    pub async fn sign_in(&self) -> Result<(), ApiError> {
        self.0.auth.tokens().await.map(|_| ())
    }

    fn role(&self) -> Role {
        self.account().role
    }

    fn endpoints(&self) -> &Endpoints {
        &self.0.auth.endpoints
    }

    /// A request to `path` below the API, which starts with a slash.
    fn request(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let url = self.account().base.api(path)?;
        Ok(Request::new(method, url).timeout(self.0.timeouts.reply))
    }

    /// Sends a request as this account. A token that is not accepted is renewed, and the request sent once more.
    /// Any status but 2xx is an error.
    async fn call(&self, request: Request) -> Result<Answer, ApiError> {
        let auth = &self.0.auth;
        let gate = self.1.as_ref().filter(|_| request.method.changes()).cloned();
        let request = Request { gate, ..request };
        let mut tokens = auth.tokens().await?;
        let mut renewed = false;
        loop {
            let mut request = request.clone().bearer(&tokens.access);
            request.known.extend(tokens.refresh.clone());
            let response = auth.http.send(&request).await;
            let response = response.map_err(|error| ApiError::no_answer(&request, &error))?;
            match response.status {
                401 => auth.reject(&tokens),
                _ if response.is_success() => return Ok(Answer { request, response }),
                _ => return Err(ApiError::from_answer(&request, &response)),
            }
            if renewed {
                return Err(ApiError::from_answer(&request, &response));
            }
            tokens = auth.tokens().await?;
            renewed = true;
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.account())
    }
}

/// A 2xx answer with the request it belongs to.
struct Answer {
    request: Request,
    response: Response,
}

impl Answer {
    /// The body as JSON.
    fn json(&self) -> Result<Json, ApiError> {
        self.response
            .json()
            .map_err(|why| self.unreadable(&why.to_string()))
    }

    /// The body as a value: JSON with its credentials as secrets, a plain text, or nothing.
    fn value(&self) -> Result<Value, ApiError> {
        if self.response.is_empty() {
            return Ok(Value::Null);
        }
        match self.response.json() {
            Ok(json) => Ok(wire::guarded(json)),
            Err(BodyError::NotJson) if !self.response.says_json() => {
                let text = self.response.text();
                text.map(Value::from)
                    .map_err(|why| self.unreadable(&why.to_string()))
            }
            Err(why) => Err(self.unreadable(&why.to_string())),
        }
    }

    /// The answer is not what it should be.
    fn unreadable(&self, why: &str) -> ApiError {
        ApiError::unreadable(&self.request, &self.response, why)
    }
}

//! Signing in, and staying signed in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use super::account::Account;
use super::endpoints::Endpoints;
use super::error::{ApiError, ApiErrorKind};
use super::tokens::Tokens;
use crate::clock::Clock;
use crate::platform::TokenStore;
use crate::transport::Http;
use crate::transport::request::{Method, Request};
use crate::transport::response::Response;
use crate::transport::token::{Failure, Lease, TokenCache};
use crate::value::secret::Secret;

/// After a failure other than refused credentials, the same error is given for this long without asking again: many
/// callers fail together, and once.
const HOLD: Duration = Duration::from_secs(2);

/// An account's tokens, shared by all its callers.
pub(super) struct Auth {
    pub(super) http: Http,
    pub(super) account: Account,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) clock: Clock,
    pub(super) tokens: TokenCache<Tokens, ApiError>,
    pub(super) password: Mutex<Option<Secret>>,
    /// How long to wait for the answer to a sign-in.
    pub(super) reply: Duration,
}

impl Auth {
    /// Tokens that live, by whatever it takes.
    pub(super) async fn tokens(&self) -> Result<Tokens, ApiError> {
        self.tokens.get(|held| self.renew(held)).await
    }

    /// The platform did not accept these.
    pub(super) fn reject(&self, tokens: &Tokens) {
        self.tokens.reject(tokens);
    }

    async fn renew(&self, held: Option<Tokens>) -> Result<Lease<Tokens>, Failure<ApiError>> {
        let renewed = self.renewed(held).await;
        renewed.map(Tokens::lease).map_err(|error| Failure {
            // A refused password stays refused; asking ten thousand times would lock the account.
            hold: (error.kind != ApiErrorKind::SignInRefused).then_some(HOLD),
            error,
        })
    }

    async fn renewed(&self, held: Option<Tokens>) -> Result<Tokens, ApiError> {
        // Another process may have renewed them.
        let stored = self.load().await?;
        if let Some(fresh) = self.fresh(stored.as_ref(), held.as_ref()) {
            return Ok(fresh);
        }
        let old = stored.or(held);
        if let Some(refresh) = old.as_ref().and_then(|old| old.refresh.clone()) {
            match self.refresh(&refresh).await {
                Ok(tokens) => return self.keep(tokens).await,
                Err(error) if is_out_of_reach(error.kind) => return Err(error),
                Err(_) => {}
            }
            // Perhaps another process was faster, and the refresh token is used up for that reason.
            let stored = self.load().await?;
            if let Some(fresh) = self.fresh(stored.as_ref(), old.as_ref()) {
                return Ok(fresh);
            }
        }
        let tokens = self.log_in().await?;
        self.keep(tokens).await
    }

    /// The stored tokens, when they are others than `known` and need no renewal yet.
    fn fresh(&self, stored: Option<&Tokens>, known: Option<&Tokens>) -> Option<Tokens> {
        let now = self.clock.now_millis();
        let other = stored.filter(|stored| known.is_none_or(|known| known.access != stored.access));
        other.filter(|tokens| tokens.renew_at() > now).cloned()
    }

    async fn refresh(&self, token: &Secret) -> Result<Tokens, ApiError> {
        let url = self.account.base.api(self.endpoints.get("refresh"))?;
        let request = Request::new(Method::Get, url)
            .timeout(self.reply)
            .query("refresh_token", token.clone())
            .sensitive()
            // Each refresh token works once.
            .once();
        let response = self.http.send(&request).await;
        let response = response.map_err(|error| ApiError::no_answer(&request, &error))?;
        self.read(&request, &response)
    }

    async fn log_in(&self) -> Result<Tokens, ApiError> {
        let password = self.password().await?;
        let url = self.account.base.api(self.endpoints.get("auth"))?;
        let request = Request::new(Method::Get, url)
            .timeout(self.reply)
            .query("login", self.account.login.as_str())
            .query("password", password)
            .sensitive();
        let response = self.http.send(&request).await;
        let response = response.map_err(|error| ApiError::no_answer(&request, &error))?;
        self.read(&request, &response)
            .map_err(|error| self.explain(error))
    }

    /// The tokens in an answer. A 2xx answer without them is a refusal like any other.
    fn read(&self, request: &Request, response: &Response) -> Result<Tokens, ApiError> {
        if !response.is_success() {
            return Err(ApiError::from_answer(request, response));
        }
        let answer: Json = response
            .json()
            .map_err(|why| ApiError::unreadable(request, response, &why.to_string()))?;
        Tokens::from_answer(&answer, self.clock.now_millis()).ok_or_else(|| ApiError {
            kind: ApiErrorKind::SignInRefused,
            ..ApiError::unreadable(request, response, "it holds no token")
        })
    }

    /// A failed sign-in in the user's terms.
    fn explain(&self, error: ApiError) -> ApiError {
        let (host, login) = (self.account.base.host(), &self.account.login);
        let status = error.status.unwrap_or_default();
        let said = match &error.platform_text {
            Some(words) => format!("{status}: {words}"),
            None => status.to_string(),
        };
        match (status, error.kind) {
            (400 | 401 | 403 | 422, _) | (_, ApiErrorKind::SignInRefused) => ApiError {
                kind: ApiErrorKind::SignInRefused,
                message: format!(
                    "{host} refuses the sign-in of {login} ({said}); check the account's address, login and password"
                ),
                transient: false,
                ..error
            },
            (404, _) => ApiError {
                message: format!(
                    "{host} has no Mobsted API at {} ({said}); check the address",
                    self.account.base
                ),
                ..error
            },
            _ => error,
        }
    }

    /// Stores tokens; only then may they be used.
    async fn keep(&self, tokens: Tokens) -> Result<Tokens, ApiError> {
        let (store, key, value) = (Arc::clone(&self.store), self.account.key(), tokens.to_value());
        let saved = blocking(move || store.save(&key, &value)).await?;
        saved.map_err(|why| local(format!("new tokens cannot be kept: {why}")))?;
        Ok(tokens)
    }

    async fn load(&self) -> Result<Option<Tokens>, ApiError> {
        let (store, key) = (Arc::clone(&self.store), self.account.key());
        let value = blocking(move || store.load(&key)).await?;
        Ok(value.as_ref().and_then(Tokens::from_value))
    }

    /// The password, asked for once. Only one caller at a time renews, so only one asks.
    async fn password(&self) -> Result<Secret, ApiError> {
        let known = || self.password.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(password) = known().clone() {
            return Ok(password);
        }
        let source = self.account.password.clone();
        let password = blocking(move || source.read()).await?;
        let password = password.map_err(|why| local(format!("the password cannot be read: {why}")))?;
        if password.is_empty() {
            return Err(local("the password is empty".to_owned()));
        }
        *known() = Some(password.clone());
        Ok(password)
    }
}

/// Would signing in fail in the same way?
fn is_out_of_reach(kind: ApiErrorKind) -> bool {
    use ApiErrorKind::{Address, RateLimited, Unreachable};
    matches!(kind, Address | RateLimited | Unreachable)
}

fn local(message: String) -> ApiError {
    ApiError::new(ApiErrorKind::Local, message)
}

/// Runs what may block away from the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| local("reading credentials failed unexpectedly".to_owned()))
}

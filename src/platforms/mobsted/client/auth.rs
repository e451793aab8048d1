//! Signing in to Mobsted, and exchanging refresh tokens.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::account::Account;
use super::endpoints::Endpoints;
use super::tokens;
use crate::client::error::{ApiError, ApiErrorKind};
pub(crate) use crate::client::session::{Authenticator, LazySecret};
pub(crate) use crate::client::tokens::Tokens;
use crate::client::{Credential, Network};
use crate::transport::request::{Method, Request};
use crate::transport::response::Response;
use crate::value::secret::Secret;

/// An account and how it signs in.
pub(super) struct Auth {
    pub(super) account: Account,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) password: LazySecret,
    /// The timeout of a sign-in.
    pub(super) reply: Duration,
}

impl Authenticator for Auth {
    fn key(&self) -> String {
        self.account.key()
    }

    fn credential(&self) -> Credential {
        self.password.identity()
    }

    async fn credentials(&self) -> Result<Vec<Secret>, ApiError> {
        Ok(vec![self.password.get("password").await?])
    }

    fn refuse(&self) {
        self.password.refuse();
    }

    fn secrets(&self) -> Vec<Secret> {
        self.password.known().into_iter().collect()
    }

    async fn sign_in(&self, network: &Network) -> Result<Tokens, ApiError> {
        let password = self.password.get("password").await?;
        let request = self
            .request("auth")?
            .query("login", self.account.login.as_str())
            .query("password", password)
            .sensitive();
        self.ask(network, &request)
            .await
            .map_err(|error| self.explain(error))
    }

    async fn refresh(&self, network: &Network, token: &Secret) -> Result<Tokens, ApiError> {
        let request = self
            .request("refresh")?
            .query("refresh_token", token.clone())
            .sensitive()
            // Each refresh token works only once.
            .not_idempotent();
        self.ask(network, &request).await
    }

    /// Accepts any request: the client has already judged it, with its knowledge of the account.
    fn judge(&self, _: &Network, _: &Request) -> Result<(), ApiError> {
        Ok(())
    }

    fn authorize(&self, request: Request, tokens: &Tokens) -> Request {
        request.bearer(&tokens.access)
    }
}

impl Auth {
    fn request(&self, endpoint: &str) -> Result<Request, ApiError> {
        let url = self.account.base.api(self.endpoints.get(endpoint))?;
        Ok(Request::new(Method::Get, url).timeout(self.reply))
    }

    async fn ask(&self, network: &Network, request: &Request) -> Result<Tokens, ApiError> {
        let response = network.http.send(request).await;
        let response = response.map_err(|error| ApiError::no_answer(request, &error))?;
        read(request, &response, network.clock.now_millis())
    }

    /// Rewrites the error of a failed sign-in in the user's terms.
    fn explain(&self, error: ApiError) -> ApiError {
        let (host, login) = (self.account.base.host(), &self.account.login);
        let status = error.status.unwrap_or_default();
        let platform_message = match &error.platform_text {
            Some(platform_text) => format!("{status}: {platform_text}"),
            None => status.to_string(),
        };
        match (status, error.kind) {
            (200..300, ApiErrorKind::SignInRefused) => ApiError {
                message: format!(
                    "{host} returned no token for the sign-in of {login}; check the account's address, login and password"
                ),
                ..error
            },
            (400 | 401 | 403 | 422, _) | (_, ApiErrorKind::SignInRefused) => ApiError {
                kind: ApiErrorKind::SignInRefused,
                message: format!(
                    "{host} refuses the sign-in of {login} ({platform_message}); check the account's address, login and password"
                ),
                transient: false,
                ..error
            },
            (404, _) => ApiError {
                message: format!(
                    "{host} has no Mobsted API at {} ({platform_message}); check the address",
                    self.account.base
                ),
                ..error
            },
            _ => error,
        }
    }
}

/// Parses the tokens in a response.
fn read(request: &Request, response: &Response, now: i64) -> Result<Tokens, ApiError> {
    if !response.is_success() {
        return Err(ApiError::from_answer(request, response));
    }
    let answer: Json = response
        .json()
        .map_err(|reason| ApiError::unreadable(request, response, &reason.to_string()))?;
    // Some deployments report wrong credentials with 200 and a text; repeated attempts would lock the account.
    tokens::from_answer(&answer, now).ok_or_else(|| ApiError {
        kind: ApiErrorKind::SignInRefused,
        ..ApiError::unreadable(request, response, "it contains no token")
    })
}

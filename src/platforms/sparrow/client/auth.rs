//! Signing in to Sparrow SMS.

use std::time::Duration;

use super::account::Account;
use super::fault;
use super::tokens;
use crate::client::error::{ApiError, ApiErrorKind};
pub(crate) use crate::client::session::Authenticator;
pub(crate) use crate::client::tokens::Tokens;
use crate::client::{Credential, Network};
use crate::transport::request::{Body, Method, Request};
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// The path of the sign-in (vendor manual).
const LOGIN: &str = "/v1/autho/apitoken/login/";

/// An account with both tokens known.
pub(super) struct Auth {
    pub(super) account: Account,
    pub(super) api_token: Secret,
    pub(super) partner_token: Secret,
    /// The timeout of a sign-in.
    pub(super) reply: Duration,
}

impl Authenticator for Auth {
    /// Contains both tokens' fingerprints, since all customers share the address.
    fn key(&self) -> String {
        let (api, partner) = (self.api_token.fingerprint(), self.partner_token.fingerprint());
        format!("sparrow {} {api} {partner}", self.account.base)
    }

    fn secrets(&self) -> Vec<Secret> {
        vec![self.api_token.clone(), self.partner_token.clone()]
    }

    /// Constant, since [`Auth::key`] covers both tokens.
    fn credential(&self) -> Credential {
        Credential::StoredAt("".into())
    }

    async fn credentials(&self) -> Result<Vec<Secret>, ApiError> {
        Ok(self.secrets())
    }

    /// Nothing to do: different tokens get a different session.
    fn refuse(&self) {}

    async fn sign_in(&self, network: &Network) -> Result<Tokens, ApiError> {
        let mut fields = Record::new();
        fields.insert("api_token".into(), self.api_token.clone().into());
        fields.insert("partner_token".into(), self.partner_token.clone().into());
        let mut request = Request::new(Method::Post, self.account.base.at(LOGIN)?)
            .body(Body::Json(Value::Record(fields)))
            .timeout(self.reply);
        // It creates a token and changes nothing else, so repeating it is harmless.
        request.idempotent = true;
        let response = network
            .send(&request)
            .await
            .map_err(|error| self.explain(error))?;
        if !response.is_success() {
            return Err(self.explain(ApiError::from_answer(&request, &response)));
        }
        let unreadable = |reason: &str| self.explain(ApiError::unreadable(&request, &response, reason));
        let answer = response
            .json()
            .map_err(|reason| unreadable(&reason.to_string()))?;
        tokens::from_answer(&answer, network.clock.now_millis()).ok_or_else(|| {
            // Some deployments report refusals with 200 and a text.
            let platform_text = response.excerpt_of(&answer.to_string());
            match fault::fault_in_text(&platform_text) {
                Some(_) => self.explain(ApiError {
                    platform_text: Some(platform_text),
                    ..unreadable("it contains no token")
                }),
                None => ApiError {
                    kind: ApiErrorKind::SignInRefused,
                    ..unreadable("it contains no token")
                },
            }
        })
    }

    fn authorize(&self, request: Request, tokens: &Tokens) -> Request {
        Request {
            // The limit on requests per second is checked before anything is sent (manual, WhatsApp).
            put_off_is_certain: true,
            ..request.bearer(&tokens.access)
        }
    }
}

impl Auth {
    /// Rewrites the error of a failed sign-in in the user's terms.
    fn explain(&self, error: ApiError) -> ApiError {
        let host = self.account.base.host();
        let platform_message = error.platform_text.clone().unwrap_or_default();
        let refused = |kind, error: ApiError| ApiError {
            kind,
            message: format!(
                "{host} refuses the sign-in: {}",
                platform_message.trim_end_matches('.')
            ),
            transient: false,
            ..error
        };
        match (fault::fault_in_text(&platform_message), error.status) {
            (Some(own), _) => refused(ApiErrorKind::Own(own), error),
            (None, Some(400 | 401 | 403 | 422)) => refused(ApiErrorKind::SignInRefused, error),
            (None, Some(404)) => ApiError {
                message: format!(
                    "{host} has no Sparrow SMS API at {}; check the address",
                    self.account.base
                ),
                ..error
            },
            _ => error,
        }
    }
}

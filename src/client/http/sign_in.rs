//! Services that exchange a login and a password for a token, which the other requests carry.

use std::time::Duration;

use serde_json::Value as Json;

use super::account::below;
use crate::client::error::{ApiError, ApiErrorKind};
use crate::client::fields;
use crate::client::session::{Authenticator, LazySecret};
use crate::client::tokens::Tokens;
use crate::client::{Body, Credential, Method, Network, Password};
use crate::transport::request::Request;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// The assumed lifetime of a token whose response does not state it, in seconds. A token that is refused earlier is
/// renewed at once.
const DAY: i64 = 24 * 60 * 60;

/// How to get a token: a `POST` with a JSON body, answered with a JSON object.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The path below the service's address: `/login`.
    pub path: String,
    /// The fields of the body that may be shown, with their values.
    pub login: Vec<(String, String)>,
    /// The field of the body for the password, and its source.
    pub password: (String, Password),
    /// The field of the response that holds the token.
    pub token: String,
    /// The field of the response that holds the lifetime of the token, in seconds.
    pub lifetime: Option<String>,
}

impl TokenRequest {
    /// Distinguishes the accounts of an address.
    pub(super) fn id(&self) -> String {
        let login: Vec<&str> = self.login.iter().map(|(_, text)| text.as_str()).collect();
        format!(
            "{} {} {}",
            self.path,
            login.join(" "),
            self.password.1.inline_id()
        )
    }

    pub(super) fn same_as(&self, other: &TokenRequest) -> bool {
        let texts = |one: &TokenRequest| {
            (
                one.path.clone(),
                one.login.clone(),
                one.password.0.clone(),
                one.token.clone(),
                one.lifetime.clone(),
            )
        };
        texts(self) == texts(other) && self.password.1.same_as(&other.password.1)
    }
}

/// An account that signs in with such a request.
pub(super) struct TokenAccount {
    url: String,
    request: TokenRequest,
    password: LazySecret,
    /// The timeout of one try.
    reply: Option<Duration>,
}

impl TokenAccount {
    pub(super) fn new(url: String, request: TokenRequest, reply: Option<Duration>) -> TokenAccount {
        TokenAccount {
            url,
            password: LazySecret::new(request.password.1.clone()),
            request,
            reply,
        }
    }

    async fn password(&self) -> Result<Secret, ApiError> {
        self.password.get("password").await
    }

    fn tokens(&self, answer: &Json, issued: i64) -> Option<Tokens> {
        let answer = answer.as_object()?;
        let access = fields::text(answer, &[&self.request.token])?;
        let lifetime = self.request.lifetime.as_deref();
        let lifetime = lifetime.and_then(|name| fields::text(answer, &[name])?.parse().ok());
        let seconds: i64 = lifetime.filter(|seconds| *seconds > 0).unwrap_or(DAY);
        Some(Tokens {
            access: Secret::new(access),
            refresh: None,
            issued,
            expires: issued.saturating_add(seconds.saturating_mul(1000)),
            company: None,
        })
    }
}

impl Authenticator for TokenAccount {
    fn key(&self) -> String {
        let TokenRequest { path, login, .. } = &self.request;
        let login: Vec<&str> = login.iter().map(|(_, text)| text.as_str()).collect();
        format!("service {}{path} {}", self.url, login.join(" "))
    }

    fn credential(&self) -> Credential {
        self.password.identity()
    }

    async fn credentials(&self) -> Result<Vec<Secret>, ApiError> {
        Ok(vec![self.password().await?])
    }

    fn refuse(&self) {
        self.password.refuse();
    }

    fn secrets(&self) -> Vec<Secret> {
        self.password.known().into_iter().collect()
    }

    async fn sign_in(&self, network: &Network) -> Result<Tokens, ApiError> {
        let login = self.request.login.iter();
        let mut body: Record = login
            .map(|(name, text)| (name.clone(), Value::from(text.as_str())))
            .collect();
        body.insert(self.request.password.0.clone(), self.password().await?.into());
        let url = below(&self.url, &self.request.path)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut request = Request::new(Method::Post, url).body(Body::Json(Value::Record(body)));
        if let Some(reply) = self.reply {
            request = request.timeout(reply);
        }
        // It creates a token and changes nothing else, so repeating it is harmless.
        request.idempotent = true;
        let response = network.send(&request).await?;
        if !response.is_success() {
            let error = ApiError::from_answer(&request, &response);
            return Err(match response.status {
                400 | 401 | 403 | 422 | 423 => {
                    let reason = error.platform_text.as_deref().unwrap_or("it gives no reason");
                    ApiError {
                        kind: ApiErrorKind::SignInRefused,
                        message: format!("{host} refuses the sign-in: {}", reason.trim_end_matches('.')),
                        transient: false,
                        ..error
                    }
                }
                _ => error,
            });
        }
        let unreadable = |reason: &str| ApiError::unreadable(&request, &response, reason);
        let answer = response
            .json()
            .map_err(|reason| unreadable(&reason.to_string()))?;
        // Some platforms answer 200 to a wrong password. It is not sent again in any case.
        let refused = || ApiError {
            kind: ApiErrorKind::SignInRefused,
            ..unreadable(&format!("it contains no `{}`", self.request.token))
        };
        self.tokens(&answer, network.clock.now_millis())
            .ok_or_else(refused)
    }

    fn authorize(&self, request: Request, tokens: &Tokens) -> Request {
        request.bearer(&tokens.access)
    }
}

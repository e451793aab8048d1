//! Signing in to JRNI.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::account::Account;
use super::endpoints::Endpoints;
use super::fault::CHOOSE_COMPANY;
use crate::client::error::{ApiError, ApiErrorKind};
pub(crate) use crate::client::fields::{self, Fields};
pub(crate) use crate::client::session::{Authenticator, LazySecret};
pub(crate) use crate::client::tokens::Tokens;
use crate::client::{Body, Credential, Method, Network};
use crate::transport::request::Request;
use crate::transport::response::Response;
use crate::value::secret::Secret;
use crate::value::{Record, Value};

/// The lifetime of a token after its last use, in milliseconds (vendor's documents).
const LIFE: i64 = 24 * HOUR;

/// The minimum interval between recorded uses of a token, in milliseconds: one record serves many requests.
const HOUR: i64 = 60 * 60 * 1000;

/// An account and how it signs in.
pub(super) struct Auth {
    pub(super) account: Account,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) password: LazySecret,
    pub(super) app_key: Option<LazySecret>,
    /// The timeout of a sign-in.
    pub(super) reply: Duration,
}

/// The company named in a sign-in response.
pub(super) fn company_of(answer: &Fields) -> Option<u64> {
    let company = fields::int(answer, &["company_id"])?;
    u64::try_from(company).ok().filter(|company| *company > 0)
}

impl Authenticator for Auth {
    fn key(&self) -> String {
        self.account.key()
    }

    fn credential(&self) -> Credential {
        self.password.identity()
    }

    async fn credentials(&self) -> Result<Vec<Secret>, ApiError> {
        let mut credentials = vec![self.password.get("password").await?];
        self.ready().await?;
        credentials.extend(self.app_key.as_ref().and_then(LazySecret::known));
        Ok(credentials)
    }

    fn refuse(&self) {
        self.password.refuse();
        if let Some(key) = &self.app_key {
            key.refuse();
        }
    }

    fn secrets(&self) -> Vec<Secret> {
        let key = self.app_key.as_ref().and_then(LazySecret::known);
        self.password.known().into_iter().chain(key).collect()
    }

    async fn sign_in(&self, network: &Network) -> Result<Tokens, ApiError> {
        let password = self.password.get("password").await?;
        self.ready().await?;
        let mut request = self.named(self.request(password)?);
        // It creates a token and changes nothing else, so repeating it is harmless.
        request.idempotent = true;
        let response = network.send(&request).await?;
        self.read(&request, &response, network.clock.now_millis())
            .map_err(|error| self.explain(error))
    }

    fn extended(&self, tokens: &Tokens, now: i64) -> Option<Tokens> {
        (now.saturating_sub(tokens.issued) > HOUR).then(|| Tokens {
            issued: now,
            expires: now.saturating_add(LIFE),
            ..tokens.clone()
        })
    }

    async fn ready(&self) -> Result<(), ApiError> {
        match self.app_key.as_ref().filter(|_| self.account.base.takes_key()) {
            Some(key) => key.get("app_key").await.map(|_| ()),
            None => Ok(()),
        }
    }

    fn authorize(&self, request: Request, tokens: &Tokens) -> Request {
        self.named(request).header(AUTH_TOKEN, tokens.access.clone())
    }
}

const APP_ID: &str = "App-Id";
const APP_KEY: &str = "App-Key";
const AUTH_TOKEN: &str = "Auth-Token";

impl Auth {
    /// Adds the headers that identify the application. The key must have been read before.
    fn named(&self, request: Request) -> Request {
        let request = request
            .header(APP_ID, self.account.app_id.as_str())
            // In all of the vendor's examples.
            .header("Cache-Control", "no-cache");
        let key = self.app_key.as_ref().filter(|_| self.account.base.takes_key());
        match key.and_then(LazySecret::known) {
            Some(key) => request.header(APP_KEY, key),
            None => request,
        }
    }

    /// Builds the sign-in request. Without a company the login decides; otherwise it is named in the path, or in the
    /// body as `id`.
    fn request(&self, password: Secret) -> Result<Request, ApiError> {
        let mut body = Record::from([
            ("email".to_owned(), Value::from(self.account.login.as_str())),
            ("password".to_owned(), password.into()),
        ]);
        let path = match self.account.company {
            None => self.endpoints.get("login").to_owned(),
            Some(company) => {
                if !self.endpoints.names_company("login_company") {
                    let id = i64::try_from(company).unwrap_or(i64::MAX);
                    body.insert("id".to_owned(), Value::Int(id));
                }
                self.endpoints.of("login_company", company)
            }
        };
        let url = self.account.base.api(&path)?;
        Ok(Request::new(Method::Post, url)
            .timeout(self.reply)
            .body(Body::Json(Value::Record(body))))
    }

    /// Parses a sign-in response, with the token in the body and a header. 201 is usual; any 2xx is accepted.
    fn read(&self, request: &Request, response: &Response, now: i64) -> Result<Tokens, ApiError> {
        let body = response.json().ok();
        let top = body.as_ref().and_then(Json::as_object);
        if !response.is_success() {
            let several = top.and_then(companies).filter(|_| response.status == 400);
            return Err(several.map_or_else(
                || ApiError::from_answer(request, response),
                |several| self.choose(&several),
            ));
        }
        let header = response.header(AUTH_TOKEN).filter(|token| !token.is_empty());
        let access = top
            .and_then(|top| fields::secret(top, &["auth_token"]))
            .or_else(|| header.map(Secret::new));
        let Some(access) = access else {
            return Err(ApiError {
                kind: ApiErrorKind::SignInRefused,
                ..ApiError::unreadable(request, response, "it contains no token")
            });
        };
        Ok(Tokens {
            access,
            refresh: None,
            issued: now,
            expires: now.saturating_add(LIFE),
            company: top.and_then(company_of),
        })
    }

    fn choose(&self, companies: &[String]) -> ApiError {
        let (host, login) = (self.account.base.host(), &self.account.login);
        let message = format!(
            "{login} may sign in to several companies of {host}: {}",
            companies.join(", ")
        );
        ApiError {
            status: Some(400),
            ..ApiError::new(ApiErrorKind::Own(&CHOOSE_COMPANY), message)
        }
    }

    /// Rewrites the error of a failed sign-in in the user's terms.
    fn explain(&self, error: ApiError) -> ApiError {
        let (host, login) = (self.account.base.host(), &self.account.login);
        match (error.status, error.kind) {
            (_, ApiErrorKind::Own(_)) => error,
            (Some(status @ (401 | 403)), _) | (Some(status), ApiErrorKind::SignInRefused) => ApiError {
                kind: ApiErrorKind::SignInRefused,
                message: format!(
                    "{host} refuses the sign-in of {login} ({status}); check the login and password, app_id and app_key \
                     (they may be swapped), and the company"
                ),
                transient: false,
                ..error
            },
            (Some(404), _) => ApiError {
                message: format!(
                    "{host} has no JRNI API at {}, or no such company (404); check the address",
                    self.account.base
                ),
                ..error
            },
            _ => error,
        }
    }
}

/// The companies that a response offers, as `37 Shop`; `None` if it offers none.
fn companies(answer: &Fields) -> Option<Vec<String>> {
    let embedded = answer.get("_embedded")?.get("administrators")?.as_array()?;
    let one = |item: &Json| {
        let item = item.as_object()?;
        let id = fields::text(item, &["company_id"])?;
        let name = fields::text(item, &["company_name"]).unwrap_or_default();
        Some(format!("{id} {name}").trim_end().to_owned())
    };
    let companies: Vec<String> = embedded.iter().filter_map(one).collect();
    (!companies.is_empty() && fields::field(answer, &["auth_token"]).is_none()).then_some(companies)
}

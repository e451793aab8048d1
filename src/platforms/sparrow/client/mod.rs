//! Sparrow SMS, enterprise API: messages by Viber, SMS and `WhatsApp`, and their reports.
//!
//! The sign-in follows the vendor's manual; messages and reports follow documents that the vendor has published. The
//! form of the tariffs is undocumented, so they are returned as received.

pub(super) mod account;
pub(super) mod fault;
pub(super) mod recipient;

mod auth;
mod messages;
mod reports;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::Mutex;

use account::Account;
use auth::Auth;
pub(super) use messages::{Accepted, Message};
pub(super) use reports::Part;

pub(crate) use crate::client::answer::Answer;
use crate::client::error::{ApiError, ApiErrorKind};
pub(crate) use crate::client::session::{Authenticator as _, LazySecret, REFUSAL_COOLDOWN, Session};
use crate::client::{ConnectOptions, Flight, Network, clients};
use crate::transport::request::{Method, Request};
use crate::value::secret::Secret;

/// The default response timeout; a profile can override it.
pub(super) const REPLY: Duration = Duration::from_secs(30);

/// The client of one account. Clones share its token; share one client per account ([`Accounts`] does).
#[derive(Clone)]
pub struct Client(Arc<Inner>, Option<Flight>);

struct Inner {
    account: Account,
    network: Network,
    reply: Duration,
    api_token: LazySecret,
    partner_token: LazySecret,
    /// Created when the tokens are first read, since they identify the sign-in.
    session: Mutex<Option<CachedSession>>,
}

/// A session, and when to read its tokens again.
struct CachedSession {
    session: Arc<Session<Auth>>,
    look_again: Option<i64>,
}

/// The shared clients of all accounts.
pub(super) type Accounts = clients::Accounts<Client>;

impl Accounts {
    /// The client for `account`, reached on `connect_options`: the cached one, unless tokens, timeout or line differ.
    /// Sends nothing.
    pub fn client(&self, account: &Account, reply: Duration, connect_options: &ConnectOptions) -> Client {
        let fits = |client: &Client, network: &_| {
            let own = &client.0.account;
            own.api_token.same_as(&account.api_token)
                && own.partner_token.same_as(&account.partner_token)
                && client.0.reply == reply
                && client.0.network.shares_pool(network)
        };
        let (api, partner) = (&account.api_token, &account.partner_token);
        let key = match account.name.as_str() {
            "" => format!("{} {} {}", account.base, api.inline_id(), partner.inline_id()),
            name => format!("{} {name}", account.base),
        };
        self.shared(key, connect_options, fits, |network| {
            Client::new(network, account.clone(), reply)
        })
    }
}

impl Client {
    fn new(network: Network, account: Account, reply: Duration) -> Client {
        let inner = Inner {
            api_token: LazySecret::new(account.api_token.clone()),
            partner_token: LazySecret::new(account.partner_token.clone()),
            account,
            network,
            reply,
            session: Mutex::default(),
        };
        Client(Arc::new(inner), None)
    }

    /// The same client, whose changing requests pass `flight` right before they are sent, each time.
    #[must_use]
    pub fn with_flight(&self, flight: Option<&Flight>) -> Client {
        Client(Arc::clone(&self.0), flight.cloned())
    }

    /// The account's secrets known so far.
    pub fn secrets(&self) -> Vec<Secret> {
        let known = [&self.0.api_token, &self.0.partner_token].map(LazySecret::known);
        let held = self.0.session.try_lock();
        let held = held
            .ok()
            .and_then(|held| held.as_ref().map(|held| held.session.secrets()));
        known
            .into_iter()
            .flatten()
            .chain(held.unwrap_or_default())
            .collect()
    }

    /// Signs in, unless there is a valid token; then it sends nothing.
    pub async fn sign_in(&self) -> Result<(), ApiError> {
        let signed_in = self.session().await?.tokens().await;
        self.mark_refused_tokens(signed_in).await.map(|_| ())
    }

    /// When the current token expires, in milliseconds since the Unix epoch; `None` if there is none.
    pub async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        self.session().await?.signed_in_until().await
    }

    /// Removes the token stored on this machine. The manual has no call to revoke it on the platform.
    pub async fn forget_tokens(&self) -> Result<(), ApiError> {
        self.session().await?.forget().await
    }

    /// The session of the account's tokens. Refused tokens are read again from time to time, as a person may have
    /// corrected them.
    async fn session(&self) -> Result<Arc<Session<Auth>>, ApiError> {
        let inner = &self.0;
        let now = inner.network.clock.now_millis();
        let mut held = inner.session.lock().await;
        let good = held
            .as_ref()
            .filter(|held| held.look_again.is_none_or(|at| now < at));
        if let Some(held) = good {
            return Ok(Arc::clone(&held.session));
        }
        let auth = Auth {
            api_token: inner.api_token.get("api_token").await?,
            partner_token: inner.partner_token.get("partner_token").await?,
            account: inner.account.clone(),
            reply: inner.reply,
        };
        let same = held
            .take()
            .filter(|held| held.session.account.secrets() == auth.secrets());
        let session = same.map_or_else(
            || Arc::new(Session::new(auth, inner.network.clone())),
            |held| held.session,
        );
        *held = Some(CachedSession {
            session: Arc::clone(&session),
            look_again: None,
        });
        Ok(session)
    }

    /// Marks the tokens as refused if the outcome indicates it.
    async fn mark_refused_tokens<T>(&self, outcome: Result<T, ApiError>) -> Result<T, ApiError> {
        if let Err(error) = &outcome
            && error.kind.refuses_sign_in()
        {
            self.refuse().await;
        }
        outcome
    }

    async fn refuse(&self) {
        let now = self.0.network.clock.now_millis();
        let hold = i64::try_from(REFUSAL_COOLDOWN.as_millis()).unwrap_or(i64::MAX);
        self.0.api_token.refuse();
        self.0.partner_token.refuse();
        if let Some(held) = self.0.session.lock().await.as_mut() {
            held.look_again.get_or_insert(now.saturating_add(hold));
        }
    }

    /// A request to `path`, which starts and ends with a slash, as the platform's framework requires.
    fn request(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let url = self.0.account.base.at(path)?;
        Ok(Request::new(method, url).timeout(self.0.reply))
    }

    /// Sends a request as this account and returns the `data` of a response whose result is `00` and status `OK`, which
    /// must both hold (vendor's documents). HTTP 200 alone is no success.
    async fn call(&self, request: Request) -> Result<(Json, Answer), ApiError> {
        let answer = self.session().await?.send(request, self.1.as_ref()).await;
        let answer = self.mark_refused_tokens(answer).await?;
        let mut json = answer.json()?;
        let word = |name: &str| {
            json.get(name)
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match (word("result").as_str(), word("status").as_str()) {
            ("00", "OK") => {
                let data = json.get_mut("data").map(Json::take).unwrap_or_default();
                Ok((data, answer))
            }
            ("01", _) | (_, "DRAFT") => Err(kept_as_draft_error(&answer, &json)),
            ("11", _) | (_, "DATA_ERROR") => Err(refused(&answer, &json)),
            (result, status) => {
                let reason =
                    format!("it has result \"{result}\" and status \"{status}\", not \"00\" and \"OK\"");
                Err(answer.unreadable(&answer.response.excerpt_of(&reason)))
            }
        }
    }
}

/// The error when the account cannot pay and the message is kept as a draft. A retry would duplicate it.
fn kept_as_draft_error(answer: &Answer, json: &Json) -> ApiError {
    let data = json.get("data");
    let text = |name: &str| data.and_then(|data| data.get(name)?.as_str()).unwrap_or_default();
    let (platform_message, id) = (answer.response.excerpt_of(text("message")), text("batch_id"));
    let known = match id {
        "" => String::new(),
        id => format!(" ({})", answer.response.excerpt_of(id)),
    };
    let colon = if platform_message.is_empty() { "" } else { ": " };
    let label = answer.request.label();
    ApiError {
        status: Some(answer.response.status),
        platform_text: Some(platform_message.clone()).filter(|platform_message| !platform_message.is_empty()),
        ..ApiError::new(
            ApiErrorKind::Own(&fault::DRAFT),
            format!(
                "{label} did not send the message but kept it as a draft{known}{colon}{platform_message}"
            )
            .replace("  ", " "),
        )
    }
}

/// The error for the documented form of a failure, sent with a misleading HTTP status.
fn refused(answer: &Answer, json: &Json) -> ApiError {
    let errors = json.get("data").and_then(|data| data.get("errors"));
    let words = match errors {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "no reason is given".to_owned(),
    };
    let words = answer.response.excerpt_of(&words);
    let label = answer.request.label();
    ApiError {
        status: Some(answer.response.status),
        platform_text: Some(words.clone()),
        ..ApiError::new(ApiErrorKind::Invalid, format!("{label} was refused: {words}"))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.0.account)
    }
}

//! Sparrow SMS, enterprise API: messages by Viber, SMS and `WhatsApp`, and what became of them.
//!
//! The sign-in is in the vendor's manual; the messages and their reports are in documents that the vendor has
//! published. The form of the tariffs is not, so they are given as they come.

pub mod account;
pub mod fault;
pub mod recipient;

mod auth;
mod messages;
mod reports;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::OnceCell;

use account::Account;
use auth::Auth;
pub use messages::{Accepted, Message};
pub use reports::Part;

use super::answer::Answer;
use super::session::{Credential, Session};
use super::{Flight, Line, Network, clients};
use crate::platform::error::{ApiError, ApiErrorKind};
use crate::transport::request::{Method, Request};

/// How long to wait for an answer, unless the profile says otherwise.
pub const REPLY: Duration = Duration::from_secs(30);

/// One account's API. A clone shares its token; share one client per account ([`Accounts`] does).
#[derive(Clone)]
pub struct Client(Arc<Inner>, Option<Flight>);

struct Inner {
    account: Account,
    network: Network,
    reply: Duration,
    api_token: Credential,
    partner_token: Credential,
    /// Made when the tokens are first read: they are what the sign-in is known by.
    session: OnceCell<Session<Auth>>,
}

/// Hands out clients.
pub type Accounts = clients::Accounts<Client>;

impl Accounts {
    /// The client for `account`, reached on `line`: the one known, unless tokens, times or line differ. Sends nothing.
    pub fn client(&self, account: &Account, reply: Duration, line: &Line) -> Client {
        let fits = |client: &Client, network: &_| {
            let own = &client.0.account;
            own.api_token.same_as(&account.api_token)
                && own.partner_token.same_as(&account.partner_token)
                && client.0.reply == reply
                && client.0.network.shares_line(network)
        };
        let key = format!("{} {}", account.base, account.name);
        self.shared(key, line, fits, |network| {
            Client::new(network, account.clone(), reply)
        })
    }
}

impl Client {
    fn new(network: Network, account: Account, reply: Duration) -> Client {
        let inner = Inner {
            api_token: Credential::new(account.api_token.clone()),
            partner_token: Credential::new(account.partner_token.clone()),
            account,
            network,
            reply,
            session: OnceCell::new(),
        };
        Client(Arc::new(inner), None)
    }

    /// The same client, whose requests that change something pass `flight` right before they leave, each time they do.
    #[must_use]
    pub fn through(&self, flight: Option<&Flight>) -> Client {
        Client(Arc::clone(&self.0), flight.cloned())
    }

    /// Signs in, unless a token that lives is at hand; then it sends nothing.
    pub async fn sign_in(&self) -> Result<(), ApiError> {
        self.session().await?.tokens().await.map(|_| ())
    }

    /// When the token at hand ends, in milliseconds since the Unix epoch; nothing when there is none.
    pub async fn signed_in_until(&self) -> Result<Option<i64>, ApiError> {
        self.session().await?.signed_in_until().await
    }

    /// Drops the token that is kept on this machine. The manual knows no call that ends it on the platform.
    pub async fn forget_tokens(&self) -> Result<(), ApiError> {
        self.session().await?.forget().await
    }

    async fn session(&self) -> Result<&Session<Auth>, ApiError> {
        let inner = &self.0;
        let make = || async {
            let auth = Auth {
                api_token: inner.api_token.get("api_token").await?,
                partner_token: inner.partner_token.get("partner_token").await?,
                account: inner.account.clone(),
                reply: inner.reply,
            };
            Ok(Session::new(auth, inner.network.clone()))
        };
        inner.session.get_or_try_init(make).await
    }

    /// A request to `path`, which starts and ends with a slash: the platform's framework insists.
    fn request(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let url = self.0.account.base.at(path)?;
        Ok(Request::new(method, url).timeout(self.0.reply))
    }

    /// Sends a request as this account and gives `data` of an answer that says `00` and `OK`, the two together
    /// (vendor's documents). HTTP 200 alone says nothing.
    async fn call(&self, request: Request) -> Result<(Json, Answer), ApiError> {
        let answer = self.session().await?.send(request, self.1.as_ref()).await?;
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
            ("01", _) | (_, "DRAFT") => Err(drafted(&answer, &json)),
            ("11", _) | (_, "DATA_ERROR") => Err(refused(&answer, &json)),
            (result, status) => {
                let why =
                    format!("it says result \"{result}\" and status \"{status}\", not \"00\" and \"OK\"");
                Err(answer.unreadable(&answer.response.excerpt_of(&why)))
            }
        }
    }
}

/// The account cannot pay, and what was to be sent waits on the platform as a draft. Sent again, it would be there twice.
fn drafted(answer: &Answer, json: &Json) -> ApiError {
    let data = json.get("data");
    let text = |name: &str| data.and_then(|data| data.get(name)?.as_str()).unwrap_or_default();
    let (said, id) = (answer.response.excerpt_of(text("message")), text("batch_id"));
    let known = match id {
        "" => String::new(),
        id => format!(" ({})", answer.response.excerpt_of(id)),
    };
    let colon = if said.is_empty() { "" } else { ": " };
    let label = answer.request.label();
    ApiError {
        status: Some(answer.response.status),
        platform_text: Some(said.clone()).filter(|said| !said.is_empty()),
        ..ApiError::new(
            ApiErrorKind::Sparrow(fault::Fault::Draft),
            format!("{label} did not send the message but kept it as a draft{known}{colon}{said}")
                .replace("  ", " "),
        )
    }
}

/// The documented form of a failure, under a status that says otherwise.
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

//! Sparrow SMS, bulk API: messages within Nepal, and the credit that they are paid from.
//!
//! It follows documents that the vendor has published (send SMS, credits). There is no sign-in: each request carries
//! the token as a parameter.

pub(super) mod account;
pub(super) mod fault;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use account::Account;

use crate::client::answer::Answer;
use crate::client::error::{ApiError, ApiErrorKind, OwnCode};
use crate::client::fields::{self, Fields};
use crate::client::session::{LazySecret, REFUSAL_COOLDOWN};
use crate::client::{ConnectOptions, Flight, Network, Sent, clients};
use crate::clock::millis;
use crate::transport::request::{Body, Method, Request};
use crate::transport::response::Response;
use crate::value::Record;
use crate::value::secret::Secret;

/// The default response timeout; a profile can override it.
pub(super) const REPLY: Duration = Duration::from_secs(30);

/// A message within Nepal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// An identity of the account.
    pub sender: String,
    /// The recipients, without their country code.
    pub recipients: Vec<String>,
    /// The text.
    pub text: String,
}

/// The platform's response to an accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The number of messages queued.
    pub count: i64,
    /// The platform's own text.
    pub message: String,
}

/// The credit of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// The credits left.
    pub available: i64,
    /// The credits used so far, if the platform reports them.
    pub consumed: Option<i64>,
}

/// The client of one account. Clones share its token; share one client per account ([`Accounts`] does).
#[derive(Clone)]
pub struct Client(Arc<Inner>, Option<Flight>);

struct Inner {
    account: Account,
    network: Network,
    reply: Duration,
    token: LazySecret,
    refused: Mutex<Option<CachedRefusal>>,
}

/// A refusal of the token or the account, which is not provoked again for a while.
#[derive(Clone)]
struct CachedRefusal {
    token: Secret,
    error: ApiError,
    /// When to send a request again, in milliseconds since the Unix epoch.
    until: i64,
}

/// The shared clients of all accounts.
pub(super) type Accounts = clients::Accounts<Client>;

impl Accounts {
    /// The client for `account`, reached on `connect_options`: the cached one, unless token, timeout or line differ.
    /// Sends nothing.
    pub fn client(&self, account: &Account, reply: Duration, connect_options: &ConnectOptions) -> Client {
        let fits = |client: &Client, network: &_| {
            let own = &client.0;
            own.account.token.same_as(&account.token)
                && own.reply == reply
                && own.network.shares_pool(network)
        };
        let key = match account.name.as_str() {
            "" => format!("{} {}", account.base, account.token.inline_id()),
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
            token: LazySecret::new(account.token.clone()),
            account,
            network,
            reply,
            refused: Mutex::default(),
        };
        Client(Arc::new(inner), None)
    }

    /// The same client, whose changing requests pass `flight` right before they are sent, each time.
    #[must_use]
    pub fn with_flight(&self, flight: &Flight) -> Client {
        Client(Arc::clone(&self.0), Some(flight.clone()))
    }

    /// The account's secrets known so far.
    pub fn secrets(&self) -> Vec<Secret> {
        self.0.token.known().into_iter().collect()
    }

    /// Sends a message once.
    pub async fn send(&self, message: &Message) -> Result<Accepted, ApiError> {
        let token = self.token().await?;
        let form = Record::from([
            ("token".to_owned(), token.clone().into()),
            ("from".to_owned(), message.sender.as_str().into()),
            ("to".to_owned(), message.recipients.join(",").into()),
            ("text".to_owned(), message.text.as_str().into()),
        ]);
        let request = Request {
            flight: self.1.clone(),
            ..self.request(Method::Post, "/v2/sms/")?.body(Body::Form(form))
        };
        let (answer, fields) = self.exchange(request, token).await?;
        let count = fields::int(&fields, &["count"]);
        Ok(Accepted {
            count: count.ok_or_else(|| answer.unreadable("it has no count"))?,
            message: answer
                .response
                .excerpt_of(&fields::text(&fields, &["response"]).unwrap_or_default()),
        })
    }

    /// Reads the credit. The platform answers with a refusal if there is none left.
    pub async fn credit(&self) -> Result<Credit, ApiError> {
        let token = self.token().await?;
        let request = self.request(Method::Get, "/v2/credit/")?;
        let request = request.query("token", token.clone()).sensitive();
        let (answer, fields) = match self.exchange(request, token).await {
            Err(error) if error.kind == ApiErrorKind::Own(&fault::NO_CREDIT) => {
                return Ok(Credit {
                    available: 0,
                    consumed: None,
                });
            }
            outcome => outcome?,
        };
        let available = fields::int(&fields, &["credits_available"]);
        Ok(Credit {
            available: available.ok_or_else(|| answer.unreadable("it has no credits_available"))?,
            consumed: fields::int(&fields, &["credits_consumed"]),
        })
    }

    /// The token. After a refusal, nothing is sent for a while, and a token that is wrong is never sent again.
    async fn token(&self) -> Result<Secret, ApiError> {
        let now = self.0.network.clock.now_millis();
        if let Some(refused) = self.refused().filter(|refused| now < refused.until) {
            return Err(refused.error);
        }
        let token = self.0.token.get("API token").await?;
        match self.refused() {
            Some(refused) if refused.token == token && refused.is_final() => {
                self.hold(token, refused.error.clone());
                Err(refused.error)
            }
            _ => Ok(token),
        }
    }

    fn refused(&self) -> Option<CachedRefusal> {
        self.0
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sends nothing for a while, after which the token is read again: a person may have corrected it.
    fn hold(&self, token: Secret, error: ApiError) {
        self.0.token.refuse();
        let now = self.0.network.clock.now_millis();
        let refused = CachedRefusal {
            token,
            error,
            until: now.saturating_add(millis(REFUSAL_COOLDOWN)),
        };
        *self.0.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
    }

    /// A request to `path`, which starts and ends with a slash.
    fn request(&self, method: Method, path: &str) -> Result<Request, ApiError> {
        let url = self.0.account.base.at(path)?;
        Ok(Request::new(method, url).timeout(self.0.reply))
    }

    /// Sends a request that carries `token`, and returns the fields of a response that reports success.
    async fn exchange(&self, request: Request, token: Secret) -> Result<(Answer, Fields), ApiError> {
        let response = self.0.network.send(&request).await?;
        let outcome = judge(request, response);
        if let Err(error) = &outcome
            && error.kind.refuses_sign_in()
        {
            self.hold(token, error.clone());
        }
        outcome
    }
}

impl CachedRefusal {
    /// Whether the same token will be refused whenever it is sent. An account may be renewed meanwhile.
    fn is_final(&self) -> bool {
        self.error.kind == ApiErrorKind::Own(&fault::INVALID_TOKEN)
    }
}

/// Returns the fields of a response that reports success: HTTP 200 and response code 200. HTTP 200 alone is no success.
fn judge(request: Request, response: Response) -> Result<(Answer, Fields), ApiError> {
    let fields = match response.json() {
        Ok(Json::Object(fields)) => fields,
        _ => Fields::new(),
    };
    let code = fields::int(&fields, &["response_code"]);
    // Refusals are documented with 403. A failing server may have done anything, whatever it says.
    if let Some(own) = code.and_then(fault::of_code).filter(|_| response.status < 500) {
        return Err(refusal(&request, &response, &fields, own));
    }
    if !response.is_success() {
        let error = ApiError::from_answer(&request, &response);
        // A rate limit may count messages that it lets through, and no lookup can tell.
        let is_unclear = response.status == 429 && request.method.changes();
        return Err(if is_unclear {
            ApiError {
                sent: Sent::Maybe,
                ..error
            }
        } else {
            error
        });
    }
    let answer = Answer { request, response };
    if code != Some(200) {
        return Err(answer.unreadable("its response_code is not 200"));
    }
    Ok((answer, fields))
}

/// The error for a refusal that the vendor's documents list. Nothing was done.
fn refusal(request: &Request, response: &Response, fields: &Fields, own: &'static OwnCode) -> ApiError {
    let code = fields::text(fields, &["response_code"]).unwrap_or_default();
    let words = fields::text(fields, &["response"]).unwrap_or_default();
    let words = response.excerpt_of(&words);
    ApiError {
        status: Some(response.status),
        platform_text: Some(words.clone()).filter(|words| !words.is_empty()),
        ..ApiError::new(
            ApiErrorKind::Own(own),
            format!("{} was refused: {words} ({code})", request.label()),
        )
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.0.account)
    }
}

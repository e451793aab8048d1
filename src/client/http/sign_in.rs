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
        let (field, password) = &other.password;
        self.path == other.path
            && self.login == other.login
            && self.password.0 == *field
            && self.password.1.same_as(password)
            && self.token == other.token
            && self.lifetime == other.lifetime
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use super::super::account::{Account, Credentials};
    use super::super::{Accounts, Client, ServiceRequest};
    use super::*;
    use crate::client::tokens::MemoryTokens;
    use crate::client::{ConnectOptions, Flight, Sent};
    use crate::clock::Clock;
    use crate::transport::testing::{Act, Server};
    use crate::transport::{Http, HttpConfig};

    fn accounts() -> Accounts {
        let clock = Clock::frozen(0);
        let http = Http::new(HttpConfig::default(), clock.clone());
        Accounts::new(Network::new(http, Arc::new(MemoryTokens::default()), clock))
    }

    /// The client of an account with this login, and the same as a password.
    fn client(accounts: &Accounts, server: &Server, login: &str) -> Client {
        let request = TokenRequest {
            path: "/login".to_owned(),
            login: vec![("email".to_owned(), login.to_owned())],
            password: ("password".to_owned(), Password::known(Secret::new(login))),
            token: "token".to_owned(),
            lifetime: None,
        };
        let account = Account {
            name: String::new(),
            url: server.url("").to_string(),
            credentials: Credentials::SignIn(request),
            reply: None,
        };
        accounts.client(&account, &ConnectOptions::default())
    }

    async fn ask(client: &Client, server: &Server, method: Method) -> Result<Value, ApiError> {
        let asked = ServiceRequest {
            method,
            url: server.url("/items"),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            bearer: None,
            basic: None,
            timeout: None,
        };
        let reply = client.send_checked(asked, Some(&Flight::new())).await;
        reply.map(|reply| reply.body)
    }

    fn logins(server: &Server) -> usize {
        let seen = server.seen();
        seen.iter().filter(|seen| seen.path() == "/login").count()
    }

    #[tokio::test]
    async fn a_token_is_reused_and_renewed_once_it_is_refused() {
        let server = Server::start(|seen, before| match (seen.path(), before) {
            ("/login", _) => Act::json(200, &format!("{{\"token\": \"token-{before}\"}}")),
            (_, 2) => Act::json(401, "{}"),
            _ => Act::json(200, "{\"ok\": true}"),
        })
        .await;
        let client = client(&accounts(), &server, "ann");
        for _ in 0..2 {
            assert!(ask(&client, &server, Method::Get).await.is_ok());
        }
        assert_eq!(logins(&server), 2);
        let seen = server.seen();
        assert_eq!(seen[0].body, "{\"email\":\"ann\",\"password\":\"ann\"}");
        assert_eq!(seen[4].header("authorization"), Some("Bearer token-3"));
    }

    #[tokio::test]
    async fn a_refused_password_is_not_sent_again_even_if_it_was_refused_with_200() {
        for answer in [(401, "{\"error\": \"wrong\"}"), (200, "{\"error\": \"wrong\"}")] {
            let server = Server::start(move |_, _| Act::json(answer.0, answer.1)).await;
            let accounts = accounts();
            // The accounts that a script describes at one address do not replace each other.
            for login in ["quokka", "wombat", "quokka", "wombat"] {
                let refused = ask(&client(&accounts, &server, login), &server, Method::Get).await;
                let refused = refused.unwrap_err();
                assert_eq!(refused.kind, ApiErrorKind::SignInRefused, "{refused}");
                assert!(!refused.message.contains("quokka"), "{refused}");
            }
            assert_eq!(logins(&server), 2, "one for each");
        }
    }

    #[tokio::test]
    async fn a_change_that_is_answered_with_a_redirect_may_have_been_carried_out() {
        let server = Server::start(|seen, _| match seen.path() {
            "/login" => Act::json(200, "{\"token\": \"t\"}"),
            _ => Act::with(303, &["Location: /items/1"], ""),
        })
        .await;
        let redirected = ask(&client(&accounts(), &server, "ann"), &server, Method::Post).await;
        assert_eq!(redirected.unwrap_err().sent, Sent::Maybe);
        assert_eq!(server.seen().len(), 2, "it is sent once");
    }
}

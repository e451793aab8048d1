//! Requests of a platform that speaks plain HTTP and JSON: below the address of an account, with its credential.

use std::fmt;

use super::call::Call;
use super::error::{Code, OpError};
use super::session;
use super::world::World;
use crate::client::http::account::{Account, Credentials, below};
use crate::client::http::{Accounts, Asked};
use crate::client::{Body, Flight, Method, Network, Password};
use crate::value::{Object, Value};

/// What a process keeps for a platform that speaks plain HTTP and JSON; a driver makes it in `open`.
///
/// The keys of an account say who asks: `bearer` (a token), `login` and `password`, or `header` and `header_value`.
pub struct Service(Accounts);

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl Service {
    /// A service over the network of a runtime.
    pub fn new(network: &Network) -> Service {
        Service(Accounts::new(network.clone()))
    }

    /// Sends a request of a call and returns the body of its answer. `path` begins with a slash and is below the account's
    /// address; `body` is sent as JSON unless it is `Null`.
    ///
    /// A request that changes something leaves once; whether it has left is noted in the call, so that the journal knows
    /// what a lost answer means. Errors: a status from 400 on, no answer, a credential that cannot be read.
    pub async fn send(
        &self,
        world: &World,
        call: &Call,
        (method, path): (Method, &str),
        body: Value,
    ) -> Result<Value, OpError> {
        let session = session::receiver(call)?;
        self.ask(world, session, Some(&call.flight), (method, path), body)
            .await
    }

    /// Reads what is at a path below an account's address.
    pub async fn get(&self, world: &World, session: &Object, path: &str) -> Result<Value, OpError> {
        self.ask(world, session, None, (Method::Get, path), Value::Null)
            .await
    }

    async fn ask(
        &self,
        world: &World,
        session: &Object,
        flight: Option<&Flight>,
        (method, path): (Method, &str),
        body: Value,
    ) -> Result<Value, OpError> {
        let settings = world.settings(session)?;
        let account = Account {
            name: session.text("$profile").to_owned(),
            url: session.text("url").to_owned(),
            credentials: credentials(
                |key| Some(session.text(key).to_owned()).filter(|text| !text.is_empty()),
                |key| session::credential(world, session, key),
                |key| OpError::new(Code::BadProfile, format!("the account has no {key}")),
            )?,
            reply: settings.reply,
        };
        let asked = Asked {
            method,
            url: below(&account.url, path)?,
            query: Vec::new(),
            headers: Vec::new(),
            body: match body {
                Value::Null => Body::None,
                body => Body::Json(body),
            },
            bearer: None,
            basic: None,
            timeout: None,
        };
        let client = self.0.client(&account, &settings.line);
        Ok(client.send_checked(asked, flight).await?.body)
    }
}

/// How requests say who asks, by the keys of an account: one credential counts, the bearer token, else login and password,
/// else the header's value. `lacks` is the error that a key is missing which another one needs.
pub(crate) fn credentials(
    text: impl Fn(&str) -> Option<String>,
    secret: impl Fn(&str) -> Result<Option<Password>, OpError>,
    lacks: impl Fn(&str) -> OpError,
) -> Result<Credentials, OpError> {
    if let Some(token) = secret("bearer")? {
        return Ok(Credentials::Bearer(token));
    }
    let needed = |key: &str| secret(key)?.ok_or_else(|| lacks(key));
    match (text("login"), text("header")) {
        (Some(login), _) => Ok(Credentials::Basic(login, needed("password")?)),
        (None, Some(header)) => Ok(Credentials::Header(header, needed("header_value")?)),
        (None, None) => Ok(Credentials::None),
    }
}

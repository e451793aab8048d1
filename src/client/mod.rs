//! The typed clients of the platforms. They know each platform's facts and traps, but neither journal nor script.

pub mod clients;
pub mod endpoints;
pub mod error;
pub mod http;

pub(crate) mod answer;
pub(crate) mod fields;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod tokens;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::transport::Http;
use crate::transport::request::Request;
use crate::transport::response::Response;
use crate::value::Value;
use crate::value::secret::Secret;

pub use crate::flight::{Flight, RequestTimeouts};
pub use crate::transport::DEFAULT_TIMEOUTS;
pub use crate::transport::connect_options::ConnectOptions;
pub use crate::transport::error::Sent;
pub use crate::transport::request::{Body, Method};

use error::ApiError;

/// The source of an account's password.
#[derive(Clone)]
pub struct Password(Source);

#[derive(Clone)]
enum Source {
    Known(Secret),
    SecretReader { place: Arc<str>, ask: Arc<SecretReader> },
}

type SecretReader = dyn Fn() -> Result<Secret, String> + Send + Sync;

impl Password {
    /// A password that is already known.
    pub fn known(password: Secret) -> Password {
        Password(Source::Known(password))
    }

    /// A password that `ask` reads when it is first needed, and again after it was refused. `place` names its owner and
    /// where it is stored, without revealing it: passwords with the same place are the same. `ask` may block; its error
    /// is a sentence without a full stop.
    pub fn ask(place: &str, ask: impl Fn() -> Result<Secret, String> + Send + Sync + 'static) -> Password {
        Password(Source::SecretReader {
            place: place.into(),
            ask: Arc::new(ask),
        })
    }

    /// Reads the password. May block.
    pub fn read(&self) -> Result<Secret, String> {
        match &self.0 {
            Source::Known(password) => Ok(password.clone()),
            Source::SecretReader { ask, .. } => ask(),
        }
    }

    /// Returns the password's identity, without reading it.
    pub fn identity(&self) -> Credential {
        match &self.0 {
            Source::Known(password) => Credential::InlineSecret(password.clone()),
            Source::SecretReader { place, .. } => Credential::StoredAt(Arc::clone(place)),
        }
    }

    /// Distinguishes passwords that scripts give from each other; empty for one that is read from its place.
    pub(crate) fn inline_id(&self) -> String {
        match &self.0 {
            Source::Known(password) => password.fingerprint(),
            Source::SecretReader { .. } => String::new(),
        }
    }

    /// Whether both are the same, as far as can be told without reading them.
    pub fn same_as(&self, other: &Password) -> bool {
        self.identity() == other.identity()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The network that clients are built on. Clones share it.
#[derive(Clone)]
pub struct Network {
    /// The HTTP transport.
    pub http: Http,
    /// Where tokens are stored.
    pub store: Arc<dyn TokenStore>,
    /// The clock.
    pub clock: Clock,
    guards: Guards,
}

/// A platform's protection for all of its accounts known to this process, whatever client sends the request.
pub trait Guard: Any + Send + Sync {
    /// Refuses a request that could change something protected.
    fn judge(&self, request: &Request) -> Result<(), ApiError>;
}

/// The guards of all platforms. Clones share them.
#[derive(Clone, Default)]
pub struct Guards(Arc<[Arc<dyn Guard>]>);

impl Guards {
    /// Combines guards, each of which checks every request.
    pub fn new(guards: impl IntoIterator<Item = Arc<dyn Guard>>) -> Guards {
        Guards(guards.into_iter().collect())
    }

    /// Refuses a request that any guard refuses.
    fn judge(&self, request: &Request) -> Result<(), ApiError> {
        self.0.iter().try_for_each(|guard| guard.judge(request))
    }

    /// The guard of type `T`.
    pub(crate) fn get<T: Guard>(&self) -> Option<&T> {
        let mut all = self.0.iter();
        all.find_map(|guard| (&**guard as &dyn Any).downcast_ref())
    }
}

/// The result of requesting a service's own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reachability {
    /// The HTTP status.
    pub status: u16,
    /// Whether the request carried a credential.
    pub credential: bool,
}

/// The owner of tokens: an account and the credential used to sign in, so that a wrong credential gains no access from
/// an earlier sign-in with the right one.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenKey {
    /// The account: platform, address and login.
    pub account: String,
    /// The credential.
    pub credential: Credential,
}

/// The identity of a credential.
#[derive(Debug, Clone, PartialEq)]
pub enum Credential {
    /// The credential itself, if the caller already has it.
    InlineSecret(Secret),
    /// Its owner and where it is stored. It is not read for this: a person would have to unlock it at every start.
    StoredAt(Arc<str>),
}

impl Network {
    /// A network without guards: a runtime adds those of its platforms.
    pub fn new(http: Http, store: Arc<dyn TokenStore>, clock: Clock) -> Network {
        Network {
            http,
            store,
            clock,
            guards: Guards::default(),
        }
    }

    /// The same network, with these guards checking every request.
    #[must_use]
    pub fn with_guards(self, guards: Guards) -> Network {
        Network { guards, ..self }
    }

    /// The guards that check requests.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// The same network, with other connect options.
    #[must_use]
    pub fn with_connect_options(&self, connect_options: &ConnectOptions) -> Network {
        Network {
            http: self.http.with_connect_options(connect_options),
            ..self.clone()
        }
    }

    /// Sends a request, unless a guard refuses it.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, ApiError> {
        self.guards.judge(request)?;
        let response = self.http.send(request).await;
        response.map_err(|error| ApiError::no_answer(request, &error))
    }

    /// Whether both are the same network with the same connect options.
    pub(crate) fn shares_pool(&self, other: &Network) -> bool {
        self.http.same_pool(&other.http)
    }
}

/// Stores tokens between processes, encrypted on disk. Calls may block.
pub trait TokenStore: Send + Sync {
    /// Returns the tokens last saved for an account, if they can be read.
    fn load(&self, key: &TokenKey) -> Option<Value>;

    /// Saves an account's tokens durably before returning. The error is a sentence without a full stop.
    fn save(&self, key: &TokenKey, tokens: &Value) -> Result<(), String>;

    /// Removes an account's tokens.
    fn forget(&self, key: &TokenKey);
}

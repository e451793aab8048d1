//! How each platform speaks: typed clients that know its facts and traps, and neither journal nor script.

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

pub use crate::flight::{Flight, Patience};
pub use crate::transport::USUAL_PATIENCE;
pub use crate::transport::error::Sent;
pub use crate::transport::line::Line;
pub use crate::transport::request::{Body, Method};

use error::ApiError;

/// Where an account's password comes from.
#[derive(Clone)]
pub struct Password(Source);

#[derive(Clone)]
enum Source {
    Known(Secret),
    Ask { place: Arc<str>, ask: Arc<Ask> },
}

type Ask = dyn Fn() -> Result<Secret, String> + Send + Sync;

impl Password {
    /// A password that is at hand.
    pub fn known(password: Secret) -> Password {
        Password(Source::Known(password))
    }

    /// A password that is asked for when it is first needed, and again when it was refused. `place` says whose it is and
    /// where it is kept, and never shows it: two of the same place are the same. `ask` may block; its error is a sentence
    /// without a full stop.
    pub fn ask(place: &str, ask: impl Fn() -> Result<Secret, String> + Send + Sync + 'static) -> Password {
        Password(Source::Ask {
            place: place.into(),
            ask: Arc::new(ask),
        })
    }

    /// The password. May block.
    pub fn read(&self) -> Result<Secret, String> {
        match &self.0 {
            Source::Known(password) => Ok(password.clone()),
            Source::Ask { ask, .. } => ask(),
        }
    }

    /// What tells it from others without asking for it.
    pub fn identity(&self) -> Credential {
        match &self.0 {
            Source::Known(password) => Credential::Given(password.clone()),
            Source::Ask { place, .. } => Credential::Kept(Arc::clone(place)),
        }
    }

    /// Is it, as far as can be told without asking, the same?
    pub fn same_as(&self, other: &Password) -> bool {
        self.identity() == other.identity()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// What every client is made over. Clones share it.
#[derive(Clone)]
pub struct Network {
    /// How requests leave.
    pub http: Http,
    /// Where tokens are kept.
    pub store: Arc<dyn TokenStore>,
    /// Time.
    pub clock: Clock,
    guards: Guards,
}

/// What a platform protects in every account of it that this process knows of, whoever sends a request there.
pub trait Guard: Any + Send + Sync {
    /// Refuses a request that could change what must not be changed.
    fn judge(&self, request: &Request) -> Result<(), ApiError>;
}

/// The guards of every platform. Clones share them.
#[derive(Clone, Default)]
pub struct Guards(Arc<[Arc<dyn Guard>]>);

impl Guards {
    /// These guards, each of which is asked about every request.
    pub fn new(guards: impl IntoIterator<Item = Arc<dyn Guard>>) -> Guards {
        Guards(guards.into_iter().collect())
    }

    /// Refuses a request that one of them refuses.
    fn judge(&self, request: &Request) -> Result<(), ApiError> {
        self.0.iter().try_for_each(|guard| guard.judge(request))
    }

    /// The guard of this type.
    pub(crate) fn get<T: Guard>(&self) -> Option<&T> {
        let mut all = self.0.iter();
        all.find_map(|guard| (&**guard as &dyn Any).downcast_ref())
    }
}

/// What a service answered when it was asked for its own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reachability {
    /// The HTTP status.
    pub status: u16,
    /// Did a credential go with the request?
    pub credential: bool,
}

/// Whose tokens: an account, and the credential that it is signed in to with, so that nobody gets in with a wrong one
/// because somebody else signed in before.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenKey {
    /// The account: platform, address and login.
    pub account: String,
    /// The credential.
    pub credential: Credential,
}

/// What tells a credential from others.
#[derive(Debug, Clone, PartialEq)]
pub enum Credential {
    /// Itself: the caller has it at hand.
    Given(Secret),
    /// Whose it is and where it is kept. It is not read for that: a person would have to unlock it at every start.
    Kept(Arc<str>),
}

impl Network {
    /// A network on which nothing is protected yet: a runtime adds the guards of its platforms.
    pub fn new(http: Http, store: Arc<dyn TokenStore>, clock: Clock) -> Network {
        Network {
            http,
            store,
            clock,
            guards: Guards::default(),
        }
    }

    /// The same network, on which these guards judge every request.
    #[must_use]
    pub fn guarded(self, guards: Guards) -> Network {
        Network { guards, ..self }
    }

    /// What judges the requests.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// The same network, on another line.
    #[must_use]
    pub fn on(&self, line: &Line) -> Network {
        Network {
            http: self.http.on(line),
            ..self.clone()
        }
    }

    /// Sends a request, unless it could change what must not be changed.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, ApiError> {
        self.guards.judge(request)?;
        let response = self.http.send(request).await;
        response.map_err(|error| ApiError::no_answer(request, &error))
    }

    /// Is it the same network on the same line?
    pub(crate) fn shares_line(&self, other: &Network) -> bool {
        self.http.same_line(&other.http)
    }
}

/// Keeps tokens between processes, sealed on disk. Calls may block.
pub trait TokenStore: Send + Sync {
    /// The tokens last saved for an account, if they can be read.
    fn load(&self, key: &TokenKey) -> Option<Value>;

    /// Keeps an account's tokens; when this returns they are durable. The error is a sentence without a full stop.
    fn save(&self, key: &TokenKey, tokens: &Value) -> Result<(), String>;

    /// Drops an account's tokens.
    fn forget(&self, key: &TokenKey);
}

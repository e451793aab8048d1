//! How each platform speaks: typed clients that know its facts and traps, and neither journal nor script.

pub mod clients;
pub mod error;
pub mod jrni;
pub mod mobsted;

mod answer;
mod fields;
mod session;
mod tokens;

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::transport::Http;
use crate::value::Value;
use crate::value::secret::Secret;

pub use crate::transport::error::Sent;
pub use crate::transport::gate::Gate;
pub use crate::transport::request::{Body, Method};

/// Where an account's password comes from.
#[derive(Clone)]
pub struct Password(Source);

#[derive(Clone)]
enum Source {
    Known(Secret),
    Ask(Arc<Ask>),
}

type Ask = dyn Fn() -> Result<Secret, String> + Send + Sync;

impl Password {
    /// A password that is at hand.
    pub fn known(password: Secret) -> Password {
        Password(Source::Known(password))
    }

    /// A password that is asked for once, when it is first needed. `ask` may block; its error is a sentence without a
    /// full stop.
    pub fn ask(ask: impl Fn() -> Result<Secret, String> + Send + Sync + 'static) -> Password {
        Password(Source::Ask(Arc::new(ask)))
    }

    /// The password. May block.
    pub fn read(&self) -> Result<Secret, String> {
        match &self.0 {
            Source::Known(password) => Ok(password.clone()),
            Source::Ask(ask) => ask(),
        }
    }

    /// Is it, as far as can be told without asking, the same? Two that must be asked for count as the same.
    pub fn same_as(&self, other: &Password) -> bool {
        match (&self.0, &other.0) {
            (Source::Known(one), Source::Known(other)) => one == other,
            (Source::Ask(_), Source::Ask(_)) => true,
            _ => false,
        }
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
}

/// Keeps tokens between processes, sealed on disk. Calls may block.
pub trait TokenStore: Send + Sync {
    /// The tokens last saved for an account, if they can be read.
    fn load(&self, account: &str) -> Option<Value>;

    /// Keeps an account's tokens; when this returns they are durable. The error is a sentence without a full stop.
    fn save(&self, account: &str, tokens: &Value) -> Result<(), String>;

    /// Drops an account's tokens.
    fn forget(&self, account: &str);
}

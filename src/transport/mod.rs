//! The one way to the network: addresses are checked, redirects judged, answers bounded, and a failure says whether
//! the request can have been carried out.

pub mod address;
pub mod error;
pub mod gate;
pub mod request;
pub mod response;
pub mod token;

mod connect;
mod excerpt;
mod exchange;
mod redirect;
mod retry;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;
use std::time::Duration;

use address::{AddressRules, Routes};
use connect::Clients;
use error::TransportError;
use request::Request;
use response::Response;

use crate::clock::Clock;

/// How [`Http`] behaves. The defaults are meant for real platforms.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// How long a connection may take, name look-up and TLS handshake included.
    pub connect_timeout: Duration,
    /// How long one try may take as a whole, unless the request says otherwise.
    pub reply_timeout: Duration,
    /// The longest answer that is read, in bytes after decompression.
    pub body_limit: usize,
    /// What the `User-Agent` header says.
    pub user_agent: String,
    /// Where the sandbox listens.
    pub routes: Routes,
    /// Only sandbox hosts may be reached. When false, none of them may.
    pub only_sandbox: bool,
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig {
            connect_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(30),
            body_limit: 16 << 20,
            user_agent: concat!("provisor/", env!("CARGO_PKG_VERSION")).to_owned(),
            routes: Routes::none(),
            only_sandbox: false,
        }
    }
}

/// The HTTP client of a process. A clone shares its connections.
///
/// Connections belong to the tokio runtime that opened them: use one `Http` on one runtime.
#[derive(Debug, Clone)]
pub struct Http(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: HttpConfig,
    rules: AddressRules,
    clients: Clients,
    clock: Clock,
}

impl Http {
    /// A client that has opened nothing yet; even its TLS configuration is built at the first https request.
    pub fn new(config: HttpConfig, clock: Clock) -> Http {
        let rules = AddressRules {
            only_sandbox: config.only_sandbox,
        };
        Http(Arc::new(Inner {
            clients: Clients::new(&config),
            config,
            rules,
            clock,
        }))
    }

    /// Sends a request, and again where that is safe: what cannot have been carried out, reads that failed in
    /// passing, and whatever the platform puts off with 429.
    ///
    /// Every HTTP status is an answer. An error means that there is none: see [`TransportError::sent`].
    pub async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = exchange::once(&self.0, request).await;
            let wait = retry::wait_before_next(request, &outcome, tries, self.0.clock.now_millis());
            let Some(wait) = wait else {
                return retry::finish(outcome, tries);
            };
            tracing::debug!(request = %request.label(), tries, wait_ms = wait.as_millis(), "trying again");
            self.0.clock.sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests;

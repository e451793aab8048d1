//! Rules for which addresses may be used, and the real addresses of sandbox hosts.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use url::Url;

use super::connect_options::PLAIN_HTTP_CONSENT;
pub use crate::value::origin::is_sandbox_host;
use crate::value::origin::{Origin, is_local};

/// Looks up where a sandbox host currently listens; called for each new connection.
#[derive(Clone)]
pub struct Routes(Arc<Lookup>);

/// Maps a host name to its current address.
type Lookup = dyn Fn(&str) -> Option<SocketAddr> + Send + Sync;

impl Routes {
    /// Routes without any sandbox host, for when no sandbox is running.
    pub fn none() -> Routes {
        Routes::new(|_| None)
    }

    /// Calls `lookup` for each host; the name is in lower case.
    pub fn new(lookup: impl Fn(&str) -> Option<SocketAddr> + Send + Sync + 'static) -> Routes {
        Routes(Arc::new(lookup))
    }

    /// The address of `host`, or `None` if it is unknown.
    pub fn find(&self, host: &str) -> Option<SocketAddr> {
        (self.0)(host)
    }
}

impl Default for Routes {
    fn default() -> Routes {
        Routes::none()
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Routes")
    }
}

/// Whether this address is on the local machine.
pub fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| is_local(&host))
}

/// Rules for which addresses may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct AddressRules {
    /// See [`super::HttpConfig::only_sandbox`].
    pub(super) only_sandbox: bool,
}

impl AddressRules {
    /// The reason why this address may not be used, or `None` if it may. Beyond this machine, plain http may be used
    /// only for the origin `plain_http`.
    pub(super) fn refusal(self, url: &Url, plain_http: Option<&Origin>) -> Option<String> {
        let Some(host) = url.host_str() else {
            return Some("the address names no host".to_owned());
        };
        let sandbox = is_sandbox_host(host);
        match url.scheme() {
            "http" | "https" => {}
            other => return Some(format!("{other} addresses are not supported, only https")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Some("an address must not contain credentials".to_owned());
        }
        if self.only_sandbox && !sandbox {
            return Some("this run uses the sandbox, and only sandbox hosts can be reached".to_owned());
        }
        if sandbox && !self.only_sandbox {
            return Some("this account is in the sandbox; run with --sandbox".to_owned());
        }
        let is_accepted = || plain_http.is_some() && Origin::of(url).as_ref() == plain_http;
        if url.scheme() == "http" && !sandbox && !is_loopback(url) && !is_accepted() {
            return Some(format!(
                "plain http would expose secrets and data to the network; use https or, if the service has none, a \
                 profile with its address and plain_http = \"{PLAIN_HTTP_CONSENT}\" in your own configuration file"
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests;

//! Guards Mobsted accounts against requests from `http::` and other platforms' accounts, judged as if to a partner's
//! own account.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use url::Url;

use super::account::BaseUrl;
use super::endpoints::Endpoints;
use super::judge::{self, Items};
use crate::client::Guard;
use crate::client::error::ApiError;
use crate::transport::address;
use crate::transport::request::Request;

/// Mobsted's own servers (public clients, vendor's code), and the sandbox's.
const SERVERS: [&str; 4] = ["mobsted.com", "mobsted.ru", "mbst.xyz", "mobsted.sandbox"];

/// The addresses of the Mobsted accounts known to this process. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Partners(Arc<Mutex<HashSet<AccountAddress>>>);

/// A normalized host, and the base path of its account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AccountAddress {
    host: String,
    path: String,
}

impl Partners {
    /// Adds the address of an account.
    pub(crate) fn add_account(&self, base: &BaseUrl) {
        if let Ok(url) = Url::parse(base.as_str()) {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(AccountAddress::of(&url));
        }
    }
}

impl Guard for Partners {
    /// Refuses a request to a Mobsted account that is forbidden, or that only a session of the account may send.
    fn judge(&self, request: &Request) -> Result<(), ApiError> {
        if !self.concerns(request) {
            return Ok(());
        }
        match judge::judge(request, &Endpoints::default())? {
            Some(Items { ids, .. }) if !ids.is_empty() => Err(judge::refused(
                "it may change something that belongs to App 1, and only a session can check that: use the same call of \
                 mobsted::connect()",
            )),
            _ => Ok(()),
        }
    }
}

impl Partners {
    /// Whether it is sent to a Mobsted account, judging by its address and tokens.
    fn concerns(&self, request: &Request) -> bool {
        let place = AccountAddress::of(&request.url);
        let is_at = |server: &str| {
            let rest = place.host.strip_suffix(server);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.path.contains("/api/v8/")
            || SERVERS.into_iter().any(is_at)
            || known.iter().any(|known| place.is_below(known))
            || request.token_claims().iter().any(is_back_office_token)
    }
}

impl BaseUrl {
    /// Whether both could be the address of one account, however they are written. Accounts on this machine may have
    /// nested paths; others have a host each.
    pub fn may_be(&self, other: &BaseUrl) -> bool {
        let (Ok(url), Ok(other)) = (Url::parse(self.as_str()), Url::parse(other.as_str())) else {
            return true;
        };
        let (own, other) = (AccountAddress::of(&url), AccountAddress::of(&other));
        let within = || own.is_below(&other) || other.is_below(&own);
        own == other || (!address::is_loopback(&url) && within())
    }
}

impl AccountAddress {
    fn of(url: &Url) -> AccountAddress {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let host = match url.port_or_known_default() {
            // Services on this machine differ only by port.
            Some(port) if address::is_loopback(url) => format!("localhost:{port}"),
            _ => host.to_ascii_lowercase(),
        };
        let path = judge::decoded(url.path()).to_ascii_lowercase().replace('\\', "/");
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        AccountAddress {
            host,
            path: format!("/{}/", parts.join("/")).replace("//", "/"),
        }
    }

    fn is_below(&self, base: &AccountAddress) -> bool {
        self.host == base.host && self.path.starts_with(&base.path)
    }
}

/// Whether these are the claims of a back-office token. Its issuer is the account's host (seen in the vendor's tokens).
fn is_back_office_token(claims: &Json) -> bool {
    let issuer = claims.get("iss").and_then(Json::as_str).unwrap_or_default();
    let name = issuer.split('.').next().unwrap_or_default();
    name.ends_with("-admin") && claims.get("sub").is_some()
}

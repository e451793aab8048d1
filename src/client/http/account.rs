//! A service described by a profile: every request to it is below one address, and carries one credential.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::sign_in::{TokenAccount, TokenRequest};
use super::{Client, ServiceRequest, address};
use crate::client::error::{ApiError, ApiErrorKind};
use crate::client::session::{LazySecret, Session};
use crate::client::{ConnectOptions, Method, Network, Password, Reachability, clients};
use crate::value::Value;
use crate::value::origin::Origin;

/// A service: its address and credentials.
#[derive(Debug, Clone)]
pub struct Account {
    /// The profile's name.
    pub name: String,
    /// The base address of every request.
    pub url: String,
    /// How requests authenticate.
    pub credentials: Credentials,
    /// The timeout of one try, if the request sets none.
    pub reply: Option<Duration>,
}

/// How requests to a service authenticate.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// No authentication.
    None,
    /// A bearer token.
    Bearer(Password),
    /// Basic authentication: user and password.
    Basic(String, Password),
    /// A header and its value.
    Header(String, Password),
    /// A bearer token, which a sign-in returns.
    SignIn(TokenRequest),
}

/// Creates clients: the same service always gets the same one, so that its credential is read once.
pub type Accounts = clients::Accounts<Client>;

/// The service of a client and its credential.
pub(super) struct ServiceCredential {
    account: Account,
    access: Access,
}

/// What gives a service's requests access.
enum Access {
    Open,
    Secret(LazySecret),
    SignIn(Box<Session<TokenAccount>>),
}

impl Accounts {
    /// A client on `connect_options` that does not authenticate.
    pub fn unauthenticated(&self, connect_options: &ConnectOptions) -> Client {
        Client::new(self.network(connect_options))
    }

    /// Why no request may be sent to this address; `None` if it is allowed.
    pub fn refusal(&self, url: &Url) -> Option<String> {
        self.network(&ConnectOptions::default()).http.refusal(url)
    }

    /// The client for `account`, reached on `connect_options`. Sends nothing.
    pub fn client(&self, account: &Account, connect_options: &ConnectOptions) -> Client {
        let fits = |client: &Client, network: &_| {
            let known = client.known.as_ref();
            client.network.shares_pool(network) && known.is_some_and(|known| known.account.same_as(account))
        };
        let key = match account.name.as_str() {
            "" => format!("{} {}", account.url, account.credentials.id()),
            name => format!("{} {name}", account.url),
        };
        self.shared(key, connect_options, fits, |network| Client {
            known: Some(Arc::new(ServiceCredential::new(account.clone(), &network))),
            network,
        })
    }
}

impl Credentials {
    /// Distinguishes the accounts of an address that have no name of their own.
    fn id(&self) -> String {
        match self {
            Credentials::None => String::new(),
            Credentials::Bearer(secret) => secret.inline_id(),
            Credentials::Basic(user, secret) | Credentials::Header(user, secret) => {
                format!("{user} {}", secret.inline_id())
            }
            Credentials::SignIn(request) => request.id(),
        }
    }
}

impl Account {
    fn same_as(&self, other: &Account) -> bool {
        use Credentials::{Basic, Bearer, Header, None, SignIn};
        let same = match (&self.credentials, &other.credentials) {
            (None, None) => true,
            (Bearer(one), Bearer(other)) => one.same_as(other),
            (Basic(who, one), Basic(whom, other)) | (Header(who, one), Header(whom, other)) => {
                who == whom && one.same_as(other)
            }
            (SignIn(one), SignIn(other)) => one.same_as(other),
            _ => false,
        };
        same && self.reply == other.reply
    }
}

impl ServiceCredential {
    fn new(account: Account, network: &Network) -> ServiceCredential {
        let access = match &account.credentials {
            Credentials::None => Access::Open,
            Credentials::Bearer(secret) | Credentials::Basic(_, secret) | Credentials::Header(_, secret) => {
                Access::Secret(LazySecret::new(secret.clone()))
            }
            Credentials::SignIn(request) => {
                let account = TokenAccount::new(account.url.clone(), request.clone(), account.reply);
                Access::SignIn(Box::new(Session::new(account, network.clone())))
            }
        };
        ServiceCredential { account, access }
    }

    /// The session of a service with a sign-in.
    pub(super) fn session(&self) -> Option<&Session<TokenAccount>> {
        match &self.access {
            Access::SignIn(session) => Some(session),
            Access::Open | Access::Secret(_) => None,
        }
    }

    /// Checks that the request is below the service's address, and adds the default timeout.
    pub(super) fn placed(&self, mut asked: ServiceRequest) -> Result<ServiceRequest, ApiError> {
        below(&self.account.url, asked.url.as_str())?;
        asked.timeout = asked.timeout.or(self.account.reply);
        Ok(asked)
    }

    /// Adds the service's default timeout and credential. A request with a credential of its own keeps that one.
    pub(super) async fn signed(&self, asked: ServiceRequest) -> Result<ServiceRequest, ApiError> {
        let mut asked = self.placed(asked)?;
        let has = |name: &str| {
            asked
                .headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let own = asked.bearer.is_some() || asked.basic.is_some() || has("authorization");
        let secret = match &self.access {
            Access::Secret(secret) if !own => secret,
            Access::SignIn(session) if !own => {
                asked.bearer = Some(session.tokens().await?.access);
                return Ok(asked);
            }
            _ => return Ok(asked),
        };
        match &self.account.credentials {
            Credentials::Bearer(_) => asked.bearer = Some(secret.get("bearer token").await?),
            Credentials::Basic(login, _) => {
                asked.basic = Some((login.clone(), secret.get("password").await?));
            }
            Credentials::Header(name, _) if !has(name) => {
                let value = secret.get("header's value").await?;
                asked.headers.push((name.clone(), Value::Secret(value)));
            }
            Credentials::None | Credentials::Header(..) | Credentials::SignIn(_) => {}
        }
        Ok(asked)
    }
}

impl Client {
    /// Requests the service's own address, to check that it grants access: 401, 403 and 407 mean that the credential is
    /// refused or missing. Any other response shows that the service is reachable, even if nothing exists there. `None`
    /// for a client without a service.
    pub async fn check_reachable(&self) -> Result<Option<Reachability>, ApiError> {
        let Some(known) = &self.known else { return Ok(None) };
        let asked = ServiceRequest {
            method: Method::Get,
            url: address(&known.account.url)?,
            query: Vec::new(),
            headers: Vec::new(),
            body: crate::client::Body::None,
            bearer: None,
            basic: None,
            timeout: None,
        };
        let credential = !matches!(known.access, Access::Open);
        let status = match self.send_checked(asked, None).await {
            Ok(reply) => reply.status,
            Err(error) => match error.status {
                None => return Err(error),
                Some(401 | 403 | 407) => return Err(refused(error, credential)),
                Some(status) => status,
            },
        };
        Ok(Some(Reachability { status, credential }))
    }
}

fn refused(error: ApiError, credential: bool) -> ApiError {
    let attempt_text = if credential {
        "it refuses the profile's credential"
    } else {
        "it requires a credential, and the profile has none"
    };
    ApiError {
        kind: ApiErrorKind::SignInRefused,
        message: format!("{}: {attempt_text}", error.message),
        ..error
    }
}

/// Parses the base address of a service.
pub fn base(text: &str) -> Result<Url, ApiError> {
    let url = address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ApiError::new(
            ApiErrorKind::Address,
            "a service's address must not have a ? or # part",
        ));
    }
    Ok(url)
}

/// Checks a header name (RFC 9110, 5.6.2).
pub fn header(name: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !name.is_empty() && name.chars().all(fits) {
        return Ok(());
    }
    Err(ApiError::bad_input("this is not a valid header name"))
}

/// Whether `url` is below `base`, even if their hosts are spelled differently.
pub fn is_below(base: &str, url: &str) -> bool {
    let (Ok(base), Ok(url)) = (address(base), address(url)) else {
        return false;
    };
    Origin::of(&base) == Origin::of(&url) && is_path_below(&base, &url)
}

fn is_path_below(base: &Url, url: &Url) -> bool {
    let rest = url.path().strip_prefix(base.path().trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Resolves `given` below `base`: a path is appended to it, a full address must begin with it.
pub fn below(base: &str, given: &str) -> Result<Url, ApiError> {
    address(&written_below(base, given)?)
}

/// Like [`below`], with a whole address as it is given, and a path appended as it is.
pub fn written_below(base: &str, given: &str) -> Result<String, ApiError> {
    let base = address(base)?;
    let given = given.trim();
    let root = base.path().trim_end_matches('/').to_owned();
    let start = given.get(..8).unwrap_or(given).to_ascii_lowercase();
    let whole = if start.starts_with("http://") || start.starts_with("https://") {
        given.to_owned()
    } else {
        let origin = base.origin().ascii_serialization();
        format!("{origin}{root}/{}", given.trim_start_matches('/'))
    };
    let url = address(&whole)?;
    if url.origin() == base.origin() && is_path_below(&base, &url) {
        return Ok(whole);
    }
    Err(ApiError::new(
        ApiErrorKind::Address,
        format!("the address is not below the account's address, {base}"),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn equivalent_host_spellings_are_below_the_same_base_url() {
        for (base, url) in [
            ("http://127.0.0.1:18811/v2", "http://localhost:18811/v2/items"),
            ("http://127.0.0.1:18811/v2", "http://[::1]:18811/v2/items"),
            ("https://api.example.com/v2", "https://API.example.com./v2/items"),
            ("https://api.example.com", "https://api.example.com:443/v2"),
        ] {
            assert!(is_below(base, url), "{url}");
        }
        assert!(!is_below(
            "https://api.example.com/v2",
            "https://api.example.com/v22"
        ));
        assert!(!is_below(
            "https://api.example.com/v2",
            "https://api.example.com.evil.example/v2"
        ));
    }

    #[test]
    fn paths_join_the_base_url_and_path_traversal_is_refused() {
        let base = "https://api.example/v2/";
        for (given, url) in [
            ("/items?a=1", "https://api.example/v2/items?a=1"),
            ("items", "https://api.example/v2/items"),
            ("", "https://api.example/v2/"),
            ("https://api.example/v2/items", "https://api.example/v2/items"),
            ("https://api.example/v2", "https://api.example/v2"),
        ] {
            assert_eq!(below(base, given).unwrap().as_str(), url, "{given}");
        }
        for given in [
            "https://other.example/v2/items",
            "http://api.example/v2/items",
            "https://api.example/v3",
            "https://api.example/v22/items",
            "/../v3/items",
            "/%2e%2e/v3",
            "https://api.example:8443/v2/items",
        ] {
            assert_eq!(
                below(base, given).unwrap_err().kind,
                ApiErrorKind::Address,
                "{given}"
            );
        }
    }
}

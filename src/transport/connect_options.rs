//! How an account is reached: proxy, trusted certificates, rate limits and timeouts.

#![allow(
    clippy::disallowed_methods,
    reason = "proxies and certificates need their secrets"
)]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;
use zeroize::Zeroizing;

use super::rate_limit::Rate;
use crate::value::origin::Origin;
use crate::value::secret::Secret;

/// The sentence by which a user accepts, in the account's profile and word for word, that the account is reached by
/// plain http.
pub const PLAIN_HTTP_CONSENT: &str =
    "I accept that the secrets and the data of this account travel unencrypted";

/// The connection options of one account. Two accounts with the same options share connections and rate limits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConnectOptions {
    /// The profile's name. Empty for the default options.
    pub name: String,
    /// How long connecting may take; [`super::HttpConfig::connect_timeout`] if not given.
    pub connect_timeout: Option<Duration>,
    /// Whether to connect through a proxy.
    pub proxy: ProxyChoice,
    /// Trusted certificates besides the system's.
    pub ca: Option<Authorities>,
    /// Our certificate, for a server that asks for a client certificate.
    pub identity: Option<Identity>,
    /// The maximum number of requests per time. No limit if not given.
    pub rate: Option<Rate>,
    /// The maximum number of concurrent requests. No limit if not given.
    pub concurrency: Option<usize>,
    /// How long to wait for a platform that was reached before and becomes unreachable; five minutes if not given.
    pub outage: Option<Duration>,
    /// The account's own origin, if its user accepts plain http there ([`PLAIN_HTTP_CONSENT`]). Other origins beyond
    /// this machine are reached by https only.
    pub plain_http: Option<Origin>,
}

impl ConnectOptions {
    /// Options for requests to the same place that belong to no account: only the rate limits are kept.
    #[must_use]
    pub fn rate_only(&self) -> ConnectOptions {
        ConnectOptions {
            name: self.name.clone(),
            rate: self.rate,
            concurrency: self.concurrency,
            ..ConnectOptions::default()
        }
    }

    /// Options for hosts other than the account's own: without its client certificate, its trusted certificates and its
    /// consent to plain http.
    #[must_use]
    pub fn for_other_hosts(&self) -> ConnectOptions {
        ConnectOptions {
            ca: None,
            identity: None,
            plain_http: None,
            ..self.clone()
        }
    }

    /// Whether requests with either of these options count against the same limits.
    pub(super) fn shares_rate(&self, other: &ConnectOptions) -> bool {
        !self.name.is_empty()
            && (&self.name, self.rate, self.concurrency) == (&other.name, other.rate, other.concurrency)
    }
}

/// Whether to connect through a proxy. This machine and the sandbox are never reached through one.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ProxyChoice {
    /// As configured in [`super::HttpConfig::proxies`].
    #[default]
    Usual,
    /// No proxy.
    Direct,
    /// This proxy.
    Proxy(Proxy),
}

/// The proxies of an account, or for accounts that name none, those of the usual environment variables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proxies {
    /// For https addresses.
    pub https: Option<Proxy>,
    /// For plain http beyond this machine: only an account names one, the environment's is not used.
    pub http: Option<Proxy>,
    /// Hosts to reach directly: names, `.suffixes`, addresses and networks, separated by commas, or `*`.
    pub except: String,
    /// Why the proxy of the environment cannot be used, in a sentence without a full stop: requests that need it are
    /// then not sent.
    pub unusable: Option<String>,
}

impl Proxies {
    /// The proxy for an https address on `host`, as far as that can be decided by name.
    pub(super) fn https_for(&self, host: &str) -> Option<&Proxy> {
        let entries = self
            .except
            .split(',')
            .map(|entry| entry.trim().trim_start_matches('.'));
        let excepted = entries.filter(|entry| !entry.is_empty()).any(|entry| {
            let below = host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.'));
            entry == host || below
        });
        self.https
            .as_ref()
            .filter(|_| !excepted && !self.bypasses_all_hosts())
    }

    /// Whether all hosts are reached directly.
    pub(super) fn bypasses_all_hosts(&self) -> bool {
        self.except.split(',').any(|entry| entry.trim() == "*")
    }
}

/// A proxy's address. Displayed without its credentials.
#[derive(Clone, PartialEq)]
pub struct Proxy {
    shown: String,
    full: Secret,
    credentials: bool,
}

impl Proxy {
    /// Parses `http://host:port`, `https://host:port` or `host:port`, optionally with `name:password@` before the host.
    /// The error is the rest of a sentence that starts with the address's location; it does not repeat the address.
    pub fn parse(text: &str) -> Result<Proxy, String> {
        const FORM: &str = "must be a proxy's address such as http://proxy.example:3128";
        let text = text.trim();
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let mut url = Url::parse(&full).map_err(|_| FORM.to_owned())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must be an http:// or https:// proxy; others are not supported".to_owned());
        }
        if url.host_str().is_none_or(str::is_empty) || url.path() != "/" || url.query().is_some() {
            return Err(FORM.to_owned());
        }
        let credentials = !url.username().is_empty() || url.password().is_some();
        let clear = Secret::new(url.as_str());
        if url
            .set_username("")
            .and_then(|()| url.set_password(None))
            .is_err()
        {
            return Err(FORM.to_owned());
        }
        Ok(Proxy {
            shown: url.as_str().trim_end_matches('/').to_owned(),
            full: clear,
            credentials,
        })
    }

    /// Like [`Proxy::parse`], for an address that is a secret as a whole.
    pub fn from_secret(text: &Secret) -> Result<Proxy, String> {
        Proxy::parse(text.expose())
    }

    /// Whether it contains a user name or a password.
    pub fn has_credentials(&self) -> bool {
        self.credentials
    }

    /// The address with its credentials, in clear: for the wire only.
    pub(super) fn wire_address(&self) -> &str {
        self.full.expose()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.shown)
    }
}

/// Trusted certificates, as PEM; parsed by [`Authorities::parse`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Authorities(pub(super) Vec<u8>);

impl Authorities {
    /// Parses one or more PEM certificates. The error is the rest of a sentence that starts with the file.
    pub fn parse(pem: &[u8]) -> Result<Authorities, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots
                .add(certificate)
                .map_err(|reason| format!("holds a certificate that cannot be trusted: {reason}"))?;
        }
        Ok(Authorities(pem.to_owned()))
    }
}

/// A client certificate with its key.
#[derive(Clone, PartialEq)]
pub struct Identity {
    /// The certificate and its intermediate certificates, as PEM.
    pub(super) chain: Vec<u8>,
    /// The key, as PEM.
    pub(super) key: Secret,
}

impl Identity {
    /// Parses a PEM certificate with its intermediate certificates, and its PEM key, and checks that they belong
    /// together. The error is a clause.
    pub fn parse(chain: &[u8], key: &Secret) -> Result<Identity, String> {
        let identity = Identity {
            chain: chain.to_owned(),
            key: key.clone(),
        };
        let certificates =
            certificates(chain).map_err(|reason| format!("the certificate's file {reason}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|reason| reason.to_string())?
            .with_root_certificates(RootCertStore::empty());
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| {
            "the key's file holds no PEM key that can be used (one with a passphrase cannot)".to_owned()
        })?;
        match builder.with_client_auth_cert(certificates, key) {
            Ok(_) => Ok(identity),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err("the key does not belong to the certificate".to_owned())
            }
            // The library's other messages describe its internals.
            Err(_) => Err(
                "the certificate cannot be used: TLS needs an X.509 certificate of version 3, in PEM"
                    .to_owned(),
            ),
        }
    }

    /// Certificate and key as one PEM, in clear: for the TLS handshake only.
    pub(super) fn wire_pem(&self) -> Zeroizing<Vec<u8>> {
        let mut pem = Zeroizing::new(self.chain.clone());
        pem.push(b'\n');
        pem.extend_from_slice(self.key.expose().as_bytes());
        pem
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err("holds no PEM certificate".to_owned()),
    }
}

#[cfg(test)]
mod tests;

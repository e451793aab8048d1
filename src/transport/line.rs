//! How an account is reached: by which way, trusted how, at which pace, and how long it is waited for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;
use zeroize::Zeroizing;

use super::rate_limit::Rate;
use crate::value::secret::Secret;

/// How one account is reached. Two accounts with the same line share its connections and its pace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Whose line it is: the profile's name. Empty for a line that nothing was said about.
    pub name: String,
    /// How long a connection may take; [`super::HttpConfig::connect_timeout`] when not given.
    pub connect_timeout: Option<Duration>,
    /// Whether a proxy stands between.
    pub proxy: Through,
    /// Certificates that are trusted besides the system's.
    pub ca: Option<Authorities>,
    /// Who we are, for a server that asks for a client certificate.
    pub identity: Option<Identity>,
    /// How many requests may leave in a time. No limit when not given.
    pub rate: Option<Rate>,
    /// How many requests may be under way at once. No limit when not given.
    pub concurrency: Option<usize>,
    /// How long a platform that was reached before is waited for when it cannot be reached any more; five minutes when
    /// not given.
    pub outage: Option<Duration>,
}

impl Line {
    /// A line for requests that go where this one goes and are nobody's: only the pace is this one's.
    #[must_use]
    pub fn pace_alone(&self) -> Line {
        Line {
            name: self.name.clone(),
            rate: self.rate,
            concurrency: self.concurrency,
            ..Line::default()
        }
    }

    /// This line to other hosts than the account's own: its certificate is not shown there, and whom it trusts is not
    /// trusted there.
    #[must_use]
    pub fn to_others(&self) -> Line {
        Line {
            ca: None,
            identity: None,
            ..self.clone()
        }
    }

    /// Do requests on both lines count against one limit?
    pub(super) fn shares_pace(&self, other: &Line) -> bool {
        !self.name.is_empty()
            && (&self.name, self.rate, self.concurrency) == (&other.name, other.rate, other.concurrency)
    }
}

/// Whether a proxy stands between. This machine and the sandbox are never reached through one.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Through {
    /// As [`super::HttpConfig::proxies`] says.
    #[default]
    Usual,
    /// No proxy.
    Direct,
    /// This proxy.
    Proxy(Proxy),
}

/// The proxy for accounts that name none themselves, as the usual environment variables give it. There is none for
/// plain http, which is spoken on this machine only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proxies {
    /// For https addresses.
    pub https: Option<Proxy>,
    /// Hosts that are reached without them: names, `.suffixes`, addresses and networks, separated by commas, or `*`.
    pub except: String,
    /// Why what the environment names cannot be used, in a sentence without a full stop: then nothing is sent to where
    /// it would count.
    pub unusable: Option<String>,
}

impl Proxies {
    /// The proxy for an https address on `host`, as far as names tell.
    pub(super) fn https_for(&self, host: &str) -> Option<&Proxy> {
        let entries = self
            .except
            .split(',')
            .map(|entry| entry.trim().trim_start_matches('.'));
        let excepted = entries.filter(|entry| !entry.is_empty()).any(|entry| {
            let below = host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.'));
            entry == host || below
        });
        self.https.as_ref().filter(|_| !excepted && !self.except_all())
    }

    /// Is no host reached through them?
    pub(super) fn except_all(&self) -> bool {
        self.except.split(',').any(|entry| entry.trim() == "*")
    }
}

/// A proxy's address. Shown without its credentials.
#[derive(Clone, PartialEq)]
pub struct Proxy {
    shown: String,
    full: Secret,
    credentials: bool,
}

impl Proxy {
    /// Reads `http://host:port`, `https://host:port` or `host:port`, perhaps with `name:password@` before the host. The
    /// error is the rest of a sentence that starts with where the address stands, and repeats none of it.
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

    /// The same, for an address that is a secret as a whole.
    pub fn from_secret(text: &Secret) -> Result<Proxy, String> {
        Proxy::parse(text.expose())
    }

    /// Does it carry a name or a password?
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

/// Certificates to trust, as PEM; read by [`Authorities::parse`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Authorities(pub(super) Vec<u8>);

impl Authorities {
    /// Reads one or more PEM certificates. The error is the rest of a sentence that starts with the file.
    pub fn parse(pem: &[u8]) -> Result<Authorities, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots
                .add(certificate)
                .map_err(|why| format!("holds a certificate that cannot be trusted: {why}"))?;
        }
        Ok(Authorities(pem.to_owned()))
    }
}

/// A client certificate with its key.
#[derive(Clone, PartialEq)]
pub struct Identity {
    /// The certificate, and those that lead to one the server knows, as PEM.
    pub(super) chain: Vec<u8>,
    /// The key, as PEM.
    pub(super) key: Secret,
}

impl Identity {
    /// Reads a PEM certificate with those that lead to one the server knows, and its PEM key, and checks that they
    /// belong together. The error is a clause.
    pub fn parse(chain: &[u8], key: &Secret) -> Result<Identity, String> {
        let identity = Identity {
            chain: chain.to_owned(),
            key: key.clone(),
        };
        let certificates = certificates(chain).map_err(|why| format!("the certificate's file {why}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| why.to_string())?
            .with_root_certificates(RootCertStore::empty());
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| {
            "the key's file holds no PEM key that can be used (one with a passphrase cannot)".to_owned()
        })?;
        match builder.with_client_auth_cert(certificates, key) {
            Ok(_) => Ok(identity),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err("the key does not belong to the certificate".to_owned())
            }
            // What the library says of the rest is its own internals.
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

//! The connection settings of a profile: proxy, certificates, rate, concurrency and outage timeout.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::credential::is_open_to_others;
use super::entry::Entry;
use super::table::Table;
use super::{ConfigError, CredentialSource, Sourced, folder_of};
use crate::cli::paths::Env;
use crate::cli::secret_store::SecretId;
use crate::transport::connect_options::{Authorities, ConnectOptions, Identity, Proxy, ProxyChoice};
use crate::transport::rate_limit::Rate;
use crate::value::secret::Secret;

/// The keys of a profile that this module reads.
pub(super) const KEYS: [&str; 6] = ["proxy", "ca", "client_cert", "client_key", "rate", "concurrency"];

/// The maximum concurrency, higher than any platform wants.
const MAX_CONCURRENCY: i64 = 1_000;

/// The maximum length of a file, in bytes; a longer one does not hold certificates.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Connection settings, as written.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The proxy.
    pub proxy: Option<Sourced<ProxySetting>>,
    /// The file of CA certificates that are trusted besides the system's.
    pub ca: Option<Sourced<PathBuf>>,
    /// The file with the client certificate.
    pub client_cert: Option<Sourced<PathBuf>>,
    /// The file with the client certificate's key.
    pub client_key: Option<Sourced<PathBuf>>,
    /// The rate limit.
    pub rate: Option<Sourced<Rate>>,
    /// The maximum number of concurrent requests.
    pub concurrency: Option<Sourced<usize>>,
    /// How long to wait for a platform that has become unreachable.
    pub outage: Option<Sourced<Duration>>,
}

/// The proxy of a profile.
#[derive(Debug, Clone, PartialEq)]
pub enum ProxySetting {
    /// No proxy, whatever the environment sets.
    None,
    /// The proxy at this address.
    At(Proxy),
    /// A proxy whose address is kept elsewhere because it contains a password.
    From(CredentialSource),
}

impl fmt::Display for ProxySetting {
    /// Shows the address, or the source of the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxySetting::None => f.write_str("none"),
            ProxySetting::At(proxy) => proxy.fmt(f),
            ProxySetting::From(source) => source.fmt(f),
        }
    }
}

impl Connection {
    pub(super) fn read(table: &Table<'_>, timeouts: Option<&Table<'_>>) -> Result<Connection, ConfigError> {
        let path = |key| table.get(key).map(|entry| read_path(&entry)).transpose();
        Ok(Connection {
            proxy: table.get("proxy").map(|entry| read_proxy(&entry)).transpose()?,
            ca: path("ca")?,
            client_cert: path("client_cert")?,
            client_key: path("client_key")?,
            rate: table.get("rate").map(|entry| read_rate(&entry)).transpose()?,
            concurrency: table
                .get("concurrency")
                .map(|entry| read_count(&entry))
                .transpose()?,
            outage: timeouts.map_or(Ok(None), |table| table.duration("outage"))?,
        })
    }

    /// Merges these settings over `below`, which supplies the values that these lack.
    pub(super) fn merged_over(self, below: Connection) -> Connection {
        // A certificate and its key belong together.
        let own = self.client_cert.is_some() || self.client_key.is_some();
        let (cert, key) = if own {
            (self.client_cert, self.client_key)
        } else {
            (below.client_cert, below.client_key)
        };
        Connection {
            proxy: self.proxy.or(below.proxy),
            ca: self.ca.or(below.ca),
            client_cert: cert,
            client_key: key,
            rate: self.rate.or(below.rate),
            concurrency: self.concurrency.or(below.concurrency),
            outage: self.outage.or(below.outage),
        }
    }

    /// Lists settings that could let a third party listen: the file of each, and what it does, as `it …`.
    pub(super) fn needs_trust_for(&self, profile: &str) -> Vec<(&Path, String)> {
        let file = |path: &Sourced<PathBuf>| path.value.display().to_string();
        let proxy = self.proxy.iter().map(|proxy| {
            let what = match &proxy.value {
                ProxySetting::None => "without a proxy".to_owned(),
                ProxySetting::At(at) => format!("through the proxy {at}"),
                ProxySetting::From(CredentialSource::Command { argv, .. }) => {
                    format!("through the proxy that `{}` names", argv.join(" "))
                }
                ProxySetting::From(source) => format!("through the proxy that {source} names"),
            };
            let origin = &proxy.origin;
            (
                origin.file.as_path(),
                format!("it connects to profile `{profile}` {what}"),
            )
        });
        let ca = self.ca.iter().map(|ca| {
            let what = format!(
                "it trusts the certificates in {} for profile `{profile}`",
                file(ca)
            );
            (ca.origin.file.as_path(), what)
        });
        let key = self.client_key.iter().map(|key| {
            let what = format!("it uses the key in {} for profile `{profile}`", file(key));
            (key.origin.file.as_path(), what)
        });
        proxy.chain(ca).chain(key).collect()
    }

    /// Resolves the settings: reads the files, and the proxy's address if it is kept elsewhere.
    pub(super) fn connect_options(
        &self,
        secret_id: &SecretId,
        env: &Env,
    ) -> Result<ConnectOptions, ConfigError> {
        let files = Files { secret_id, env };
        Ok(ConnectOptions {
            name: secret_id.profile.clone(),
            connect_timeout: None,
            proxy: self.through(&files)?,
            ca: self.ca.as_ref().map(|ca| files.authorities(ca)).transpose()?,
            identity: self.identity(&files)?,
            rate: self.rate.as_ref().map(|rate| rate.value),
            concurrency: self.concurrency.as_ref().map(|count| count.value),
            outage: self.outage.as_ref().map(|outage| outage.value),
            plain_http: None,
        })
    }

    fn through(&self, files: &Files<'_>) -> Result<ProxyChoice, ConfigError> {
        let Some(setting) = &self.proxy else {
            return Ok(ProxyChoice::Usual);
        };
        match &setting.value {
            ProxySetting::None => Ok(ProxyChoice::Direct),
            ProxySetting::At(proxy) => Ok(ProxyChoice::Proxy(proxy.clone())),
            ProxySetting::From(source) => {
                let proxy = source
                    .read(files.secret_id, files.env)
                    .map_err(|error| match error {
                        ConfigError::Credential { problem, .. } => problem,
                        other => other.to_string(),
                    });
                let proxy = proxy.and_then(|address| Proxy::from_secret(&address));
                let failed =
                    |reason| files.bad("proxy", setting, format!("is kept in {source}, and {reason}"));
                proxy.map(ProxyChoice::Proxy).map_err(failed)
            }
        }
    }

    fn identity(&self, files: &Files<'_>) -> Result<Option<Identity>, ConfigError> {
        let lacks = |key: &'static str, has, other: &str| {
            Err(files.bad(key, has, format!("needs `{other}` as well")))
        };
        match (&self.client_cert, &self.client_key) {
            (None, None) => Ok(None),
            (Some(cert), None) => lacks("client_cert", cert, "client_key"),
            (None, Some(key)) => lacks("client_key", key, "client_cert"),
            (Some(cert), Some(key)) => {
                let chain = files.read("client_cert", cert, false)?;
                let pem = String::from_utf8(files.read("client_key", key, true)?)
                    .map(Secret::new)
                    .map_err(|_| files.bad("client_key", key, "names a file that is not PEM text".into()))?;
                let identity = Identity::parse(&chain, &pem);
                identity
                    .map(Some)
                    .map_err(|reason| files.bad("client_cert", cert, format!("cannot be used: {reason}")))
            }
        }
    }
}

/// A reader of the files that a profile names.
struct Files<'a> {
    secret_id: &'a SecretId,
    env: &'a Env,
}

impl Files<'_> {
    fn authorities(&self, ca: &Sourced<PathBuf>) -> Result<Authorities, ConfigError> {
        let parsed = Authorities::parse(&self.read("ca", ca, false)?);
        parsed.map_err(|reason| {
            self.bad(
                "ca",
                ca,
                format!("names the file {}, which {reason}", ca.value.display()),
            )
        })
    }

    /// Reads a file. A `private` one must be accessible to its owner only.
    fn read(
        &self,
        key: &'static str,
        path: &Sourced<PathBuf>,
        private: bool,
    ) -> Result<Vec<u8>, ConfigError> {
        let place = match (path.value.strip_prefix("~"), self.env.home()) {
            (Ok(below), Some(home)) => home.join(below),
            _ => path.value.clone(),
        };
        let name = place.display();
        let reason = |error: std::io::Error| {
            self.bad(
                key,
                path,
                format!("names the file {name}, which cannot be read: {error}"),
            )
        };
        let file = std::fs::File::open(&place).map_err(reason)?;
        if private && is_open_to_others(&file.metadata().map_err(reason)?) {
            let problem =
                format!("names the file {name}, which users other than its owner can read: chmod 600 {name}");
            return Err(self.bad(key, path, problem));
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(reason)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let problem = format!("names the file {name}, which is longer than {MAX_FILE_BYTES} bytes");
            return Err(self.bad(key, path, problem));
        }
        Ok(bytes)
    }

    fn bad<T>(&self, key: &'static str, at: &Sourced<T>, problem: String) -> ConfigError {
        ConfigError::BadValue {
            origin: at.origin.clone(),
            key: format!("profiles.{}.{key}", self.secret_id.profile),
            problem,
        }
    }
}

/// Reads a path, relative to the configuration file's folder or, as `~/…`, to the user's.
fn read_path(entry: &Entry<'_>) -> Result<Sourced<PathBuf>, ConfigError> {
    let text = entry.text()?.value;
    let path = if text.starts_with("~/") {
        text.into()
    } else {
        folder_of(entry.file()).join(text)
    };
    Ok(entry.sourced(path))
}

/// Reads a proxy: an address without credentials, `none`, or the source of an address with credentials.
fn read_proxy(entry: &Entry<'_>) -> Result<Sourced<ProxySetting>, ConfigError> {
    if !entry.is_text() {
        let source = CredentialSource::parse(entry)?;
        return Ok(entry.sourced(ProxySetting::From(source.value)));
    }
    let text = entry.text()?.value;
    if text == "none" {
        return Ok(entry.sourced(ProxySetting::None));
    }
    match Proxy::parse(&text) {
        Ok(proxy) if proxy.has_credentials() => Err(entry.bad(
            "must not contain a user name or a password: keep the whole address elsewhere and write { env = \
             \"VARIABLE\" }",
        )),
        Ok(proxy) => Ok(entry.sourced(ProxySetting::At(proxy))),
        Err(reason) => Err(entry.bad(&reason)),
    }
}

fn read_rate(entry: &Entry<'_>) -> Result<Sourced<Rate>, ConfigError> {
    const FORMS: &str = "must be a rate such as \"10/s\", \"90/min\" or \"1000/h\"";
    let rate = entry.text().ok().and_then(|text| Rate::parse(&text.value));
    rate.map(|rate| entry.sourced(rate))
        .ok_or_else(|| entry.bad(FORMS))
}

fn read_count(entry: &Entry<'_>) -> Result<Sourced<usize>, ConfigError> {
    let count = entry
        .integer()
        .filter(|count| (1..=MAX_CONCURRENCY).contains(count));
    let count = count.and_then(|count| usize::try_from(count).ok());
    count
        .map(|count| entry.sourced(count))
        .ok_or_else(|| entry.bad(&format!("must be a whole number from 1 to {MAX_CONCURRENCY}")))
}

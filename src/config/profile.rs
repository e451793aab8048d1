//! A profile: an account on a platform, and its settings.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::{self, Settings};
use super::secret_source::is_open_to_others;
use super::{ConfigError, Env, Location, SecretId, SecretSource, Setting, Sourced, trust};
use crate::operation::context::Mode;
use crate::operation::platform::Platform;
use crate::transport::connect_options::{Authorities, ConnectOptions, Identity, Proxy, ProxyChoice};
use crate::value::origin::Origin;
use crate::value::secret::Secret;

/// The name of the profile with the settings for the sandbox.
pub(crate) const SANDBOX: &str = "sandbox";

/// The minimum settle time for accounts that are not on this machine.
const MIN_SETTLE: Duration = Duration::from_secs(5);

/// The maximum length of a file, in bytes; a longer one does not hold certificates.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A named account. Everything but the name is optional; a missing value is an error only when it is needed.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// The profile's name.
    pub(crate) name: String,
    /// The default platform.
    usual: &'static Platform,
    /// What the files set, and variables for secrets that no file sets.
    pub(super) settings: Settings,
    /// The file with the highest precedence, where a missing value would be added.
    pub(crate) file: PathBuf,
    /// The untrusted file that sets some of its values, if any.
    pub(super) untrusted: Option<PathBuf>,
    /// Why it cannot be used at all, if so.
    pub(super) refused: Option<ConfigError>,
}

/// A value in effect, ready to be shown.
pub(crate) struct Line {
    /// The key, such as `timeouts.reply`.
    pub(crate) key: String,
    /// The value; for a secret, its source.
    pub(crate) value: String,
    /// Where it is set.
    pub(crate) origin: Provenance,
}

/// Where a value is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// In a file.
    File(Location),
    /// In an environment variable.
    Variable(String),
    /// Nowhere.
    Default,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provenance::File(origin) => origin.fmt(f),
            Provenance::Variable(name) => f.write_str(name),
            Provenance::Default => f.write_str("default"),
        }
    }
}

impl Profile {
    /// Creates a profile with the settings of one file.
    pub(super) fn new(name: &str, usual: &'static Platform, settings: Settings, file: &Path) -> Profile {
        Profile {
            name: name.to_owned(),
            usual,
            settings,
            file: file.to_owned(),
            untrusted: None,
            refused: None,
        }
    }

    /// Returns the value of a key, if it is set.
    pub(crate) fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key).map(|setting| &setting.value)
    }

    /// Returns where a key is set.
    pub(crate) fn location(&self, key: &str) -> Option<&Location> {
        self.settings.get(key).map(|setting| &setting.origin)
    }

    /// The settings below a key that is a table or a list, by the rest of the key.
    pub(super) fn below<'a>(
        &'a self,
        table: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Sourced<Setting>)> {
        let below = move |key: &'a str| key.strip_prefix(table)?.strip_prefix('.');
        let settings = self.settings.iter();
        settings.filter_map(move |(key, setting)| Some((below(key)?, setting)))
    }

    /// The other hosts that secrets of the account may be sent to.
    pub(crate) fn secrets_to(&self) -> Vec<&str> {
        self.below("secrets_to").map(|(host, _)| host).collect()
    }

    /// Returns the platform; the default one if none is specified.
    pub(crate) fn platform(&self) -> &'static Platform {
        match self.get("platform") {
            Some(Setting::Platform(platform)) => platform,
            _ => self.usual,
        }
    }

    /// Returns the address, without credentials. The error for a missing one says where to add it.
    pub(crate) fn url(&self) -> Result<&str, ConfigError> {
        self.text("url")
    }

    /// Returns a text of the account. The error for a missing one says where to add it.
    pub(crate) fn text(&self, key: &str) -> Result<&str, ConfigError> {
        match self.get(key) {
            Some(Setting::Text(text) | Setting::Account(text)) => Ok(text),
            _ => Err(self.incomplete(key)),
        }
    }

    /// The values of the account that may be shown, without the address, by key.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let settings = self.settings.iter();
        settings.filter_map(|(key, setting)| match &setting.value {
            Setting::Account(text) => Some((key.as_str(), text.as_str())),
            _ => None,
        })
    }

    /// The sources of the account's secrets, by key.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, &SecretSource)> {
        let settings = self.settings.iter();
        settings.filter_map(|(key, setting)| match &setting.value {
            Setting::Secret(source) => Some((key.as_str(), source)),
            _ => None,
        })
    }

    /// The source of a secret of the account.
    pub(crate) fn secret(&self, key: &str) -> Option<&SecretSource> {
        match self.get(key)? {
            Setting::Secret(source) => Some(source),
            _ => None,
        }
    }

    /// The mode: what is permitted; `dev` if none is set.
    pub(crate) fn mode(&self) -> Mode {
        match self.get("mode") {
            Some(Setting::Mode(mode)) => *mode,
            _ => Mode::Dev,
        }
    }

    /// Returns a duration, such as `settle` or `timeouts.reply`, if it is set.
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        match self.get(key)? {
            Setting::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    fn path(&self, key: &str) -> Option<&Path> {
        match self.get(key)? {
            Setting::File(path) => Some(path),
            _ => None,
        }
    }

    /// The paths of endpoints that differ from the platform's defaults, by endpoint.
    pub(crate) fn endpoints(&self) -> BTreeMap<String, String> {
        let endpoints = self.below("endpoints");
        let owned = |(name, path): (&str, &Sourced<Setting>)| (name.to_owned(), path.value.to_string());
        endpoints.map(owned).collect()
    }

    /// The keys that the account lacks.
    pub(crate) fn missing_keys(&self) -> Vec<&'static str> {
        self.platform().missing_keys(|key| self.get(key).is_some())
    }

    /// The values in effect, in the order of the documentation, with the defaults of important ones.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<(usize, Line)> = Vec::new();
        for (key, setting) in &self.settings {
            let line = Line {
                // A list is shown as its places.
                key: if key.starts_with("secrets_to.") {
                    "secrets_to".to_owned()
                } else {
                    key.clone()
                },
                value: setting.value.to_string(),
                origin: match &setting.value {
                    Setting::Secret(SecretSource::Implicit(variable)) => {
                        Provenance::Variable(variable.clone())
                    }
                    _ => Provenance::File(setting.origin.clone()),
                },
            };
            lines.push((read::rank(key, Some(&setting.value)), line));
        }
        for (key, value) in [("platform", self.platform().name), ("mode", self.mode().name())] {
            if self.get(key).is_none() {
                let line = Line {
                    key: key.to_owned(),
                    value: value.to_owned(),
                    origin: Provenance::Default,
                };
                lines.push((read::rank(key, None), line));
            }
        }
        lines.sort_by_key(|(rank, _)| *rank);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The origin of its account.
    pub(crate) fn origin(&self) -> Option<Origin> {
        Origin::parse(self.url().ok()?)
    }

    /// Whether its account is at `place` and is not replaced by the sandbox.
    pub(super) fn is_at(&self, place: &Origin) -> bool {
        self.origin().as_ref() == Some(place) && self.sandboxed().is_none()
    }

    /// Whether the account is on this machine or simulated.
    pub(super) fn is_local_or_sandbox(&self) -> bool {
        self.name == SANDBOX || self.url().is_ok_and(read::is_local_or_sandbox)
    }

    /// Whether the user accepts plain http for the address.
    pub(crate) fn accepts_plain_http(&self) -> bool {
        self.get("plain_http").is_some()
    }

    /// Whether its secrets and data travel unencrypted: the address is plain http beyond this machine, and the user
    /// accepts that.
    pub(crate) fn is_unencrypted(&self) -> bool {
        self.accepts_plain_http()
            && self
                .url()
                .is_ok_and(|url| read::check_address(url, false).is_err())
    }

    /// Returns an error if the address is plain http beyond this machine, and the user does not accept that.
    pub(super) fn check_encryption(&self) -> Result<(), ConfigError> {
        let Ok(url) = self.url() else { return Ok(()) };
        let checked = read::check_address(url, self.accepts_plain_http());
        checked.map(drop).map_err(|problem| self.bad("url", problem))
    }

    /// Returns an error if the settle time is too short: no network is that fast.
    pub(super) fn check_settle_time(&self) -> Result<(), ConfigError> {
        let is_short = self.duration("settle").is_some_and(|settle| settle < MIN_SETTLE);
        if !is_short || self.url().is_err() || self.is_local_or_sandbox() {
            return Ok(());
        }
        let problem = format!(
            "must be {} or more for an account that is not on this machine: otherwise, a request that is still in \
             transit would be sent twice",
            humantime::format_duration(MIN_SETTLE)
        );
        Err(self.bad("settle", problem))
    }

    /// The environment variable for a credential of this profile whose source no file specifies.
    pub(crate) fn variable(&self, key: &str) -> String {
        format!("PROVISOR_{}_{key}", self.name)
            .replace('-', "_")
            .to_ascii_uppercase()
    }

    /// Uses these environment variables, if set, for credentials whose source no file specifies. They count as
    /// specified where the address is, so that an untrusted file gains nothing by it.
    pub(super) fn take_variables(&mut self, env: &Env) {
        let origin = self.location_or_start("url");
        for field in self.platform().secrets() {
            let variable = self.variable(field.name);
            if self.secret(field.name).is_some() || env.get(&variable).is_none_or(str::is_empty) {
                continue;
            }
            let value = Setting::Secret(SecretSource::Implicit(variable));
            let origin = origin.clone();
            self.settings
                .insert(field.name.to_owned(), Sourced { value, origin });
        }
    }

    /// Identifies a credential by owner and source, to tell it from others; never contains the secret.
    pub(crate) fn place_of(&self, key: &str) -> String {
        format!("{} {key} {:?} {:?}", self.name, self.secret(key), self.untrusted)
    }

    /// Fetches a credential from its source: for example, reads a variable or a file, or runs a command. Called only
    /// when the credential is needed.
    pub(crate) fn read_secret(&self, key: &str, env: &Env) -> Result<Secret, ConfigError> {
        let source = self.secret(key).ok_or_else(|| self.incomplete(key))?;
        match self.refusal(key) {
            Some(refused) => Err(refused),
            None => source.fetch(&self.secret_id(key), env),
        }
    }

    /// Returns an error if a credential must not be fetched because an untrusted file specifies its source.
    pub(crate) fn refusal(&self, key: &str) -> Option<ConfigError> {
        trust::refuse_source(self, key, self.secret(key)?)
    }

    /// Returns where the sandbox is set to replace the account, if it is.
    pub(crate) fn sandboxed(&self) -> Option<&Location> {
        let is_on = |key: &str, on: Setting| self.location(key).filter(|_| self.get(key) == Some(&on));
        is_on("sandbox", Setting::Flag(true)).or_else(|| is_on("mode", Setting::Mode(Mode::Sandbox)))
    }

    /// Returns the profile, unless an untrusted file has made it unusable.
    pub(crate) fn usable(&self) -> Result<&Profile, ConfigError> {
        match &self.refused {
            Some(refused) => Err(refused.clone()),
            None => Ok(self),
        }
    }

    /// The id under which a secret of this profile is stored.
    pub(crate) fn secret_id(&self, key: &str) -> SecretId {
        SecretId {
            profile: self.name.clone(),
            key: key.to_owned(),
            url: self.url().unwrap_or_default().to_owned(),
        }
    }

    /// Puts this profile over `below`, which supplies the values that this one lacks.
    ///
    /// A credential stays with the address it was written for: a file that only changes the address of a profile would
    /// otherwise receive the user's password. So would one that adds a CA. A consent to plain http stays with its
    /// address as well.
    pub(super) fn merged_over(mut self, mut below: Profile) -> Result<Profile, ConfigError> {
        let moves = self.get("url").is_some_and(|url| below.get("url") != Some(url));
        let inherited = below.secrets().find(|(key, _)| self.secret(key).is_none());
        let inherited = inherited.and_then(|(key, _)| below.location(key));
        if let Some(password) = inherited {
            let name = &self.name;
            if moves && below.url().is_ok() {
                let problem =
                    format!("changes the address of a profile whose password comes from {password}");
                let hint = format!(
                    "if the new address is right, write `password` for `{name}` into the same file, or use another name"
                );
                return Err(self.bad("url", problem).with_hint(hint));
            }
            if self.get("ca").is_some() {
                let problem = format!("adds a CA for a profile whose password comes from {password}");
                let hint = format!("write `ca` for `{name}` into the file that has its password");
                return Err(self.bad("ca", problem).with_hint(hint));
            }
        }
        if self.refused.is_none() && self.untrusted.is_some() {
            self.refused = trust::weakens_mode(&self, &below);
        }
        // A certificate and its key belong together.
        let identity = ["client_cert", "client_key"];
        if identity.iter().any(|key| self.get(key).is_some()) {
            below.settings.retain(|key, _| !identity.contains(&key.as_str()));
        }
        if moves {
            below.settings.remove("plain_http");
        }
        // A place that the user has allowed stays the user's, whoever else allows it.
        let is_allowed = |key: &str| key.starts_with("secrets_to.") && below.settings.contains_key(key);
        self.settings.retain(|key, _| !is_allowed(key));
        below.settings.append(&mut self.settings);
        Ok(Profile {
            settings: below.settings,
            ..self
        })
    }

    /// Returns the connection settings. Reads the files they refer to, and the proxy's address if it is kept elsewhere.
    ///
    /// Errors: a file that cannot be read or used, and a proxy or certificate that an untrusted file sets.
    pub(crate) fn connect_options(&self, env: &Env) -> Result<ConnectOptions, ConfigError> {
        if let Some(refused) = trust::redirects_traffic(self) {
            return Err(refused);
        }
        let ca = self.path("ca").map(|path| {
            let parsed = Authorities::parse(&self.read_file("ca", path, false, env)?);
            let problem = |reason| format!("names the file {}, which {reason}", path.display());
            parsed.map_err(|reason| self.bad("ca", problem(reason)))
        });
        Ok(ConnectOptions {
            name: self.name.clone(),
            connect_timeout: self.duration("timeouts.connect"),
            proxy: self.proxy(env)?,
            ca: ca.transpose()?,
            identity: self.identity(env)?,
            rate: match self.get("rate") {
                Some(Setting::Rate(rate)) => Some(*rate),
                _ => None,
            },
            concurrency: match self.get("concurrency") {
                Some(Setting::Count(count)) => Some(*count),
                _ => None,
            },
            outage: self.duration("timeouts.outage"),
            plain_http: self.origin().filter(|_| self.is_unencrypted()),
        })
    }

    fn proxy(&self, env: &Env) -> Result<ProxyChoice, ConfigError> {
        match self.get("proxy") {
            Some(Setting::Proxy(proxy)) => Ok(ProxyChoice::Proxy(proxy.clone())),
            Some(Setting::ProxyFrom(source)) => {
                let address = source.fetch(&self.secret_id("proxy"), env);
                let proxy = match address {
                    Ok(address) => Proxy::from_secret(&address),
                    Err(ConfigError::Credential { problem, .. }) => Err(problem),
                    Err(other) => Err(other.to_string()),
                };
                let failed = |reason| self.bad("proxy", format!("is kept in {source}, and {reason}"));
                proxy.map(ProxyChoice::Proxy).map_err(failed)
            }
            Some(_) => Ok(ProxyChoice::Direct),
            None => Ok(ProxyChoice::Usual),
        }
    }

    fn identity(&self, env: &Env) -> Result<Option<Identity>, ConfigError> {
        let (cert, key) = match (self.path("client_cert"), self.path("client_key")) {
            (Some(cert), Some(key)) => (cert, key),
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(self.bad("client_cert", "needs `client_key` as well")),
            (None, Some(_)) => return Err(self.bad("client_key", "needs `client_cert` as well")),
        };
        let chain = self.read_file("client_cert", cert, false, env)?;
        let pem = String::from_utf8(self.read_file("client_key", key, true, env)?)
            .map(Secret::new)
            .map_err(|_| self.bad("client_key", "names a file that is not PEM text"))?;
        let identity = Identity::parse(&chain, &pem);
        identity
            .map(Some)
            .map_err(|reason| self.bad("client_cert", format!("cannot be used: {reason}")))
    }

    /// Reads the file that a key names. A `private` one must be accessible to its owner only.
    fn read_file(&self, key: &str, path: &Path, private: bool, env: &Env) -> Result<Vec<u8>, ConfigError> {
        let path = env.expand(path);
        let name = path.display();
        let bad = |problem: String| self.bad(key, format!("names the file {name}, which {problem}"));
        let unreadable = |error: std::io::Error| bad(format!("cannot be read: {error}"));
        let file = std::fs::File::open(&path).map_err(unreadable)?;
        if private && is_open_to_others(&file.metadata().map_err(unreadable)?) {
            return Err(bad(format!(
                "users other than its owner can read: chmod 600 {name}"
            )));
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(bad(format!("is longer than {MAX_FILE_BYTES} bytes")));
        }
        Ok(bytes)
    }

    /// The error for an invalid value; `problem` is the rest of a sentence about the key.
    pub(super) fn bad(&self, key: &str, problem: impl AsRef<str>) -> ConfigError {
        let path = format!("profiles.{}.{key}", self.name);
        ConfigError::bad_value(self.location_or_start(key), &path, problem.as_ref())
    }

    /// Where a key is set; the start of the file if it is not set.
    fn location_or_start(&self, key: &str) -> Location {
        let start = || Location {
            file: self.file.clone(),
            line: 1,
            column: 1,
        };
        self.location(key).cloned().unwrap_or_else(start)
    }

    fn incomplete(&self, key: &str) -> ConfigError {
        ConfigError::Incomplete {
            profile: self.name.clone(),
            key: key.to_owned(),
            file: self.file.clone(),
        }
    }
}

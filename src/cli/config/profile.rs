//! A profile: an account on a platform, and its settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, Connection, CredentialSource, Location, Mode, Sourced, reading, trust_policy};
use crate::cli::paths::Env;
use crate::cli::secret_store::SecretId;
use crate::operation::platform::Platform;
use crate::transport::connect_options::ConnectOptions;
use crate::value::secret::Secret;

/// The name of the profile with the settings for the sandbox.
pub(in crate::cli) const SANDBOX: &str = "sandbox";

/// The minimum settle time for accounts that are not on this machine.
const MIN_SETTLE: Duration = Duration::from_secs(5);

/// A named account. Everything but the name is optional; a missing value is an error only when it is needed.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// The platform, if specified; see [`Profile::platform`].
    pub platform: Option<Sourced<&'static Platform>>,
    /// The default platform.
    pub(super) usual: &'static Platform,
    /// The account's web address, without credentials.
    pub url: Option<Sourced<String>>,
    /// The sentence by which the user accepts plain http for this address.
    pub plain_http: Option<Sourced<&'static str>>,
    /// The other non-secret values of the account, by key.
    pub texts: BTreeMap<&'static str, Sourced<String>>,
    /// The sources of its credentials, by key.
    pub secrets: BTreeMap<&'static str, Sourced<CredentialSource>>,
    /// The mode: what is permitted.
    pub mode: Option<Sourced<Mode>>,
    /// Whether the sandbox replaces the account.
    pub sandbox: Option<Sourced<bool>>,
    /// Where the account's secrets may go besides the account: hosts and profile names.
    pub secrets_to: Vec<Sourced<String>>,
    /// The settle time: how long a request may still arrive after its sender has stopped waiting.
    pub settle: Option<Sourced<Duration>>,
    /// The time after that by which every request has arrived, as guaranteed by the user.
    pub lands_within: Option<Sourced<Duration>>,
    /// How long to look up what a request without a response may have created.
    pub look_for: Option<Sourced<Duration>>,
    /// How long completed acts of a row are remembered.
    pub remember: Option<Sourced<Duration>>,
    /// How long to wait for a connection.
    pub connect_timeout: Option<Sourced<Duration>>,
    /// How long to wait for a response.
    pub reply_timeout: Option<Sourced<Duration>>,
    /// How long to wait for a tenant to be created.
    pub tenant_creation_timeout: Option<Sourced<Duration>>,
    /// The connection settings.
    pub connection: Connection,
    /// The paths of endpoints that differ from the platform's defaults, by endpoint.
    pub endpoints: BTreeMap<String, Sourced<String>>,
    /// The file with the highest precedence, where a missing value would be added.
    pub file: PathBuf,
    /// The untrusted file that sets some of its values, if any.
    pub(super) untrusted: Option<PathBuf>,
    /// Why it cannot be used at all, if so.
    pub(super) refused: Option<ConfigError>,
}

impl Profile {
    /// Returns the platform; the default one if none is specified.
    pub fn platform(&self) -> &'static Platform {
        self.platform
            .as_ref()
            .map_or(self.usual, |platform| platform.value)
    }

    /// Returns the address. The error for a missing one says where to add it.
    pub fn url(&self) -> Result<&str, ConfigError> {
        let url = self.url.as_ref().map(|url| url.value.as_str());
        url.ok_or_else(|| self.incomplete("url"))
    }

    /// Whether the account is on this machine or simulated.
    pub(super) fn is_local_or_sandbox(&self) -> bool {
        let url = self.url.as_ref().map(|url| url.value.as_str());
        self.name == SANDBOX || url.is_some_and(reading::is_local_or_sandbox)
    }

    /// Whether its secrets and data travel unencrypted: the address is plain http beyond this machine, and the user
    /// accepts that.
    pub(in crate::cli) fn is_unencrypted(&self) -> bool {
        let url = self.url.as_ref().filter(|_| self.plain_http.is_some());
        url.is_some_and(|url| reading::check_address(&url.value, false).is_err())
    }

    /// Returns an error if the address is plain http beyond this machine, and the user does not accept that.
    pub(super) fn exposes(&self) -> Option<ConfigError> {
        let url = self.url.as_ref()?;
        let checked = reading::check_address(&url.value, self.plain_http.is_some());
        checked.err().map(|problem| ConfigError::BadValue {
            origin: url.origin.clone(),
            key: format!("profiles.{}.url", self.name),
            problem,
        })
    }

    /// Returns an error if the settle time is too short: no network is that fast.
    pub(super) fn settle_time_too_short(&self) -> Option<ConfigError> {
        let settle = self.settle.as_ref().filter(|settle| settle.value < MIN_SETTLE)?;
        (self.url.is_some() && !self.is_local_or_sandbox()).then(|| ConfigError::BadValue {
            origin: settle.origin.clone(),
            key: format!("profiles.{}.settle", self.name),
            problem: format!(
                "must be {} or more for an account that is not on this machine: otherwise, a request that is still \
                 in transit would be sent twice",
                humantime::format_duration(MIN_SETTLE)
            ),
        })
    }

    /// Returns a text of the account. The error for a missing one says where to add it.
    pub fn text(&self, key: &'static str) -> Result<&str, ConfigError> {
        let text = self.texts.get(key).map(|text| text.value.as_str());
        text.ok_or_else(|| self.incomplete(key))
    }

    /// The environment variable for a credential of this profile whose source no file specifies.
    pub(in crate::cli) fn variable(&self, key: &str) -> String {
        format!("PROVISOR_{}_{key}", self.name)
            .replace('-', "_")
            .to_ascii_uppercase()
    }

    /// Uses these environment variables, if set, for credentials whose source no file specifies. They count as
    /// specified where the address is, so that an untrusted file gains nothing by it.
    pub(super) fn take_variables(&mut self, env: &Env) {
        for field in self.platform().secrets() {
            let variable = self.variable(field.name);
            if self.secrets.contains_key(field.name) || env.get(&variable).is_none_or(str::is_empty) {
                continue;
            }
            let origin = match &self.url {
                Some(url) => url.origin.clone(),
                None => Location {
                    file: self.file.clone(),
                    line: 1,
                },
            };
            let value = CredentialSource::Implicit(variable);
            self.secrets.insert(field.name, Sourced { value, origin });
        }
    }

    /// Identifies a credential by owner and source, to tell it from others; never contains the secret.
    pub(in crate::cli) fn place_of(&self, key: &str) -> String {
        let source = self.secrets.get(key).map(|source| &source.value);
        format!("{} {key} {source:?} {:?}", self.name, self.untrusted)
    }

    /// Fetches a credential from its source: for example, reads a variable or a file, or runs a command. Called only
    /// when the credential is needed.
    pub fn read_secret(&self, key: &'static str, env: &Env) -> Result<Secret, ConfigError> {
        let source = self.secrets.get(key).ok_or_else(|| self.incomplete(key))?;
        if let Some(refused) = self.refusal(key) {
            return Err(refused);
        }
        source.value.read(&self.secret_id(key), env)
    }

    /// Returns an error if a credential must not be fetched because an untrusted file specifies its source.
    pub(in crate::cli) fn refusal(&self, key: &str) -> Option<ConfigError> {
        let (source, untrusted) = (self.secrets.get(key)?, self.untrusted.as_ref()?);
        let is_from_untrusted = source.origin.file == *untrusted;
        is_from_untrusted
            .then(|| trust_policy::refuse(self, key, &source.value, untrusted))
            .flatten()
    }

    /// Returns where the sandbox is set to replace the account, if it is.
    pub fn sandboxed(&self) -> Option<&Location> {
        let explicit_sandbox = self.sandbox.as_ref().filter(|sandbox| sandbox.value);
        let by_mode = self.mode.as_ref().filter(|mode| mode.value == Mode::Sandbox);
        let by_mode = by_mode.map(|mode| &mode.origin);
        explicit_sandbox.map(|sandbox| &sandbox.origin).or(by_mode)
    }

    /// Returns the profile, unless an untrusted file has made it unusable.
    pub(in crate::cli) fn usable(&self) -> Result<&Profile, ConfigError> {
        match &self.refused {
            Some(refused) => Err(refused.clone()),
            None => Ok(self),
        }
    }

    /// The id under which a secret of this profile is stored.
    pub(in crate::cli) fn secret_id(&self, key: &str) -> SecretId {
        SecretId {
            profile: self.name.clone(),
            key: key.to_owned(),
            url: self.url.as_ref().map(|url| url.value.clone()).unwrap_or_default(),
        }
    }

    /// Returns the connection settings. Reads the files they refer to.
    ///
    /// Errors: a file that cannot be read or used, and a proxy or certificate that an untrusted file sets.
    pub fn connect_options(&self, env: &Env) -> Result<ConnectOptions, ConfigError> {
        if let Some(untrusted) = &self.untrusted
            && let Some(refused) = trust_policy::redirects_traffic(self, untrusted)
        {
            return Err(refused);
        }
        let connect_timeout = self.connect_timeout.as_ref().map(|timeout| timeout.value);
        let connect_options = self.connection.connect_options(&self.secret_id("proxy"), env)?;
        Ok(ConnectOptions {
            connect_timeout,
            plain_http: self.origin().filter(|_| self.is_unencrypted()),
            ..connect_options
        })
    }

    /// Merges this profile over `below`, which supplies the values that this one lacks.
    ///
    /// A credential stays with the address it was written for: a file that only changes the address of a profile would
    /// otherwise receive the user's password. So would one that adds a CA. A consent to plain http stays with its
    /// address as well.
    pub(super) fn merged_over(self, below: Profile) -> Result<Profile, ConfigError> {
        if let (Some(url), Some(known)) = (&self.url, &below.url)
            && url.value != known.value
            && let Some((_, secret)) = below
                .secrets
                .iter()
                .find(|(key, _)| !self.secrets.contains_key(*key))
        {
            return Err(ConfigError::CredentialElsewhere {
                profile: self.name,
                url: url.origin.clone(),
                password: secret.origin.clone(),
            });
        }
        if let (Some(ca), Some((_, secret))) = (
            &self.connection.ca,
            below
                .secrets
                .iter()
                .find(|(key, _)| !self.secrets.contains_key(*key)),
        ) {
            return Err(ConfigError::TrustElsewhere {
                profile: self.name,
                ca: ca.origin.clone(),
                password: secret.origin.clone(),
            });
        }
        let known = below.url.as_ref().map(|url| &url.value);
        let moves = self.url.as_ref().is_some_and(|url| Some(&url.value) != known);
        let untrusted = self.untrusted.is_some();
        let weakens_mode = untrusted
            .then(|| trust_policy::weakens_mode(&self, &below))
            .flatten();
        let (mut texts, mut secrets, mut endpoints) = (below.texts, below.secrets, below.endpoints);
        texts.extend(self.texts);
        secrets.extend(self.secrets);
        endpoints.extend(self.endpoints);
        let mut secrets_to = below.secrets_to;
        secrets_to.extend(self.secrets_to);
        Ok(Profile {
            name: self.name,
            platform: self.platform.or(below.platform),
            usual: self.usual,
            url: self.url.or(below.url),
            plain_http: self.plain_http.or(below.plain_http.filter(|_| !moves)),
            texts,
            secrets,
            mode: self.mode.or(below.mode),
            sandbox: self.sandbox.or(below.sandbox),
            secrets_to,
            settle: self.settle.or(below.settle),
            lands_within: self.lands_within.or(below.lands_within),
            look_for: self.look_for.or(below.look_for),
            remember: self.remember.or(below.remember),
            connect_timeout: self.connect_timeout.or(below.connect_timeout),
            reply_timeout: self.reply_timeout.or(below.reply_timeout),
            tenant_creation_timeout: self.tenant_creation_timeout.or(below.tenant_creation_timeout),
            connection: self.connection.merged_over(below.connection),
            endpoints,
            file: self.file,
            untrusted: self.untrusted,
            refused: self.refused.or(weakens_mode),
        })
    }

    fn incomplete(&self, key: &'static str) -> ConfigError {
        ConfigError::Incomplete {
            profile: self.name.clone(),
            key,
            file: self.file.clone(),
        }
    }
}

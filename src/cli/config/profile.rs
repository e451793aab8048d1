//! One profile: an account on a platform, and how to treat it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, CredentialSource, Mode, Platform, Sourced};
use crate::cli::paths::Env;
use crate::cli::safe::Keeping;
use crate::value::secret::Secret;

/// A named account. Everything but the name may be missing, and is asked for when it is needed.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The platform, when it is written; see [`Profile::platform`].
    pub platform: Option<Sourced<Platform>>,
    /// The account's web address, without credentials.
    pub url: Option<Sourced<String>>,
    /// Who signs in.
    pub login: Option<Sourced<String>>,
    /// Where the password comes from.
    pub password: Option<Sourced<CredentialSource>>,
    /// What is permitted.
    pub mode: Option<Sourced<Mode>>,
    /// How long a request may still land after its sender died.
    pub settle: Option<Sourced<Duration>>,
    /// For how long to look for what a lost answer may have made.
    pub look_for: Option<Sourced<Duration>>,
    /// How long to wait for a connection.
    pub connect_timeout: Option<Sourced<Duration>>,
    /// How long to wait for a reply.
    pub reply_timeout: Option<Sourced<Duration>>,
    /// How long to wait for a tenant to be created.
    pub tenant_creation_timeout: Option<Sourced<Duration>>,
    /// Paths of the platform's endpoints that differ from the usual ones, by endpoint.
    pub endpoints: BTreeMap<String, Sourced<String>>,
    /// The file that has the last word on it: where a missing value would be added.
    pub file: PathBuf,
}

impl Profile {
    /// The platform: Mobsted when none is written.
    pub fn platform(&self) -> Platform {
        self.platform
            .as_ref()
            .map(|platform| platform.value)
            .unwrap_or_default()
    }

    /// The address. An error that says where to add it when there is none.
    pub fn url(&self) -> Result<&str, ConfigError> {
        let url = self.url.as_ref().map(|url| url.value.as_str());
        url.ok_or_else(|| self.incomplete("url"))
    }

    /// The login. An error that says where to add it when there is none.
    pub fn login(&self) -> Result<&str, ConfigError> {
        let login = self.login.as_ref().map(|login| login.value.as_str());
        login.ok_or_else(|| self.incomplete("login"))
    }

    /// Fetches the password from its source: reads a variable or a file, or runs a command. Done when it is needed,
    /// not before.
    pub fn read_password(&self, env: &Env) -> Result<Secret, ConfigError> {
        let source = self
            .password
            .as_ref()
            .ok_or_else(|| self.incomplete("password"))?;
        source.value.read(&self.keeping("password"), env)
    }

    /// The name under which a secret of this profile is kept.
    pub(in crate::cli) fn keeping(&self, key: &str) -> Keeping {
        Keeping {
            profile: self.name.clone(),
            key: key.to_owned(),
            url: self.url.as_ref().map(|url| url.value.clone()).unwrap_or_default(),
        }
    }

    /// This profile with the values of the one `below` where it has none itself.
    ///
    /// A credential stays with the address it was written for: a file that only changes the address of a profile
    /// would otherwise receive somebody's password.
    pub(super) fn over(self, below: Profile) -> Result<Profile, ConfigError> {
        if let (Some(url), Some(known), None, Some(password)) =
            (&self.url, &below.url, &self.password, &below.password)
            && url.value != known.value
        {
            return Err(ConfigError::CredentialElsewhere {
                profile: self.name,
                url: url.origin.clone(),
                password: password.origin.clone(),
            });
        }
        let mut endpoints = below.endpoints;
        endpoints.extend(self.endpoints);
        Ok(Profile {
            name: self.name,
            platform: self.platform.or(below.platform),
            url: self.url.or(below.url),
            login: self.login.or(below.login),
            password: self.password.or(below.password),
            mode: self.mode.or(below.mode),
            settle: self.settle.or(below.settle),
            look_for: self.look_for.or(below.look_for),
            connect_timeout: self.connect_timeout.or(below.connect_timeout),
            reply_timeout: self.reply_timeout.or(below.reply_timeout),
            tenant_creation_timeout: self.tenant_creation_timeout.or(below.tenant_creation_timeout),
            endpoints,
            file: self.file,
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

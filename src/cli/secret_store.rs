//! Secrets of profiles, encrypted in the state folder, each bound to one address.

use super::error::CommandError;
use super::paths::{Env, Paths};
use super::sealer::sealer;
use crate::journal::Vault;
use crate::value::Value;
use crate::value::secret::Secret;

/// Identifies a profile's secret and where it may be sent. A file that changes the profile's address does not get the
/// secret that was entered for the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct SecretId {
    /// The profile.
    pub(in crate::cli) profile: String,
    /// The profile's key for it: `password`, `api_token`.
    pub(in crate::cli) key: String,
    /// The profile's address; only scheme, host and port matter.
    pub(in crate::cli) url: String,
}

impl SecretId {
    /// The address it is for, for display.
    pub(in crate::cli) fn place(&self) -> String {
        match self.origin() {
            origin if origin.is_empty() => "a profile without an address".into(),
            origin => origin,
        }
    }

    /// Whether both are for the same address.
    pub(in crate::cli) fn same_place(one: &SecretId, other: &SecretId) -> bool {
        one.origin() == other.origin()
    }

    fn origin(&self) -> String {
        let url = url::Url::parse(&self.url);
        url.map(|url| url.origin().ascii_serialization())
            .unwrap_or_default()
    }

    fn name(&self) -> String {
        format!("secret\n{}\n{}\n{}", self.profile, self.key, self.origin())
    }
}

/// The encrypted store.
pub(super) struct SecretStore(Vault);

impl SecretStore {
    /// The store of this home. Its file is created when the first secret is stored.
    pub(super) fn of(env: &Env) -> Result<SecretStore, CommandError> {
        let paths = Paths::from_env(env).ok_or_else(|| {
            CommandError::usage("the home folder is unknown, so provisor has nowhere to keep its files")
                .hint("set PROVISOR_HOME to a folder")
        })?;
        Ok(SecretStore(Vault::durable(
            &paths.secrets(),
            sealer(env, &paths)?,
        )))
    }

    /// Finds the secret. `None` if there is none, or if it was encrypted with another key. Creates no file.
    pub(super) fn find(env: &Env, secret_id: &SecretId) -> Result<Option<Secret>, CommandError> {
        if Paths::from_env(env).is_some_and(|paths| !paths.secrets().exists()) {
            return Ok(None);
        }
        Ok(match SecretStore::of(env)?.0.get(secret_id.name())? {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        })
    }

    /// Stores a secret; it is on disk when this returns.
    pub(super) fn put(&self, secret_id: &SecretId, secret: Secret) -> Result<(), CommandError> {
        Ok(self.0.put(secret_id.name(), &secret.into())?)
    }

    /// Deletes a secret.
    pub(super) fn remove(&self, secret_id: &SecretId) -> Result<(), CommandError> {
        Ok(self.0.remove(secret_id.name())?)
    }
}

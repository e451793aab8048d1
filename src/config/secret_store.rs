//! Secrets of profiles, encrypted in the state folder, each bound to one address; and the key for everything at rest.

use std::path::PathBuf;

use super::{ConfigError, Env, Paths, make_private_folder};
use crate::journal::{Journal, JournalError, KeyError, Sealer, Vault};
use crate::value::Value;
use crate::value::secret::Secret;

/// Identifies a profile's secret and where it may be sent. A file that changes the profile's address does not get the
/// secret that was entered for the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretId {
    /// The profile.
    pub(crate) profile: String,
    /// The profile's key for it: `password`, `api_token`.
    pub(crate) key: String,
    /// The profile's address; only scheme, host and port matter.
    pub(crate) url: String,
}

impl SecretId {
    /// The address it is for, for display.
    pub(crate) fn place(&self) -> String {
        match self.origin() {
            origin if origin.is_empty() => "a profile without an address".into(),
            origin => origin,
        }
    }

    /// Whether both are for the same address.
    pub(crate) fn same_place(one: &SecretId, other: &SecretId) -> bool {
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

/// Why the encrypted store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The folder or the key cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl StoreError {
    /// Returns what to do about it, as a sentence without a full stop.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            StoreError::Config(error) => error.hint(),
            StoreError::Journal(error) => error.hint(),
        }
    }
}

/// The encrypted store.
pub(crate) struct SecretStore(Vault);

impl SecretStore {
    /// The store of this home. Its file is created when the first secret is stored.
    pub(crate) fn of(env: &Env) -> Result<SecretStore, StoreError> {
        let paths = Paths::from_env(env).ok_or(ConfigError::NoHome)?;
        Ok(SecretStore(Vault::durable(
            &paths.secrets(),
            sealer(env, &paths)?,
        )))
    }

    /// Finds the secret. `None` if there is none, or if it was encrypted with another key. Creates no file.
    pub(crate) fn find(env: &Env, secret_id: &SecretId) -> Result<Option<Secret>, StoreError> {
        if Paths::from_env(env).is_some_and(|paths| !paths.secrets().exists()) {
            return Ok(None);
        }
        Ok(match SecretStore::of(env)?.0.get(secret_id.name())? {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        })
    }

    /// Stores a secret; it is on disk when this returns.
    pub(crate) fn put(&self, secret_id: &SecretId, secret: Secret) -> Result<(), StoreError> {
        Ok(self.0.put(secret_id.name(), &secret.into())?)
    }

    /// Deletes a secret.
    pub(crate) fn remove(&self, secret_id: &SecretId) -> Result<(), StoreError> {
        Ok(self.0.remove(secret_id.name())?)
    }
}

/// The cipher for everything at rest: from `PROVISOR_KEY`, else from the key file, which is created at first use.
pub(crate) fn sealer(env: &Env, paths: &Paths) -> Result<Sealer, ConfigError> {
    let unusable = |error: KeyError| ConfigError::Key {
        problem: error.to_string(),
        hint: error.hint(),
    };
    // First finish a key change that was killed midway, before either key is used. On a disk that cannot be written,
    // the old key stays valid.
    let _ = crate::journal::finish_replacement(paths.state());
    if let Some(key) = env.get("PROVISOR_KEY") {
        return Sealer::from_text(&Secret::new(key)).map_err(unusable);
    }
    make_private_folder(paths.state())?;
    if !paths.key().exists()
        && let Some((what, sealed)) = sealed_file(paths)
    {
        // Creating a new key would hide that the old one is missing.
        return Err(ConfigError::Key {
            problem: format!(
                "{what} sealed with a key that is missing: {}",
                paths.key().display()
            ),
            hint: format!(
                "restore a copy of the key, or set PROVISOR_KEY to it; to start over, move {} away",
                sealed.display()
            ),
        });
    }
    Sealer::from_key_file(&paths.key()).map_err(unusable)
}

/// The data encrypted with the key (`the journal was`, as the start of a sentence), and its file. If the journal is
/// missing, the files left beside it count.
pub(crate) fn sealed_file(paths: &Paths) -> Option<(&'static str, PathBuf)> {
    let journal = paths.journal();
    let journals = [journal.clone()].into_iter().chain(Journal::beside(&journal));
    let journals = journals.map(|file| ("the journal was", file));
    let secrets = ("the profiles' secrets were", paths.secrets());
    journals.chain([secrets]).find(|(_, file)| file.exists())
}

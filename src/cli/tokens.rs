//! The encrypted token cache.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::paths::{Paths, make_private_folder};
use crate::client::{Credential, TokenKey, TokenStore};
use crate::journal::{Sealer, Vault};
use crate::value::Value;

/// The encrypted token cache, opened when the first token is needed.
pub(super) struct Tokens {
    path: PathBuf,
    folder: PathBuf,
    sealer: Sealer,
    vault: OnceLock<Vault>,
}

impl Tokens {
    /// The cache at these paths.
    pub(super) fn new(paths: &Paths, sealer: Sealer) -> Tokens {
        Tokens {
            folder: paths.cache().to_owned(),
            path: paths.tokens(),
            sealer,
            vault: OnceLock::new(),
        }
    }

    fn vault(&self) -> &Vault {
        self.vault.get_or_init(|| {
            // If the folder cannot be created, storing the first token fails and reports it.
            let _ = make_private_folder(&self.folder);
            Vault::open(&self.path, self.sealer.clone())
        })
    }
}

impl TokenStore for Tokens {
    fn load(&self, key: &TokenKey) -> Option<Value> {
        self.vault().get(name(key)).ok().flatten()
    }

    fn save(&self, key: &TokenKey, tokens: &Value) -> Result<(), String> {
        self.vault()
            .put(name(key), tokens)
            .map_err(|error| error.to_string())
    }

    fn forget(&self, key: &TokenKey) {
        // A token that stays is rejected by the platform and replaced.
        let _ = self.vault().remove(name(key));
    }
}

/// The key of an entry; the vault stores only a keyed digest of it.
fn name(key: &TokenKey) -> Value {
    let account = Value::from(key.account.as_str());
    match &key.credential {
        Credential::InlineSecret(given) => Value::List(vec![account, given.clone().into()]),
        Credential::StoredAt(place) => Value::List(vec![account, "kept".into(), place.as_ref().into()]),
    }
}

//! A sealed box of small values: sign-in tokens, which can be had again, and secrets, which cannot.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::JournalError;
use super::seal::Sealer;
use super::sqlite::SqliteVault;
use crate::value::Value;

/// Named values, sealed; shared by all processes that open the same file with the same key. Nothing is opened before
/// the first use.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    sealer: Sealer,
    lasting: bool,
    opened: Mutex<Option<(SqliteVault, Sealer)>>,
}

impl Vault {
    /// The vault in this file, which need not exist, for what can be had again.
    pub fn open(path: &Path, sealer: Sealer) -> Vault {
        Vault {
            path: path.to_owned(),
            sealer,
            lasting: false,
            opened: Mutex::new(None),
        }
    }

    /// The vault in this file, for what cannot be had again: a power cut does not lose what was put in.
    pub fn lasting(path: &Path, sealer: Sealer) -> Vault {
        Vault {
            lasting: true,
            ..Vault::open(path, sealer)
        }
    }

    /// The value with this name. One that was sealed with another key, or is damaged, is as if it were not there.
    pub fn get(&self, name: impl Into<Value>) -> Result<Option<Value>, JournalError> {
        let name = name.into();
        self.with(|vault, sealer| {
            let digest = sealer.digest(&name);
            let sealed = vault.get(&digest)?;
            Ok(sealed.and_then(|sealed| sealer.open(&place(&digest), &sealed).ok()))
        })
    }

    /// Keeps a value. When it returns, other processes see it, and killing this one does not lose it; a power cut may,
    /// unless the vault is a lasting one.
    pub fn put(&self, name: impl Into<Value>, value: &Value) -> Result<(), JournalError> {
        let name = name.into();
        self.with(|vault, sealer| {
            let digest = sealer.digest(&name);
            vault.put(&digest, &sealer.seal(&place(&digest), value))
        })
    }

    /// Can it be read? Makes the file when there is none.
    pub fn check(&self) -> Result<(), JournalError> {
        self.get(Value::Null).map(drop)
    }

    /// Forgets a value.
    pub fn remove(&self, name: impl Into<Value>) -> Result<(), JournalError> {
        let name = name.into();
        self.with(|vault, sealer| vault.remove(&sealer.digest(&name)))
    }

    /// Names hold accounts and credentials, so the file has only their keyed digests.
    fn with<T>(
        &self,
        work: impl FnOnce(&SqliteVault, &Sealer) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            let vault = SqliteVault::open(&self.path, self.lasting)?;
            let sealer = vault.sealer(&self.sealer)?;
            Ok((vault, sealer))
        };
        let done = match &*opened {
            Some((vault, sealer)) => work(vault, sealer),
            None => open().and_then(|now| {
                let (vault, sealer) = opened.insert(now);
                work(vault, sealer)
            }),
        };
        done.map_err(|error| match error {
            JournalError::Corrupt { path, why } => JournalError::Vault {
                path,
                why,
                lasting: self.lasting,
            },
            other => other,
        })
    }
}

fn place(digest: &str) -> String {
    format!("vault {digest}")
}

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
    opened: Mutex<Option<SqliteVault>>,
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
        let digest = self.digest(name);
        let sealed = self.with(|vault| vault.get(&digest))?;
        Ok(sealed.and_then(|sealed| self.sealer.open(&place(&digest), &sealed).ok()))
    }

    /// Keeps a value. When it returns, other processes see it, and killing this one does not lose it; a power cut may,
    /// unless the vault is a lasting one.
    pub fn put(&self, name: impl Into<Value>, value: &Value) -> Result<(), JournalError> {
        let digest = self.digest(name);
        let sealed = self.sealer.seal(&place(&digest), value);
        self.with(|vault| vault.put(&digest, &sealed))
    }

    /// Can it be read? Makes the file when there is none.
    pub fn check(&self) -> Result<(), JournalError> {
        self.get(Value::Null).map(drop)
    }

    /// Forgets a value.
    pub fn remove(&self, name: impl Into<Value>) -> Result<(), JournalError> {
        let digest = self.digest(name);
        self.with(|vault| vault.remove(&digest))
    }

    /// Names hold accounts and credentials, so the file has only their keyed digests.
    fn digest(&self, name: impl Into<Value>) -> String {
        self.sealer.digest(&name.into())
    }

    fn with<T>(&self, work: impl FnOnce(&SqliteVault) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match &*opened {
            Some(vault) => work(vault),
            None => SqliteVault::open(&self.path, self.lasting).and_then(|vault| work(opened.insert(vault))),
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

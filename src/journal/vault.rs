//! A sealed store for small values: sign-in tokens, which can be obtained again, and secrets, which cannot.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::JournalError;
use super::seal::Sealer;
use super::sqlite::SqliteVault;
use crate::value::Value;

/// Named sealed values, shared by all processes that open the same file with the same key. The file is opened on first
/// use.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    sealer: Sealer,
    durable: bool,
    opened: Mutex<Option<(SqliteVault, Sealer)>>,
}

impl Vault {
    /// Creates the vault for values that can be obtained again. The file need not exist.
    pub fn open(path: &Path, sealer: Sealer) -> Vault {
        Vault {
            path: path.to_owned(),
            sealer,
            durable: false,
            opened: Mutex::new(None),
        }
    }

    /// Creates the vault for values that cannot be obtained again: they survive a power failure.
    pub fn durable(path: &Path, sealer: Sealer) -> Vault {
        Vault {
            durable: true,
            ..Vault::open(path, sealer)
        }
    }

    /// Returns the value with this name. One that is damaged or sealed with another key is treated as absent.
    pub fn get(&self, name: impl Into<Value>) -> Result<Option<Value>, JournalError> {
        let name = name.into();
        self.with(|vault, sealer| {
            let digest = sealer.digest(&name);
            let sealed = vault.get(&digest)?;
            Ok(sealed.and_then(|sealed| sealer.open(&place(&digest), &sealed).ok()))
        })
    }

    /// Stores a value. When this returns, other processes see it and it survives the death of this one; it survives a
    /// power failure only in a lasting vault.
    pub fn put(&self, name: impl Into<Value>, value: &Value) -> Result<(), JournalError> {
        let name = name.into();
        self.with(|vault, sealer| {
            let digest = sealer.digest(&name);
            vault.put(&digest, &sealer.seal(&place(&digest), value))
        })
    }

    /// Checks that it can be read. Creates the file if there is none.
    pub fn check(&self) -> Result<(), JournalError> {
        self.get(Value::Null).map(drop)
    }

    /// Removes a value.
    pub fn remove(&self, name: impl Into<Value>) -> Result<(), JournalError> {
        let name = name.into();
        self.with(|vault, sealer| vault.remove(&sealer.digest(&name)))
    }

    /// Opens the file if needed. Names contain accounts and credentials, so it has only their keyed digests.
    fn with<T>(
        &self,
        work: impl FnOnce(&SqliteVault, &Sealer) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            let vault = SqliteVault::open(&self.path, self.durable)?;
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
            JournalError::Corrupt { path, reason } => JournalError::Vault {
                path,
                reason,
                durable: self.durable,
            },
            other => other,
        })
    }
}

fn place(digest: &str) -> String {
    format!("vault {digest}")
}

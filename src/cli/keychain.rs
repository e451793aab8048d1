//! The system's own keyring: Keychain on macOS, Credential Manager on Windows, Secret Service elsewhere.
//!
//! Built with the feature `keyring` only: the Secret Service is reached over D-Bus, which takes some ninety crates.

use crate::value::secret::Secret;

/// The entry of this name. The error is a clause that holds no secret.
pub(super) fn get(name: &str) -> Result<Option<Secret>, String> {
    system::get(name)
}

/// Keeps a secret under a name.
pub(super) fn put(name: &str, secret: &Secret) -> Result<(), String> {
    system::put(name, secret)
}

/// Forgets an entry; one that is not there is as good as forgotten.
pub(super) fn remove(name: &str) -> Result<(), String> {
    system::remove(name)
}

/// Is there a keyring to use? The error is a clause that says why not.
pub(super) fn available() -> Result<(), String> {
    system::available()
}

#[cfg(feature = "keyring")]
mod system {
    use keyring::v1::{Entry, Error};

    use crate::value::secret::Secret;

    /// All entries are of this service.
    const SERVICE: &str = "provisor";

    pub(super) fn available() -> Result<(), String> {
        let status = Entry::store_status().as_ref();
        status
            .map(|()| ())
            .map_err(|why| format!("this system has no keyring to use: {}", say(why)))
    }

    fn entry(name: &str) -> Result<Entry, String> {
        available()?;
        Entry::new(SERVICE, name).map_err(|error| say(&error))
    }

    pub(super) fn get(name: &str) -> Result<Option<Secret>, String> {
        match entry(name)?.get_password() {
            Ok(secret) => Ok(Some(Secret::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(say(&error)),
        }
    }

    pub(super) fn put(name: &str, secret: &Secret) -> Result<(), String> {
        entry(name)?
            .set_password(secret.expose())
            .map_err(|error| say(&error))
    }

    pub(super) fn remove(name: &str) -> Result<(), String> {
        match entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(say(&error)),
        }
    }

    /// On one line. Errors that carry what was read do not show it.
    fn say(error: &Error) -> String {
        match error {
            Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry is not text".into(),
            other => other.to_string().replace('\n', ", "),
        }
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use crate::value::secret::Secret;

    const WHY: &str =
        "this program was built without the system's keyring (cargo install provisor --features keyring)";

    pub(super) fn available() -> Result<(), String> {
        Err(WHY.into())
    }

    pub(super) fn get(_name: &str) -> Result<Option<Secret>, String> {
        Err(WHY.into())
    }

    pub(super) fn put(_name: &str, _secret: &Secret) -> Result<(), String> {
        Err(WHY.into())
    }

    pub(super) fn remove(_name: &str) -> Result<(), String> {
        Err(WHY.into())
    }
}

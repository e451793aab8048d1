//! The system keyring: Keychain on macOS, the Secret Service elsewhere.

#![allow(
    clippy::disallowed_methods,
    reason = "secrets are stored in the system keyring here"
)]

use std::sync::{Arc, LazyLock};

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(not(target_os = "macos"))]
use dbus_secret_service_keyring_store::Store;
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};

use crate::value::secret::Secret;

/// The service name of all entries.
const SERVICE: &str = "provisor";

/// The keyring, opened when it is first needed.
static STORE: LazyLock<Result<Arc<Store>, String>> = LazyLock::new(|| {
    Store::new().map_err(|error| format!("this system has no keyring to use: {}", one_line_error(&error)))
});

/// Checks that a keyring is available. The error is a clause with the reason.
pub(crate) fn available() -> Result<(), String> {
    STORE.as_ref().map(|_| ()).map_err(Clone::clone)
}

/// Reads the entry with this name. The error is a clause without the secret.
pub(super) fn get(name: &str) -> Result<Option<Secret>, String> {
    match entry(name)?.get_password() {
        Ok(secret) => Ok(Some(Secret::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(one_line_error(&error)),
    }
}

/// Stores a secret under a name.
pub(crate) fn put(name: &str, secret: &Secret) -> Result<(), String> {
    let kept = entry(name)?.set_password(secret.expose());
    kept.map_err(|error| one_line_error(&error))
}

/// Removes an entry. Succeeds if there is none.
pub(crate) fn remove(name: &str) -> Result<(), String> {
    match entry(name)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(one_line_error(&error)),
    }
}

fn entry(name: &str) -> Result<Entry, String> {
    let store = STORE.as_ref().map_err(Clone::clone)?;
    store
        .build(SERVICE, name, None)
        .map_err(|error| one_line_error(&error))
}

/// The error on one line. Errors that carry the data they read do not show it.
fn one_line_error(error: &Error) -> String {
    match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry is not text".into(),
        other => other.to_string().replace('\n', ", "),
    }
}

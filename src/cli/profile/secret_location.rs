//! The places of secrets: how the command line names them, and how the configuration does.

use std::collections::BTreeSet;

use toml_edit::{Array, InlineTable, Value};

use crate::cli::app::App;
use crate::cli::config::CredentialSource;
use crate::cli::error::CommandError;
use crate::cli::keychain;
use crate::cli::prompt::secret_from_stdin;
use crate::cli::secret_store::{SecretId, SecretStore};
use crate::value::secret::Secret;

/// The source or the destination of a secret.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum SecretLocation {
    /// An environment variable.
    Env(String),
    /// A file.
    File(String),
    /// A program and its arguments.
    Command(Vec<String>),
    /// Typed or read now, and stored sealed.
    Sealed {
        /// Whether to read stdin even if it is a terminal.
        stdin: bool,
    },
    /// Typed already, to be stored sealed or in the system keyring.
    Typed(Secret),
    /// An existing entry of the system keyring.
    Entry(String),
    /// Typed or read now, and stored in the system keyring.
    Keyring,
}

/// The syntax of a place, for help and errors.
pub(super) const FORMS: &str =
    "env:VARIABLE, file:PATH, command:PROGRAM ARGUMENTS, keyring, keyring:ENTRY, sealed or stdin";

impl SecretLocation {
    /// Parses `KEY=PLACE`. Errors do not repeat invalid input: it may be the secret itself.
    pub(super) fn parse_assignment(
        keys: &BTreeSet<&'static str>,
        text: &str,
    ) -> Result<(&'static str, SecretLocation), CommandError> {
        let bad = |reason: &str| {
            CommandError::usage(format!("--secret: {reason}"))
                .hint(format!("write --secret KEY=PLACE; a place is {FORMS}"))
        };
        let (key, place) = text.split_once('=').ok_or_else(|| bad("there is no `=`"))?;
        let key = keys.get(key).ok_or_else(|| {
            let all: Vec<&str> = keys.iter().copied().collect();
            bad(&format!("a key is one of {}", all.join(", ")))
        })?;
        let place = SecretLocation::parse(place).ok_or_else(|| {
            bad(&format!("the text after `{key}=` is not a place"))
                .hint("a secret is never written on the command line: other users can see it there")
        })?;
        Ok((*key, place))
    }

    /// Parses a place; `None` if it is invalid.
    pub(super) fn parse(text: &str) -> Option<SecretLocation> {
        let text = text.trim();
        Some(match text.split_once(':').unwrap_or((text, "")) {
            ("env", name) if !name.is_empty() => SecretLocation::Env(name.to_owned()),
            ("file", path) if !path.is_empty() => SecretLocation::File(path.to_owned()),
            ("command", words) if !words.trim().is_empty() => {
                SecretLocation::Command(words.split_whitespace().map(str::to_owned).collect())
            }
            ("keyring", "") => SecretLocation::Keyring,
            ("keyring", name) => SecretLocation::Entry(name.to_owned()),
            ("sealed", "") => SecretLocation::Sealed { stdin: false },
            ("stdin", "") => SecretLocation::Sealed { stdin: true },
            _ => return None,
        })
    }

    /// Asks the user for the secret if the place needs it, and stores it there. Returns what the configuration must
    /// contain.
    pub(super) fn settle(
        &self,
        app: &App,
        secret_id: &SecretId,
        name: &str,
    ) -> Result<StoredSecret, CommandError> {
        let value = match self {
            SecretLocation::Env(variable) => table("env", variable.as_str().into()),
            SecretLocation::File(path) => table("file", absolute(app, path).into()),
            SecretLocation::Command(words) => table(
                "command",
                words.iter().map(String::as_str).collect::<Array>().into(),
            ),
            SecretLocation::Entry(entry) => table("keyring", entry.as_str().into()),
            SecretLocation::Sealed { stdin } => {
                let secret = obtain(app, secret_id, name, *stdin)?;
                return seal(app, secret_id, secret);
            }
            SecretLocation::Typed(secret) => return store_secret(app, secret_id, secret.clone()),
            SecretLocation::Keyring => {
                if let Err(reason) = keychain::available() {
                    return Err(CommandError::usage(reason).hint(format!(
                        "seal it in provisor's own folder instead: --secret {}=sealed",
                        secret_id.key
                    )));
                }
                let secret = obtain(app, secret_id, name, false)?;
                return store_in_keyring(app, secret_id, &secret);
            }
        };
        Ok(StoredSecret { value, stored: None })
    }
}

/// The result of storing a secret.
pub(super) struct StoredSecret {
    /// The value for the configuration.
    pub(super) value: Value,
    /// The id it is sealed under, if it is sealed.
    pub(super) stored: Option<SecretId>,
}

/// Stores a typed secret: in the system keyring, if there is one and the user agrees, else sealed.
fn store_secret(app: &App, secret_id: &SecretId, secret: Secret) -> Result<StoredSecret, CommandError> {
    let question = "Keep it in the system's keyring? Otherwise it is sealed in provisor's own folder";
    if keychain::available().is_ok() && app.can_prompt() && app.ask_yes_no(question, true)? {
        return store_in_keyring(app, secret_id, &secret);
    }
    seal(app, secret_id, secret)
}

/// Stores a secret in the system keyring.
fn store_in_keyring(app: &App, secret_id: &SecretId, secret: &Secret) -> Result<StoredSecret, CommandError> {
    let entry = entry_name(secret_id);
    record(app, "seal", secret_id)?;
    keychain::put(&entry, secret).map_err(|reason| {
        CommandError::usage(format!("the keyring refused it: {reason}")).hint(format!(
            "seal it in provisor's own folder instead: --secret {}=sealed",
            secret_id.key
        ))
    })?;
    Ok(StoredSecret {
        value: table("keyring", entry.as_str().into()),
        stored: None,
    })
}

/// Seals a secret for its address.
pub(super) fn seal(app: &App, secret_id: &SecretId, secret: Secret) -> Result<StoredSecret, CommandError> {
    record(app, "seal", secret_id)?;
    SecretStore::of(&app.env)?.put(secret_id, secret)?;
    Ok(StoredSecret {
        value: table("sealed", true.into()),
        stored: Some(secret_id.clone()),
    })
}

/// Deletes a secret that provisor stores itself, and returns whether it did. Other secrets are left alone.
pub(super) fn forget(
    app: &App,
    secret_id: &SecretId,
    source: &CredentialSource,
) -> Result<bool, CommandError> {
    match source {
        CredentialSource::Sealed => {
            record(app, "forget", secret_id)?;
            SecretStore::of(&app.env)?.remove(secret_id)?;
            Ok(true)
        }
        CredentialSource::Keyring(entry) if *entry == entry_name(secret_id) => {
            record(app, "forget", secret_id)?;
            keychain::remove(entry).map_err(|reason| {
                CommandError::usage(format!("the keyring's entry `{entry}` was not deleted: {reason}"))
            })?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Records an action on a secret in the audit log: only the secret's name, never its value.
fn record(app: &App, kind: &str, secret_id: &SecretId) -> Result<(), CommandError> {
    let what = format!(
        "{} of profile {} at {}",
        secret_id.key,
        secret_id.profile,
        secret_id.place()
    );
    Ok(app.journal()?.audit(kind, &app.actor(), &what.as_str().into())?)
}

/// The name of provisor's keyring entry for a secret.
fn entry_name(secret_id: &SecretId) -> String {
    format!("{} {} {}", secret_id.profile, secret_id.key, secret_id.place())
}

/// Reads the secret: typed without echo, or a line of stdin.
fn obtain(app: &App, secret_id: &SecretId, name: &str, stdin: bool) -> Result<Secret, CommandError> {
    let secret = if stdin {
        secret_from_stdin()?
    } else if app.can_prompt() {
        app.ask_secret(&format!("{name} (not shown)"))?
    } else {
        return Err(
            CommandError::usage(format!("cannot ask for {}: there is no terminal", secret_id.key)).hint(
                format!(
                    "pass it on standard input: --secret {}=stdin, or name its place: {FORMS}",
                    secret_id.key
                ),
            ),
        );
    };
    if secret.is_empty() {
        let what = secret_id.key.replace('_', " ");
        return Err(CommandError::usage(format!(
            "no {what} was given; nothing was changed"
        )));
    }
    Ok(secret)
}

fn absolute(app: &App, path: &str) -> String {
    if path.starts_with("~/") {
        return path.to_owned();
    }
    app.env.folder().join(path).display().to_string()
}

fn table(key: &str, value: Value) -> Value {
    let mut table = InlineTable::new();
    table.insert(key, value);
    Value::InlineTable(table)
}

#[cfg(test)]
mod tests;

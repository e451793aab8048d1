//! The places of secrets, as the command line names them, and how secrets get there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::prompt::secret_from_stdin;
use crate::config::{ConfigDraft, Profile, SecretId, SecretSource, SecretStore, keychain};
use crate::value::secret::Secret;

/// The source or the destination of a secret.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum SecretLocation {
    /// It is there already.
    Source(SecretSource),
    /// Typed or read now, and stored sealed.
    Sealed {
        /// Whether to read stdin even if it is a terminal.
        stdin: bool,
    },
    /// Typed already, to be stored sealed or in the system keyring.
    Typed(Secret),
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
        let source = match text.split_once(':').unwrap_or((text, "")) {
            ("env", name) if !name.is_empty() => SecretSource::Env(name.to_owned()),
            ("file", path) if !path.is_empty() => SecretSource::File(path.into()),
            ("command", words) if !words.trim().is_empty() => {
                SecretLocation::command(words.split_whitespace().map(str::to_owned).collect())
            }
            ("keyring", "") => return Some(SecretLocation::Keyring),
            ("keyring", name) => SecretSource::Keyring(name.to_owned()),
            ("sealed", "") => return Some(SecretLocation::Sealed { stdin: false }),
            ("stdin", "") => return Some(SecretLocation::Sealed { stdin: true }),
            _ => return None,
        };
        Some(SecretLocation::Source(source))
    }

    /// A program with its arguments, which runs in the folder of the configuration file.
    pub(super) fn command(argv: Vec<String>) -> SecretSource {
        SecretSource::Command {
            argv,
            folder: PathBuf::new(),
        }
    }

    /// Asks the user for the secret if the place needs it, and stores it there. Returns the source for the
    /// configuration.
    fn store(&self, app: &App, secret_id: &SecretId, title: &str) -> Result<SecretSource, CommandError> {
        match self {
            SecretLocation::Source(SecretSource::File(path)) if !path.starts_with("~") => {
                Ok(SecretSource::File(app.env.folder().join(path)))
            }
            SecretLocation::Source(source) => Ok(source.clone()),
            SecretLocation::Sealed { stdin } => {
                let secret = obtain(app, secret_id, title, *stdin)?;
                seal(app, secret_id, secret)
            }
            SecretLocation::Typed(secret) => {
                let question =
                    "Keep it in the system's keyring? Otherwise it is sealed in provisor's own folder";
                if keychain::available().is_ok() && app.can_prompt() && app.ask_yes_no(question, true)? {
                    return store_in_keyring(app, secret_id, secret);
                }
                seal(app, secret_id, secret.clone())
            }
            SecretLocation::Keyring => {
                keychain::available().map_err(|reason| keyring_error(&reason, secret_id))?;
                let secret = obtain(app, secret_id, title, false)?;
                store_in_keyring(app, secret_id, &secret)
            }
        }
    }
}

/// Stores secrets and writes their places to the draft. Sealed ones are deleted again if the draft is not saved.
pub(in crate::cli) struct Secrets<'a> {
    app: &'a App,
    stored: Vec<SecretId>,
    /// The action, as `provisor audit` shows it.
    audit_kind: &'static str,
}

impl<'a> Secrets<'a> {
    pub(in crate::cli) fn new(app: &'a App, audit_kind: &'static str) -> Secrets<'a> {
        Secrets {
            app,
            stored: Vec::new(),
            audit_kind,
        }
    }

    /// Stores one secret, and writes its place to the draft.
    pub(in crate::cli) fn put(
        &mut self,
        draft: &mut ConfigDraft,
        secret_id: &SecretId,
        (place, name): (&SecretLocation, &str),
    ) -> Result<(), CommandError> {
        let source = place.store(self.app, secret_id, name)?;
        if source == SecretSource::Sealed {
            self.stored.push(secret_id.clone());
        }
        draft.set(&secret_id.profile, &secret_id.key, source);
        Ok(())
    }

    /// Saves the draft, and reports where it and the secrets are.
    pub(in crate::cli) fn save(mut self, draft: ConfigDraft, name: &str) -> Result<(), CommandError> {
        let file = draft.file().to_owned();
        let app = self.app;
        draft.save()?;
        // From here on the file refers to the sealed secrets: keep them, whatever fails next.
        let stored = std::mem::take(&mut self.stored);
        app.audit(self.audit_kind, name)?;
        app.ui
            .note(&format!("profile `{name}` is written to {}", file.display()));
        for secret_id in stored {
            app.ui.note(&format!(
                "its {} is encrypted in {}; it is only ever sent to {}",
                secret_id.key.replace('_', " "),
                app.paths()?.secrets().display(),
                secret_id.place()
            ));
        }
        Ok(())
    }
}

impl Drop for Secrets<'_> {
    fn drop(&mut self) {
        for secret_id in &self.stored {
            // If this fails, the secret stays sealed, and nothing refers to it.
            let _ = forget(self.app, secret_id, &SecretSource::Sealed);
        }
    }
}

/// Stores a secret in the system keyring.
fn store_in_keyring(app: &App, secret_id: &SecretId, secret: &Secret) -> Result<SecretSource, CommandError> {
    let entry = entry_name(secret_id);
    record(app, "seal", secret_id)?;
    keychain::put(&entry, secret)
        .map_err(|reason| keyring_error(&format!("the keyring refused it: {reason}"), secret_id))?;
    Ok(SecretSource::Keyring(entry))
}

fn keyring_error(reason: &str, secret_id: &SecretId) -> CommandError {
    CommandError::usage(reason).hint(format!(
        "seal it in provisor's own folder instead: --secret {}=sealed",
        secret_id.key
    ))
}

/// Seals a secret for its address.
pub(super) fn seal(app: &App, secret_id: &SecretId, secret: Secret) -> Result<SecretSource, CommandError> {
    record(app, "seal", secret_id)?;
    SecretStore::of(&app.env)?.put(secret_id, secret)?;
    Ok(SecretSource::Sealed)
}

/// Deletes a secret that provisor stores itself, and returns whether it did. Other secrets are left alone.
pub(super) fn forget(app: &App, secret_id: &SecretId, source: &SecretSource) -> Result<bool, CommandError> {
    match source {
        SecretSource::Sealed => {
            record(app, "forget", secret_id)?;
            SecretStore::of(&app.env)?.remove(secret_id)?;
        }
        SecretSource::Keyring(entry) if *entry == entry_name(secret_id) => {
            record(app, "forget", secret_id)?;
            keychain::remove(entry).map_err(|reason| {
                CommandError::usage(format!("the keyring's entry `{entry}` was not deleted: {reason}"))
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Deletes the secrets of a profile that provisor stores itself, if `forgets`, and reports where the others are.
pub(super) fn forget_all(app: &App, profile: &Profile, forgets: bool) -> Result<(), CommandError> {
    for (key, source) in profile.secrets() {
        let title = key.replace('_', " ");
        let is_deleted = forgets && forget(app, &profile.secret_id(key), source)?;
        app.ui.note(&if is_deleted {
            format!("its {title} was deleted")
        } else {
            format!("its {title} stays where it is: {source}")
        });
    }
    Ok(())
}

/// Records an action on a secret in the audit log: only the secret's name, never its value.
fn record(app: &App, kind: &str, secret_id: &SecretId) -> Result<(), CommandError> {
    let SecretId { profile, key, .. } = secret_id;
    app.audit(
        kind,
        &format!("{key} of profile {profile} at {}", secret_id.place()),
    )
}

/// The name of provisor's keyring entry for a secret.
fn entry_name(secret_id: &SecretId) -> String {
    format!("{} {} {}", secret_id.profile, secret_id.key, secret_id.place())
}

/// Reads the secret: typed without echo, or a line of stdin.
pub(super) fn obtain(
    app: &App,
    secret_id: &SecretId,
    title: &str,
    stdin: bool,
) -> Result<Secret, CommandError> {
    let key = &secret_id.key;
    let secret = if stdin {
        secret_from_stdin()?
    } else if app.can_prompt() {
        app.ask_secret(&format!("{title} (not shown)"))?
    } else {
        return Err(
            CommandError::usage(format!("cannot ask for {key}: there is no terminal")).hint(format!(
                "pass it on standard input: --secret {key}=stdin, or name its place: {FORMS}"
            )),
        );
    };
    if secret.is_empty() {
        return Err(CommandError::usage(format!(
            "no {} was given; nothing was changed",
            key.replace('_', " ")
        )));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_locations_are_parsed_and_errors_redact_the_input() {
        let parse = |text: &str| {
            SecretLocation::parse_assignment(&crate::platforms::catalogue().account_keys().1, text)
                .map(|(_, place)| place)
        };
        let words = vec!["pass".to_owned(), "show".to_owned()];
        for (text, source) in [
            ("password=env:A", SecretSource::Env("A".into())),
            ("password=file:~/x", SecretSource::File("~/x".into())),
            ("api_token=command:pass show", SecretLocation::command(words)),
            ("app_key=keyring:mine", SecretSource::Keyring("mine".into())),
        ] {
            assert_eq!(parse(text).unwrap(), SecretLocation::Source(source));
        }
        assert_eq!(parse("app_key=keyring").unwrap(), SecretLocation::Keyring);
        assert_eq!(
            parse("password=stdin").unwrap(),
            SecretLocation::Sealed { stdin: true }
        );
        for text in [
            "password=hunter2",
            "password=env:",
            "hunter2",
            "hunter2=sealed",
            "password=",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!error.message.contains("hunter2"), "{}", error.message);
            assert!(error.hints.iter().all(|hint| !hint.contains("hunter2")));
        }
    }
}

//! Writes profiles and reports what was done.

use super::secret_location::{self, SecretLocation, StoredSecret};
use crate::cli::app::App;
use crate::cli::config::{Config, ConfigDraft, Profile};
use crate::cli::error::CommandError;
use crate::cli::secret_store::SecretId;

/// Loads the current configuration.
pub(in crate::cli) fn read(app: &App) -> Result<Config, CommandError> {
    Ok(Config::load(app.catalogue(), app.paths()?, &app.env)?)
}

/// Opens the user's configuration to change it.
pub(in crate::cli) fn draft(app: &App) -> Result<ConfigDraft, CommandError> {
    ConfigDraft::open(app.catalogue(), &app.paths()?.config_file())
}

/// Returns a profile that the draft may change. The error for one that another file defines names that file.
pub(in crate::cli) fn editable_profile<'a>(
    config: &'a Config,
    draft: &ConfigDraft,
    name: &str,
    asked_by: &str,
) -> Result<&'a Profile, CommandError> {
    let profile = config.named(name, asked_by)?;
    if draft.has_profile(name) {
        return Ok(profile);
    }
    Err(CommandError::usage(format!(
        "profile `{name}` is defined in {}, which is not your own file",
        profile.file.display()
    ))
    .hint("edit that file"))
}

/// Checks a new profile name: letters, digits, `-` and `_`, but not `sandbox`.
pub(in crate::cli) fn check_name(name: &str) -> Result<(), CommandError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(CommandError::usage(format!(
            "invalid profile name `{name}`: use letters, digits, - and _"
        )));
    }
    if name == "sandbox" {
        return Err(
            CommandError::usage("`sandbox` is the name of the embedded sandbox's accounts")
                .hint("use another name; to work on the sandbox, pass --sandbox or `--mode sandbox`"),
        );
    }
    Ok(())
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
        let StoredSecret { value, stored } = place.settle(self.app, secret_id, name)?;
        draft.set(&secret_id.profile, &secret_id.key, value);
        self.stored.extend(stored);
        Ok(())
    }

    /// Saves the draft, and reports where it and the secrets are.
    pub(in crate::cli) fn save(mut self, draft: ConfigDraft, name: &str) -> Result<(), CommandError> {
        let file = draft.file().to_owned();
        let app = self.app;
        draft.save()?;
        // From here on the file refers to the sealed secrets: keep them, whatever fails next.
        let stored = std::mem::take(&mut self.stored);
        record(app, self.audit_kind, name)?;
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

/// Records a change of a profile in the audit log.
pub(in crate::cli) fn record(app: &App, audit_kind: &str, name: &str) -> Result<(), CommandError> {
    Ok(app.journal()?.audit(audit_kind, &app.actor(), &name.into())?)
}

impl Drop for Secrets<'_> {
    fn drop(&mut self) {
        for secret_id in &self.stored {
            // If this fails, the secret stays sealed, and nothing refers to it.
            let _ =
                secret_location::forget(self.app, secret_id, &crate::cli::config::CredentialSource::Sealed);
        }
    }
}

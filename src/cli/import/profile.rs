//! Creates a profile from an environment.

use super::code::name_of;
use super::environment::{Account, Environment};
use crate::cli::app::App;
use crate::cli::config;
use crate::cli::error::CommandError;
use crate::cli::profile::save::{self, Secrets};
use crate::cli::profile::secret_location::SecretLocation;
use crate::cli::secret_store::SecretId;

/// Returns the requested profile name, else one derived from the environment's name.
pub(super) fn name(requested: Option<&str>, environment: &Environment) -> Result<String, CommandError> {
    let name = requested.map_or_else(|| name_of(&environment.name, "imported"), str::to_owned);
    save::check_name(&name)?;
    Ok(name)
}

/// Writes the profile and seals its secrets.
pub(super) fn write(app: &App, name: &str, account: Account, force: bool) -> Result<(), CommandError> {
    let known = save::read(app)?;
    if let Some(profile) = known.profiles().get(name)
        && !force
    {
        return Err(CommandError::usage(format!(
            "profile `{name}` already exists in {}",
            profile.file.display()
        ))
        .hint("choose another name with --profile, or pass --force to change this one"));
    }
    let text = |key: &str| {
        account
            .texts
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, text)| text.clone())
    };
    let url = text("url").unwrap_or_default();
    config::check_address(&url, false)
        .map_err(|problem| CommandError::usage(format!("the environment's address `{url}` {problem}")))?;
    let mut draft = save::draft(app)?;
    let mut secrets = Secrets::new(
        app,
        if known.profiles().contains_key(name) {
            "profile-edit"
        } else {
            "profile-add"
        },
    );
    if account.platform != app.catalogue().usual() {
        draft.set(name, "platform", account.platform.name);
    }
    for (key, text) in &account.texts {
        draft.set(name, key, text.as_str());
    }
    for (field, secret) in account.secrets {
        let secret_id = SecretId {
            profile: name.to_owned(),
            key: field.name.to_owned(),
            url: url.clone(),
        };
        secrets.put(
            &mut draft,
            &secret_id,
            (&SecretLocation::Typed(secret), field.title),
        )?;
    }
    draft.set(
        name,
        "mode",
        if config::is_local_or_sandbox(&url) {
            "dev"
        } else {
            "prod"
        },
    );
    secrets.save(draft, name)?;
    let taken: Vec<&str> = account.taken.iter().map(|(_, name)| name.as_str()).collect();
    app.ui
        .note(&format!("it was created from the variables {}", taken.join(", ")));
    if !account.unused.is_empty() {
        app.ui.warn(&format!(
            "these secrets of the environment have no key in a profile of this platform, and were not stored: {}",
            account.unused.join(", ")
        ));
    }
    app.ui.hint(&format!("test it: provisor profile test {name}"));
    Ok(())
}

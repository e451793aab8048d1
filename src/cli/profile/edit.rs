//! `provisor profile add` and `provisor profile edit`.

use std::fmt::Write as _;

use clap::Args;

use super::account::{forget_tokens, named_or_active, try_profile};
use super::secrets::{self, SecretLocation, Secrets};
use super::values::{ProfileArgs, Values, missing_error};
use super::{check_editable, check_name, did, mode_text};
use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::config::{Config, Profile, SecretId, SecretSource};
use crate::operation::catalogue::Catalogue;

/// Add a profile to your configuration.
///
/// At a terminal, it asks for all values that the flags leave out. The default mode is `prod`, which asks before a run
/// changes anything; for an address on this machine it is `dev`, which does not.
#[derive(Args)]
pub(super) struct AddCommand {
    /// The profile's name.
    name: Option<String>,
    /// The platform.
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Print the new profile as JSON, and do not offer to test it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    given: ProfileArgs,
}

/// The text after the help: examples for the platforms of the catalogue.
pub(in crate::cli) fn examples(catalogue: &Catalogue) -> String {
    let mut text = String::from("Examples:\n  provisor profile add acme\n");
    let accounts = catalogue.with_accounts();
    for (platform, schema) in accounts.filter_map(|platform| Some((platform, platform.account.as_ref()?))) {
        let platform = if platform == catalogue.usual() {
            String::new()
        } else {
            format!(" --platform {}", platform.name)
        };
        let flags = schema.example.join(" \\\n      ");
        let _ = writeln!(text, "  provisor profile add acme{platform} \\\n      {flags}");
    }
    text.push_str("\nJSON (--json), one document:\n  {\"version\": 1, \"did\": \"added\", \"profile\": {as in `profile list`}}");
    text
}

pub(super) fn add(app: &App, command: &AddCommand) -> Result<Exit, CommandError> {
    let given = &command.given;
    given.refuse_secrets()?;
    let config = app.config()?;
    let asks = app.can_prompt() && !given.no_input;
    let check = |name: &str| {
        check_name(name)?;
        is_new(&config, name)?;
        Ok(name.to_owned())
    };
    let name = &match &command.name {
        Some(name) => check(name)?,
        None if asks => app.ask_until("Name of the profile", None, check)?,
        None => return Err(missing_error("the profile's NAME")),
    };
    let usual = app.catalogue().usual();
    let platform = match &command.platform {
        Some(platform) => app.platform(platform)?,
        None if asks => {
            let question = format!("Platform: {}", app.platform_names("or"));
            app.ask_until(&question, Some(usual.name), |name| app.platform(name))?
        }
        None => usual,
    };
    let mut values = Values::of(app, given, platform, None)?;
    if asks {
        values.ask(app)?;
    }
    values.check_complete()?;
    let usual_mode = values.usual_mode();
    let mode = values.mode.get_or_insert_with(|| usual_mode.to_owned()).clone();
    // The file is locked from here on, when only the prompts for secrets are left to wait for.
    let mut draft = app.config_draft()?;
    is_new(&app.config()?, name)?;
    let mut stored = Secrets::new(app, "profile-add");
    if platform != usual {
        draft.set(name, "platform", platform.name);
    }
    let url = values.url().unwrap_or_default();
    values.write(&mut draft, name, url, &mut stored)?;
    stored.save(draft, name)?;
    if command.json {
        did(app, "added", name)?;
    }
    app.ui.note(mode_text(&mode));
    if config.profiles().len() == 1 && config.active(&app.env).is_some() {
        app.ui.hint(&format!(
            "you have two profiles now: choose the default with `provisor profile use {name}`, or pass --profile"
        ));
    }
    let offers_test = asks && !command.json && mode != "sandbox";
    if offers_test && app.ask_yes_no("Sign in now to test it?", true)? {
        return try_profile(app, app.config()?.named(name, "profile test")?, false);
    }
    app.ui.hint(&format!("test it: provisor profile test {name}"));
    Ok(Exit::Ok)
}

fn is_new(config: &Config, name: &str) -> Result<(), CommandError> {
    match config.profiles().get(name) {
        None => Ok(()),
        Some(known) => Err(CommandError::usage(format!(
            "profile `{name}` already exists in {}",
            known.file.display()
        ))
        .hint(format!("change it: provisor profile edit {name}"))),
    }
}

/// Change a profile in your configuration.
///
/// Without flags, at a terminal, it asks for each value; Enter keeps the current one. A sealed secret belongs to the
/// address it was entered for: if you change the address, enter the secret again.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor profile edit acme
  provisor profile edit acme --mode read-only
  provisor profile edit acme --secret password=sealed          asks for a new password
  provisor profile edit acme --set timeouts.reply=40s --unset settle

JSON (--json), one document:
  {\"version\": 1, \"did\": \"changed\", \"profile\": {as in `profile list`}}")]
pub(super) struct EditCommand {
    /// The profile; by default the active one.
    name: Option<String>,
    /// Remove a key. Repeatable.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Print the changed profile as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    given: ProfileArgs,
}

pub(super) fn edit(app: &App, command: &EditCommand) -> Result<Exit, CommandError> {
    command.given.refuse_secrets()?;
    let config = app.config()?;
    let known = named_or_active(app, &config, command.name.as_deref(), "profile edit")?;
    let name = &known.name;
    let asks = app.can_prompt() && !command.given.no_input;
    let has_changes = !command.given.has_no_values() || !command.unset.is_empty();
    if !asks && !has_changes {
        return Err(
            CommandError::usage("`provisor profile edit` has nothing to change")
                .hint("pass --url, --login, --mode, --secret KEY=PLACE, --set KEY=VALUE, --unset KEY"),
        );
    }
    let mut values = Values::of(app, &command.given, known.platform(), Some(known))?;
    if !has_changes {
        values.ask(app)?;
    }
    follow_address(known, &mut values, asks)?;
    let mut draft = app.config_draft()?;
    check_editable(known, &draft)?;
    for key in &command.unset {
        if !draft.unset(name, key) {
            return Err(CommandError::usage(format!(
                "profile `{name}` has no `{key}` in {}",
                draft.file().display()
            )));
        }
    }
    if !values.accepts_plain_http() {
        // It may stand in a file that this command does not edit; there, the changed address ends it.
        let _ = draft.unset(name, "plain_http");
    }
    let mut stored = Secrets::new(app, "profile-edit");
    let url = values.url().or(known.url().ok()).unwrap_or_default();
    values.write(&mut draft, name, url, &mut stored)?;
    // The tokens were obtained with the old values.
    if !values.texts.is_empty() || !values.secrets.is_empty() {
        forget_tokens(app, known);
    }
    stored.save(draft, name)?;
    delete_unused_secrets(app, known)?;
    if command.json {
        did(app, "changed", name)?;
    }
    Ok(Exit::Ok)
}

/// Deletes the sealed secrets that the profile no longer refers to.
fn delete_unused_secrets(app: &App, before: &Profile) -> Result<(), CommandError> {
    let config = app.config()?;
    let now = config.named(&before.name, "profile edit")?;
    for (key, source) in before.secrets() {
        let old = before.secret_id(key);
        let is_kept = now.secret(key) == Some(source) && SecretId::same_place(&old, &now.secret_id(key));
        if *source == SecretSource::Sealed && !is_kept {
            secrets::forget(app, &old, source)?;
        }
    }
    Ok(())
}

/// Makes the user enter a sealed secret again if the address changes: it is bound to the old one.
fn follow_address(profile: &Profile, values: &mut Values<'_>, asks: bool) -> Result<(), CommandError> {
    let Some(url) = values.url().map(str::to_owned) else {
        return Ok(());
    };
    for key in profile.platform().secrets() {
        let old = profile.secret_id(key.name);
        let new = SecretId {
            url: url.clone(),
            ..old.clone()
        };
        let is_sealed = profile.secret(key.name) == Some(&SecretSource::Sealed);
        let is_given = values.secrets.iter().any(|(given, _)| *given == key);
        if !is_sealed || is_given || SecretId::same_place(&old, &new) {
            continue;
        }
        if !asks {
            return Err(CommandError::usage(format!(
                "the {} of profile `{}` was sealed for {} only",
                key.name.replace('_', " "),
                profile.name,
                old.place()
            ))
            .hint(format!("enter it again: --secret {}=stdin", key.name)));
        }
        let place = SecretLocation::Sealed { stdin: false };
        values.secrets.push((key, place));
    }
    Ok(())
}

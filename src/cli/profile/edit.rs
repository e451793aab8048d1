//! `provisor profile edit`.

use clap::Args;

use super::args::ProfileArgs;
use super::list;
use super::save::{self, Secrets};
use super::secret_location::{self, SecretLocation};
use crate::cli::app::App;
use crate::cli::config::{CredentialSource, Profile};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::secret_store::SecretId;
use crate::operation::platform::AccountKey;

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

/// The requested changes.
#[derive(Default)]
struct Changes {
    texts: Vec<(&'static str, String)>,
    secrets: Vec<(&'static AccountKey, SecretLocation)>,
    mode: Option<String>,
}

pub(super) fn edit(app: &App, command: &EditCommand) -> Result<Exit, CommandError> {
    command.given.refuse_secrets()?;
    let config = save::read(app)?;
    let name = match &command.name {
        Some(name) => name.clone(),
        None => config.choose(None, &app.env)?.name.clone(),
    };
    let known = config.named(&name, "profile edit")?;
    let asks = app.can_prompt() && !command.given.no_input;
    let nothing = command.given.has_no_values() && command.unset.is_empty();
    let mut changes = if nothing && asks {
        Changes::ask(app, known)?
    } else if nothing {
        return Err(
            CommandError::usage("`provisor profile edit` has nothing to change")
                .hint("pass --url, --login, --mode, --secret KEY=PLACE, --set KEY=VALUE, --unset KEY"),
        );
    } else {
        Changes::given(app, &command.given, known)?
    };
    // A consent to plain http is for one address.
    let moves = changes.url().is_some_and(|url| known.url().ok() != Some(url));
    let plain_http = command.given.accepts_plain_http() || (known.plain_http.is_some() && !moves);
    for (key, text) in &changes.texts {
        super::add::fits(known.platform(), key, text, plain_http)?;
    }
    follow_address(known, &mut changes, asks)?;
    let mut draft = save::draft(app)?;
    let profile = save::editable_profile(&config, &draft, &name, "profile edit")?.clone();
    let mut secrets = Secrets::new(app, "profile-edit");
    for key in &command.unset {
        if !draft.unset(&name, key) {
            return Err(CommandError::usage(format!(
                "profile `{name}` has no `{key}` in {}",
                draft.file().display()
            )));
        }
    }
    for (key, text) in &changes.texts {
        draft.set(&name, key, text.as_str());
    }
    if !plain_http {
        // It may stand in a file that this command does not edit; there, the changed address ends it.
        let _ = draft.unset(&name, "plain_http");
    }
    let url = changes.url().map(str::to_owned);
    for (field, place) in &changes.secrets {
        let mut secret_id = profile.secret_id(field.name);
        if let Some(url) = &url {
            secret_id.url.clone_from(url);
        }
        secrets.put(&mut draft, &secret_id, (place, field.title))?;
    }
    if let Some(mode) = &changes.mode {
        draft.set(&name, "mode", mode.as_str());
    }
    for (key, value) in command.given.others(app)? {
        super::add::fits(
            known.platform(),
            key,
            value.as_str().unwrap_or_default(),
            plain_http,
        )?;
        draft.set(&name, key, value);
    }
    // The tokens were obtained with the old values.
    if !changes.texts.is_empty() || !changes.secrets.is_empty() {
        super::account::forget_tokens(app, &profile);
    }
    secrets.save(draft, &name)?;
    delete_unused_secrets(app, &profile, &name)?;
    if command.json {
        list::did(app, "changed", &name)?;
    }
    Ok(Exit::Ok)
}

/// Deletes the sealed secrets that the profile no longer refers to.
fn delete_unused_secrets(app: &App, before: &Profile, name: &str) -> Result<(), CommandError> {
    let config = save::read(app)?;
    let now = config.named(name, "profile edit")?;
    for (key, source) in &before.secrets {
        let old = before.secret_id(key);
        let kept = now.secrets.get(key).map(|source| &source.value);
        let moved = SecretId::same_place(&old, &now.secret_id(key));
        if source.value == CredentialSource::Sealed && (kept != Some(&source.value) || !moved) {
            secret_location::forget(app, &old, &source.value)?;
        }
    }
    Ok(())
}

/// Makes the user enter a sealed secret again if the address changes: it is bound to the old one.
fn follow_address(profile: &Profile, changes: &mut Changes, asks: bool) -> Result<(), CommandError> {
    let Some(url) = changes.url().map(str::to_owned) else {
        return Ok(());
    };
    for field in profile.platform().secrets() {
        let sealed = profile
            .secrets
            .get(field.name)
            .is_some_and(|source| source.value == CredentialSource::Sealed);
        let given = changes.secrets.iter().any(|(known, _)| known.name == field.name);
        let (old, mut new) = (profile.secret_id(field.name), profile.secret_id(field.name));
        new.url.clone_from(&url);
        if !sealed || given || SecretId::same_place(&old, &new) {
            continue;
        }
        if !asks {
            return Err(CommandError::usage(format!(
                "the {} of profile `{}` was sealed for {} only",
                field.name.replace('_', " "),
                profile.name,
                old.place()
            ))
            .hint(format!("enter it again: --secret {}=stdin", field.name)));
        }
        changes
            .secrets
            .push((field, SecretLocation::Sealed { stdin: false }));
    }
    Ok(())
}

impl Changes {
    fn url(&self) -> Option<&str> {
        let url = self.texts.iter().find(|(key, _)| *key == "url");
        url.map(|(_, url)| url.as_str())
    }

    fn given(app: &App, given: &ProfileArgs, profile: &Profile) -> Result<Changes, CommandError> {
        let platform = profile.platform();
        given.check_platform(app, platform)?;
        let mut changes = Changes {
            mode: given.mode.clone(),
            ..Changes::default()
        };
        for field in platform.texts() {
            let text = given.text(field.name).map(|text| text.trim().to_owned());
            changes.texts.extend(text.map(|text| (field.name, text)));
        }
        for (key, place) in given.places(app, platform)? {
            let field = platform.secrets().iter().find(|field| field.name == key);
            changes.secrets.extend(field.map(|field| (field, place)));
        }
        Ok(changes)
    }

    /// Prompts for each value, with the current one as the default.
    fn ask(app: &App, profile: &Profile) -> Result<Changes, CommandError> {
        let mut changes = Changes::default();
        for field in profile.platform().texts() {
            let now = match field.name {
                "url" => profile.url().ok(),
                key => profile.texts.get(key).map(|text| text.value.as_str()),
            };
            let accepts = profile.plain_http.is_some();
            let text = app.ask_until(field.title, now, |text| {
                super::add::fits(profile.platform(), field.name, text, accepts).map(|()| text.to_owned())
            })?;
            if !text.is_empty() && now != Some(text.as_str()) {
                changes.texts.push((field.name, text));
            }
        }
        for field in profile.platform().secrets() {
            let now = profile
                .secrets
                .get(field.name)
                .map(|source| source.value.to_string());
            let now = now.as_deref().unwrap_or("none");
            // Treat any input as a secret, not as a place.
            let typed = app.ask_secret(&format!("{}: now {now} (not shown; Enter keeps it)", field.title))?;
            let place = (!typed.is_empty()).then_some(SecretLocation::Typed(typed));
            changes.secrets.extend(place.map(|place| (field, place)));
        }
        let now = profile.mode.as_ref().map_or("dev", |mode| mode.value.name());
        let mode = super::add::ask_mode(app, "Mode: prod, dev, read-only or sandbox", now)?;
        changes.mode = (mode != now).then_some(mode);
        Ok(changes)
    }
}

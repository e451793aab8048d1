//! `provisor profile list`.

use clap::Args;
use serde_json::{Value as Json, json};

use super::save;
use crate::cli::app::App;
use crate::cli::config::{Config, Profile};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;

/// List the profiles; a star marks the default.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"profiles\": [{name, platform, url, login, mode, sandbox, secrets: {KEY: place},
   plain_http, chosen, file}]}
  plain_http is true if the account is reached unencrypted, which the profile accepts")]
pub(super) struct ListCommand {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(app: &App, command: &ListCommand) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let chosen = config
        .choose(None, &app.env)
        .ok()
        .map(|profile| profile.name.clone());
    if command.json {
        let profiles = config.profiles().values();
        let profiles: Vec<Json> = profiles
            .map(|profile| document(profile, chosen.as_deref()))
            .collect();
        app.print(&json!({"version": 1, "profiles": profiles}).to_string())?;
        return Ok(Exit::Ok);
    }
    if config.profiles().is_empty() {
        app.ui.note("no profile is configured");
        app.ui
            .hint("provisor profile add NAME; or try it without an account: --sandbox");
        return Ok(Exit::Ok);
    }
    let header = ["", "profile", "platform", "address", "login", "mode", "secrets"];
    app.print(&app.ui.table(&header, &rows(&config, chosen.as_deref())))?;
    Ok(Exit::Ok)
}

fn rows(config: &Config, chosen: Option<&str>) -> Vec<Vec<String>> {
    let profiles = config.profiles().values();
    let row = |profile: &Profile| {
        let star = if chosen == Some(&profile.name) { "*" } else { "" };
        let secrets = profile.secrets.values().map(|source| source.value.kind());
        vec![
            star.to_owned(),
            profile.name.clone(),
            profile.platform().name.to_owned(),
            address(profile),
            profile.text("login").unwrap_or_default().to_owned(),
            mode(profile),
            secrets.collect::<Vec<_>>().join(", "),
        ]
    };
    profiles.map(row).collect()
}

/// The address, and whether what is sent there is unencrypted.
fn address(profile: &Profile) -> String {
    let url = profile.url().unwrap_or_default();
    let note = if profile.is_unencrypted() {
        " (unencrypted)"
    } else {
        ""
    };
    format!("{url}{note}")
}

/// The name of the mode, and whether the sandbox replaces the account.
pub(super) fn mode(profile: &Profile) -> String {
    let mode = profile.mode.as_ref().map_or("dev", |mode| mode.value.name());
    match profile.sandboxed() {
        Some(_) if mode != "sandbox" => format!("{mode}, on the sandbox"),
        _ => mode.to_owned(),
    }
}

/// Prints as JSON what was done to a profile, and its current state.
pub(super) fn did(app: &App, did: &str, name: &str) -> Result<(), CommandError> {
    let config = save::read(app)?;
    let chosen = config
        .choose(None, &app.env)
        .ok()
        .map(|profile| profile.name.clone());
    let profile = match config.profiles().get(name) {
        Some(profile) => document(profile, chosen.as_deref()),
        None => json!({"name": name}),
    };
    app.print(&json!({"version": 1, "did": did, "profile": profile}).to_string())
}

/// A profile as JSON, with the sources of its secrets but never a secret.
pub(super) fn document(profile: &Profile, chosen: Option<&str>) -> Json {
    let secrets = profile.secrets.iter();
    let secrets: serde_json::Map<String, Json> = secrets
        .map(|(key, source)| ((*key).to_owned(), source.value.to_string().into()))
        .collect();
    let mut document = json!({
        "name": profile.name,
        "platform": profile.platform().name,
        "url": profile.url().ok(),
        "mode": profile.mode.as_ref().map_or("dev", |mode| mode.value.name()),
        "sandbox": profile.sandboxed().is_some(),
        "secrets": secrets,
        "plain_http": profile.is_unencrypted(),
        "chosen": chosen == Some(&profile.name),
        "file": profile.file.display().to_string(),
    });
    for (key, text) in &profile.texts {
        document[*key] = text.value.as_str().into();
    }
    document
}

//! `provisor profile`: named accounts, and where their secrets are kept.

mod account;
mod edit;
mod secrets;
mod values;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::app::App;
use super::error::CommandError;
use super::exit::Exit;
use super::times;
use crate::clock::Clock;
use crate::config::{ConfigDraft, Profile, SANDBOX};
use crate::operation::account::SignedIn;
use crate::value::Value;

pub(super) use account::{LoginCommand, LogoutCommand, login, logout, signed_in};
pub(super) use edit::examples;
pub(super) use secrets::{SecretLocation, Secrets};
pub(super) use values::with_account_flags;

/// Add, inspect, change and test accounts.
///
/// A profile is a named account: its address, who signs in, where the secret comes from and what is permitted. Secrets
/// are never written into a configuration file and never taken from the command line: you type them without echo, pass
/// them on standard input, or name the place where they are kept.
#[derive(Args)]
#[command(after_help = "\
Examples:
  provisor profile add acme                                              asks for everything
  pass show acme | provisor profile add acme --url https://acme.example \\
      --login partner@acme.example --password-stdin
  provisor profile add --help                                            shows one for each platform
  provisor profile use acme
  provisor profile test")]
pub(super) struct ProfileCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(Box<edit::AddCommand>),
    /// List the profiles; a star marks the default.
    #[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"profiles\": [{name, platform, url, login, mode, sandbox, secrets: {KEY: place},
   plain_http, chosen, file}]}
  plain_http is true if the account is reached unencrypted, which the profile accepts")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a profile, where each value is set, and whether it is signed in.
    #[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"profile\": {as in `profile list`, and signed_in: true or false,
   signed_in_until: time, or null when there is none}}")]
    Show {
        /// The profile; by default the active one.
        name: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    Edit(Box<edit::EditCommand>),
    Remove(RemoveCommand),
    Test(account::TestCommand),
    Use(UseCommand),
}

/// Remove a profile and delete its secrets and tokens.
///
/// Everything that runs recorded about the account stays: the ledger and its credentials.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"did\": \"removed\", \"profile\": {name}}")]
struct RemoveCommand {
    /// The profile.
    name: String,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
    /// Print what was removed as JSON.
    #[arg(long)]
    json: bool,
}

/// Make a profile the default.
///
/// With `--sandbox`, every command that uses it works on the simulated platforms, as if you passed `--sandbox`, until
/// you run this command with `--no-sandbox`.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"did\": \"chosen\", \"profile\": {as in `profile list`}}")]
struct UseCommand {
    /// The profile.
    name: String,
    /// Use the simulated platforms for this profile from now on.
    #[arg(long, conflicts_with = "no_sandbox")]
    sandbox: bool,
    /// Use the real account again.
    #[arg(long)]
    no_sandbox: bool,
    /// Print the profile as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn profile(app: &App, command: &ProfileCommand) -> Result<Exit, CommandError> {
    match &command.action {
        Action::Add(command) => edit::add(app, command),
        Action::List { json } => list(app, *json),
        Action::Show { name, json } => show(app, name.as_deref(), *json),
        Action::Edit(command) => edit::edit(app, command),
        Action::Remove(command) => remove(app, command),
        Action::Test(command) => account::test(app, command),
        Action::Use(command) => choose(app, command),
    }
}

fn list(app: &App, json: bool) -> Result<Exit, CommandError> {
    let config = app.config()?;
    let chosen = config.active(&app.env);
    if json {
        let profiles = config.profiles().values();
        let profiles: Vec<Json> = profiles.map(|profile| document(profile, chosen)).collect();
        return app.print_json(&json!({"version": 1, "profiles": profiles}));
    }
    if config.profiles().is_empty() {
        app.ui.note("no profile is configured");
        app.ui
            .hint("provisor profile add NAME; or try it without an account: --sandbox");
        return Ok(Exit::Ok);
    }
    let row = |profile: &Profile| {
        let is_chosen = chosen == Some(profile.name.as_str());
        let secrets = profile.secrets().map(|(_, source)| source.kind());
        vec![
            if is_chosen { "*" } else { "" }.to_owned(),
            profile.name.clone(),
            profile.platform().name.to_owned(),
            match profile.url().unwrap_or_default() {
                url if profile.is_unencrypted() => format!("{url} (unencrypted)"),
                url => url.to_owned(),
            },
            profile.text("login").unwrap_or_default().to_owned(),
            match profile.mode().name() {
                mode if profile.sandboxed().is_some() && mode != SANDBOX => format!("{mode}, on the sandbox"),
                mode => mode.to_owned(),
            },
            secrets.collect::<Vec<_>>().join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = config.profiles().values().map(row).collect();
    let header = ["", "profile", "platform", "address", "login", "mode", "secrets"];
    app.print(&app.ui.table(&header, &rows))?;
    Ok(Exit::Ok)
}

fn show(app: &App, name: Option<&str>, json: bool) -> Result<Exit, CommandError> {
    let config = app.config()?;
    let profile = account::named_or_active(app, &config, name, "profile show")?;
    let signed_in = signed_in(app, profile);
    if json {
        let mut shown = document(profile, config.active(&app.env));
        shown["signed_in"] = (signed_in != SignedIn::No).into();
        shown["signed_in_until"] = account::end(signed_in);
        return app.print_json(&json!({"version": 1, "profile": shown}));
    }
    let mut fields: Vec<(String, Value)> = vec![("profile".into(), profile.name.as_str().into())];
    for line in profile.lines() {
        let shown = format!("{}   ({})", line.value, line.origin);
        fields.push((line.key, shown.as_str().into()));
    }
    let signed_in = match signed_in {
        SignedIn::Until(until) if until > Clock::system().now_millis() => {
            format!("until {} UTC", times::shown(until))
        }
        SignedIn::Until(_) => "the tokens have expired; the next run signs in".into(),
        SignedIn::WhileUsed => "while the session is in use".into(),
        SignedIn::EachTime | SignedIn::Reached(_) => "with each request".into(),
        SignedIn::No => "no".into(),
    };
    fields.push(("signed in".into(), signed_in.as_str().into()));
    app.print(&app.ui.fields(&fields))?;
    Ok(Exit::Ok)
}

fn choose(app: &App, command: &UseCommand) -> Result<Exit, CommandError> {
    let config = app.config()?;
    let name = &command.name;
    let profile = config.named(name, "profile use")?;
    let mut draft = app.config_draft()?;
    // A project's profile does not exist in other folders, but the default applies there too.
    check_editable(profile, &draft)?;
    if command.sandbox {
        draft.set(name, "sandbox", true);
    } else if command.no_sandbox {
        draft.unset(name, "sandbox");
    }
    draft.set_default(Some(name));
    draft.save()?;
    if command.json {
        did(app, "chosen", name)?;
    }
    let url = profile.url().map(|url| format!(": {url}"));
    app.ui.note(&format!(
        "`{name}` is now the default profile{}",
        url.unwrap_or_default()
    ));
    let now = app.config()?;
    if let Some(chosen) = now.active(&app.env).filter(|chosen| chosen != name) {
        let by = match app.env.get("PROVISOR_PROFILE") {
            Some(_) => "PROVISOR_PROFILE is set".to_owned(),
            None => now.default_profile().map_or_else(
                || "the project's file sets it".to_owned(),
                |chosen| format!("{} sets it", chosen.origin),
            ),
        };
        app.ui.warn(&format!("but `{chosen}` is used here: {by}"));
    }
    match now.named(name, "profile use")?.sandboxed() {
        Some(_) => app.ui.banner(&format!(
            "sandbox: simulated platforms replace `{name}` (to end this: provisor profile use {name} --no-sandbox)"
        )),
        None if command.no_sandbox => app.ui.note(&format!("`{name}` uses the real account again")),
        None => {}
    }
    Ok(Exit::Ok)
}

fn remove(app: &App, command: &RemoveCommand) -> Result<Exit, CommandError> {
    let config = app.config()?;
    let name = &command.name;
    let mut draft = app.config_draft()?;
    let profile = config.named(name, "profile remove")?;
    check_editable(profile, &draft)?;
    app.consent(
        command.yes,
        &format!("Remove profile `{name}` and delete its secrets?"),
    )?;
    // Do this first, while the profile still identifies its tokens.
    account::forget_tokens(app, profile);
    let was_default = draft.default_profile() == Some(name);
    draft.remove_profile(name);
    if was_default {
        draft.set_default(None);
    }
    let file = draft.file().to_owned();
    draft.save()?;
    // Delete the secrets even if the removal cannot be recorded: no profile uses them any more.
    let recorded = app.audit("profile-remove", name);
    secrets::forget_all(app, profile, true)?;
    recorded?;
    app.ui
        .note(&format!("profile `{name}` was removed from {}", file.display()));
    if command.json {
        did(app, "removed", name)?;
    }
    if was_default {
        app.ui
            .hint("there is no default profile now; set one: provisor profile use NAME");
    }
    Ok(Exit::Ok)
}

/// Prints as JSON what was done to a profile, and its current state.
fn did(app: &App, did: &str, name: &str) -> Result<(), CommandError> {
    let config = app.config()?;
    let profile = match config.profiles().get(name) {
        Some(profile) => document(profile, config.active(&app.env)),
        None => json!({"name": name}),
    };
    app.print(&json!({"version": 1, "did": did, "profile": profile}).to_string())
}

/// A profile as JSON, with the sources of its secrets but never a secret.
fn document(profile: &Profile, chosen: Option<&str>) -> Json {
    let secrets = profile.secrets();
    let secrets: serde_json::Map<String, Json> = secrets
        .map(|(key, source)| (key.to_owned(), source.to_string().into()))
        .collect();
    let mut document = json!({
        "name": profile.name,
        "platform": profile.platform().name,
        "url": profile.url().ok(),
        "mode": profile.mode().name(),
        "sandbox": profile.sandboxed().is_some(),
        "secrets": secrets,
        "plain_http": profile.is_unencrypted(),
        "chosen": chosen == Some(profile.name.as_str()),
        "file": profile.file.display().to_string(),
    });
    for (key, text) in profile.texts() {
        document[key] = text.into();
    }
    document
}

/// Returns an error if another file than the draft's defines the profile.
fn check_editable(profile: &Profile, draft: &ConfigDraft) -> Result<(), CommandError> {
    if draft.has_profile(&profile.name) {
        return Ok(());
    }
    Err(CommandError::usage(format!(
        "profile `{}` is defined in {}, which is not your own file",
        profile.name,
        profile.file.display()
    ))
    .hint("edit that file"))
}

/// What a mode means for runs, as a note.
fn mode_text(mode: &str) -> &'static str {
    match mode {
        "prod" => "mode prod: runs ask for confirmation before they change anything",
        "read-only" => "mode read-only: nothing is ever changed",
        "sandbox" => "mode sandbox: simulated platforms replace the account",
        _ => "mode dev: runs make changes without confirmation",
    }
}

/// Checks a new profile name: letters, digits, `-` and `_`, but not `sandbox`.
pub(super) fn check_name(name: &str) -> Result<(), CommandError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(CommandError::usage(format!(
            "invalid profile name `{name}`: use letters, digits, - and _"
        )));
    }
    if name == SANDBOX {
        return Err(
            CommandError::usage("`sandbox` is the name of the embedded sandbox's accounts")
                .hint("use another name; to work on the sandbox, pass --sandbox or `--mode sandbox`"),
        );
    }
    Ok(())
}

//! `provisor profile test`: signs in and prints what the login may do.

use clap::Args;
use serde_json::{Value as Json, json};

use super::account::{Account, end, exit, named_or_active, sign_in_text};
use super::save;
use crate::cli::app::App;
use crate::cli::config::Profile;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::operation::account::{Ability, SignedIn};
use crate::operation::context::Mode;
use crate::value::Object;

/// Sign in and list what the login may do; changes nothing.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"profile\", \"platform\", \"url\", \"login\", \"mode\", \"sandbox\", \"signed_in_until\",
   \"answered\": {status, credential}, \"may\": [{operation, ok, count, error}]}
  answered is the response of a web service at its own address, and whether a credential was sent; otherwise null")]
pub(super) struct TestCommand {
    /// The profile; by default the active one.
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn test(app: &App, command: &TestCommand) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let profile = named_or_active(app, &config, command.name.as_deref(), "profile test")?;
    try_profile(app, &profile.name, command.json)
}

/// Signs in to a profile, and prints what its login may do.
pub(super) fn try_profile(app: &App, name: &str, json: bool) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let profile = config.named(name, "profile test")?;
    let profile_account = Account::of(app, profile)?;
    let signed_in = profile_account.sign_in()?;
    let capabilities = profile_account.engine.handle().block_on(
        profile_account
            .engine
            .context
            .capabilities(&profile_account.account),
    );
    if json {
        app.print(&document(profile, signed_in, &capabilities).to_string())?;
    } else {
        print_result(app, profile, &profile_account.account, signed_in, &capabilities)?;
    }
    // Signed in, but nothing is accessible: the key lacks permissions.
    let all_fail = !capabilities.is_empty() && capabilities.iter().all(|ability| ability.found.is_err());
    Ok(if all_fail {
        Exit::Permission
    } else {
        exit(signed_in)
    })
}

fn print_result(
    app: &App,
    profile: &Profile,
    account: &Object,
    signed_in: SignedIn,
    capabilities: &[Ability],
) -> Result<(), CommandError> {
    let who = match account.text("login") {
        "" => String::new(),
        login => format!(" as {login}"),
    };
    app.print(&sign_in_text(account, &who, signed_in))?;
    for ability in capabilities {
        app.print(&match &ability.found {
            Ok(Some(count)) => format!("{}: {count}", ability.what),
            Ok(None) => format!("{}: yes", ability.what),
            Err(error) => format!("{}: no, {}", ability.what, error.message),
        })?;
    }
    app.print(match profile.mode.as_ref().map(|mode| mode.value) {
        Some(Mode::Prod) => "mode prod: runs ask for confirmation before they change anything",
        Some(Mode::ReadOnly) => "mode read-only: nothing is ever changed",
        Some(Mode::Sandbox) => "mode sandbox: no real account is reached",
        Some(Mode::Dev) | None => "mode dev: runs make changes without confirmation",
    })
}

fn document(profile: &Profile, signed_in: SignedIn, capabilities: &[Ability]) -> Json {
    let may: Vec<Json> = capabilities
        .iter()
        .map(|ability| {
            json!({
                "operation": ability.what,
                "ok": ability.found.is_ok(),
                "count": ability.found.as_ref().ok().copied().flatten(),
                "error": ability.found.as_ref().err().map(|error| error.message.clone()),
            })
        })
        .collect();
    json!({
        "version": 1,
        "profile": profile.name,
        "platform": profile.platform().name,
        "url": profile.url().ok(),
        "login": profile.text("login").ok(),
        "mode": profile.mode.as_ref().map_or("dev", |mode| mode.value.name()),
        "sandbox": profile.sandboxed().is_some(),
        "signed_in_until": end(signed_in),
        "answered": match signed_in {
            SignedIn::Reached(knock) => json!({"status": knock.status, "credential": knock.credential}),
            _ => Json::Null,
        },
        "may": may,
    })
}

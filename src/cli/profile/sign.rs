//! `provisor login` and `provisor logout`: signing in and out manually.

use clap::Args;

use super::account::{Account, exit, named_or_active, sign_in_text};
use super::{save, secret_location};
use crate::cli::app::App;
use crate::cli::config::{CredentialSource, Profile};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::prompt::secret_from_stdin;
use crate::cli::secret_store::SecretStore;
use crate::value::secret::Secret;

/// Sign in now, and stay signed in.
///
/// Later runs use the tokens. If the profile has no password, it asks for one, and seals it once the sign-in has
/// succeeded.
#[derive(Args)]
pub(in crate::cli) struct LoginCommand {
    /// The profile; by default the active one.
    profile: Option<String>,
    /// Read the password from standard input, and seal it if the sign-in succeeds.
    #[arg(long)]
    password_stdin: bool,
}

/// Sign out and delete the tokens.
#[derive(Args)]
pub(in crate::cli) struct LogoutCommand {
    /// The profile; by default the active one.
    profile: Option<String>,
    /// Also delete the sealed password: the next run cannot sign in without it.
    #[arg(long)]
    forget: bool,
}

pub(in crate::cli) fn login(app: &App, command: &LoginCommand) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let profile = named_or_active(app, &config, command.profile.as_deref(), "login")?;
    let typed = ask_password(app, profile, command)?;
    let profile_account = Account::with(app, profile, typed.clone())?;
    let signed_in = profile_account.sign_in()?;
    app.ui
        .note(&sign_in_text(&profile_account.account, "", signed_in));
    let outcome = exit(signed_in);
    if let Some(password) = typed.filter(|_| outcome == Exit::Ok) {
        seal_password(app, profile, password)?;
        app.ui.note(&format!(
            "the password is sealed in {}",
            app.paths()?.secrets().display()
        ));
    }
    Ok(outcome)
}

/// Gets a password that is not stored yet; `None` if none is needed.
fn ask_password(
    app: &App,
    profile: &Profile,
    command: &LoginCommand,
) -> Result<Option<Secret>, CommandError> {
    let needs = profile.platform().secrets();
    if !needs.iter().any(|field| field.name == "password") {
        if command.password_stdin {
            return Err(CommandError::usage(format!(
                "a {} account has no password",
                profile.platform().name
            )));
        }
        return Ok(None);
    }
    let source = profile.secrets.get("password").map(|source| &source.value);
    let sealed = source == Some(&CredentialSource::Sealed);
    // A sealed password that no longer exists is asked for again.
    let on_record = match source {
        Some(CredentialSource::Sealed) => {
            SecretStore::find(&app.env, &profile.secret_id("password"))?.is_some()
        }
        Some(_) => true,
        None => false,
    };
    if profile.sandboxed().is_some() || (on_record && !command.password_stdin) {
        return Ok(None);
    }
    if let (Some(source), false) = (source, sealed) {
        return Err(CommandError::usage(format!(
            "the password of profile `{}` comes from {source}",
            profile.name
        ))
        .hint(format!(
            "to seal another one instead: provisor profile edit {} --password-stdin",
            profile.name
        )));
    }
    let password = if command.password_stdin {
        secret_from_stdin()?
    } else if app.can_prompt() {
        app.ask_secret(&format!("Password of {} (not shown)", profile.text("login")?))?
    } else {
        return Err(CommandError::usage(format!(
            "the password of profile `{}` is not recorded, and there is no terminal to ask at",
            profile.name
        ))
        .hint("pass it on standard input: --password-stdin"));
    };
    if password.is_empty() {
        return Err(CommandError::usage("no password was given; nothing was changed"));
    }
    // Fail before the sign-in if the profile cannot be changed.
    save::editable_profile(&save::read(app)?, &save::draft(app)?, &profile.name, "login")?;
    Ok(Some(password))
}

/// Seals a password that has been accepted.
fn seal_password(app: &App, profile: &Profile, password: Secret) -> Result<(), CommandError> {
    let mut draft = save::draft(app)?;
    let settled = secret_location::seal(app, &profile.secret_id("password"), password)?;
    draft.set(&profile.name, "password", settled.value);
    draft.save()
}

pub(in crate::cli) fn logout(app: &App, command: &LogoutCommand) -> Result<Exit, CommandError> {
    let config = save::read(app)?;
    let profile = named_or_active(app, &config, command.profile.as_deref(), "logout")?;
    let profile_account = Account::of(app, profile)?;
    profile_account
        .engine
        .handle()
        .block_on(profile_account.engine.context.sign_out(&profile_account.account))?;
    app.ui
        .note(&format!("signed out of {}", profile_account.account.text("url")));
    for (key, source) in &profile.secrets {
        let key_name = key.replace('_', " ");
        if command.forget && secret_location::forget(app, &profile.secret_id(key), &source.value)? {
            app.ui.note(&format!("its {key_name} was deleted"));
        } else {
            app.ui
                .note(&format!("its {key_name} stays where it is: {}", source.value));
        }
    }
    Ok(Exit::Ok)
}

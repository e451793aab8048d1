//! Signs in to and out of the account of a profile: `provisor login`, `logout` and `profile test`.

use clap::Args;
use serde_json::{Value as Json, json};

use super::{check_editable, mode_text, secrets};
use crate::cli::app::{Accounts, App, Engine};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::times;
use crate::config::{Config, Profile, SecretSource, SecretStore};
use crate::operation::account::{Ability, Reachability, SignedIn};
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError};
use crate::value::Object;
use crate::value::secret::Secret;

/// An account, with the engine for signing in to it.
struct Account {
    engine: Engine,
    object: Object,
}

impl Account {
    /// Creates the engine and the account, with a password that is tried before it is stored, if one is given. Does not
    /// sign in.
    fn of(app: &App, profile: &Profile, password: Option<Secret>) -> Result<Account, CommandError> {
        let engine = app.engine(&Accounts {
            sandbox: profile.sandboxed().is_some(),
            profile: Some(profile.name.clone()),
            password,
            ..Accounts::default()
        })?;
        let object = engine.context.account(profile.platform().name, &profile.name)?;
        Ok(Account { engine, object })
    }

    /// Signs in again, even if tokens are cached.
    fn sign_in(&self) -> Result<SignedIn, OpError> {
        self.block_on(async |context, account| context.sign_in(account).await)
    }

    /// Waits for a request about the account.
    fn block_on<T>(&self, request: impl AsyncFnOnce(&OpContext, &Object) -> T) -> T {
        let context: &OpContext = &self.engine.context;
        self.engine.handle().block_on(request(context, &self.object))
    }
}

/// Describes the result of signing in, as a sentence without a full stop. `who` is ` as LOGIN`, or empty.
fn sign_in_text(account: &Object, who: &str, signed_in: SignedIn) -> String {
    let url = account.text("url");
    match signed_in {
        SignedIn::Reached(reachability) => {
            format!("{url} responded with {}", describe_reachability(reachability))
        }
        SignedIn::Until(until) => format!("signed in to {url}{who}, until {} UTC", times::shown(until)),
        SignedIn::EachTime => format!("{url} needs no sign-in: each request carries the credential"),
        SignedIn::No | SignedIn::WhileUsed => format!("signed in to {url}{who}"),
    }
}

/// Returns the exit code of a sign-in. A web service that responds counts as signed in, unless with a server error.
fn exit(signed_in: SignedIn) -> Exit {
    match signed_in {
        SignedIn::Reached(Reachability { status: 500.., .. }) => Exit::Network,
        _ => Exit::Ok,
    }
}

fn describe_reachability(Reachability { status, credential }: Reachability) -> String {
    let attempt_text = if credential {
        " to a request with the profile's credential"
    } else {
        "; the profile has no credential to try"
    };
    let diagnosis = match status {
        500.. => ": the service fails",
        400.. if credential => ": this does not show whether the credential is right",
        _ => "",
    };
    format!("{status}{attempt_text}{diagnosis}")
}

/// The expiry of the tokens as JSON; null if there are none, or if they have no fixed expiry.
pub(super) fn end(signed_in: SignedIn) -> Json {
    match signed_in {
        SignedIn::Until(until) => times::json(until),
        SignedIn::No | SignedIn::WhileUsed | SignedIn::EachTime | SignedIn::Reached(_) => Json::Null,
    }
}

/// Returns the sign-in status of a profile from its cached tokens; [`SignedIn::No`] if it cannot be determined.
pub(in crate::cli) fn signed_in(app: &App, profile: &Profile) -> SignedIn {
    if !profile.platform().signs_in() {
        return SignedIn::EachTime;
    }
    let asked = cacheable_account(app, profile)
        .map(|account| account.block_on(async |context, account| context.signed_in(account).await));
    asked.and_then(Result::ok).unwrap_or(SignedIn::No)
}

/// Deletes the tokens of a profile that is about to change; the platform refuses any that are left.
pub(super) fn forget_tokens(app: &App, profile: &Profile) {
    if let Some(account) = cacheable_account(app, profile) {
        let _ = account.block_on(async |context, account| context.forget_tokens(account).await);
    }
}

/// The account of a profile, if tokens of it may be cached.
fn cacheable_account(app: &App, profile: &Profile) -> Option<Account> {
    if profile.sandboxed().is_some() || !app.paths().is_ok_and(|paths| paths.tokens().exists()) {
        return None;
    }
    Account::of(app, profile, None).ok()
}

/// Returns the profile of this name, else the active one.
pub(super) fn named_or_active<'a>(
    app: &App,
    config: &'a Config,
    name: Option<&str>,
    asked_by: &str,
) -> Result<&'a Profile, CommandError> {
    Ok(match name {
        Some(name) => config.named(name, asked_by)?,
        None => config.choose(None, &app.env)?,
    })
}

impl From<OpError> for CommandError {
    fn from(error: OpError) -> CommandError {
        let exit = match error.code {
            Code::BadArgument => Exit::Usage,
            code => Exit::of(code),
        };
        let failed = CommandError::new(exit, &error.message);
        error.hint.iter().fold(failed, CommandError::hint)
    }
}

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
    let config = app.config()?;
    let profile = named_or_active(app, &config, command.profile.as_deref(), "login")?;
    let typed = ask_password(app, profile, command)?;
    let account = Account::of(app, profile, typed.clone())?;
    let signed_in = account.sign_in()?;
    app.ui.note(&sign_in_text(&account.object, "", signed_in));
    let outcome = exit(signed_in);
    if let Some(password) = typed.filter(|_| outcome == Exit::Ok) {
        let mut draft = app.config_draft()?;
        let sealed = secrets::seal(app, &profile.secret_id("password"), password)?;
        draft.set(&profile.name, "password", sealed);
        draft.save()?;
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
    let source = profile.secret("password");
    // A sealed password that no longer exists is asked for again.
    let on_record = match source {
        Some(SecretSource::Sealed) => SecretStore::find(&app.env, &profile.secret_id("password"))?.is_some(),
        source => source.is_some(),
    };
    if profile.sandboxed().is_some() || (on_record && !command.password_stdin) {
        return Ok(None);
    }
    if let Some(source) = source.filter(|source| **source != SecretSource::Sealed) {
        return Err(CommandError::usage(format!(
            "the password of profile `{}` comes from {source}",
            profile.name
        ))
        .hint(format!(
            "to seal another one instead: provisor profile edit {} --password-stdin",
            profile.name
        )));
    }
    if !command.password_stdin && !app.can_prompt() {
        return Err(CommandError::usage(format!(
            "the password of profile `{}` is not recorded, and there is no terminal to ask at",
            profile.name
        ))
        .hint("pass it on standard input: --password-stdin"));
    }
    let title = if command.password_stdin {
        String::new()
    } else {
        format!("Password of {}", profile.text("login")?)
    };
    let secret_id = profile.secret_id("password");
    let password = secrets::obtain(app, &secret_id, &title, command.password_stdin)?;
    // Fail before the sign-in if the profile cannot be changed.
    check_editable(profile, &app.config_draft()?)?;
    Ok(Some(password))
}

pub(in crate::cli) fn logout(app: &App, command: &LogoutCommand) -> Result<Exit, CommandError> {
    let config = app.config()?;
    let profile = named_or_active(app, &config, command.profile.as_deref(), "logout")?;
    let account = Account::of(app, profile, None)?;
    account.block_on(async |context, account| context.sign_out(account).await)?;
    app.ui
        .note(&format!("signed out of {}", account.object.text("url")));
    secrets::forget_all(app, profile, command.forget)?;
    Ok(Exit::Ok)
}

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
    let config = app.config()?;
    let profile = named_or_active(app, &config, command.name.as_deref(), "profile test")?;
    try_profile(app, profile, command.json)
}

/// Signs in to a profile, and prints what its login may do.
pub(super) fn try_profile(app: &App, profile: &Profile, json: bool) -> Result<Exit, CommandError> {
    let account = Account::of(app, profile, None)?;
    let signed_in = account.sign_in()?;
    let capabilities = account.block_on(async |context, account| context.capabilities(account).await);
    if json {
        app.print(&test_document(profile, signed_in, &capabilities).to_string())?;
    } else {
        print_result(app, profile, &account.object, signed_in, &capabilities)?;
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
    app.print(mode_text(profile.mode().name()))
}

fn test_document(profile: &Profile, signed_in: SignedIn, capabilities: &[Ability]) -> Json {
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
        "mode": profile.mode().name(),
        "sandbox": profile.sandboxed().is_some(),
        "signed_in_until": end(signed_in),
        "answered": match signed_in {
            SignedIn::Reached(knock) => json!({"status": knock.status, "credential": knock.credential}),
            _ => Json::Null,
        },
        "may": may,
    })
}

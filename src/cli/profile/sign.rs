//! Signing in and out by hand: `provisor login`, `provisor logout` and `provisor profile test`.

use clap::Args;
use serde_json::{Value as Json, json};

use super::{fields, place, written};
use crate::cli::app::{Accounts, App, Engine};
use crate::cli::config::{Config, CredentialSource, Mode, Profile};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::prompt::secret_from_stdin;
use crate::cli::times;
use crate::ops::account::{Ability, SignedIn};
use crate::ops::error::{Code, OpError};
use crate::value::Object;
use crate::value::secret::Secret;

/// Sign in, and say what the login may do. Nothing is changed.
#[derive(Args)]
#[command(after_help = "\
JSON (--json), one document:
  {\"version\": 1, \"profile\", \"platform\", \"url\", \"login\", \"mode\", \"sandbox\", \"signed_in_until\",
   \"may\": [{operation, ok, count, error}]}")]
pub(super) struct TestCommand {
    /// The profile; the one that is used when none is named.
    name: Option<String>,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Sign in now, and stay signed in.
///
/// The next runs use the tokens. A profile whose password is not on record asks for it, and seals it when it is right.
#[derive(Args)]
pub(in crate::cli) struct LoginCommand {
    /// The profile; the one that is used when none is named.
    profile: Option<String>,
    /// Read the password from standard input, and seal it when it is right.
    #[arg(long)]
    password_stdin: bool,
}

/// Sign out: forget the tokens.
#[derive(Args)]
pub(in crate::cli) struct LogoutCommand {
    /// The profile; the one that is used when none is named.
    profile: Option<String>,
    /// Forget the sealed password, too: the next run cannot sign in without it.
    #[arg(long)]
    forget: bool,
}

/// An account that is about to be signed in to.
struct Desk {
    engine: Engine,
    account: Object,
}

impl Desk {
    fn of(app: &App, profile: &Profile) -> Result<Desk, CommandError> {
        let engine = app.engine(&Accounts {
            sandbox: profile.sandboxed().is_some(),
            profile: Some(profile.name.clone()),
            ..Accounts::default()
        })?;
        let account = engine.world.account(profile.platform().name(), &profile.name)?;
        Ok(Desk { engine, account })
    }

    fn sign_in(&self) -> Result<SignedIn, OpError> {
        let (world, runtime) = (&self.engine.world, &self.engine.runtime);
        runtime.block_on(world.sign_in(&self.account))
    }
}

pub(super) fn test(app: &App, command: &TestCommand) -> Result<Exit, CommandError> {
    let config = written::read(app)?;
    let profile = chosen(app, &config, command.name.as_deref(), "profile test")?;
    try_profile(app, &profile.name, command.json)
}

/// Signs in to a profile, and says what its login may do.
pub(super) fn try_profile(app: &App, name: &str, json: bool) -> Result<Exit, CommandError> {
    let config = written::read(app)?;
    let profile = config.named(name, "profile test")?;
    let desk = Desk::of(app, profile)?;
    let signed_in = desk.sign_in()?;
    let abilities = desk
        .engine
        .runtime
        .block_on(desk.engine.world.abilities(&desk.account));
    if json {
        app.print(&document(profile, signed_in, &abilities).to_string())?;
    } else {
        say(app, profile, &desk.account, signed_in, &abilities)?;
    }
    // Signed in, yet nothing can be seen: a key that lacks its rights.
    let all_fail = !abilities.is_empty() && abilities.iter().all(|ability| ability.found.is_err());
    Ok(if all_fail { Exit::Permission } else { Exit::Ok })
}

fn say(
    app: &App,
    profile: &Profile,
    account: &Object,
    signed_in: SignedIn,
    abilities: &[Ability],
) -> Result<(), CommandError> {
    let until = for_how_long(signed_in);
    let who = match account.text("login") {
        "" => String::new(),
        login => format!(" as {login}"),
    };
    app.print(&format!("signed in to {}{who}{until}", account.text("url")))?;
    for ability in abilities {
        app.print(&match &ability.found {
            Ok(Some(count)) => format!("{}: {count}", ability.what),
            Ok(None) => format!("{}: yes", ability.what),
            Err(error) => format!("{}: no, {}", ability.what, error.message),
        })?;
    }
    app.print(match profile.mode.as_ref().map(|mode| mode.value) {
        Some(Mode::Prod) => "mode prod: a run asks before it changes anything",
        Some(Mode::ReadOnly) => "mode read-only: nothing is ever changed",
        Some(Mode::Sandbox) => "mode sandbox: nothing real is reached",
        Some(Mode::Dev) | None => "mode dev: a run changes without asking",
    })
}

/// For how long somebody is signed in, to be put behind a sentence that says so.
fn for_how_long(signed_in: SignedIn) -> String {
    match signed_in {
        SignedIn::Until(until) => format!(", until {} UTC", times::shown(until)),
        SignedIn::No | SignedIn::WhileUsed => String::new(),
    }
}

/// The end of the tokens for JSON; null when there are none, and when they have no end of their own.
pub(super) fn end(signed_in: SignedIn) -> Json {
    match signed_in {
        SignedIn::Until(until) => times::json(until),
        SignedIn::No | SignedIn::WhileUsed => Json::Null,
    }
}

fn document(profile: &Profile, signed_in: SignedIn, abilities: &[Ability]) -> Json {
    let may: Vec<Json> = abilities
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
        "platform": profile.platform().name(),
        "url": profile.url().ok(),
        "login": profile.text("login").ok(),
        "mode": profile.mode.as_ref().map_or("dev", |mode| mode.value.name()),
        "sandbox": profile.sandboxed().is_some(),
        "signed_in_until": end(signed_in),
        "may": may,
    })
}

pub(in crate::cli) fn login(app: &App, command: &LoginCommand) -> Result<Exit, CommandError> {
    let config = written::read(app)?;
    let profile = chosen(app, &config, command.profile.as_deref(), "login")?;
    let asked = ask_password(app, profile, command)?;
    let signed_in = Desk::of(app, written::read(app)?.named(&profile.name, "login")?)
        .and_then(|desk| Ok((desk.sign_in()?, desk)));
    let (signed_in, desk) = match signed_in {
        Ok(signed_in) => signed_in,
        Err(error) => {
            if let Some(asked) = asked {
                asked.take_back(app, profile);
            }
            return Err(error);
        }
    };
    app.ui.note(&format!(
        "signed in to {}{}",
        desk.account.text("url"),
        for_how_long(signed_in)
    ));
    if asked.is_some() {
        app.ui.note(&format!(
            "the password is sealed in {}",
            app.paths()?.secrets().display()
        ));
    }
    Ok(Exit::Ok)
}

/// A password that was sealed to sign in with it.
struct Asked {
    /// Did the configuration say before that it is sealed?
    was_written: bool,
    /// The one that was sealed before.
    before: Option<Secret>,
}

impl Asked {
    /// It was wrong: nothing of it stays, and what was there before is there again.
    fn take_back(self, app: &App, profile: &Profile) {
        let keeping = profile.keeping("password");
        // What cannot be put back is told by the error that made this necessary.
        let _ = match self.before {
            Some(before) => place::seal(app, &keeping, before).map(drop),
            None => place::forget(app, &keeping, &CredentialSource::Sealed).map(drop),
        };
        if !self.was_written
            && let Ok(mut draft) = written::draft(app)
        {
            draft.unset(&profile.name, "password");
            let _ = draft.save();
        }
    }
}

/// Asks for a password that is not on record, and seals it.
fn ask_password(app: &App, profile: &Profile, command: &LoginCommand) -> Result<Option<Asked>, CommandError> {
    let needs = fields::secrets(profile.platform());
    if !needs.iter().any(|field| field.key == "password") {
        if command.password_stdin {
            return Err(CommandError::usage(format!(
                "a {} account has no password",
                profile.platform().name()
            )));
        }
        return Ok(None);
    }
    let source = profile.secrets.get("password").map(|source| &source.value);
    let sealed = source == Some(&CredentialSource::Sealed);
    // A sealed one that is gone is asked for again.
    let before = sealed
        .then(|| profile.read_secret("password", &app.env).ok())
        .flatten();
    let on_record = before.is_some() || (source.is_some() && !sealed);
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
    } else if app.can_ask() {
        app.ask_secret(&format!("Password of {} (not shown)", profile.text("login")?))?
    } else {
        return Err(CommandError::usage(format!(
            "the password of profile `{}` is not on record, and there is no terminal to ask at",
            profile.name
        ))
        .hint("give it on standard input: --password-stdin"));
    };
    if password.is_empty() {
        return Err(CommandError::usage("no password was given; nothing was changed"));
    }
    let mut draft = written::draft(app)?;
    let config = written::read(app)?;
    written::own(&config, &draft, &profile.name, "login")?;
    let settled = place::seal(app, &profile.keeping("password"), password)?;
    draft.set(&profile.name, "password", settled.value);
    draft.save()?;
    Ok(Some(Asked {
        was_written: source.is_some(),
        before,
    }))
}

pub(in crate::cli) fn logout(app: &App, command: &LogoutCommand) -> Result<Exit, CommandError> {
    let config = written::read(app)?;
    let profile = chosen(app, &config, command.profile.as_deref(), "logout")?;
    let desk = Desk::of(app, profile)?;
    desk.engine
        .runtime
        .block_on(desk.engine.world.sign_out(&desk.account))?;
    app.ui
        .note(&format!("signed out of {}", desk.account.text("url")));
    for (key, source) in &profile.secrets {
        let key_name = key.replace('_', " ");
        if command.forget && place::forget(app, &profile.keeping(key), &source.value)? {
            app.ui.note(&format!("its {key_name} is forgotten"));
        } else {
            app.ui
                .note(&format!("its {key_name} stays where it is: {}", source.value));
        }
    }
    Ok(Exit::Ok)
}

/// Are tokens of a profile kept? As if there were none when that cannot be told.
pub(in crate::cli) fn signed_in(app: &App, profile: &Profile) -> SignedIn {
    let asked = kept(app, profile).map(|desk| {
        let runtime = &desk.engine.runtime;
        runtime.block_on(desk.engine.world.signed_in(&desk.account))
    });
    asked.and_then(Result::ok).unwrap_or(SignedIn::No)
}

/// Forgets the tokens of a profile that is about to change; what stays is refused by the platform.
pub(super) fn forget_tokens(app: &App, profile: &Profile) {
    if let Some(desk) = kept(app, profile) {
        let runtime = &desk.engine.runtime;
        let _ = runtime.block_on(desk.engine.world.forget_tokens(&desk.account));
    }
}

/// The account of a profile, when tokens of it may be kept.
fn kept(app: &App, profile: &Profile) -> Option<Desk> {
    if profile.sandboxed().is_some() || !app.paths().is_ok_and(|paths| paths.tokens().exists()) {
        return None;
    }
    Desk::of(app, profile).ok()
}

fn chosen<'a>(
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

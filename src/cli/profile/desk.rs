//! The account of a profile, to be signed in to and out of.

use serde_json::Value as Json;

use crate::cli::app::{Accounts, App, Engine};
use crate::cli::config::{Config, Profile};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::times;
use crate::operation::account::Reachability;
use crate::operation::account::SignedIn;
use crate::operation::error::{Code, OpError};
use crate::value::Object;
use crate::value::secret::Secret;

/// An account that is about to be signed in to.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) account: Object,
}

impl Desk {
    /// Makes what is needed to speak to it. Signs in to nothing.
    pub(super) fn of(app: &App, profile: &Profile) -> Result<Desk, CommandError> {
        Desk::with(app, profile, None)
    }

    /// The same, with a password that is tried before it is kept.
    pub(super) fn with(app: &App, profile: &Profile, password: Option<Secret>) -> Result<Desk, CommandError> {
        let engine = app.engine(&Accounts {
            sandbox: profile.sandboxed().is_some(),
            profile: Some(profile.name.clone()),
            password,
            ..Accounts::default()
        })?;
        let account = engine.world.account(profile.platform().name, &profile.name)?;
        Ok(Desk { engine, account })
    }

    /// Signs in anew.
    pub(super) fn sign_in(&self) -> Result<SignedIn, OpError> {
        let (world, runtime) = (&self.engine.world, self.engine.handle());
        runtime.block_on(world.sign_in(&self.account))
    }
}

/// What came of signing in to the account, in a sentence without a full stop. `who` signed in, where there is a login.
pub(super) fn told(account: &Object, who: &str, signed_in: SignedIn) -> String {
    let url = account.text("url");
    match signed_in {
        SignedIn::Reached(knock) => format!("{url} answered {}", reached(knock)),
        SignedIn::Until(until) => format!("signed in to {url}{who}, until {} UTC", times::shown(until)),
        SignedIn::EachTime => format!("{url} needs no sign-in: each request carries the credential"),
        SignedIn::No | SignedIn::WhileUsed => format!("signed in to {url}{who}"),
    }
}

/// A service of the web that answers at all lets us in, as far as its own address shows; one that fails does not.
pub(super) fn exit(signed_in: SignedIn) -> Exit {
    match signed_in {
        SignedIn::Reached(Reachability { status: 500.., .. }) => Exit::Network,
        _ => Exit::Ok,
    }
}

fn reached(Reachability { status, credential }: Reachability) -> String {
    let tried = if credential {
        "to a request with the profile's credential"
    } else {
        "; the profile has no credential to try"
    };
    let so = match status {
        500.. => ": the service fails",
        400.. if credential => ": this does not show whether the credential is right",
        _ => "",
    };
    let gap = if credential { " " } else { "" };
    format!("{status}{gap}{tried}{so}")
}

/// The end of the tokens for JSON; null when there are none, and when they have no end of their own.
pub(super) fn end(signed_in: SignedIn) -> Json {
    match signed_in {
        SignedIn::Until(until) => times::json(until),
        SignedIn::No | SignedIn::WhileUsed | SignedIn::EachTime | SignedIn::Reached(_) => Json::Null,
    }
}

/// Are tokens of a profile kept? As if there were none when that cannot be told.
pub(in crate::cli) fn signed_in(app: &App, profile: &Profile) -> SignedIn {
    if !profile.platform().signs_in() {
        return SignedIn::EachTime;
    }
    let asked = kept(app, profile).map(|desk| {
        let runtime = desk.engine.handle();
        runtime.block_on(desk.engine.world.signed_in(&desk.account))
    });
    asked.and_then(Result::ok).unwrap_or(SignedIn::No)
}

/// Forgets the tokens of a profile that is about to change; what stays is refused by the platform.
pub(super) fn forget_tokens(app: &App, profile: &Profile) {
    if let Some(desk) = kept(app, profile) {
        let runtime = desk.engine.handle();
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

/// The profile of this name, else the one that is used when none is named.
pub(super) fn chosen<'a>(
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

//! Signs in to and out of the account of a profile.

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

/// An account, with the engine for signing in to it.
pub(super) struct Account {
    pub(super) engine: Engine,
    pub(super) account: Object,
}

impl Account {
    /// Creates the engine and the account. Does not sign in.
    pub(super) fn of(app: &App, profile: &Profile) -> Result<Account, CommandError> {
        Account::with(app, profile, None)
    }

    /// Like [`Account::of`], with a password that is tried before it is stored.
    pub(super) fn with(
        app: &App,
        profile: &Profile,
        password: Option<Secret>,
    ) -> Result<Account, CommandError> {
        let engine = app.engine(&Accounts {
            sandbox: profile.sandboxed().is_some(),
            profile: Some(profile.name.clone()),
            password,
            ..Accounts::default()
        })?;
        let account = engine.context.account(profile.platform().name, &profile.name)?;
        Ok(Account { engine, account })
    }

    /// Signs in again, even if tokens are cached.
    pub(super) fn sign_in(&self) -> Result<SignedIn, OpError> {
        let (context, runtime) = (&self.engine.context, self.engine.handle());
        runtime.block_on(context.sign_in(&self.account))
    }
}

/// Describes the result of signing in, as a sentence without a full stop. `who` is ` as LOGIN`, or empty.
pub(super) fn sign_in_text(account: &Object, who: &str, signed_in: SignedIn) -> String {
    let url = account.text("url");
    match signed_in {
        SignedIn::Reached(knock) => format!("{url} responded with {}", describe_reachability(knock)),
        SignedIn::Until(until) => format!("signed in to {url}{who}, until {} UTC", times::shown(until)),
        SignedIn::EachTime => format!("{url} needs no sign-in: each request carries the credential"),
        SignedIn::No | SignedIn::WhileUsed => format!("signed in to {url}{who}"),
    }
}

/// Returns the exit code of a sign-in. A web service that responds counts as signed in, unless with a server error.
pub(super) fn exit(signed_in: SignedIn) -> Exit {
    match signed_in {
        SignedIn::Reached(Reachability { status: 500.., .. }) => Exit::Network,
        _ => Exit::Ok,
    }
}

fn describe_reachability(Reachability { status, credential }: Reachability) -> String {
    let attempt_text = if credential {
        "to a request with the profile's credential"
    } else {
        "; the profile has no credential to try"
    };
    let diagnosis = match status {
        500.. => ": the service fails",
        400.. if credential => ": this does not show whether the credential is right",
        _ => "",
    };
    let separator = if credential { " " } else { "" };
    format!("{status}{separator}{attempt_text}{diagnosis}")
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
    let asked = cacheable_account(app, profile).map(|profile_account| {
        let runtime = profile_account.engine.handle();
        runtime.block_on(profile_account.engine.context.signed_in(&profile_account.account))
    });
    asked.and_then(Result::ok).unwrap_or(SignedIn::No)
}

/// Deletes the tokens of a profile that is about to change; the platform refuses any that are left.
pub(super) fn forget_tokens(app: &App, profile: &Profile) {
    if let Some(profile_account) = cacheable_account(app, profile) {
        let runtime = profile_account.engine.handle();
        let _ = runtime.block_on(
            profile_account
                .engine
                .context
                .forget_tokens(&profile_account.account),
        );
    }
}

/// The account of a profile, if tokens of it may be cached.
fn cacheable_account(app: &App, profile: &Profile) -> Option<Account> {
    if profile.sandboxed().is_some() || !app.paths().is_ok_and(|paths| paths.tokens().exists()) {
        return None;
    }
    Account::of(app, profile).ok()
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

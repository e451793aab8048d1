//! Determines which parts of an outcome are secret, and which account those belong to.

use super::call::Call;
use super::context::OpContext;
use super::spec::Effect;
use crate::value::Value;
use crate::value::origin::Origin;
use crate::value::secret::{Home, Scrubber, Secret};

/// Prepares the outcome of a call for the script: text that repeats a secret of the call becomes a secret, and every
/// secret belongs to the account that returned it. This also covers outcomes recorded by earlier versions, which did
/// not track where secrets belong.
pub(super) fn with_secrets_marked(context: &OpContext, call: &Call, outcome: Value) -> Value {
    let home = Home::of(place(call));
    // A session is not a response: it holds what the script passed in.
    if matches!(call.effect(), Effect::Sign) {
        return outcome.received_from(home.as_ref());
    }
    outcome
        .mark_known_secrets(&known(context, call))
        .received_from(home.as_ref())
}

/// Returns the destination of a call: its account's address, or the one given in the call.
fn place(call: &Call) -> Option<Origin> {
    match &call.receiver {
        Some(session) => Origin::parse(&call.op.driver().account_of(session).ok()?),
        None => call.op.driver().origin(call),
    }
}

/// Returns the secrets of a call: those the script passed in, and the credentials of its account.
fn known(context: &OpContext, call: &Call) -> Scrubber {
    let mut scrubber = Scrubber::new();
    let mut add_secret = |secret: &Secret| scrubber.add_secret(secret);
    call.for_each_secret(&mut add_secret);
    if let Some(session) = &call.receiver {
        // An account that cannot be reached has not responded.
        let secrets = call.op.driver().secrets(context, session).unwrap_or_default();
        secrets.iter().for_each(add_secret);
    }
    scrubber
}

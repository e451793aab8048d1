//! What of an outcome is secret, and where that belongs.

use super::call::Call;
use super::spec::Effect;
use super::world::World;
use crate::value::Value;
use crate::value::origin::Origin;
use crate::value::secret::{Home, Scrubber, Secret};

/// The outcome of a call as a script may have it: what repeats a secret of the call is one, and every secret belongs to
/// the account that gave it. Outcomes recorded by earlier versions, which did not know where secrets belong, learn it here.
pub(super) fn kept(world: &World, call: &Call, outcome: Value) -> Value {
    let home = Home::of(place(call));
    // A session is no answer: it holds what the script gave.
    if matches!(call.effect(), Effect::Sign) {
        return outcome.given_by(home.as_ref());
    }
    outcome
        .without_echoes(&known(world, call))
        .given_by(home.as_ref())
}

/// Where a call goes: its account's address, or the one that it names.
fn place(call: &Call) -> Option<Origin> {
    match &call.receiver {
        Some(session) => Origin::parse(&call.op.driver().account_of(session).ok()?),
        None => call.op.driver().origin(call),
    }
}

/// The secrets of a call: what the script gave it, and what its account signs in with.
fn known(world: &World, call: &Call) -> Scrubber {
    let mut scrubber = Scrubber::new();
    let mut know = |secret: &Secret| scrubber.know(secret);
    call.each_secret(&mut know);
    if let Some(session) = &call.receiver {
        // An account that cannot be spoken to has answered nothing.
        let secrets = call.op.driver().secrets(world, session).unwrap_or_default();
        secrets.iter().for_each(know);
    }
    scrubber
}

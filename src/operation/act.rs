//! Remembers acts: an operation that cannot be looked up is not repeated because a command is entered twice.

use std::time::Duration;

use super::call::{Call, parse_duration};
use super::context::Settings;
use super::error::{Code, OpError};
use super::spec::{Effect, Param, Type};
use crate::journal::{Act, EarlierResult};
use crate::value::secret::names_a_credential;
use crate::value::{Record, Value};

/// How long the acts of a row are remembered, unless the call or the profile sets another time.
const REMEMBER: Duration = Duration::from_hours(24);

/// The option that gives an act a key of its own.
pub(crate) const KEY: Param = Param {
    name: "key",
    ty: Type::Id,
    required: false,
    doc: "a unique name for the act: under it, the act is done only once per account, permanently, whichever row, run or \
          script asks for it",
};

/// The option that sets how long an act is remembered.
pub(crate) const REMEMBERED: Param = Param {
    name: "remember",
    ty: Type::Duration,
    required: false,
    doc: "how long the same call is not repeated for the same row, such as \"30d\"; default 24 h",
};

/// The options of an act that has no others.
pub(crate) const REMEMBERING: Param = Param {
    name: "options",
    ty: Type::Options(&[KEY, REMEMBERED]),
    required: false,
    doc: "key, remember",
};

/// Returns the key given for an act, or `None`.
pub(crate) fn key_of(call: &Call) -> Result<Option<String>, OpError> {
    let key = match call.named("key") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Text(text)) => text.trim().to_owned(),
        Some(_) => String::new(),
    };
    if key.is_empty() {
        let message = "the `key` is empty; it must name the object or the act";
        return Err(OpError::new(Code::BadArgument, message));
    }
    Ok(Some(key))
}

/// Returns how the journal remembers this call, or `None` if it is not an act.
pub(super) fn remembered(call: &Call, settings: &Settings) -> Result<Option<Act>, OpError> {
    if !matches!(call.effect(), Effect::Act | Effect::Request) {
        return Ok(None);
    }
    if let Some(key) = key_of(call)? {
        let name = call.op.driver().act_name(call, key)?;
        let (account, login) = account(call)?;
        let parts = [account.into(), login, call.arg("path").clone(), name.into()];
        return Ok(Some(Act::Keyed(Value::List(parts.into()))));
    }
    let given = call.named("remember").and_then(parse_duration);
    let within = given.or(settings.remember).unwrap_or(REMEMBER);
    let mut identity = call.identity();
    if let (Value::Record(identity), Some(receiver)) = (&mut identity, &call.receiver) {
        identity.insert("on".into(), call.op.driver().account_of(receiver)?.into());
    }
    Ok(Some(Act::OfRow(without_credentials(identity), within)))
}

/// Returns the request of an act with a key: reusing the key for a different request is an error.
pub(super) fn request_of(call: &Call) -> Option<Value> {
    let is_keyed = matches!(call.effect(), Effect::Act) && call.named("key").is_some();
    let Value::Record(mut identity) = without_credentials(call.identity()) else {
        return None;
    };
    identity.remove("args").filter(|_| is_keyed)
}

/// Returns the account that receives the call, and the login that makes it: keys are unique per such pair.
fn account(call: &Call) -> Result<(String, Value), OpError> {
    match &call.receiver {
        Some(receiver) => {
            let driver = call.op.driver();
            Ok((driver.account_of(receiver)?, driver.login_of(receiver)))
        }
        None => Ok((call.op.driver().account_of_call(call)?, Value::Null)),
    }
}

/// Returns the request without credentials: a new token does not make it a different act.
fn without_credentials(identity: Value) -> Value {
    let Value::Record(mut identity) = identity else {
        return identity;
    };
    if let Some(Value::List(args)) = identity.get_mut("args") {
        for arg in args {
            if let Value::Record(options) = arg {
                strip(options);
            }
        }
    }
    identity.retain(|_, value| !matches!(value, Value::Secret(_)));
    Value::Record(identity)
}

fn strip(options: &mut Record) {
    options.remove("bearer");
    if let Some(Value::Record(basic)) = options.get_mut("basic") {
        basic.remove("password");
    }
    if let Some(Value::Record(headers)) = options.get_mut("headers") {
        headers.retain(|name, value| !names_a_credential(name) && !matches!(value, Value::Secret(_)));
    }
}

/// Returns the error for a request that an earlier run already made for the same row.
pub(super) fn already_done_error(call: &Call, earlier: &EarlierResult) -> OpError {
    let run = earlier.run.as_ref().map_or_else(String::new, ToString::to_string);
    let message = format!(
        "run {run} already sent the same `{}` for this row; --again sends it once more",
        call.op.id()
    );
    OpError::new(Code::AlreadyDone, message).hint(format!(
        "see provisor runs steps {run}; with a `key` a request is sent only once, permanently, and `reads: true` declares \
         that it changes nothing"
    ))
}

/// Returns the error for a key under which a different request is recorded.
pub(super) fn other_request(call: &Call, earlier: &EarlierResult) -> OpError {
    let key = key_of(call).ok().flatten().unwrap_or_default();
    let run = earlier
        .run
        .as_ref()
        .map_or(String::new(), |run| format!(", in run {run}"));
    let message = format!("`{key}` was already used for a different request{run}; nothing was sent");
    OpError::new(Code::AlreadyExists, message)
        .hint("use another key for another object; change an existing one with a separate request")
}

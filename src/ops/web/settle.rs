//! When a changing request is an act, and when a key and a look-up make it one that can be settled.

use super::request::asked;
use crate::journal::NaturalKey;
use crate::ops::call::Call;
use crate::ops::error::{Code, OpError, Sent};
use crate::ops::function::Function;
use crate::ops::spec::{Boxed, Effect, Probe};
use crate::ops::world::World;
use crate::platform::Method;
use crate::platform::web::{Reply, address};
use crate::value::{Record, Value};

/// The effect of a changing call: with a key or a probe it ensures, else it acts.
pub(super) fn changing(call: &Call) -> Effect {
    if call.option("key").is_some() || call.function("probe").is_some() {
        Effect::Ensure {
            key,
            check,
            probe,
            unique: false,
        }
    } else {
        Effect::Act
    }
}

/// The effect of a call that names its method.
pub(super) fn at_will(call: &Call) -> Effect {
    match Method::parse(call.text("method").trim()) {
        Ok(method) if !method.changes() => Effect::Observe,
        _ => changing(call),
    }
}

/// Sends the request of a call and gives its answer.
pub(super) async fn exchange(world: &World, call: &Call, method: Method) -> Result<Value, OpError> {
    let mut asked = asked(call, method)?;
    let reply = call.reach.as_ref().and_then(|reach| reach.settings.reply);
    asked.timeout = asked.timeout.or(reply);
    let client = super::account::client(world, call)?;
    let keyed = matches!(call.effect(), Effect::Ensure { .. });
    if !keyed && !call.flag("check") {
        return Ok(given_back(client.send(asked, Some(&call.flight)).await?));
    }
    let reply = client.send_checked(asked, Some(&call.flight)).await;
    match reply {
        Ok(reply) if keyed && reply.status >= 300 => {
            let why = format!("the answer was a redirect ({})", reply.status);
            Err(lost(why, reply.status))
        }
        Ok(reply) if keyed => Ok(with_outcome(given_back(reply), "created")),
        Ok(reply) => Ok(given_back(reply)),
        // An earlier request, whose answer was lost, may be the reason.
        Err(error) if keyed && call.resent && matches!(error.status, Some(400 | 409 | 422)) => {
            match look(call).await {
                Probe::Found(found) => Ok(found),
                _ => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// A recorded answer as this call gives it: with `check` a failure is an error, whatever was wanted when it came.
pub(in crate::ops) fn replayed(call: &Call, answer: Value) -> Result<Value, OpError> {
    if call.op.module != "http" || !call.flag("check") {
        return Ok(answer);
    }
    match status_of(&answer).and_then(|status| u16::try_from(status).ok()) {
        Some(status @ (404 | 410)) => Err(recorded_failure(Code::NotFound, status)),
        Some(status @ 400..) => Err(recorded_failure(Code::Refused, status)),
        _ => Ok(answer),
    }
}

fn recorded_failure(code: Code, status: u16) -> OpError {
    OpError::new(code, format!("the recorded answer is a failure ({status})")).status(status)
}

/// The name of the thing: its key, at the origin that holds it.
fn key(call: &Call) -> Result<NaturalKey, OpError> {
    probing(call)?;
    let name = match call.option("key") {
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Text(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    if name.is_empty() {
        let message = "`probe` needs a `key` that is not empty: what the thing is called";
        return Err(OpError::new(Code::BadArgument, message));
    }
    Ok(NaturalKey {
        account: address(&call.text("url"))?.origin().ascii_serialization(),
        sort: "http",
        name,
    })
}

/// What is there before anything is sent is given back, and nothing is sent.
fn check<'a>(_: &'a World, call: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async move {
        match look(call).await {
            Probe::Found(found) => Ok(Some(found)),
            Probe::Absent => Ok(None),
            Probe::Unknown(why) => Err(passing(OpError::new(Code::Unavailable, why))),
            // Nothing of it is recorded: a corrected script or a better hour may do.
            Probe::Unreachable(error) => Err(passing(error)),
        }
    })
}

fn probe<'a>(_: &'a World, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(look(call))
}

/// Asks the script's function. `()` is absent, and so is an answer of 404 or 410; an answer of another failure tells
/// nothing; another map is the thing. What is no map, such as `false` or a list that may be empty, is a mistake of the
/// script: taken for the thing, it would keep the request from being sent for ever.
async fn look(call: &Call) -> Probe {
    let function = match probing(call) {
        Ok(function) => function,
        Err(error) => return Probe::Unreachable(error),
    };
    let key = call.option("key").cloned().unwrap_or_default();
    match function.call(vec![key]).await {
        Ok(Value::Null) => Probe::Absent,
        Ok(found) => match status_of(&found) {
            Some(404 | 410) => Probe::Absent,
            Some(status) if status >= 400 => {
                Probe::Unknown(format!("the look-up was answered with {status}"))
            }
            Some(_) => Probe::Found(with_outcome(found, "found")),
            None if !matches!(found, Value::Record(_) | Value::Object(_)) => {
                Probe::Unreachable(no_thing(&found))
            }
            None => Probe::Found(with_outcome(as_answer(found), "found")),
        },
        Err(error) => Probe::Unreachable(error),
    }
}

fn probing(call: &Call) -> Result<&Function, OpError> {
    call.function("probe").ok_or_else(|| {
        let message = "`key` needs a `probe`: a function that says whether the thing is there";
        OpError::new(Code::BadArgument, message)
            .hint("probe: |key| { … } gives the thing, or () when there is none")
    })
}

fn no_thing(found: &Value) -> OpError {
    let message = format!(
        "`probe` gives the thing as a map, an answer of `http::get`, or () when it is not there; this one gave {}",
        found.type_name()
    );
    OpError::new(Code::BadArgument, message)
        .hint("probe: |key| { let found = …; if found.is_empty() { () } else { found[0] } }")
}

/// The status, when the value is an answer as this module's operations give them.
fn status_of(value: &Value) -> Option<i64> {
    let fields = value.as_record()?;
    match fields.get("status") {
        Some(Value::Int(status)) if fields.contains_key("headers") && fields.contains_key("body") => {
            Some(*status)
        }
        _ => None,
    }
}

/// A thing in the form of an answer, so that `.body` is the thing however it came.
fn as_answer(thing: Value) -> Value {
    Value::Record(Record::from([
        ("status".to_owned(), Value::Int(200)),
        ("headers".to_owned(), Value::Record(Record::new())),
        ("body".to_owned(), thing),
    ]))
}

fn with_outcome(answer: Value, outcome: &str) -> Value {
    match answer {
        Value::Record(mut fields) => {
            fields.insert("outcome".to_owned(), outcome.into());
            Value::Record(fields)
        }
        other => other,
    }
}

fn given_back(reply: Reply) -> Value {
    let mut fields = Record::from([
        ("status".to_owned(), Value::Int(reply.status.into())),
        ("headers".to_owned(), Value::Record(reply.headers)),
        ("body".to_owned(), reply.body),
    ]);
    if let Some(encoding) = reply.encoding {
        fields.insert("encoding".to_owned(), encoding.into());
    }
    Value::Record(fields)
}

fn passing(error: OpError) -> OpError {
    OpError {
        transient: true,
        ..error
    }
}

fn lost(why: String, status: u16) -> OpError {
    OpError {
        sent: Sent::Maybe,
        ..OpError::new(Code::Unavailable, why).status(status)
    }
}

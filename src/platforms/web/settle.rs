//! When a changing request is an act, and when a key and a look-up make it one that can be settled.

use super::request::asked;
use crate::client::Method;
use crate::client::http::{Reply, address};
use crate::journal::{Former, NaturalKey, Proof, Struck, Thing, platform_id};
pub(crate) use crate::operation::act::key_of;
use crate::operation::call::Call;
use crate::operation::error::{Code, OpError, Sent};
use crate::operation::function::Function;
use crate::operation::spec::{Boxed, Effect, Probe};
use crate::operation::world::World;
use crate::sabotage::Sabotage;
use crate::value::{Record, Value};

/// The effect of a changing call: with a probe it ensures, or removes, else it acts, unless the script says that it reads.
pub(super) fn changing(call: &Call) -> Effect {
    if call.function("probe").is_some() && is_delete(call) {
        Effect::Change {
            probe: &probe_removed,
            strikes: None,
        }
    } else if call.function("probe").is_some() {
        Effect::Ensure {
            key: &key,
            check: &check,
            probe: &probe,
            unique: false,
        }
    } else if call.flag("reads") {
        Effect::Observe
    } else {
        Effect::Request
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
    let reply = call.target.as_ref().and_then(|target| target.settings.reply);
    asked.timeout = asked.timeout.or(reply);
    let client = super::account::client(world, call)?;
    let keyed = call.function("probe").is_some();
    let deletes = is_delete(call);
    let outcome = if deletes { "deleted" } else { "created" };
    let named = keyed || call.named("key").is_some();
    if !named && !call.flag("check") {
        return Ok(given_back(client.send(asked, Some(&call.flight)).await?));
    }
    let reply = client.send_checked(asked, Some(&call.flight)).await;
    match reply {
        Ok(reply) if named && reply.status >= 300 => {
            let why = format!("the answer was a redirect ({})", reply.status);
            Err(lost(why, reply.status))
        }
        // A yes without the thing: the look-up tells what was made, so that `.body` is the thing however it came.
        Ok(reply) if keyed && !deletes && is_empty(&reply.body) => {
            Err(lost("the answer has no content".to_owned(), reply.status))
        }
        Ok(reply) if named => Ok(with_outcome(given_back(reply), outcome)),
        Ok(reply) => Ok(given_back(reply)),
        // It is gone already, if the look-up says so, too: a wrong address is answered in the same way.
        Err(error) if keyed && deletes && matches!(error.status, Some(404 | 410)) => match look(call).await {
            Probe::Absent if call.resent => Ok(removed(outcome)),
            Probe::Absent => Ok(removed("unchanged")),
            _ => Err(error.into()),
        },
        // An earlier request, whose answer was lost, may be the reason.
        Err(error) if keyed && !deletes && call.resent && matches!(error.status, Some(400 | 409 | 422)) => {
            match look(call).await {
                Probe::Found(found) => Ok(found),
                _ => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// A recorded answer as this call gives it: with `check` a failure is an error, whatever was wanted when it came.
pub(super) fn replayed(call: &Call, answer: Value) -> Result<Value, OpError> {
    if !call.flag("check") {
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

/// The name of the thing: its key, below method and path, in the account that holds it.
fn key(call: &Call) -> Result<NaturalKey, OpError> {
    let Some(key) = key_of(call)? else {
        let message = "`probe` needs a `key` that is not empty: what the thing is called";
        return Err(OpError::new(Code::BadArgument, message));
    };
    Ok(NaturalKey {
        account: account(call)?,
        sort: "http",
        name: named(call, &key)?,
    })
}

/// What a call that removes something works on, when it has a key and a look-up.
pub(super) fn removes(call: &Call) -> Result<Option<NaturalKey>, OpError> {
    let keyed = call.function("probe").is_some();
    (keyed && is_delete(call)).then(|| key(call)).transpose()
}

/// The entries that the call strikes out of the ledger when it is carried out: what has its address, and with a key what
/// was made under that key at its address or right above it, where things are made.
pub(super) fn strikes(call: &Call) -> Result<Vec<Struck>, OpError> {
    if !is_delete(call) {
        return Ok(Vec::new());
    }
    let account = account(call)?;
    let url = address(&call.text("url"))?;
    let path = url.path().trim_end_matches('/');
    let mut struck = vec![Struck::Identified {
        account: account.clone(),
        sort: "http".to_owned(),
        platform_id: path.to_owned(),
    }];
    if let (Some(key), true) = (key_of(call)?, call.function("probe").is_some()) {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        for (method, path) in ["POST", "PUT", "PATCH"]
            .iter()
            .flat_map(|method| [(method, path), (method, above)])
        {
            let named = [
                format!("{method} {path} {key}"),
                format!("{method} {path}/ {key}"),
            ];
            struck.extend(named.map(|name| {
                Struck::Named(Thing {
                    account: account.clone(),
                    sort: "http".to_owned(),
                    name,
                })
            }));
        }
    }
    Ok(struck)
}

/// Does the answer to a call that removes something say that it is gone?
pub(super) fn is_removed(answer: &Value) -> bool {
    status_of(answer).is_some_and(|status| matches!(status, 200..300 | 404 | 410))
}

/// The address of what the call has made, as far as its answer tells: where the answer says that it is, else where a PUT
/// or a PATCH went, else its identifier below the address that made it.
pub(super) fn address_of(call: &Call, answer: &Value) -> Option<String> {
    let url = address(&call.text("url")).ok()?;
    let fields = answer.as_record()?;
    let said = fields.get("headers").and_then(Value::as_record);
    let said = said.and_then(|headers| headers.get("location")?.as_text());
    let path = match (said, method(call).as_str()) {
        (Some(said), _) => {
            let said = url.join(said).ok().filter(|said| said.origin() == url.origin())?;
            said.path().to_owned()
        }
        (None, "PUT" | "PATCH") => url.path().to_owned(),
        (None, _) => {
            let id = platform_id(fields.get("body")?)?;
            let mut made = url.clone();
            made.path_segments_mut().ok()?.pop_if_empty().push(&id);
            made.path().to_owned()
        }
    };
    Some(path.trim_end_matches('/').to_owned())
}

/// What version 1 called the thing: it told neither accounts nor methods nor paths apart.
pub(super) fn formerly(call: &Call) -> Option<Former> {
    matches!(call.effect(), Effect::Ensure { .. }).then_some(())?;
    Some(Former {
        key: NaturalKey {
            account: address(&call.text("url")).ok()?.origin().ascii_serialization(),
            sort: "http",
            name: key_of(call).ok()??,
        },
        proof: Proof::Words,
    })
}

/// The account that a call asks: the origin, with the profile or a digest of the credential that goes with it.
pub(super) fn account(call: &Call) -> Result<String, OpError> {
    let origin = address(&call.text("url"))?.origin().ascii_serialization();
    let who = call
        .target
        .as_ref()
        .map_or_else(String::new, |target| target.who());
    Ok(format!("{origin} {who}"))
}

/// What stands under a key: the method and the path, without the query, belong to the name.
pub(super) fn named(call: &Call, key: &str) -> Result<String, OpError> {
    if Sabotage::KeyWithoutPath.is_on() {
        return Ok(key.to_owned());
    }
    Ok(format!(
        "{} {} {key}",
        method(call),
        address(&call.text("url"))?.path()
    ))
}

/// What is asked for under a key: method, path and body.
pub(super) fn request_of(call: &Call) -> Option<Value> {
    call.named("key")?;
    let path = address(&call.text("url")).ok()?.path().to_owned();
    let mut asked = Record::from([
        ("method".to_owned(), method(call).into()),
        ("path".to_owned(), path.into()),
    ]);
    for name in ["json", "form", "multipart", "body", "content_type"] {
        if let Some(part) = call.option(name).filter(|part| **part != Value::Null) {
            asked.insert(name.to_owned(), part.clone());
        }
    }
    Some(Value::Record(asked))
}

/// The name of its method, as it is sent.
fn method(call: &Call) -> String {
    if call.op.name != "request" {
        return call.op.name.to_uppercase();
    }
    let given = call.text("method");
    Method::parse(given.trim()).map_or_else(|_| given.trim().to_owned(), |method| method.as_str().to_owned())
}

fn is_delete(call: &Call) -> bool {
    method(call) == "DELETE"
}

/// Does the answer say that the service did not do it? After a 5xx it may have.
pub(super) fn is_failure(answer: &Value) -> bool {
    status_of(answer).is_some_and(|status| (400..500).contains(&status))
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

/// What is to be removed is gone when the script's function does not find it.
fn probe_removed<'a>(_: &'a World, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        match look(call).await {
            Probe::Found(_) => Probe::Absent,
            Probe::Absent => Probe::Found(removed("deleted")),
            unclear => unclear,
        }
    })
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
        let message = "`key` needs a `probe`: a function that looks the object up";
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
    Value::Record(answer(200, Record::new(), thing))
}

/// The answer for what is gone, when no request has brought one.
fn removed(outcome: &str) -> Value {
    let gone = answer(204, Record::new(), Value::Null);
    with_outcome(Value::Record(gone), outcome)
}

fn answer(status: u16, headers: Record, body: Value) -> Record {
    Record::from([
        ("status".to_owned(), Value::Int(status.into())),
        ("headers".to_owned(), Value::Record(headers)),
        ("body".to_owned(), body),
    ])
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
    let mut fields = answer(reply.status, reply.headers, reply.body);
    if let Some(encoding) = reply.encoding {
        fields.insert("encoding".to_owned(), encoding.into());
    }
    Value::Record(fields)
}

/// Is there nothing in the body of an answer?
fn is_empty(body: &Value) -> bool {
    *body == Value::Null || body.as_record().is_some_and(Record::is_empty)
}

fn passing(error: OpError) -> OpError {
    OpError {
        transient: true,
        ..error
    }
}

fn lost(why: String, status: u16) -> OpError {
    let said_yes = (200..300).contains(&status);
    OpError {
        sent: if said_yes { Sent::Yes } else { Sent::Maybe },
        ..OpError::new(Code::Unavailable, why).status(status)
    }
}

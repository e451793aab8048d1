//! Decides whether a changing request is a plain act, or can be settled by its key and probe.

use super::request::asked;
use crate::client::Method;
use crate::client::http::{Reply, address};
use crate::journal::{FormerKey, LedgerEntry, NaturalKey, Proof, ResourceKey, platform_id};
pub(crate) use crate::operation::act::key_of;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::{Code, OpError, Sent};
use crate::operation::function::Function;
use crate::operation::spec::{Boxed, Effect, Probe};
use crate::sabotage::Sabotage;
use crate::value::{Record, Value};

/// The effect of a changing call: with a probe an ensure or removal, else an act, unless it is declared as a read.
pub(super) fn changing(call: &Call) -> Effect {
    if call.function("probe").is_some() && is_delete(call) {
        Effect::Change {
            probe: &probe_removed,
            ledger_removals: None,
        }
    } else if call.function("probe").is_some() {
        Effect::Ensure {
            key: &key,
            check: &check,
            probe: &probe,
            unique: false,
        }
    } else if call.is_declared_read() {
        Effect::Observe
    } else {
        Effect::Request
    }
}

/// The effect of a call that names its method.
pub(super) fn effect_by_method(call: &Call) -> Effect {
    match Method::parse(call.text("method").trim()) {
        Ok(method) if !method.changes() => Effect::Observe,
        _ => changing(call),
    }
}

/// Sends the request of a call and returns its response.
pub(super) async fn exchange(context: &OpContext, call: &Call, method: Method) -> Result<Value, OpError> {
    let mut asked = asked(call, method)?;
    let reply = call.target.as_ref().and_then(|target| target.settings.reply);
    asked.timeout = asked.timeout.or(reply);
    let client = super::account::client(context, call)?;
    let keyed = call.function("probe").is_some();
    let deletes = is_delete(call);
    let outcome = if deletes { "deleted" } else { "created" };
    let named = keyed || call.named("key").is_some();
    if !named && !call.flag("check") {
        return Ok(reply_record(client.send(asked, Some(&call.flight)).await?));
    }
    let reply = client.send_checked(asked, Some(&call.flight)).await;
    match reply {
        Ok(reply) if named && reply.status >= 300 => {
            let reason = format!("the response was a redirect ({})", reply.status);
            Err(lost_response_error(reason, reply.status))
        }
        // A success response without the resource: the lookup finds it, so that `.body` is always the resource.
        Ok(reply) if keyed && !deletes && is_empty(&reply.body) => Err(lost_response_error(
            "the response has no content".to_owned(),
            reply.status,
        )),
        Ok(reply) if named => Ok(with_outcome(reply_record(reply), outcome)),
        Ok(reply) => Ok(reply_record(reply)),
        // Already gone, if the lookup agrees: a wrong address gets the same response.
        Err(error) if keyed && deletes && matches!(error.status, Some(404 | 410)) => match probed(call).await
        {
            Probe::Absent if call.resent => Ok(removed(outcome)),
            Probe::Absent => Ok(removed("unchanged")),
            _ => Err(error.into()),
        },
        // An earlier request whose response was lost may be the cause.
        Err(error) if keyed && !deletes && call.resent && matches!(error.status, Some(400 | 409 | 422)) => {
            match probed(call).await {
                Probe::Found(found) => Ok(found),
                _ => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// A recorded response as the result of this call: with `check` a failure is an error, even if it was recorded without.
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
    OpError::new(code, format!("the recorded response is a failure ({status})")).status(status)
}

/// The resource key: the call's key, qualified by method and path, in its account.
fn key(call: &Call) -> Result<NaturalKey, OpError> {
    let Some(key) = key_of(call)? else {
        let message = "`probe` needs a non-empty `key`: the name of the object";
        return Err(OpError::new(Code::BadArgument, message));
    };
    Ok(NaturalKey {
        account: account(call)?,
        kind: "http",
        name: named(call, &key)?,
    })
}

/// The resource that a removing call acts on, if the call has a key and a probe.
pub(super) fn removes(call: &Call) -> Result<Option<NaturalKey>, OpError> {
    let keyed = call.function("probe").is_some();
    (keyed && is_delete(call)).then(|| key(call)).transpose()
}

/// The entries that the call removes from the ledger once it is carried out: those with its address and, given a key,
/// those created under that key at its address or its parent, where resources are created.
pub(super) fn ledger_removals(call: &Call) -> Result<Vec<LedgerEntry>, OpError> {
    if !is_delete(call) {
        return Ok(Vec::new());
    }
    let account = account(call)?;
    let url = address(&call.text("url"))?;
    let path = url.path().trim_end_matches('/');
    let mut entries = vec![LedgerEntry::Identified {
        account: account.clone(),
        kind: "http".to_owned(),
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
            entries.extend(named.map(|name| {
                LedgerEntry::Named(ResourceKey {
                    account: account.clone(),
                    kind: "http".to_owned(),
                    name,
                })
            }));
        }
    }
    Ok(entries)
}

/// Whether the response to a removing call means that the resource is gone.
pub(super) fn is_removed(answer: &Value) -> bool {
    // A person who records an outcome may not know the status.
    status_of(answer).is_none_or(|status| matches!(status, 200..300 | 404 | 410))
}

/// The address of the created resource, as far as the response reveals it: its `location` header, else the address of a
/// PUT or PATCH, else its id below the address that created it.
pub(super) fn address_of(call: &Call, answer: &Value) -> Option<String> {
    let url = address(&call.text("url")).ok()?;
    let fields = answer.as_record()?;
    let location = fields.get("headers").and_then(Value::as_record);
    let location = location.and_then(|headers| headers.get("location")?.as_text());
    let path = match (location, method(call).as_str()) {
        (Some(location), _) => {
            let location = url
                .join(location)
                .ok()
                .filter(|location| location.origin() == url.origin())?;
            location.path().to_owned()
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

/// The resource key in version 1 of the journal, which did not distinguish accounts, methods or paths.
pub(super) fn former_key(call: &Call) -> Option<FormerKey> {
    matches!(call.effect(), Effect::Ensure { .. }).then_some(())?;
    Some(FormerKey {
        key: NaturalKey {
            account: address(&call.text("url")).ok()?.origin().ascii_serialization(),
            kind: "http",
            name: key_of(call).ok()??,
        },
        proof: Proof::SameRequest,
    })
}

/// The account of a call: the origin, with the profile or a digest of the credential that is sent.
pub(super) fn account(call: &Call) -> Result<String, OpError> {
    let origin = address(&call.text("url"))?.origin().ascii_serialization();
    let who = call
        .target
        .as_ref()
        .map_or_else(String::new, |target| target.who());
    Ok(format!("{origin} {who}"))
}

/// The name for a key; it includes the method, and the path without the query.
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

/// The content of a request with a key: method, path and body.
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

/// The name of the HTTP method as sent.
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

/// Whether the response means that the service did not carry out the request. After a 5xx it may have.
pub(super) fn is_failure(answer: &Value) -> bool {
    status_of(answer).is_some_and(|status| (400..500).contains(&status))
}

/// Looks the resource up before sending; if it exists, it is returned and nothing is sent.
fn check<'a>(_: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async move {
        // Failures are not recorded: a corrected script or a later try may succeed.
        match look(call).await.map_err(as_transient)? {
            Probe::Found(found) => Ok(Some(found)),
            Probe::Absent => Ok(None),
            Probe::Unknown(reason) | Probe::Unreachable(reason) => {
                Err(as_transient(OpError::new(Code::Unavailable, reason)))
            }
        }
    })
}

fn probe<'a>(_: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(probed(call))
}

async fn probed(call: &Call) -> Probe {
    let failed = |error: OpError| Probe::Unreachable(error.message);
    look(call).await.unwrap_or_else(failed)
}

/// The removal is done if the script's function does not find the resource.
fn probe_removed<'a>(_: &'a OpContext, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        match probed(call).await {
            Probe::Found(_) => Probe::Absent,
            Probe::Absent => Probe::Found(removed("deleted")),
            unclear => unclear,
        }
    })
}

/// Calls the script's function. `()` and a 404 or 410 response mean absent; any other failed response means unknown;
/// any other map is the resource. A value other than a map, such as `false` or a list that may be empty, is a mistake
/// in the script: taken as the resource, it would prevent the request from ever being sent.
async fn look(call: &Call) -> Result<Probe, OpError> {
    let key = call.option("key").cloned().unwrap_or_default();
    let found = probing(call)?.call(vec![key]).await?;
    if found == Value::Null {
        return Ok(Probe::Absent);
    }
    Ok(match status_of(&found) {
        Some(404 | 410) => Probe::Absent,
        Some(status) if status >= 400 => Probe::Unknown(format!("the look-up was answered with {status}")),
        Some(_) => Probe::Found(with_outcome(found, "found")),
        None if !matches!(found, Value::Record(_) | Value::Object(_)) => {
            return Err(no_such_item_error(&found));
        }
        None => Probe::Found(with_outcome(as_answer(found), "found")),
    })
}

fn probing(call: &Call) -> Result<&Function, OpError> {
    call.function("probe").ok_or_else(|| {
        let message = "`key` needs a `probe`: a function that looks the object up";
        OpError::new(Code::BadArgument, message)
            .hint("probe: |key| { … } returns the object, or () if there is none")
    })
}

fn no_such_item_error(found: &Value) -> OpError {
    let message = format!(
        "`probe` must return the object as a map, a response of `http::get`, or () if it does not exist; this one returned \
         {}",
        found.type_name()
    );
    OpError::new(Code::BadArgument, message)
        .hint("probe: |key| { let found = …; if found.is_empty() { () } else { found[0] } }")
}

/// The status, if the value is a response as returned by this module's operations.
fn status_of(value: &Value) -> Option<i64> {
    let fields = value.as_record()?;
    match fields.get("status") {
        Some(Value::Int(status)) if fields.contains_key("headers") && fields.contains_key("body") => {
            Some(*status)
        }
        _ => None,
    }
}

/// Wraps a resource as a response, so that `.body` is the resource either way.
fn as_answer(resource: Value) -> Value {
    Value::Record(answer(200, Record::new(), resource))
}

/// The response for a resource that is gone, if no request has returned one.
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

fn reply_record(reply: Reply) -> Value {
    let mut fields = answer(reply.status, reply.headers, reply.body);
    if let Some(encoding) = reply.encoding {
        fields.insert("encoding".to_owned(), encoding.into());
    }
    Value::Record(fields)
}

/// Whether the body of a response is empty.
fn is_empty(body: &Value) -> bool {
    *body == Value::Null || body.as_record().is_some_and(Record::is_empty)
}

fn as_transient(error: OpError) -> OpError {
    OpError {
        transient: true,
        ..error
    }
}

fn lost_response_error(reason: String, status: u16) -> OpError {
    let said_yes = (200..300).contains(&status);
    OpError {
        sent: if said_yes { Sent::Yes } else { Sent::Maybe },
        ..OpError::new(Code::Unavailable, reason).status(status)
    }
}

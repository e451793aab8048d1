//! Turns a checked call into a recorded step: the operation's effect determines what the journal does with it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::call::{Call, parse_duration};
use super::context::{OpContext, Permission, Settings};
use super::credential;
use super::custody;
use super::error::{CallError, Code, OpError, Sent, Stop};
use super::limit;
use super::spec::{Boxed, Effect, Probe, Timeout};
use crate::client::{DEFAULT_TIMEOUTS, Flight, RequestTimeouts};
use crate::journal::{
    Attempt, Change, EarlierResult, JournalError, LedgerEffect, LedgerEntry, LookupOutcome, Loss,
    PrepareOutcome, RowJournal, SendOutcome, StepEnd, StepKind, StepPlan, StepState,
};
use crate::sabotage::Sabotage;
use crate::value::Value;

/// The result of a call.
#[derive(Debug)]
pub struct Performed {
    /// The value.
    pub value: Value,
    /// Whether the result comes from the journal.
    pub replayed: bool,
}

/// Performs a call through the journal.
pub async fn perform(
    context: &OpContext,
    row: &RowJournal,
    call: Call,
    cancel: &CancellationToken,
) -> Result<Performed, CallError> {
    let call = call.in_limited_run(row.limits_changes());
    let call = call.op.driver().resolve(context, call)?;
    let (call, plan) = planned(context, row, call, cancel).await?;
    let attempt = CallAttempt::new(context, &call, cancel);
    let Some(plan) = plan else {
        let value = (call.op.run)(context, &call).await?;
        return Ok(Performed {
            value: custody::with_secrets_marked(context, &call, value),
            replayed: false,
        });
    };
    match row.step(&plan, &attempt, cancel).await {
        Ok(output) if output.replayed => {
            let value = credential::with_current_password(context, &call, output.value)?;
            let value = custody::with_secrets_marked(context, &call, value);
            Ok(Performed {
                value: call.op.driver().replayed(&call, value)?,
                replayed: true,
            })
        }
        Ok(output) => Ok(Performed {
            value: output.value,
            replayed: false,
        }),
        Err(StepEnd::Failed(_)) if attempt.given_up.load(Ordering::SeqCst) => Err(Stop::Cancelled.into()),
        Err(StepEnd::Refused(error) | StepEnd::Failed(error)) => {
            Err(OpError::from_value(call.op.platform(), &error).into())
        }
        Err(StepEnd::InDoubt { step, reason }) => Err(Stop::InDoubt { step, reason }.into()),
        Err(StepEnd::DoneBefore { step }) => Err(dropped_call_error(&call, &step).into()),
        Err(StepEnd::LimitReached(reached)) => Err(limit::reached_error(&call, &reached).into()),
        Err(StepEnd::Cancelled) => Err(Stop::Cancelled.into()),
        Err(StepEnd::Journal(error)) => Err(error.into()),
    }
}

/// Returns the plan of a call, and the call with the account its session is signed in to, if the ledger needs to know
/// that. A recorded outcome is found without it.
async fn planned(
    context: &OpContext,
    row: &RowJournal,
    call: Call,
    cancel: &CancellationToken,
) -> Result<(Call, Option<StepPlan>), CallError> {
    let unnamed = plan(context, &call)?;
    if call.op.driver().identifies_account(&call) {
        return Ok((call, unnamed));
    }
    let recorded = unnamed.as_ref().and_then(|plan| row.recorded_state(plan));
    if recorded.is_some_and(StepState::is_final) {
        return Ok((call, unnamed));
    }
    match cancel
        .run_until_cancelled(call.op.driver().with_account(context, &call))
        .await
    {
        None => Err(Stop::Cancelled.into()),
        Some(Ok(named)) => {
            let plan = plan(context, &named)?;
            Ok((named, plan))
        }
        // A call that may have been carried out is not a failure that a script may catch: it is looked up as recorded.
        Some(Err(_)) if recorded.is_some_and(StepState::is_open) => Ok((call, unnamed)),
        Some(Err(error)) => Err(credential::add_password_hint(&call, error).into()),
    }
}

/// Returns the error for a row that made a call of this operation that its script no longer makes.
pub(super) fn dropped_call_error(call: &Call, step: &str) -> OpError {
    let message = format!(
        "this row already made a different `{}`, which the script no longer makes (step {step}); nothing was sent",
        call.op.id()
    );
    OpError::new(Code::AlreadyDone, message)
        .hint("to repeat it anyway: provisor resume RUN --retry-failed --again")
}

/// Determines the outcome of a recorded call without sending it again.
pub async fn look_up(
    context: &OpContext,
    row: &RowJournal,
    call: &Call,
    cancel: &CancellationToken,
) -> Result<LookupOutcome, JournalError> {
    let call = call.clone().in_limited_run(row.limits_changes());
    let call = match call.op.driver().resolve(context, call.clone()) {
        Ok(call) => call,
        // The address it is recorded under can no longer be determined.
        Err(error) if row.has_open(&call.op.id()) => return Ok(LookupOutcome::Open(error.message)),
        Err(_) => return Ok(LookupOutcome::Known),
    };
    let call = &call.op.driver().with_known_account(context, call).await;
    match plan(context, call) {
        Ok(Some(plan)) => {
            row.close(&plan, &CallAttempt::new(context, call, cancel), cancel)
                .await
        }
        Err(error) if row.is_open(&step_plan(call, READ)) => Ok(LookupOutcome::Open(error.message)),
        Ok(None) | Err(_) => Ok(LookupOutcome::Known),
    }
}

/// Whether exactly this call is recorded with an open outcome. Counts as making the call.
pub fn is_open(context: &OpContext, row: &RowJournal, call: &Call) -> bool {
    match call.op.driver().resolve(context, call.clone()) {
        Ok(call) => row.is_open(&step_plan(&call, READ)),
        Err(_) => row.has_open(&call.op.id()),
    }
}

/// Returns how often the row made exactly this call.
pub fn request_count(context: &OpContext, row: &RowJournal, call: &Call) -> u32 {
    match call.op.driver().resolve(context, call.clone()) {
        Ok(call) => row.request_count(&step_plan(&call, READ)),
        // It fails before it is counted.
        Err(_) => 0,
    }
}

/// Whether the resource this call asks for exists on the platform now; `false` if that cannot be determined.
pub async fn exists_on_platform(context: &OpContext, call: &Call) -> bool {
    let Ok(call) = call.op.driver().resolve(context, call.clone()) else {
        return false;
    };
    let never = CancellationToken::new();
    matches!(
        CallAttempt::new(context, &call, &never).probe().await,
        Probe::Found(_)
    )
}

/// The destination of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// The profile of the account.
    pub profile: Option<String>,
    /// The address of the account, or of the request without its query.
    pub url: String,
}

/// Returns the destination of a call, as far as it can be determined.
pub fn destination(context: &OpContext, call: &Call) -> Destination {
    if let Some(session) = &call.receiver {
        return Destination {
            profile: Some(session.text("$profile").to_owned()).filter(|name| !name.is_empty()),
            url: session.text("url").to_owned(),
        };
    }
    call.op.driver().resolve(context, call.clone()).map_or_else(
        |_| Destination::default(),
        |call| Destination {
            profile: call.target.as_ref().and_then(|target| target.profile_name()),
            url: call
                .text("url")
                .split(['?', '#'])
                .next()
                .unwrap_or_default()
                .to_owned(),
        },
    )
}

/// Returns how long after it was sent the request of this call may still take effect, or `None` if there is no probe
/// for it.
pub fn window(context: &OpContext, call: &Call) -> Option<Duration> {
    let call = call.op.driver().resolve(context, call.clone()).ok()?;
    match plan(context, &call).ok()??.kind {
        StepKind::Change(change) if change.probes => Some(change.patience + change.settle),
        _ => None,
    }
}

/// Returns the plan for the journal, or `None` for an operation that is never recorded.
pub(super) fn plan(context: &OpContext, call: &Call) -> Result<Option<StepPlan>, OpError> {
    let (resource, probes, unique) = match call.effect() {
        Effect::Sign => return Ok(None),
        Effect::Observe => {
            if call.flag("reads") {
                // Only the script claims that it just reads; no profile mode relies on that.
                permitted(context, call)?;
            }
            // A resume sees what the machine held then; a large answer of a platform is read again.
            let keeps_all = call.op.module.is_empty();
            return Ok(Some(step_plan(call, StepKind::Read { keeps_all })));
        }
        Effect::Ensure { key, unique, .. } | Effect::Create { key, unique, .. } => {
            (Some(key(call)?), true, unique)
        }
        Effect::Change { .. } => (call.op.driver().removes(call)?, true, false),
        // `call.effect()` has already resolved `ByCall`.
        Effect::Act | Effect::Request | Effect::ByCall(_) => (None, false, false),
    };
    let settings = permitted(context, call)?;
    let settle = settings.settle.unwrap_or(call.op.timeout.settle());
    let settle = settle.max(settings.lands_within.unwrap_or_default());
    let kind = StepKind::Change(Change {
        ledger_effect: ledger_effect(context, call)?,
        former_key: call.op.driver().former_name(call, resource.as_ref()),
        request: call
            .op
            .driver()
            .request_of(call)
            .or_else(|| super::act::request_of(call)),
        act: super::act::remembered(call, &settings)?,
        resource,
        probes,
        patience: patience(&settings, call).whole(),
        settle,
        resends_late: unique || settings.lands_within.is_some(),
        look_for: settings.look_for.unwrap_or(LOOK_FOR),
        limits: call.limits.clone(),
    });
    Ok(Some(step_plan(call, kind)))
}

/// The kind of a step that is only looked for, for which any kind will do.
const READ: StepKind = StepKind::Read { keeps_all: false };

fn step_plan(call: &Call, kind: StepKind) -> StepPlan {
    StepPlan {
        op: call.op.id(),
        args: call.identity(),
        former_args: call.former_identity(),
        kind,
    }
}

/// How long an inconclusive lookup is repeated, unless the profile sets another time.
const LOOK_FOR: Duration = Duration::from_secs(90);

/// Returns the expected timeouts of a call's request. The transport reports the actual ones when the request leaves.
fn patience(settings: &Settings, call: &Call) -> RequestTimeouts {
    let reply = match call.op.timeout {
        Timeout::TenantCreation => settings.tenant_creation,
        Timeout::Reply => call.option("timeout").and_then(parse_duration).or(settings.reply),
    };
    RequestTimeouts {
        connect: settings
            .connect_options
            .connect_timeout
            .unwrap_or(DEFAULT_TIMEOUTS.connect),
        reply: reply.unwrap_or(call.op.timeout.reply()),
    }
}

/// Returns the settings of the account to change, or an error if the profile forbids changes.
fn permitted(context: &OpContext, call: &Call) -> Result<Settings, OpError> {
    let (settings, whose) = match (&call.receiver, &call.target) {
        (Some(session), _) => (context.settings(session)?, "the profile".to_owned()),
        (None, Some(target)) => (target.settings.clone(), target.whose()),
        (None, None) => (context.elsewhere()?, "the profile".to_owned()),
    };
    if settings.permission == Permission::ReadOnly && !Sabotage::ReadOnlyOff.is_on() {
        let message = format!(
            "`{}` changes the account, and {whose} is read-only",
            call.op.signature()
        );
        return Err(OpError::new(Code::Forbidden, message).hint("choose a profile with a different mode"));
    }
    if settings.permission == Permission::Unconfirmed {
        return Err(OpError::new(
            Code::Forbidden,
            format!(
                "`{}` changes a prod account{}, and this run has no confirmation for that",
                call.op.signature(),
                call.target
                    .as_ref()
                    .map_or(String::new(), |target| target.account_suffix())
            ),
        )
        .hint("name the profile with --profile, so that the run asks before it starts, or pass --yes"));
    }
    Ok(settings)
}

/// Performs a call that only reads, without recording it: for lookups, which need current data each time. Refuses other
/// calls.
pub async fn look(context: &OpContext, call: &Call) -> Result<Value, OpError> {
    if call.effect().changes() {
        let message = format!(
            "`{}` may change something, but a probe may only read",
            call.op.signature()
        );
        let error = OpError::new(Code::Forbidden, message);
        return Err(if call.flag("reads") {
            error.hint("under `most` or --max-changes, `reads: true` does not count; look it up with a GET")
        } else {
            error
        });
    }
    let call = call.op.driver().resolve(context, call.clone())?;
    let value = (call.op.run)(context, &call).await?;
    Ok(custody::with_secrets_marked(context, &call, value))
}

/// Returns how the outcome changes the ledger.
fn ledger_effect(context: &OpContext, call: &Call) -> Result<LedgerEffect, OpError> {
    let removed = match (call.effect(), &call.receiver) {
        (Effect::Ensure { .. } | Effect::Create { .. }, _) => return Ok(LedgerEffect::Insert),
        (
            Effect::Change {
                ledger_removals: Some(kind),
                ..
            },
            Some(session),
        ) => {
            let accounts = call.op.driver().accounts_of(session)?;
            LedgerEntry::removals_by_id(accounts, kind, &call.text("id"))
        }
        _ => call.op.driver().ledger_removals(context, call)?,
    };
    if removed.is_empty() {
        return Ok(LedgerEffect::Unchanged);
    }
    Ok(LedgerEffect::Remove(removed))
}

/// The journal's view of a call.
pub(super) struct CallAttempt<'a> {
    context: &'a OpContext,
    call: &'a Call,
    cancel: &'a CancellationToken,
    /// Whether the call was cancelled before anything was sent.
    given_up: AtomicBool,
}

impl<'a> CallAttempt<'a> {
    pub(super) fn new(
        context: &'a OpContext,
        call: &'a Call,
        cancel: &'a CancellationToken,
    ) -> CallAttempt<'a> {
        CallAttempt {
            context,
            call,
            cancel,
            given_up: AtomicBool::new(false),
        }
    }

    /// Does the work unless it is cancelled while nothing can have been carried out: while a request waits for its
    /// turn, for an unreachable platform, or for the preceding sign-in.
    async fn unless_stopped<T>(&self, mut work: Boxed<'_, T>) -> Option<T> {
        let flight = &self.call.flight;
        let mut cancelled = pin!(self.cancel.cancelled());
        let mut stopped =
            move |cx: &mut Context<'_>| !flight.has_left() && cancelled.as_mut().poll(cx).is_ready();
        let done = poll_fn(|cx| {
            if stopped(cx) {
                return Poll::Ready(None);
            }
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                // The request in progress may have been undone.
                Poll::Pending if stopped(cx) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        let done = done.await;
        self.given_up.store(done.is_none(), Ordering::SeqCst);
        done
    }
}

impl Attempt for CallAttempt<'_> {
    fn prepare(&self, earlier: bool) -> Boxed<'_, PrepareOutcome> {
        let mut call = self.call.clone();
        call.resent = earlier;
        Box::pin(async move {
            let (Effect::Ensure { check, .. } | Effect::Create { check, .. }) = call.effect() else {
                return PrepareOutcome::Proceed;
            };
            let checked = check(self.context, &call).await;
            match checked.map_err(|error| credential::add_password_hint(&call, error)) {
                Ok(None) => PrepareOutcome::Proceed,
                Ok(Some(value)) => {
                    PrepareOutcome::Adopted(custody::with_secrets_marked(self.context, &call, value))
                }
                Err(error) if error.transient => PrepareOutcome::Failed(error.to_value()),
                Err(error) => PrepareOutcome::Refused(error.to_value()),
            }
        })
    }

    fn flight(&self) -> &Flight {
        &self.call.flight
    }

    fn send(&self, resent: bool) -> Boxed<'_, SendOutcome> {
        let mut call = self.call.clone();
        call.resent = resent;
        Box::pin(async move {
            let Some(done) = self.unless_stopped((call.op.run)(self.context, &call)).await else {
                let error = OpError::new(Code::Unavailable, "stopped before it was sent");
                return SendOutcome::Failed(error.to_value());
            };
            match done.map_err(|error| credential::add_password_hint(&call, error)) {
                Ok(value) => SendOutcome::Done(custody::with_secrets_marked(self.context, &call, value)),
                // For a call that changes nothing, a lost response is a plain failure.
                Err(error) if error.sent != Sent::No && call.effect().changes() => {
                    SendOutcome::LostResponse {
                        reason: error.message,
                        loss: match error.sent {
                            Sent::Late => Loss::Late,
                            Sent::Yes => Loss::Yes,
                            Sent::No | Sent::Maybe => Loss::Broken,
                        },
                    }
                }
                Err(error) if error.code == Code::RateLimited => SendOutcome::Throttled(error.to_value()),
                Err(error) if error.code.leaves_something_behind() => SendOutcome::HalfDone(error.to_value()),
                Err(error) if error.transient || call.flight.is_held() => {
                    SendOutcome::Failed(error.to_value())
                }
                Err(error) => SendOutcome::Refused(error.to_value()),
            }
        })
    }

    fn probe(&self) -> Boxed<'_, Probe> {
        Box::pin(async move {
            let (Effect::Ensure { probe, .. } | Effect::Create { probe, .. } | Effect::Change { probe, .. }) =
                self.call.effect()
            else {
                return Probe::Unknown("provisor cannot find out whether it was carried out".into());
            };
            match probe(self.context, self.call).await {
                Probe::Found(value) => {
                    Probe::Found(custody::with_secrets_marked(self.context, self.call, value))
                }
                other => other,
            }
        })
    }

    fn removes(&self, outcome: &Value) -> bool {
        self.call.op.driver().is_removed(outcome)
    }

    fn platform_id(&self, outcome: &Value) -> Option<String> {
        self.call.op.driver().platform_id(self.call, outcome)
    }

    fn is_gone<'b>(&'b self, held: &'b Value) -> Boxed<'b, bool> {
        Box::pin(async move {
            match (&self.call.receiver, held) {
                (Some(session), Value::Object(held)) => {
                    let gone = self.call.op.driver().is_gone(self.context, session, held);
                    gone.await.unwrap_or(false)
                }
                _ => false,
            }
        })
    }

    fn existing(&self, earlier: EarlierResult) -> Result<Value, Value> {
        if !earlier.is_same_request {
            return Err(super::act::other_request(self.call, &earlier).to_value());
        }
        if let (Effect::Request, None) = (self.call.effect(), self.call.named("key")) {
            return Err(super::act::already_done_error(self.call, &earlier).to_value());
        }
        if let (Effect::Create { key, .. }, call) = (self.call.effect(), self.call) {
            let name = key(call).map_or_else(|_| String::new(), |key| key.name);
            let error = OpError::new(
                Code::AlreadyExists,
                format!("{name} already exists in the ledger"),
            )
            .hint("use the ensure operation to get the existing one");
            return Err(error.to_value());
        }
        let item = unchanged(self.call, earlier.value);
        Ok(custody::with_secrets_marked(self.context, self.call, item))
    }

    fn is_carried_out(&self, answer: &Value) -> bool {
        !self.call.op.driver().is_failure(self.call, answer)
    }
}

/// Adapts a ledger entry to this call: marks it as unchanged, and lets it use the session's profile, whichever profile
/// created it.
fn unchanged(call: &Call, item: Value) -> Value {
    match item {
        Value::Object(mut object) => {
            object.fields.insert("outcome".into(), "unchanged".into());
            if let (Some(profile), Some(session)) = (object.fields.get_mut("$profile"), &call.receiver) {
                *profile = session.text("$profile").into();
            }
            Value::Object(object)
        }
        // The response of a web service.
        Value::Record(mut answer) if answer.contains_key("outcome") => {
            answer.insert("outcome".into(), "unchanged".into());
            Value::Record(answer)
        }
        // The result of an act.
        Value::Record(mut answer) if matches!(call.effect(), Effect::Act) => {
            answer.insert("outcome".into(), "unchanged".into());
            Value::Record(answer)
        }
        other => other,
    }
}

//! From a checked call to a recorded step: the operation's effect decides what the journal does with it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::call::{Call, parse_duration};
use super::credential;
use super::custody;
use super::error::{Code, OpError, Sent};
use super::spec::{Boxed, Effect, Probe, Timeout};
use super::world::{Settings, World};
use crate::client::{Flight, Patience, USUAL_PATIENCE};
use crate::journal::{
    Attempt, Books, Cancel, Change, Earlier, JournalError, Look, LookupOutcome, Loss, Prepared, RowJournal,
    Sending, StepEnd, StepKind, StepPlan, StepState, Struck,
};
use crate::sabotage::Sabotage;
use crate::value::Value;

/// Why a call gives no value.
#[derive(Debug)]
pub enum Halt {
    /// It failed; a script may catch this.
    Failed(OpError),
    /// Its outcome is unknown, and only a later look-up or a person can tell.
    InDoubt {
        /// The step's key.
        step: String,
        /// What is known, in a sentence without a full stop.
        why: String,
    },
    /// The run was interrupted before the outcome was known.
    Cancelled,
    /// The journal cannot be written.
    Journal(JournalError),
}

impl From<JournalError> for Halt {
    /// One recorded value that cannot be read stops the row it belongs to, and no other: only a person can tell what it
    /// was.
    fn from(error: JournalError) -> Halt {
        match error {
            JournalError::Sealed { place, why } => Halt::InDoubt {
                step: place,
                why: format!("its record cannot be read: {why}"),
            },
            error => Halt::Journal(error),
        }
    }
}

/// What a call gave.
#[derive(Debug)]
pub struct Performed {
    /// Its value.
    pub value: Value,
    /// Was it answered from the journal?
    pub replayed: bool,
}

/// Carries a call out, through the journal.
pub async fn perform(
    world: &World,
    row: &RowJournal,
    call: Call,
    cancel: &Cancel,
) -> Result<Performed, Halt> {
    let call = call.op.driver().resolve(world, call).map_err(Halt::Failed)?;
    let (call, plan) = planned(world, row, call, cancel).await?;
    let attempt = Asking::new(world, &call, cancel);
    let Some(plan) = plan else {
        let value = (call.op.run)(world, &call).await.map_err(Halt::Failed)?;
        return Ok(Performed {
            value: custody::kept(world, &call, value),
            replayed: false,
        });
    };
    match row.step(&plan, &attempt, cancel).await {
        Ok(output) if output.replayed => {
            let value = credential::renewed(world, &call, output.value)?;
            let value = custody::kept(world, &call, value);
            Ok(Performed {
                value: call.op.driver().replayed(&call, value).map_err(Halt::Failed)?,
                replayed: true,
            })
        }
        Ok(output) => Ok(Performed {
            value: output.value,
            replayed: false,
        }),
        Err(StepEnd::Failed(_)) if attempt.given_up.load(Ordering::SeqCst) => Err(Halt::Cancelled),
        Err(StepEnd::Refused(error) | StepEnd::Failed(error)) => {
            Err(Halt::Failed(OpError::from_value(call.op.platform(), &error)))
        }
        Err(StepEnd::InDoubt { step, why }) => Err(Halt::InDoubt { step, why }),
        Err(StepEnd::DoneBefore { step }) => Err(Halt::Failed(done_before(&call, &step))),
        Err(StepEnd::Cancelled) => Err(Halt::Cancelled),
        Err(StepEnd::Journal(error)) => Err(error.into()),
    }
}

/// The plan of a call, and the call with the account that the platform signs its object in to, where the ledger has to
/// know that. An outcome that is recorded is found without it.
async fn planned(
    world: &World,
    row: &RowJournal,
    call: Call,
    cancel: &Cancel,
) -> Result<(Call, Option<StepPlan>), Halt> {
    let unnamed = plan(world, &call).map_err(Halt::Failed)?;
    if call.op.driver().names_its_account(&call) {
        return Ok((call, unnamed));
    }
    let recorded = unnamed.as_ref().and_then(|plan| row.recorded_state(plan));
    if recorded.is_some_and(StepState::is_final) {
        return Ok((call, unnamed));
    }
    match cancel.or(call.op.driver().with_account(world, &call)).await {
        None => Err(Halt::Cancelled),
        Some(Ok(named)) => {
            let plan = plan(world, &named).map_err(Halt::Failed)?;
            Ok((named, plan))
        }
        // What may have been carried out is no failure that a script may catch: it is looked up as it is recorded.
        Some(Err(_)) if recorded.is_some_and(StepState::is_open) => Ok((call, unnamed)),
        Some(Err(error)) => Err(Halt::Failed(credential::advise(&call, error))),
    }
}

/// The row has done something of the kind, and the script as it is now does not ask for that.
pub(super) fn done_before(call: &Call, step: &str) -> OpError {
    let message = format!(
        "this row already made a different `{}`, which the script no longer makes (step {step}); nothing was sent",
        call.op.id()
    );
    OpError::new(Code::AlreadyDone, message)
        .hint("to repeat it all the same: provisor resume RUN --retry-failed --again")
}

/// Finds out what became of a call that is recorded, without sending it again.
pub async fn look_up(
    world: &World,
    row: &RowJournal,
    call: &Call,
    cancel: &Cancel,
) -> Result<LookupOutcome, JournalError> {
    let call = match call.op.driver().resolve(world, call.clone()) {
        Ok(call) => call,
        // Under which address it is recorded cannot be told any more.
        Err(error) if row.has_open(&call.op.id()) => return Ok(LookupOutcome::Open(error.message)),
        Err(_) => return Ok(LookupOutcome::Known),
    };
    let call = &call.op.driver().with_known_account(world, call).await;
    match plan(world, call) {
        Ok(Some(plan)) => row.close(&plan, &Asking::new(world, call, cancel), cancel).await,
        Err(error) if row.is_open(&step_plan(call, StepKind::Read)) => Ok(LookupOutcome::Open(error.message)),
        Ok(None) | Err(_) => Ok(LookupOutcome::Known),
    }
}

/// Is this very call recorded, and its outcome open? Counts as asking for it.
pub fn is_open(world: &World, row: &RowJournal, call: &Call) -> bool {
    match call.op.driver().resolve(world, call.clone()) {
        Ok(call) => row.is_open(&step_plan(&call, StepKind::Read)),
        Err(_) => row.has_open(&call.op.id()),
    }
}

/// How often has the row asked for this very call?
pub fn times_asked(world: &World, row: &RowJournal, call: &Call) -> u32 {
    match call.op.driver().resolve(world, call.clone()) {
        Ok(call) => row.times_asked(&step_plan(&call, StepKind::Read)),
        // It fails before it is asked for.
        Err(_) => 0,
    }
}

/// Is what this call asks for on the platform now? Says no when that cannot be told.
pub async fn is_there(world: &World, call: &Call) -> bool {
    let Ok(call) = call.op.driver().resolve(world, call.clone()) else {
        return false;
    };
    let never = Cancel::new();
    matches!(Asking::new(world, &call, &never).probe().await, Look::Found(_))
}

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// The profile whose account it works on.
    pub profile: Option<String>,
    /// The address of that account, or of the request without its query.
    pub url: String,
}

/// Where a call goes, as far as that can be told.
pub fn destination(world: &World, call: &Call) -> Destination {
    if let Some(session) = &call.receiver {
        return Destination {
            profile: Some(session.text("$profile").to_owned()).filter(|name| !name.is_empty()),
            url: session.text("url").to_owned(),
        };
    }
    call.op.driver().resolve(world, call.clone()).map_or_else(
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

/// How long after it was sent the request of this call may land; `None` when nothing can look for what it asks for.
pub fn window(world: &World, call: &Call) -> Option<Duration> {
    let call = call.op.driver().resolve(world, call.clone()).ok()?;
    match plan(world, &call).ok()??.kind {
        StepKind::Change(change) if change.probes => Some(change.patience + change.settle),
        _ => None,
    }
}

/// What the journal is to do; `None` for an operation that is never recorded.
pub(super) fn plan(world: &World, call: &Call) -> Result<Option<StepPlan>, OpError> {
    let (thing, probes, unique) = match call.effect() {
        Effect::Sign => return Ok(None),
        Effect::Observe => {
            if call.flag("reads") {
                // That it only reads is the script's word, which no mode of a profile takes.
                permitted(world, call)?;
            }
            return Ok(Some(step_plan(call, StepKind::Read)));
        }
        Effect::Ensure { key, unique, .. } | Effect::Create { key, unique, .. } => {
            (Some(key(call)?), true, unique)
        }
        Effect::Change { .. } => (call.op.driver().removes(call)?, true, false),
        // What depends on the call has been decided.
        Effect::Act | Effect::Request | Effect::ByCall(_) => (None, false, false),
    };
    let settings = permitted(world, call)?;
    let settle = settings.settle.unwrap_or(call.op.timeout.settle());
    let settle = settle.max(settings.lands_within.unwrap_or_default());
    let kind = StepKind::Change(Change {
        books: books(world, call)?,
        formerly: call.op.driver().former_name(call, thing.as_ref()),
        request: call
            .op
            .driver()
            .request_of(call)
            .or_else(|| super::act::request_of(call)),
        act: super::act::remembered(call, &settings)?,
        thing,
        probes,
        patience: patience(&settings, call).whole(),
        settle,
        resends_late: unique || settings.lands_within.is_some(),
        look_for: settings.look_for.unwrap_or(LOOK_FOR),
    });
    Ok(Some(step_plan(call, kind)))
}

fn step_plan(call: &Call, kind: StepKind) -> StepPlan {
    StepPlan {
        op: call.op.id(),
        args: call.identity(),
        former_args: call.former_identity(),
        kind,
    }
}

/// How long an answer that cannot be told is looked for, unless the profile says otherwise.
const LOOK_FOR: Duration = Duration::from_secs(90);

/// How long the request of a call is waited for. What it really is, the transport says when it leaves.
fn patience(settings: &Settings, call: &Call) -> Patience {
    let reply = match call.op.timeout {
        Timeout::TenantCreation => settings.tenant_creation,
        Timeout::Reply => call.option("timeout").and_then(parse_duration).or(settings.reply),
    };
    Patience {
        connect: settings.line.connect_timeout.unwrap_or(USUAL_PATIENCE.connect),
        reply: reply.unwrap_or(call.op.timeout.reply()),
    }
}

/// How to speak to the account that a change is made in. Errors: the profile forbids it.
fn permitted(world: &World, call: &Call) -> Result<Settings, OpError> {
    let (settings, whose) = match (&call.receiver, &call.target) {
        (Some(session), _) => (world.settings(session)?, "the profile".to_owned()),
        (None, Some(target)) => (target.settings.clone(), target.whose()),
        (None, None) => (world.elsewhere()?, "the profile".to_owned()),
    };
    if settings.read_only && !Sabotage::ReadOnlyOff.is_on() {
        let message = format!(
            "`{}` changes the account, and {whose} is read-only",
            call.op.signature()
        );
        return Err(OpError::new(Code::Forbidden, message).hint("choose a profile of another mode"));
    }
    if settings.unconfirmed {
        return Err(OpError::new(
            Code::Forbidden,
            format!(
                "`{}` changes a prod account{}, and that was not confirmed for this run",
                call.op.signature(),
                call.target
                    .as_ref()
                    .map_or(String::new(), |target| target.which())
            ),
        )
        .hint("name the profile with --profile, so that the run asks before it starts, or pass --yes"));
    }
    Ok(settings)
}

/// Carries out a call that only reads, and records nothing: for look-ups, which have to look anew each time. Anything else
/// is refused.
pub async fn look(world: &World, call: &Call) -> Result<Value, OpError> {
    if call.effect().changes() {
        let message = format!(
            "`{}` may change something, but a probe may only read",
            call.op.signature()
        );
        return Err(OpError::new(Code::Forbidden, message));
    }
    let call = call.op.driver().resolve(world, call.clone())?;
    let value = (call.op.run)(world, &call).await?;
    Ok(custody::kept(world, &call, value))
}

/// What the ledger learns from the outcome.
fn books(world: &World, call: &Call) -> Result<Books, OpError> {
    let struck = match (call.effect(), &call.receiver) {
        (Effect::Ensure { .. } | Effect::Create { .. }, _) => return Ok(Books::Enters),
        (
            Effect::Change {
                strikes: Some(sort), ..
            },
            Some(session),
        ) => {
            let accounts = call.op.driver().accounts_of(session)?;
            Struck::identified(accounts, sort, &call.text("id"))
        }
        _ => call.op.driver().strikes(world, call)?,
    };
    if struck.is_empty() {
        return Ok(Books::Unchanged);
    }
    Ok(Books::Strikes(struck))
}

/// The journal's view of a call.
pub(super) struct Asking<'a> {
    world: &'a World,
    call: &'a Call,
    cancel: &'a Cancel,
    /// Was the wish to stop followed before anything was sent?
    given_up: AtomicBool,
}

impl<'a> Asking<'a> {
    pub(super) fn new(world: &'a World, call: &'a Call, cancel: &'a Cancel) -> Asking<'a> {
        Asking {
            world,
            call,
            cancel,
            given_up: AtomicBool::new(false),
        }
    }

    /// Does the work, unless the user wants to stop while nothing of it can have been carried out: a request waits for
    /// its turn, for a platform that cannot be reached, or for the sign-in before it.
    async fn unless_stopped<T>(&self, mut work: Boxed<'_, T>) -> Option<T> {
        let flight = &self.call.flight;
        let mut asked = pin!(self.cancel.cancelled());
        let mut stopped = move |cx: &mut Context<'_>| !flight.is_out() && asked.as_mut().poll(cx).is_ready();
        let done = poll_fn(|cx| {
            if stopped(cx) {
                return Poll::Ready(None);
            }
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                // What was under way may have come back undone.
                Poll::Pending if stopped(cx) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        let done = done.await;
        self.given_up.store(done.is_none(), Ordering::SeqCst);
        done
    }
}

impl Attempt for Asking<'_> {
    fn prepare(&self, earlier: bool) -> Boxed<'_, Prepared> {
        let mut call = self.call.clone();
        call.resent = earlier;
        Box::pin(async move {
            let (Effect::Ensure { check, .. } | Effect::Create { check, .. }) = call.effect() else {
                return Prepared::Go;
            };
            let checked = check(self.world, &call).await;
            match checked.map_err(|error| credential::advise(&call, error)) {
                Ok(None) => Prepared::Go,
                Ok(Some(value)) => Prepared::There(custody::kept(self.world, &call, value)),
                Err(error) if error.transient => Prepared::Failed(error.to_value()),
                Err(error) => Prepared::Refused(error.to_value()),
            }
        })
    }

    fn flight(&self) -> &Flight {
        &self.call.flight
    }

    fn send(&self, resent: bool) -> Boxed<'_, Sending> {
        let mut call = self.call.clone();
        call.resent = resent;
        Box::pin(async move {
            let Some(done) = self.unless_stopped((call.op.run)(self.world, &call)).await else {
                let error = OpError::new(Code::Unavailable, "stopped before it was sent");
                return Sending::Failed(error.to_value());
            };
            match done.map_err(|error| credential::advise(&call, error)) {
                Ok(value) => Sending::Done(custody::kept(self.world, &call, value)),
                // What changes nothing is as good as not carried out.
                Err(error) if error.sent != Sent::No && call.effect().changes() => Sending::Lost {
                    why: error.message,
                    loss: match error.sent {
                        Sent::Late => Loss::Late,
                        Sent::Yes => Loss::Yes,
                        Sent::No | Sent::Maybe => Loss::Broken,
                    },
                },
                Err(error) if error.code == Code::RateLimited => Sending::PutOff(error.to_value()),
                Err(error) if error.code.leaves_something_behind() => Sending::HalfDone(error.to_value()),
                Err(error) if error.transient || call.flight.is_held() => Sending::Failed(error.to_value()),
                Err(error) => Sending::Refused(error.to_value()),
            }
        })
    }

    fn probe(&self) -> Boxed<'_, Look> {
        Box::pin(async move {
            let (Effect::Ensure { probe, .. } | Effect::Create { probe, .. } | Effect::Change { probe, .. }) =
                self.call.effect()
            else {
                return Look::Unknown("provisor cannot find out whether it was carried out".into());
            };
            match probe(self.world, self.call).await {
                Probe::Found(value) => Look::Found(custody::kept(self.world, self.call, value)),
                Probe::Absent => Look::Absent,
                Probe::Unknown(why) => Look::Unknown(why),
                Probe::Unreachable(error) => Look::Unreachable(error.message),
            }
        })
    }

    fn removes(&self, outcome: &Value) -> bool {
        self.call.op.driver().is_removed(self.call, outcome)
    }

    fn platform_id(&self, outcome: &Value) -> Option<String> {
        self.call.op.driver().platform_id(self.call, outcome)
    }

    fn is_gone<'b>(&'b self, held: &'b Value) -> Boxed<'b, bool> {
        Box::pin(async move {
            match (&self.call.receiver, held) {
                (Some(session), Value::Object(held)) => {
                    let gone = self.call.op.driver().is_gone(self.world, session, held);
                    gone.await.unwrap_or(false)
                }
                _ => false,
            }
        })
    }

    fn existing(&self, earlier: Earlier) -> Result<Value, Value> {
        if !earlier.same {
            return Err(super::act::other_request(self.call, &earlier).to_value());
        }
        if let (Effect::Request, None) = (self.call.effect(), self.call.named("key")) {
            return Err(super::act::done_by(self.call, &earlier).to_value());
        }
        if let (Effect::Create { key, .. }, call) = (self.call.effect(), self.call) {
            let name = key(call).map_or_else(|_| String::new(), |key| key.name);
            let error = OpError::new(Code::AlreadyExists, format!("{name} exists: the ledger holds it"))
                .hint("use the ensure operation to get the existing one");
            return Err(error.to_value());
        }
        let item = unchanged(self.call, earlier.value);
        Ok(custody::kept(self.world, self.call, item))
    }

    fn is_carried_out(&self, answer: &Value) -> bool {
        !self.call.op.driver().is_failure(self.call, answer)
    }
}

/// What the ledger holds, as this call gives it: spoken to as the session it is asked of, whatever profile made it.
fn unchanged(call: &Call, item: Value) -> Value {
    match item {
        Value::Object(mut object) => {
            object.fields.insert("outcome".into(), "unchanged".into());
            if let (Some(profile), Some(session)) = (object.fields.get_mut("$profile"), &call.receiver) {
                *profile = session.text("$profile").into();
            }
            Value::Object(object)
        }
        // The answer of a service of the web.
        Value::Record(mut answer) if answer.contains_key("outcome") => {
            answer.insert("outcome".into(), "unchanged".into());
            Value::Record(answer)
        }
        // What was done without a look-up.
        Value::Record(mut answer) if matches!(call.effect(), Effect::Act) => {
            answer.insert("outcome".into(), "unchanged".into());
            Value::Record(answer)
        }
        other => other,
    }
}

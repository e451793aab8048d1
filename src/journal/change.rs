//! Carries out a changing step: intent, request, outcome, and recovery if there is no outcome.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::apply::{Move, Rename, Reply, Write};
use super::attempt::{
    Attempt, Boundary, Boxed, Change, EarlierResult, LedgerEffect, Output, PrepareOutcome, Probe, Proof,
    SendOutcome, StepEnd, StepPlan,
};
use super::error::JournalError;
use super::row::{RowJournal, split, step_seal_context, why_seal_context};
use super::settle::{Search, Settled};
use super::stamp::{MAX_STAMP_AGE_MS, Stamper};
use super::step::{Loss, StepEvent, StepState, Window};
use super::table::{ItemData, ReadTables, ResourceKey, StepData};
use crate::clock::{Stamp, millis};
use crate::sabotage::Sabotage;
use crate::value::Value;
use crate::waiting::Wait;

/// How often a request may be sent, if every response is lost and no lookup finds it, before a person must decide.
const MAX_SENDS: u32 = 5;

/// How many times in a row the platform may throttle a request.
const MAX_THROTTLED: u32 = 5;

/// A changing step in progress.
pub(super) struct ChangingStep<'a> {
    pub(super) row: &'a RowJournal,
    plan: &'a StepPlan,
    pub(super) change: &'a Change,
    attempt: &'a dyn Attempt,
    pub(super) cancel: &'a CancellationToken,
    /// The step as known to this process.
    pub(super) step: StepData,
    /// An earlier request for the same resource was lost and not found.
    pub(super) earlier: bool,
    sends: u32,
    /// How many times in a row the platform has throttled the request.
    put_off: u32,
    /// An existing resource to adopt instead of sending.
    adopted: Option<Value>,
}

/// The next action.
pub(super) enum Next<'a> {
    /// Nothing is recorded: record the intent.
    Begin,
    /// The intent is on disk.
    Send,
    /// The response is lost.
    Settle(LostResponse<'a>),
    /// Another process or task has moved the step.
    Follow(Box<StepData>),
}

/// A lost response.
pub(super) struct LostResponse<'a> {
    reason: String,
    loss: Loss,
    /// The pending request, if its response may still arrive.
    late: Option<Boxed<'a, SendOutcome>>,
}

pub(super) type StepResult = Result<Output, StepEnd>;

impl<'a> ChangingStep<'a> {
    pub(super) fn new(
        row: &'a RowJournal,
        (plan, change): (&'a StepPlan, &'a Change),
        attempt: &'a dyn Attempt,
        cancel: &'a CancellationToken,
        new_step: StepData,
    ) -> ChangingStep<'a> {
        let step = StepData {
            changes: true,
            ledger: change.ledger_effect == LedgerEffect::Insert,
            ledger_removals: match &change.ledger_effect {
                LedgerEffect::Remove(removed) => removed.clone(),
                LedgerEffect::Unchanged | LedgerEffect::Insert => Vec::new(),
            },
            resource: change.resource.as_ref().map(ResourceKey::from),
            ..new_step
        };
        ChangingStep {
            row,
            plan,
            change,
            attempt,
            cancel,
            step,
            earlier: false,
            sends: 0,
            put_off: 0,
            adopted: None,
        }
    }

    /// Takes the step from its recorded state to an end.
    pub(super) async fn carry_out(mut self, recorded: Option<StepData>) -> StepResult {
        if let Some(step) = recorded.as_ref().filter(|step| step.state.is_final()) {
            return self.row.replay(step);
        }
        let resources = self.row.journal.things();
        let act = self.step.act.as_ref().map(|act| ResourceKey {
            account: String::new(),
            kind: "act".to_owned(),
            name: act.clone(),
        });
        let _turn = match self.step.resource.as_ref().or(act.as_ref()) {
            Some(resource) => Some(
                self.cancel
                    .run_until_cancelled(resources.lock_key(resource))
                    .await
                    .ok_or(StepEnd::Cancelled)?,
            ),
            None => None,
        };
        if let Err(ended) = self.rename_from_v1().await {
            return ended;
        }
        let mut next = recorded.map_or(Next::Begin, |step| Next::Follow(Box::new(step)));
        loop {
            let step = match next {
                Next::Begin => self.begin().await,
                Next::Send => self.send().await,
                Next::Settle(lost) => self.settle(lost).await,
                Next::Follow(step) => self.resume_from(&step),
            };
            next = match step {
                Ok(next) => next,
                Err(ended) => return ended,
            };
        }
    }

    /// Continues from the recorded state of the step.
    fn resume_from(&mut self, step: &StepData) -> Result<Next<'a>, StepResult> {
        if step.state.is_final() {
            return Err(self.row.replay(step));
        }
        self.earlier |= step.attempts > 0 && !step.state.is_open();
        let reason = match &step.reason {
            Some(sealed) => {
                let opened = self.row.journal.open_sealed(&why_seal_context(step), sealed);
                opened.map_err(|error| Err(error.into()))?
            }
            None => Value::from("the process ended before the response arrived"),
        };
        let next = if step.state.is_open() {
            Next::Settle(LostResponse {
                reason: reason.as_text().unwrap_or_default().to_owned(),
                loss: Loss::Gone,
                late: None,
            })
        } else {
            Next::Begin
        };
        self.step.state = step.state;
        self.step.attempts = step.attempts;
        Ok(next)
    }

    /// Records the intent, unless the resource exists or another step is working on it.
    async fn begin(&mut self) -> Result<Next<'a>, StepResult> {
        if self.cancel.is_cancelled() {
            return Err(Err(StepEnd::Cancelled));
        }
        self.step.state = StepState::Absent;
        // The resource found by an earlier lookup may have disappeared since.
        self.adopted = None;
        self.prepare().await?;
        self.boundary(Boundary::BeforeIntent);
        let event = StepEvent::Intend {
            window: self.window(),
        };
        let write = Write::Intend {
            step: Box::new(self.step.clone()),
            event,
            since_ms: self.row.act_cutoff_ms(self.change),
        };
        match self.write(write).await? {
            Reply::InLedger(item) => return Err(self.in_ledger(&item)),
            Reply::Acted(owner) if owner.state == StepState::Done => return Err(self.earlier_act(&owner)),
            Reply::Acted(owner) => {
                self.wait_for_act(&owner).await?;
                return Ok(Next::Begin);
            }
            Reply::Claimed { claim, owner } => {
                self.wait_for_claim(*claim, owner.map(|owner| *owner)).await?;
                return Ok(Next::Begin);
            }
            Reply::StateMismatch(Some(step)) => return Ok(Next::Follow(step)),
            _ => {}
        }
        self.step.state = next_state(&self.step, event)?;
        Ok(Next::Send)
    }

    /// Finds out whether the resource exists on the platform before an intent says that it may be ours: if the process
    /// were killed after that, this could no longer be determined.
    async fn prepare(&mut self) -> Result<(), StepResult> {
        let Some(resource) = self.step.resource.as_ref().filter(|_| self.step.ledger) else {
            return Ok(());
        };
        let store = self.row.journal.store();
        let is_known =
            |look: &dyn ReadTables| Ok(look.item(resource)?.is_some() || look.claim(resource)?.is_some());
        // A write from a moment ago may be missed here; the check below catches it before it matters.
        let known = store.read_committed(is_known);
        if known.map_err(|error| Err(error.into()))? && !self.forget_what_is_gone(resource).await? {
            return Ok(());
        }
        let prepared = self
            .cancel
            .run_until_cancelled(self.attempt.prepare(self.earlier))
            .await;
        let prepared = prepared.ok_or(Err(StepEnd::Cancelled))?;
        if !matches!(prepared, PrepareOutcome::Proceed)
            && store.read(is_known).map_err(|error| Err(error.into()))?
        {
            return Ok(());
        }
        match prepared {
            PrepareOutcome::Proceed => Ok(()),
            PrepareOutcome::Adopted(value) => {
                self.adopted = Some(value);
                Ok(())
            }
            PrepareOutcome::Failed(reason) => Err(Err(StepEnd::Failed(reason))),
            PrepareOutcome::Refused(reason) => {
                let step = self.step.clone();
                let recorded = self
                    .row
                    .record(step, StepEvent::KnownRefused, &reason, usize::MAX);
                recorded.map_err(|error| Err(error.into()))?;
                Err(Err(StepEnd::Refused(reason)))
            }
        }
    }

    /// Removes the resource from the ledger if an earlier run inserted it and the platform no longer has it. Returns
    /// whether it did. Entries younger than the lookup time are kept, as the platform may not list them yet.
    async fn forget_what_is_gone(&self, resource: &ResourceKey) -> Result<bool, StepResult> {
        let journal = &self.row.journal;
        let item = journal.store().read(|look| look.item(resource));
        let old = |item: &ItemData| {
            let age = u64::try_from(self.now().wall_ms.saturating_sub(item.changed_ms)).unwrap_or_default();
            item.run.as_ref() != Some(&self.step.run) && Duration::from_millis(age) > self.change.look_for
        };
        let Some(item) = item.map_err(|error| Err(error.into()))?.filter(old) else {
            return Ok(false);
        };
        let held = journal.open_sealed(&item_seal_context(resource), &item.value);
        let held = held.map_err(|error| Err(error.into()))?;
        let gone = self.cancel.run_until_cancelled(self.attempt.is_gone(&held)).await;
        if !gone.ok_or(Err(StepEnd::Cancelled))? {
            return Ok(false);
        }
        journal
            .ledger_forget(resource)
            .map_err(|error| Err(error.into()))?;
        Ok(true)
    }

    /// Ends the step with the resource that the ledger already has.
    fn in_ledger(&self, item: &ItemData) -> StepResult {
        let earlier = self.row.journal.in_ledger(&self.step, item)?;
        self.existing(earlier)
    }

    /// Ends the step with the result of an act that is already done.
    fn earlier_act(&self, owner: &StepData) -> StepResult {
        let earlier = self.row.journal.earlier_act(&self.step, owner)?;
        self.existing(earlier)
    }

    fn existing(&self, earlier: EarlierResult) -> StepResult {
        let (event, value) = match self.attempt.existing(earlier) {
            Ok(value) => (StepEvent::Known, value),
            Err(refusal) => (StepEvent::KnownRefused, refusal),
        };
        self.row.record(self.step.clone(), event, &value, usize::MAX)?;
        if event == StepEvent::KnownRefused {
            return Err(StepEnd::Refused(value));
        }
        Ok(Output {
            value,
            replayed: false,
            created: false,
        })
    }

    /// Renames a resource that version 1 knew under another name.
    async fn rename_from_v1(&self) -> Result<(), StepResult> {
        let (Some(former), Some(to)) = (&self.change.former_key, &self.step.resource) else {
            return Ok(());
        };
        let from = ResourceKey::from(&former.key);
        let journal = &self.row.journal;
        let request_key_v1 = self.row.request_key_v1(self.plan);
        let same_words = |step: &String| split(step).is_some_and(|(asked, _)| asked == request_key_v1);
        let is_alone = former.proof == Proof::Name;
        let known = |look: &dyn ReadTables| Ok((look.item(&from)?, look.claim(&from)?));
        let (item, claim) = journal.store().read(known).map_err(|error| Err(error.into()))?;
        if let Some(claim) = claim
            .as_ref()
            .filter(|claim| !is_alone && !same_words(&claim.step))
        {
            return Err(Err(StepEnd::InDoubt {
                step: format!("{}/{}", claim.run, claim.step),
                reason: "an earlier version has left a step under the same key in doubt".into(),
            }));
        }
        let item = match item {
            Some(item) if is_alone || item.step.as_ref().is_some_and(same_words) => Some(item),
            Some(item) if former.proof == Proof::LookUp && self.still_exists(&item).await? => Some(item),
            _ => None,
        };
        if claim.is_none() && item.is_none() {
            return Ok(());
        }
        let item = match item {
            Some(item) => Some(journal.renamed(item, to).map_err(|error| Err(error.into()))?),
            None => None,
        };
        let to = to.clone();
        self.write(Write::Rename(Box::new(Rename { from, to, item })))
            .await?;
        Ok(())
    }

    /// Whether a lookup finds the very resource of this entry.
    async fn still_exists(&self, item: &ItemData) -> Result<bool, StepResult> {
        match self.cancel.run_until_cancelled(self.attempt.probe()).await {
            Some(Probe::Found(value)) => {
                let found = self.attempt.platform_id(&value);
                Ok(found.is_some() && found == item.platform_id)
            }
            Some(Probe::Absent | Probe::Unknown(_)) => Ok(false),
            Some(Probe::Unreachable(reason)) => Err(Err(StepEnd::InDoubt {
                step: item.step.clone().unwrap_or_default(),
                reason: format!("cannot look up whether the ledger has it under a former name: {reason}"),
            })),
            None => Err(Err(StepEnd::Cancelled)),
        }
    }

    /// Sends the request once and records the result.
    async fn send(&mut self) -> Result<Next<'a>, StepResult> {
        if let Some(value) = self.adopted.take() {
            return Err(self.conclude(StepEvent::Answered, value).await?);
        }
        // From here on, dropping this future early leaves the step in doubt, and that is recorded.
        let flight = self.attempt.flight().clone();
        let stamper = Arc::new(Stamper::new(&self.row.journal, &self.step));
        let stamping = Arc::clone(&stamper);
        flight.arm(move |patience| {
            let stamping = Arc::clone(&stamping);
            async move { stamping.stamp(patience).await.map_err(|error| error.to_string()) }
        });
        let guard = AbandonGuard::unless_disarmed(self, || flight.has_left());
        self.boundary(Boundary::AfterIntent);
        let mut sending = self.attempt.send(self.earlier);
        let answer = tokio::select! {
            biased;
            answer = &mut sending => Ok(answer),
            reason = flight.wait_until_late() => Err(reason),
        };
        self.boundary(Boundary::AfterSend);
        guard.disarm();
        flight.disarm();
        self.step.state = stamper.state();
        let answer = match answer {
            Ok(answer) => answer,
            Err(reason) => {
                self.sends += 1;
                return Ok(Next::Settle(LostResponse {
                    reason,
                    loss: Loss::Late,
                    late: Some(sending),
                }));
            }
        };
        if self.change.probes
            && let SendOutcome::Throttled(reason) = answer
        {
            return self.put_off(reason).await;
        }
        self.put_off = 0;
        self.sends += 1;
        self.handle_response(answer).await
    }

    /// Continues from a response.
    async fn handle_response(&mut self, answer: SendOutcome) -> Result<Next<'a>, StepResult> {
        match answer {
            SendOutcome::LostResponse { reason, loss } => {
                let late = None;
                Ok(Next::Settle(LostResponse { reason, loss, late }))
            }
            SendOutcome::Failed(reason) | SendOutcome::Throttled(reason) => {
                self.advance(StepEvent::NotCarriedOut, None).await?;
                Err(Err(StepEnd::Failed(reason)))
            }
            SendOutcome::Refused(value) => Err(self.conclude(StepEvent::Refused, value).await?),
            SendOutcome::HalfDone(value) => Err(self.conclude(StepEvent::HalfDone, value).await?),
            SendOutcome::Done(value) => Err(self.conclude(StepEvent::Answered, value).await?),
        }
    }

    /// Handles a throttled request. Some platforms count only the requests they have carried out, so a lookup comes
    /// before the request is sent again.
    async fn put_off(&mut self, reason: Value) -> Result<Next<'a>, StepResult> {
        self.put_off += 1;
        if Sabotage::SentAgainWhenPutOff.is_on() && self.put_off < MAX_THROTTLED {
            return Ok(Next::Send);
        }
        let look = self.cancel.run_until_cancelled(self.attempt.probe()).await;
        match look {
            Some(Probe::Found(value)) => {
                let lost = self.lost(Loss::Broken);
                let cause = "the platform throttled the request";
                if let Some(next) = self.mark_in_doubt(lost, cause, false).await? {
                    return Ok(next);
                }
                self.found(value).await
            }
            Some(Probe::Absent) if self.put_off < MAX_THROTTLED => Ok(Next::Send),
            Some(Probe::Absent) => self.handle_response(SendOutcome::Failed(reason)).await,
            Some(Probe::Unknown(_) | Probe::Unreachable(_)) => Ok(Next::Settle(LostResponse {
                reason: "the platform throttled the request".to_owned(),
                loss: Loss::Broken,
                late: None,
            })),
            None => {
                self.advance(StepEvent::NotCarriedOut, None).await?;
                Err(Err(StepEnd::Cancelled))
            }
        }
    }

    /// Records the outcome or the refusal.
    async fn conclude(&mut self, event: StepEvent, value: Value) -> Result<StepResult, StepResult> {
        self.boundary(Boundary::BeforeOutcome);
        self.advance(event, Some(&value)).await?;
        self.boundary(Boundary::AfterOutcome);
        Ok(if event == StepEvent::Answered {
            Ok(Output {
                value,
                replayed: false,
                created: true,
            })
        } else {
            Err(StepEnd::Refused(value))
        })
    }

    /// Looks up what the lost response would have contained, and continues from there.
    async fn settle(&mut self, lost: LostResponse<'a>) -> Result<Next<'a>, StepResult> {
        let LostResponse { reason, loss, late } = lost;
        let listens = self.change.probes || late.is_some();
        if let Some(next) = self.mark_in_doubt(self.lost(loss), &reason, !listens).await? {
            return Ok(next);
        }
        if !listens {
            return Err(self.in_doubt(reason));
        }
        let guard = AbandonGuard::unless_disarmed(self, || true);
        let settled = self.look(&self.step, &reason, late).await;
        guard.disarm();
        let reason = match settled {
            Settled::Answered(answer) => return self.handle_response(answer).await,
            Settled::Found(value) => return self.found(value).await,
            Settled::Absent { .. } if self.cancel.is_cancelled() => {
                format!("{reason}, and the user interrupted before it was sent again")
            }
            Settled::Absent { looked_up_at } if self.sends < MAX_SENDS => {
                return self.send_again(looked_up_at).await;
            }
            Settled::Absent { .. } => format!("it was sent {} times, and {reason} each time", self.sends),
            // An earlier attempt may have ended with the same reason.
            Settled::Unsettled(unclear) if reason.ends_with(&unclear) => reason,
            Settled::Unsettled(unclear) => format!("{reason}, and {unclear}"),
            Settled::Cancelled if !self.change.probes => {
                format!("{reason}, and waiting for a late response was interrupted")
            }
            Settled::Cancelled => format!("{reason}, and looking for it was interrupted"),
        };
        match self.mark_in_doubt(self.lost(Loss::Gone), &reason, true).await? {
            Some(next) => Ok(next),
            None => Err(self.in_doubt(reason)),
        }
    }

    async fn found(&mut self, value: Value) -> Result<Next<'a>, StepResult> {
        self.boundary(Boundary::BeforeOutcome);
        let mut step = self.step.clone();
        if let Some(moved) = self
            .move_step(&mut step, StepEvent::Found, Some(&value), None)
            .await?
        {
            return Ok(moved);
        }
        self.boundary(Boundary::AfterOutcome);
        Err(Ok(Output {
            value,
            replayed: false,
            created: true,
        }))
    }

    /// Sends again a request that was not carried out, after recording a new intent stamp.
    async fn send_again(&mut self, looked_up_at: Stamp) -> Result<Next<'a>, StepResult> {
        let event = StepEvent::LookedInVain {
            looked_up_at,
            window: self.window(),
        };
        let mut step = self.step.clone();
        if let Some(moved) = self.move_step(&mut step, event, None, None).await? {
            return Ok(moved);
        }
        self.step = step;
        self.earlier = true;
        Ok(Next::Send)
    }

    /// Returns the window of a request that is sent now.
    fn window(&self) -> Window {
        Window {
            sent: self.now(),
            waits_ms: Some(millis(self.change.patience)),
            settle_ms: millis(self.change.settle).saturating_add(MAX_STAMP_AGE_MS),
        }
    }

    /// Returns the event for a lost response to the current or an earlier request.
    pub(super) fn lost(&self, loss: Loss) -> StepEvent {
        let at = self.now();
        let passed = self.step.state.window().and_then(|window| at.since(window.sent));
        // Within the connect timeout the request may not even have been written.
        let connecting = self.attempt.flight().patience();
        let connecting = connecting.map_or(0, |patience| millis(patience.connect));
        let waits_ms = match (loss, passed) {
            (Loss::Gone, _) | (_, None) => millis(self.change.patience),
            (Loss::Late, Some(passed)) => passed.max(connecting),
            (_, Some(passed)) => passed,
        };
        StepEvent::AnswerLost { at, loss, waits_ms }
    }

    /// Looks up what a lost response would have contained; `reason` is the reason it is lost.
    pub(super) async fn look(
        &self,
        step: &StepData,
        reason: &str,
        late: Option<Boxed<'_, SendOutcome>>,
    ) -> Settled {
        let own = self.window();
        let recorded = step.state.window().unwrap_or(own);
        let what = match &step.resource {
            Some(resource) if self.change.probes => {
                format!("looking for {} {}", resource.kind, resource.name)
            }
            _ if self.change.probes => format!("looking up the outcome of `{}`", step.op),
            _ => "waiting for a late response".to_owned(),
        };
        let search = Search {
            clock: self.row.journal.clock(),
            waits: self.row.journal.waits(),
            what: Wait {
                what,
                reason: reason.to_owned(),
                until_ms: None,
            },
            attempt: self.attempt,
            cancel: self.cancel,
            // The profile may have been given a longer settle time since.
            window: Window {
                settle_ms: recorded.settle_ms.max(own.settle_ms),
                ..recorded
            },
            probes: self.change.probes,
            look_for_ms: millis(self.change.look_for),
            trusts_absence: step.state.resends(self.change.resends_late),
        };
        search.settle(late).await
    }

    /// Records that the response is lost, and why. Returns the next action if the step was moved elsewhere.
    async fn mark_in_doubt(
        &mut self,
        event: StepEvent,
        reason: &str,
        parked: bool,
    ) -> Result<Option<Next<'a>>, StepResult> {
        let mut step = self.step.clone();
        let moved = self
            .move_step(&mut step, event, None, Some((reason, parked)))
            .await?;
        if moved.is_none() {
            self.step.state = step.state;
        }
        Ok(moved)
    }

    fn in_doubt(&self, reason: String) -> StepResult {
        Err(StepEnd::InDoubt {
            step: self.step.key.clone(),
            reason,
        })
    }

    /// Moves this step after a response. Waits for the disk only if the outcome cannot be obtained again or the
    /// response was late; otherwise nothing else can have moved the step, as this process holds the claim and the run.
    async fn advance(&mut self, event: StepEvent, outcome: Option<&Value>) -> Result<(), StepResult> {
        let state = next_state(&self.step, event)?;
        let write = self.move_write(&self.step, event, outcome, None);
        // Without a lookup, an outcome cannot be obtained again either.
        let told_once = outcome.is_some_and(|outcome| outcome.has_secret() || !self.change.probes)
            && !Sabotage::OutcomeLater.is_on();
        if told_once || !matches!(self.step.state, StepState::Intended { .. }) {
            if let Reply::StateMismatch(_) = self.write(write).await? {
                let step = self.step.key.clone();
                return Err(Err(JournalError::Moved { step }.into()));
            }
        } else {
            let store = self.row.journal.store();
            let step = self.step.key.clone();
            store.write_later_then(
                write,
                Box::new(move |reply| {
                    if let Ok(Reply::StateMismatch(_)) = reply {
                        tracing::error!(
                            step,
                            "a step was moved by another process while it was carried out"
                        );
                    }
                }),
            );
            store.check_writable().map_err(|error| Err(error.into()))?;
        }
        self.step.state = state;
        Ok(())
    }

    /// Moves a step, on disk. Returns the next action if another process or task has moved it meanwhile.
    pub(super) async fn move_step(
        &self,
        step: &mut StepData,
        event: StepEvent,
        outcome: Option<&Value>,
        reason: Option<(&str, bool)>,
    ) -> Result<Option<Next<'a>>, StepResult> {
        let write = self.move_write(step, event, outcome, reason);
        match self.write(write).await? {
            Reply::StateMismatch(Some(moved)) => Ok(Some(Next::Follow(moved))),
            Reply::StateMismatch(None) => Ok(Some(Next::Begin)),
            _ => {
                step.state = next_state(step, event)?;
                Ok(None)
            }
        }
    }

    fn move_write(
        &self,
        step: &StepData,
        event: StepEvent,
        outcome: Option<&Value>,
        reason: Option<(&str, bool)>,
    ) -> Write {
        let sealer = self.row.journal.sealer();
        let at_ms = self.now().wall_ms;
        let is_done = outcome.is_some() && !matches!(event, StepEvent::Refused | StepEvent::HalfDone);
        let item = match (&step.resource, outcome) {
            (Some(resource), Some(value))
                if step.ledger && is_done && !Sabotage::LedgerNotWritten.is_on() =>
            {
                Some(ItemData {
                    resource: resource.clone(),
                    platform_id: self.attempt.platform_id(value),
                    run: Some(step.run.clone()),
                    step: Some(step.key.clone()),
                    value: sealer.seal(&item_seal_context(resource), value),
                    created_ms: at_ms,
                    changed_ms: at_ms,
                })
            }
            _ => None,
        };
        // A step recorded by version 2 does not list the entries it removes; this call does.
        let own = (&step.run, &step.key) == (&self.step.run, &self.step.key);
        let ledger_removals = if own {
            &self.step.ledger_removals
        } else {
            &step.ledger_removals
        };
        let removed = match outcome {
            Some(outcome) if is_done && self.attempt.removes(outcome) => ledger_removals.clone(),
            _ => Vec::new(),
        };
        Write::Move(Box::new(Move {
            run: step.run.clone(),
            key: step.key.clone(),
            event,
            at_ms,
            outcome: outcome.map(|value| sealer.seal(&step_seal_context(step), value)),
            reason: reason.map(|(reason, _)| sealer.seal(&why_seal_context(step), &reason.into())),
            // A loss without a reason is recorded on behalf of a process that has died.
            parked: reason.map_or(matches!(event, StepEvent::AnswerLost { .. }), |(_, parked)| {
                parked
            }),
            item,
            removed,
            audit: None,
            releases_act: step.act.is_some()
                && outcome.is_some_and(|answer| !self.attempt.is_carried_out(answer)),
        }))
    }

    async fn write(&self, write: Write) -> Result<Reply, StepResult> {
        let written = self.row.journal.store().write_async(write).await;
        written.map_err(|error| Err(error.into()))
    }

    fn boundary(&self, boundary: Boundary) {
        self.row.journal.pass(boundary);
    }

    fn now(&self) -> Stamp {
        self.row.journal.clock().now()
    }
}

/// Returns the state of a step after an event. A step that cannot have had the event is in doubt: what is known of it
/// here is not what happened.
fn next_state(step: &StepData, event: StepEvent) -> Result<StepState, StepResult> {
    step.state.next(event).map_err(|_| {
        Err(StepEnd::InDoubt {
            step: step.key.clone(),
            reason: "its state in the journal is not the one that this process knows".into(),
        })
    })
}

/// Marks a step whose future is dropped early: its response is no longer awaited, and others may settle it. If no
/// request had left, nothing is in doubt.
struct AbandonGuard<'a, 'b, F: Fn() -> bool> {
    changing: &'b ChangingStep<'a>,
    /// Whether a request can have been carried out.
    has_left: F,
    armed: bool,
}

impl<'a, 'b, F: Fn() -> bool> AbandonGuard<'a, 'b, F> {
    fn unless_disarmed(changing: &'b ChangingStep<'a>, has_left: F) -> AbandonGuard<'a, 'b, F> {
        AbandonGuard {
            changing,
            has_left,
            armed: true,
        }
    }

    fn disarm(mut self) {
        self.armed = false;
    }
}

impl<F: Fn() -> bool> Drop for AbandonGuard<'_, '_, F> {
    fn drop(&mut self) {
        if self.armed {
            let ChangingStep { step, row, .. } = self.changing;
            let lost = self.changing.lost(Loss::Gone);
            let reason = ("the step was abandoned while it waited for its response", true);
            let write = if (self.has_left)() {
                self.changing.move_write(step, lost, None, Some(reason))
            } else {
                self.changing
                    .move_write(step, StepEvent::NotCarriedOut, None, None)
            };
            // The intent is on disk in any case; if this fails, others merely wait until this process ends.
            let _ = row.journal.store().write_later(write);
        }
    }
}

/// Returns the place a ledger entry's value is sealed for.
pub(super) fn item_seal_context(resource: &ResourceKey) -> String {
    format!(
        "ledger {}\n{}\n{}",
        resource.account, resource.kind, resource.name
    )
}

/// Returns the platform's identifier of a resource: its `id` field.
pub fn platform_id(value: &Value) -> Option<String> {
    let fields = match value {
        Value::Record(fields) => fields,
        Value::Object(object) => &object.fields,
        _ => return None,
    };
    match fields.get("id") {
        Some(Value::Int(id)) => Some(id.to_string()),
        Some(Value::Text(id)) => Some(id.clone()),
        _ => None,
    }
}

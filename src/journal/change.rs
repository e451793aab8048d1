//! Carries out a changing step: does what [`StepMachine`] decides, on the journal and the platform.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::apply::{Inserted, Move, Rename, Reply, Write, earlier_act};
use super::attempt::{
    Attempt, Boundary, Boxed, Change, EarlierResult, LedgerEffect, Output, PrepareOutcome, Probe, Proof,
    SendOutcome, StepEnd, StepPlan,
};
use super::error::JournalError;
use super::limit::LimitReached;
use super::machine::{Action, Ending, ILLEGAL, Input, Limits, StepMachine, Transition};
use super::row::{RowJournal, split, step_seal_context, why_seal_context};
use super::settle::{Search, Settled};
use super::stamp::{MAX_STAMP_AGE_MS, Stamper};
use super::step::{Loss, StepEvent, StepState, Window};
use super::table::{ItemData, ReadTables, ResourceKey, StepData, StepTimes};
use crate::clock::{Stamp, millis};
use crate::sabotage::Sabotage;
use crate::value::Value;
use crate::waiting::Wait;

/// A changing step in progress.
pub(super) struct ChangingStep<'a> {
    pub(super) row: &'a RowJournal,
    plan: &'a StepPlan,
    pub(super) change: &'a Change,
    attempt: &'a dyn Attempt,
    pub(super) cancel: &'a CancellationToken,
    /// The step as known to this process.
    step: StepData,
    /// What has happened since the last record of it.
    news: StepTimes,
    /// Whether it is counted as a change that is limited.
    counted: bool,
    machine: StepMachine,
}

/// Which process or task has moved a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    Here,
    Elsewhere,
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
        let limits = Limits {
            probes: change.probes,
            patience_ms: millis(change.patience),
            settle_ms: millis(change.settle).saturating_add(MAX_STAMP_AGE_MS),
        };
        ChangingStep {
            row,
            plan,
            change,
            attempt,
            cancel,
            step,
            news: StepTimes::default(),
            counted: false,
            machine: StepMachine::new(limits),
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
        let began_ms = self.row.journal.clock().steady_millis();
        let _turn = match self.step.resource.as_ref().or(act.as_ref()) {
            Some(resource) => Some(
                self.cancel
                    .run_until_cancelled(resources.lock_key(resource))
                    .await
                    .ok_or(StepEnd::Cancelled)?,
            ),
            None => None,
        };
        self.count_wait(began_ms);
        if let Err(ended) = self.rename_from_v1().await {
            return ended;
        }
        let mut input = self.follow(recorded.as_ref());
        // A response that may still arrive after the step has stopped waiting for it.
        let mut late = None;
        loop {
            let now = self.now();
            let action = match input {
                Ok(input) => self.machine.next(&mut self.step.state, input, now),
                Err(ended) => return ended,
            };
            input = match action {
                Action::Prepare { earlier } => self.prepare(earlier).await,
                Action::Intend(event) => self.intend(event).await,
                Action::Send { earlier } => {
                    let (sent, pending) = self.send(earlier).await;
                    late = pending;
                    Ok(sent)
                }
                Action::Probe => {
                    let probe = self.cancel.run_until_cancelled(self.attempt.probe()).await;
                    Ok(Input::Probed(probe))
                }
                Action::Settle { reason } => {
                    let guard = AbandonGuard::unless_disarmed(&self, || true);
                    let settled = self.look(&self.step, &reason, late.take()).await;
                    guard.disarm();
                    let now_ms = Some(self.now().wall_ms);
                    match settled {
                        Settled::Answered(_) => self.news.answered_ms = now_ms,
                        _ => self.news.looked_up_ms = now_ms,
                    }
                    Ok(Input::Settled {
                        settled,
                        interrupted: self.cancel.is_cancelled(),
                    })
                }
                Action::Write(transition) => self.record(transition).await,
                Action::End(ending) => return self.end(ending),
            };
        }
    }

    /// Continues from the record of the step.
    fn follow(&mut self, recorded: Option<&StepData>) -> Result<Input, StepResult> {
        let Some(step) = recorded else {
            return Ok(Input::Unrecorded);
        };
        if step.state.is_final() {
            return Err(self.row.replay(step));
        }
        let reason = match &step.reason {
            Some(sealed) => {
                let opened = self.row.journal.open_sealed(&why_seal_context(step), sealed);
                opened.map_err(|error| Err(error.into()))?
            }
            None => Value::from("the process ended before the response arrived"),
        };
        self.step.id = step.id;
        self.step.state = step.state;
        self.step.attempts = step.attempts;
        self.step.times = step.times;
        Ok(Input::Recorded {
            attempts: step.attempts,
            reason: reason.as_text().unwrap_or_default().to_owned(),
        })
    }

    /// Ends a step that would exceed a limit. What is there already is no change.
    fn over_limit(&self, reached: LimitReached) -> StepResult {
        let since_ms = self.row.act_cutoff_ms(self.change);
        let known = |look: &dyn ReadTables| {
            let resource = self.step.resource.as_ref().filter(|_| self.step.ledger);
            let item = resource.map(|resource| look.item(resource)).transpose()?;
            Ok((item.flatten(), earlier_act(look, &self.step, since_ms)?))
        };
        match self.row.journal.store().read(known)? {
            (Some(item), _) => self.in_ledger(&item),
            (None, Some(owner)) if owner.state == StepState::Done => self.earlier_act(&owner),
            _ => Err(StepEnd::LimitReached(reached)),
        }
    }

    /// Uncounts the step, if it is counted: it was not carried out.
    fn withdraw(&mut self) {
        if std::mem::take(&mut self.counted) {
            self.row.withdraw(&self.step.key);
        }
    }

    fn end(&mut self, ending: Ending) -> StepResult {
        let is_unchanged = match ending {
            Ending::Done(_) | Ending::InDoubt(_) => false,
            Ending::Refused(_) => self.step.state != StepState::HalfDone,
            Ending::Failed(_) | Ending::Cancelled => true,
        };
        if is_unchanged {
            self.withdraw();
        }
        match ending {
            Ending::Done(value) => Ok(Output {
                value,
                replayed: false,
                created: true,
            }),
            Ending::Refused(value) => Err(StepEnd::Refused(value)),
            Ending::Failed(reason) => Err(StepEnd::Failed(reason)),
            Ending::InDoubt(reason) => Err(StepEnd::InDoubt {
                step: self.step.key.clone(),
                reason,
            }),
            Ending::Cancelled => Err(StepEnd::Cancelled),
        }
    }

    /// Adds the time since `began_ms`, by the steady clock, to the time that the step has waited for others.
    fn count_wait(&mut self, began_ms: i64) {
        let waited = self.row.journal.clock().steady_millis().saturating_sub(began_ms);
        self.news.waited_ms = self.news.waited_ms.saturating_add(waited);
    }

    /// Records the intent, unless the resource exists or another step is working on it.
    async fn intend(&mut self, event: StepEvent) -> Result<Input, StepResult> {
        self.boundary(Boundary::BeforeIntent);
        let sends = !self.machine.adopts();
        // What an earlier attempt may have created is a change, even if it is found now.
        if sends || self.step.attempts > 0 {
            let admitted = self.row.admit(&self.step, &self.change.limits);
            match admitted.map_err(|error| Err(error.into()))? {
                Ok(counted) => self.counted = counted,
                Err(reached) => return Err(self.over_limit(reached)),
            }
        }
        let mut step = self.step.clone();
        step.times.add(self.news);
        let write = Write::Intend {
            step: Box::new(step),
            event,
            sends,
            since_ms: self.row.act_cutoff_ms(self.change),
        };
        let reply = self.write(write).await?;
        let began_ms = self.row.journal.clock().steady_millis();
        if !matches!(reply, Reply::Intended(_)) {
            self.withdraw();
        }
        match reply {
            Reply::InLedger(item) => Err(self.in_ledger(&item)),
            Reply::Acted(owner) if owner.state == StepState::Done => Err(self.earlier_act(&owner)),
            Reply::Acted(owner) => {
                self.wait_for_act(&owner).await?;
                self.count_wait(began_ms);
                Ok(Input::Released { absent: false })
            }
            Reply::Held(holder) => {
                let absent = self.wait_for_holder(*holder).await?;
                self.count_wait(began_ms);
                Ok(Input::Released { absent })
            }
            Reply::StateMismatch(Some(step)) => self.follow(Some(&step)),
            Reply::Intended(id) => {
                self.step.id = Some(id);
                self.step.times.add(std::mem::take(&mut self.news));
                Ok(Input::Intended)
            }
            _ => Ok(Input::Intended),
        }
    }

    /// Finds out whether the resource exists on the platform before an intent says that it may be ours: if the process
    /// were killed after that, this could no longer be determined.
    async fn prepare(&self, earlier: bool) -> Result<Input, StepResult> {
        if self.cancel.is_cancelled() {
            return Err(Err(StepEnd::Cancelled));
        }
        let proceed = Ok(Input::Prepared { adopted: None });
        let Some(resource) = self.step.resource.as_ref().filter(|_| self.step.ledger) else {
            return proceed;
        };
        let store = self.row.journal.store();
        let is_known =
            |look: &dyn ReadTables| Ok(look.item(resource)?.is_some() || look.holder(resource)?.is_some());
        // A write from a moment ago may be missed here; the check below catches it before it matters.
        let known = store.read_committed(is_known);
        if known.map_err(|error| Err(error.into()))? && !self.forget_what_is_gone(resource).await? {
            return proceed;
        }
        let prepared = self.cancel.run_until_cancelled(self.attempt.prepare(earlier));
        let prepared = prepared.await.ok_or(Err(StepEnd::Cancelled))?;
        if !matches!(prepared, PrepareOutcome::Proceed)
            && store.read(is_known).map_err(|error| Err(error.into()))?
        {
            return proceed;
        }
        match prepared {
            PrepareOutcome::Proceed => proceed,
            PrepareOutcome::Adopted(value) => Ok(Input::Prepared { adopted: Some(value) }),
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
            item.step.as_ref().is_none_or(|step| step.run != self.step.run)
                && Duration::from_millis(age) > self.change.look_for
        };
        let Some(item) = item.map_err(|error| Err(error.into()))?.filter(old) else {
            return Ok(false);
        };
        let held = journal.open_item(&item).map_err(|error| Err(error.into()))?;
        let gone = self.cancel.run_until_cancelled(self.attempt.is_gone(&held)).await;
        if !gone.ok_or(Err(StepEnd::Cancelled))? {
            return Ok(false);
        }
        self.write(Write::Strike(Box::new(resource.clone()))).await?;
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
        let known = |look: &dyn ReadTables| Ok((look.item(&from)?, look.holder(&from)?));
        let (item, holder) = journal.store().read(known).map_err(|error| Err(error.into()))?;
        if let Some(holder) = holder
            .as_ref()
            .filter(|holder| !is_alone && !same_words(&holder.key))
        {
            return Err(Err(StepEnd::InDoubt {
                step: format!("{}/{}", holder.run, holder.key),
                reason: "an earlier version has left a step under the same key in doubt".into(),
            }));
        }
        let item = match item {
            Some(item) if is_alone || item.step.as_ref().is_some_and(|step| same_words(&step.key)) => {
                Some(item)
            }
            Some(item) if former.proof == Proof::LookUp && self.still_exists(&item).await? => Some(item),
            _ => None,
        };
        if holder.is_none() && item.is_none() {
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
                step: item
                    .step
                    .as_ref()
                    .map_or_else(String::new, |step| step.key.clone()),
                reason: format!("cannot look up whether the ledger has it under a former name: {reason}"),
            })),
            None => Err(Err(StepEnd::Cancelled)),
        }
    }

    /// Sends the request once. Also returns the pending request if its response is late.
    async fn send(&mut self, earlier: bool) -> (Input, Option<Boxed<'a, SendOutcome>>) {
        // From here on, dropping this future early leaves the step in doubt, and that is recorded.
        let flight = self.attempt.flight().clone();
        let stamper = Arc::new(Stamper::new(&self.row.journal, self.row.run.owner(), &self.step));
        let stamping = Arc::clone(&stamper);
        flight.arm(move |patience| {
            let stamping = Arc::clone(&stamping);
            async move { stamping.stamp(patience).await.map_err(|error| error.to_string()) }
        });
        let guard = AbandonGuard::unless_disarmed(self, || flight.has_left());
        self.boundary(Boundary::AfterIntent);
        let mut sending = self.attempt.send(earlier);
        let result = tokio::select! {
            biased;
            answer = &mut sending => Ok(answer),
            reason = flight.wait_until_late() => Err(reason),
        };
        self.boundary(Boundary::AfterSend);
        guard.disarm();
        flight.disarm();
        self.step.state = stamper.state();
        if flight.has_left() {
            self.news.left_ms = stamper.left_ms();
        }
        if !matches!(result, Err(_) | Ok(SendOutcome::LostResponse { .. })) {
            self.news.answered_ms = Some(self.now().wall_ms);
        }
        let pending = result.is_err().then_some(sending);
        let connect_ms = flight.patience().map_or(0, |patience| millis(patience.connect));
        (Input::Sent { result, connect_ms }, pending)
    }

    /// Records a transition.
    async fn record(&mut self, transition: Transition) -> Result<Input, StepResult> {
        let is_contended = transition.is_contended();
        let Transition {
            event,
            outcome,
            reason,
        } = transition;
        let reason = reason.as_ref().map(|(reason, parked)| (reason.as_str(), *parked));
        if outcome.is_some() {
            self.boundary(Boundary::BeforeOutcome);
        }
        let write = self.move_write(&self.step, event, outcome.as_ref(), reason);
        self.step.times.add(std::mem::take(&mut self.news));
        // Without a lookup, an outcome cannot be obtained again either.
        let told_once = outcome
            .as_ref()
            .is_some_and(|outcome| outcome.has_secret() || !self.change.probes)
            && !Sabotage::OutcomeLater.is_on();
        let is_intended = matches!(self.step.state, StepState::Intended { .. });
        if is_contended || told_once || !is_intended {
            match self.write(write).await? {
                Reply::StateMismatch(moved) if is_contended => return self.follow(moved.as_deref()),
                Reply::StateMismatch(_) => {
                    let step = self.step.key.clone();
                    return Err(Err(JournalError::Moved { step }.into()));
                }
                _ => {}
            }
        } else {
            self.write_later(write)?;
        }
        if outcome.is_some() {
            self.boundary(Boundary::AfterOutcome);
        }
        Ok(Input::Written(outcome))
    }

    /// Writes with the next commit. Nothing else can have moved the step, as this process holds the claim and the run.
    fn write_later(&self, write: Write) -> Result<(), StepResult> {
        let step = self.step.key.clone();
        let written = self.row.journal.store().write_later_then(
            self.row.run.submission(write),
            Box::new(move |reply| {
                if let Ok(Reply::StateMismatch(_)) = reply {
                    tracing::error!(
                        step,
                        "a step was moved by another process while it was carried out"
                    );
                }
            }),
        );
        written.map_err(|error| Err(error.into()))
    }

    /// Returns the event for a request whose sender no longer waits for it.
    pub(super) fn abandoned(&self) -> StepEvent {
        self.machine.lost(self.step.state, Loss::Gone, self.now())
    }

    /// Looks up what a lost response would have contained; `reason` is the reason it is lost.
    pub(super) async fn look(
        &self,
        step: &StepData,
        reason: &str,
        late: Option<Boxed<'_, SendOutcome>>,
    ) -> Settled {
        let own = self.machine.limits().window(self.now());
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

    /// Moves a step, on disk, unless another process or task has moved it meanwhile.
    pub(super) async fn move_step(
        &self,
        step: &mut StepData,
        event: StepEvent,
        outcome: Option<&Value>,
        reason: Option<(&str, bool)>,
    ) -> Result<Moved, StepResult> {
        let write = self.move_write(step, event, outcome, reason);
        if let Reply::StateMismatch(_) = self.write(write).await? {
            return Ok(Moved::Elsewhere);
        }
        step.state = step.state.next(event).map_err(|_| {
            Err(StepEnd::InDoubt {
                step: step.key.clone(),
                reason: ILLEGAL.to_owned(),
            })
        })?;
        Ok(Moved::Here)
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
        let inserts = match outcome {
            Some(value) if step.ledger && is_done && !Sabotage::LedgerNotWritten.is_on() => Some(Inserted {
                platform_id: self.attempt.platform_id(value),
            }),
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
        let mut times = if own { self.news } else { StepTimes::default() };
        if matches!(
            event,
            StepEvent::Found | StepEvent::GivenUp { .. } | StepEvent::LookedInVain { .. }
        ) {
            times.looked_up_ms.get_or_insert(at_ms);
        }
        Write::Move(Box::new(Move {
            times,
            outcome: outcome.map(|value| sealer.seal(&step_seal_context(step), value)),
            reason: reason.map(|(reason, _)| sealer.seal(&why_seal_context(step), &reason.into())),
            // A loss without a reason is recorded on behalf of a process that has died.
            parked: reason.map_or(matches!(event, StepEvent::AnswerLost { .. }), |(_, parked)| {
                parked
            }),
            inserts,
            removed,
            releases_act: step.act.is_some()
                && outcome.is_some_and(|answer| !self.attempt.is_carried_out(answer)),
            ..Move::new(step, event, at_ms)
        }))
    }

    async fn write(&self, write: Write) -> Result<Reply, StepResult> {
        let write = self.row.run.submission(write);
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
            let lost = self.changing.abandoned();
            let reason = ("the step was abandoned while it waited for its response", true);
            let write = if (self.has_left)() {
                self.changing.move_write(step, lost, None, Some(reason))
            } else {
                self.changing
                    .move_write(step, StepEvent::NotCarriedOut, None, None)
            };
            // The intent is on disk in any case; if this fails, others merely wait until this process ends.
            let _ = row.journal.store().write_later(row.run.submission(write));
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

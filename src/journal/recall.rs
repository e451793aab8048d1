//! Looks up what the journal knows about a step, without carrying anything out.

use super::apply::{earlier_act, is_rerun_on_retry, last_change};
use super::attempt::{EarlierResult, StepKind, StepPlan};
use super::error::JournalError;
use super::in_doubt::{InDoubt, in_doubt};
use super::limit::LIMIT;
use super::row::{RowJournal, step_seal_context};
use super::step::{StepState, Window};
use super::table::{ResourceKey, StepData};
use crate::clock::millis;
use crate::value::Value;

/// What is known about a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Recall {
    /// It was carried out; this is the outcome.
    Done(Value),
    /// It was refused.
    Refused(Value),
    /// It is not recorded, but the ledger has the requested resource or the act is remembered.
    Held(EarlierResult),
    /// Another run has left the same act in doubt: that run and step.
    Acted(String),
    /// Its response is not recorded: it would be looked up, if that is possible.
    Open {
        /// The latest time at which a request may have taken effect, in milliseconds since the Unix epoch.
        settled_ms: i64,
        /// Whether it would be sent again if it is absent then.
        resends: bool,
    },
    /// Another step on the same resource is in progress or in doubt.
    Claimed(InDoubt),
    /// Another step of the operation, with this key, is in doubt in this row.
    Blocked(String),
    /// Another act of the operation, with this key, is done in this row.
    DoneBefore(String),
    /// Nothing is known: it would be sent.
    Nothing,
}

impl RowJournal {
    /// Returns the step's key and what is known about it. Counts as requesting the step. `retrying` ignores the records
    /// that [`super::Journal::retry_failed`] forgets.
    pub fn recall(&self, plan: &StepPlan, retrying: bool) -> Result<(String, Recall), JournalError> {
        let new_step = self.ask(plan, &self.asked(plan));
        let key = new_step.key.clone();
        let recall = match self.recorded.get(&key) {
            Some(step) if retrying && is_rerun_on_retry(step, last_change(self.recorded.values())) => {
                self.recall_others(plan, &new_step)?
            }
            Some(step) if step.state.is_final() => {
                let value = match &step.outcome {
                    Some(sealed) => self.journal.open_sealed(&step_seal_context(step), sealed)?,
                    None => Value::Null,
                };
                match step.state {
                    StepState::Refused | StepState::HalfDone => Recall::Refused(value),
                    _ => Recall::Done(value),
                }
            }
            Some(step) => match step.state.window() {
                Some(window) => self.open(plan, step.state, window),
                None => self.recall_others(plan, &new_step)?,
            },
            None if matches!(plan.kind, StepKind::Read { .. }) => Recall::Nothing,
            None => match (self.unrequested_open_step(plan), self.unrequested_act(plan)) {
                (Some(open), _) => Recall::Blocked(open.key.clone()),
                (None, Some(done)) => Recall::DoneBefore(done.key.clone()),
                (None, None) => self.recall_others(plan, &new_step)?,
            },
        };
        Ok((key, recall))
    }

    /// Whether the step is recorded and still open. Counts as requesting the step.
    pub fn is_open(&self, plan: &StepPlan) -> bool {
        let key = self.ask(plan, &self.asked(plan)).key;
        self.recorded.get(&key).is_some_and(|step| step.state.is_open())
    }

    /// Whether any step of `op` is open.
    pub fn has_open(&self, op: &str) -> bool {
        let mut steps = self.recorded.values();
        steps.any(|step| step.op == op && step.state.is_open())
    }

    /// Returns the keys of recorded steps that were not requested, in the order of their first request.
    pub fn unrequested_keys(&self) -> Vec<String> {
        let mut unrequested_steps: Vec<&StepData> = self
            .unrequested_steps(|step| step.state != StepState::Absent && step.op != LIMIT)
            .collect();
        unrequested_steps.sort_by_key(|step| step.seq);
        unrequested_steps
            .into_iter()
            .map(|step| step.key.clone())
            .collect()
    }

    /// Returns the key and operation of the first open step that was not requested: its outcome is no longer awaited.
    pub fn left_open(&self) -> Option<(String, String)> {
        let open = self.first_unrequested(|step| step.state.is_open());
        open.map(|step| (step.key.clone(), step.op.clone()))
    }

    /// Returns an open step of the plan's operation that was not requested.
    pub(super) fn unrequested_open_step(&self, plan: &StepPlan) -> Option<&StepData> {
        self.first_unrequested(|step| step.op == plan.op && step.state.is_open())
    }

    /// Returns a completed act of the plan's operation that was not requested, if the plan is an act: a change that
    /// neither has a name nor can be looked up.
    pub(super) fn unrequested_act(&self, plan: &StepPlan) -> Option<&StepData> {
        let StepKind::Change(change) = &plan.kind else {
            return None;
        };
        if change.resource.is_some() || change.probes {
            return None;
        }
        let same = |step: &StepData| step.op == plan.op && step.changes && step.resource.is_none();
        self.first_unrequested(|step| same(step) && step.state == StepState::Done)
    }

    /// Returns the matching recorded steps that were not requested.
    fn unrequested_steps(&self, pick: impl Fn(&StepData) -> bool) -> impl Iterator<Item = &StepData> {
        let recorded = self.recorded.values();
        recorded.filter(move |step| pick(step) && !self.was_requested(&step.key))
    }

    /// Returns the one of them that was requested first.
    fn first_unrequested(&self, pick: impl Fn(&StepData) -> bool) -> Option<&StepData> {
        self.unrequested_steps(pick).min_by_key(|step| step.seq)
    }

    /// Whether the journal has no step of this row.
    pub fn is_blank(&self) -> bool {
        self.recorded.is_empty()
    }

    /// Returns what a resume would do about an open step.
    fn open(&self, plan: &StepPlan, state: StepState, window: Window) -> Recall {
        let now = self.journal.clock().now();
        let (patience, resends_late) = match &plan.kind {
            StepKind::Change(change) => (millis(change.patience), change.resends_late),
            StepKind::Read { .. } => (0, true),
        };
        let window = Window {
            waits_ms: window.waits_ms.or(Some(patience)),
            ..window
        };
        Recall::Open {
            settled_ms: now.plus(window.left_ms(now)).wall_ms,
            resends: state.resends(resends_late),
        }
    }

    /// Returns what other steps have done, or are doing, about the same resource or act.
    fn recall_others(&self, plan: &StepPlan, new_step: &StepData) -> Result<Recall, JournalError> {
        let StepKind::Change(change) = &plan.kind else {
            return Ok(Recall::Nothing);
        };
        let since_ms = self.act_cutoff_ms(change);
        let owner = self
            .journal
            .store()
            .read(|look| earlier_act(look, new_step, since_ms))?;
        match owner {
            Some(owner) if owner.state == StepState::Done => {
                return Ok(Recall::Held(self.journal.earlier_act(new_step, &owner)?));
            }
            Some(owner) => return Ok(Recall::Acted(format!("{}/{}", owner.run, owner.key))),
            None => {}
        }
        let Some(resource) = change.resource.as_ref().map(ResourceKey::from) else {
            return Ok(Recall::Nothing);
        };
        let read =
            |look: &dyn super::table::ReadTables| Ok((look.item(&resource)?, in_doubt(look, &resource)?));
        let (item, claim) = self.journal.store().read(read)?;
        Ok(match (item, claim) {
            (Some(item), _) => Recall::Held(self.journal.in_ledger(new_step, &item)?),
            (None, Some(claim)) => Recall::Claimed(claim),
            (None, None) => Recall::Nothing,
        })
    }
}

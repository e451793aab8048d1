//! What the journal knows of a step, without carrying anything out.

use super::apply::{acted, is_asked_anew, last_change};
use super::attempt::{Earlier, StepKind, StepPlan};
use super::doubt::{InDoubt, claimed};
use super::error::JournalError;
use super::row::{RowJournal, step_place};
use super::step::{StepState, Window};
use super::table::{StepData, Thing};
use crate::clock::millis;
use crate::value::Value;

/// What is known of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Recall {
    /// It was carried out, and this is the outcome.
    Done(Value),
    /// It was refused.
    Refused(Value),
    /// It is not recorded, and the ledger holds the thing it asks for, or the act is remembered.
    Held(Earlier),
    /// Another run has left the same act in doubt: that run and step.
    Acted(String),
    /// Its answer is not recorded: it would be looked up, where that is possible.
    Open {
        /// When a request may have landed at the latest, in milliseconds since the Unix epoch.
        settled_ms: i64,
        /// Would it be sent again if it is not there then?
        resends: bool,
    },
    /// Another step on the same thing is under way or in doubt.
    Claimed(InDoubt),
    /// Another step of the operation, whose key this is, is in doubt in this row.
    Blocked(String),
    /// Another act of the operation, whose key this is, is done in this row.
    DoneBefore(String),
    /// Nothing: it would be sent.
    Nothing,
}

impl RowJournal {
    /// The step's key and what is known of it. Counts as asking for it. `retrying` takes for forgotten what
    /// [`super::Journal::retry_failed`] forgets.
    pub fn recall(&self, plan: &StepPlan, retrying: bool) -> Result<(String, Recall), JournalError> {
        let blank = self.ask(plan, &self.asked(plan));
        let key = blank.key.clone();
        let recall = match self.recorded.get(&key) {
            Some(step) if retrying && is_asked_anew(step, last_change(self.recorded.values())) => {
                self.around(plan, &blank)?
            }
            Some(step) if step.state.is_final() => {
                let value = match &step.outcome {
                    Some(sealed) => self.journal.open_sealed(&step_place(step), sealed)?,
                    None => Value::Null,
                };
                match step.state {
                    StepState::Refused | StepState::HalfDone => Recall::Refused(value),
                    _ => Recall::Done(value),
                }
            }
            Some(step) => match step.state.window() {
                Some(window) => self.open(plan, step.state, window),
                None => self.around(plan, &blank)?,
            },
            None if matches!(plan.kind, StepKind::Read) => Recall::Nothing,
            None => match (self.open_besides(plan), self.done_besides(plan)) {
                (Some(open), _) => Recall::Blocked(open.key.clone()),
                (None, Some(done)) => Recall::DoneBefore(done.key.clone()),
                (None, None) => self.around(plan, &blank)?,
            },
        };
        Ok((key, recall))
    }

    /// Is the step recorded, and its outcome open? Counts as asking for it.
    pub fn is_open(&self, plan: &StepPlan) -> bool {
        let key = self.ask(plan, &self.asked(plan)).key;
        self.recorded.get(&key).is_some_and(|step| step.state.is_open())
    }

    /// Is any step of `op` open?
    pub fn has_open(&self, op: &str) -> bool {
        let mut steps = self.recorded.values();
        steps.any(|step| step.op == op && step.state.is_open())
    }

    /// The keys of recorded steps that were not asked for, in the order in which they were asked for once.
    pub fn unasked(&self) -> Vec<String> {
        let mut left: Vec<&StepData> = self.left(|step| step.state != StepState::Absent).collect();
        left.sort_by_key(|step| step.seq);
        left.into_iter().map(|step| step.key.clone()).collect()
    }

    /// The first open step that was not asked for, with its operation: nobody waits for its outcome any more.
    pub fn left_open(&self) -> Option<(String, String)> {
        let open = self.first_left(|step| step.state.is_open());
        open.map(|step| (step.key.clone(), step.op.clone()))
    }

    /// An open step of the plan's operation that was not asked for.
    pub(super) fn open_besides(&self, plan: &StepPlan) -> Option<&StepData> {
        self.first_left(|step| step.op == plan.op && step.state.is_open())
    }

    /// A done act of the plan's operation that was not asked for, when the plan is an act: something that is neither named
    /// nor can be looked up.
    pub(super) fn done_besides(&self, plan: &StepPlan) -> Option<&StepData> {
        let StepKind::Change(change) = &plan.kind else {
            return None;
        };
        if change.thing.is_some() || change.probes {
            return None;
        }
        let same = |step: &StepData| step.op == plan.op && step.changes && step.thing.is_none();
        self.first_left(|step| same(step) && step.state == StepState::Done)
    }

    /// The recorded steps like this that were not asked for.
    fn left(&self, like: impl Fn(&StepData) -> bool) -> impl Iterator<Item = &StepData> {
        let recorded = self.recorded.values();
        recorded.filter(move |step| like(step) && !self.was_asked(&step.key))
    }

    /// The one of them that was asked for before the others.
    fn first_left(&self, like: impl Fn(&StepData) -> bool) -> Option<&StepData> {
        self.left(like).min_by_key(|step| step.seq)
    }

    /// Does the journal hold no step of this row?
    pub fn is_blank(&self) -> bool {
        self.recorded.is_empty()
    }

    /// What a resume would do about a step that is open.
    fn open(&self, plan: &StepPlan, state: StepState, window: Window) -> Recall {
        let now = self.journal.clock().now();
        let (patience, resends_late) = match &plan.kind {
            StepKind::Change(change) => (millis(change.patience), change.resends_late),
            StepKind::Read => (0, true),
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

    /// What others have done about the thing, or have done already.
    fn around(&self, plan: &StepPlan, blank: &StepData) -> Result<Recall, JournalError> {
        let StepKind::Change(change) = &plan.kind else {
            return Ok(Recall::Nothing);
        };
        let since_ms = self.acts_since_ms(change);
        let owner = self.journal.store().read(|look| acted(look, blank, since_ms))?;
        match owner {
            Some(owner) if owner.state == StepState::Done => {
                return Ok(Recall::Held(self.journal.acted(blank, &owner)?));
            }
            Some(owner) => return Ok(Recall::Acted(format!("{}/{}", owner.run, owner.key))),
            None => {}
        }
        let Some(thing) = change.thing.as_ref().map(Thing::from) else {
            return Ok(Recall::Nothing);
        };
        let read = |look: &dyn super::table::Look| Ok((look.item(&thing)?, claimed(look, &thing)?));
        let (item, claim) = self.journal.store().read(read)?;
        Ok(match (item, claim) {
            (Some(item), _) => Recall::Held(self.journal.in_ledger(blank, &item)?),
            (None, Some(claim)) => Recall::Claimed(claim),
            (None, None) => Recall::Nothing,
        })
    }
}

//! One row's steps: what is recorded is given back, what is not is carried out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Journal;
use super::apply::Write;
use super::attempt::{Act, Attempt, Change, Output, Sending, StepEnd, StepKind, StepPlan};
use super::cancel::Cancel;
use super::change::Changing;
use super::error::JournalError;
use super::lock::RunLock;
use super::run::Rules;
use super::step::{StepEvent, StepState};
use super::table::{StepData, StepFilter};
use crate::sabotage::Sabotage;
use crate::value::Value;

/// The journal of one row. The row asks for one step after the other.
#[derive(Debug)]
pub struct RowJournal {
    pub(super) journal: Journal,
    pub(super) run: RunLock,
    position: u64,
    scope: String,
    pub(super) recorded: HashMap<String, StepData>,
    asked: Mutex<Asked>,
    /// May acts be done again that are done?
    again: bool,
    /// What the row is, whatever run it is in.
    identity: Option<Value>,
}

#[derive(Debug, Default)]
struct Asked {
    /// How often each operation was asked with the same arguments.
    same: HashMap<String, u32>,
    /// How often each act of the row was asked for.
    acts: HashMap<String, u32>,
    all: u32,
}

/// A larger outcome of a read is not recorded; a resume asks again.
const LARGEST_READ: usize = 1024 * 1024;

impl Journal {
    /// Opens a row of a run that is locked. `scope` is the row's, as the journal gave it. A fresh row has no steps yet,
    /// which spares a look; for any other the recorded steps are read, as far as they are on disk: whoever opens a row
    /// twice in one process must [flush](Journal::flush) between.
    pub fn open_row(
        &self,
        run: &RunLock,
        position: u64,
        scope: &str,
        fresh: bool,
    ) -> Result<RowJournal, JournalError> {
        let recorded = if fresh {
            Vec::new()
        } else {
            let of_row = StepFilter::Scope(scope.to_owned());
            self.store()
                .read_committed(|look| look.steps(run.id(), &of_row))?
        };
        Ok(RowJournal {
            journal: self.clone(),
            run: run.clone(),
            position,
            scope: scope.to_owned(),
            recorded: recorded
                .into_iter()
                .filter(|_| !Sabotage::RecordForgotten.is_on())
                .map(|step| (step.key.clone(), step))
                .collect(),
            asked: Mutex::default(),
            again: false,
            identity: None,
        })
    }
}

impl RowJournal {
    /// The same row, known by this in whatever run: its workflow and its parameters.
    #[must_use]
    pub fn known_by(self, identity: Option<Value>) -> RowJournal {
        RowJournal { identity, ..self }
    }

    /// The same row, which may do acts again that are done.
    #[must_use]
    pub fn again(self, again: bool) -> RowJournal {
        RowJournal { again, ..self }
    }

    /// Gives the step's recorded outcome, or carries it out and records it. Not to be dropped before it has ended: a
    /// request may be under way. If it is dropped all the same, or panics, the step is in doubt.
    pub async fn step(
        &self,
        plan: &StepPlan,
        attempt: &dyn Attempt,
        cancel: &Cancel,
    ) -> Result<Output, StepEnd> {
        let asked = self.asked(plan);
        let blank = self.ask(plan, &asked);
        let recorded = self.recorded.get(&blank.key);
        let end = match &plan.kind {
            StepKind::Read => self.read(blank, recorded, attempt, cancel).await,
            StepKind::Change(change) => {
                if let Some(end) = self.in_the_way(plan).filter(|_| recorded.is_none()) {
                    Err(end)
                } else {
                    let changing = Changing::new(self, (plan, change), attempt, cancel, blank);
                    changing.carry_out(recorded.cloned()).await
                }
            }
        };
        if matches!(end, Err(StepEnd::Failed(_) | StepEnd::DoneBefore { .. })) {
            self.take_back(plan, &asked);
        }
        end
    }

    /// The outcome or the refusal of a step that is final.
    pub(super) fn replay(&self, step: &StepData) -> Result<Output, StepEnd> {
        let value = match &step.outcome {
            Some(sealed) => self.journal.open_sealed(&step_place(step), sealed)?,
            None => Value::Null,
        };
        if matches!(step.state, StepState::Refused | StepState::HalfDone) {
            return Err(StepEnd::Refused(value));
        }
        Ok(Output {
            value,
            replayed: true,
            created: false,
        })
    }

    /// What is asked, in the words of a step's key.
    pub(super) fn asked(&self, plan: &StepPlan) -> String {
        match self.run.rules() {
            Rules::Everything => self.asked_formerly(plan),
            Rules::Request => self.in_words(&plan.op, &plan.args),
        }
    }

    /// The same, as version 1 asked.
    pub(super) fn asked_formerly(&self, plan: &StepPlan) -> String {
        self.in_words(&plan.op, &plan.former_args)
    }

    fn in_words(&self, op: &str, args: &Value) -> String {
        let digest = self.journal.sealer().digest(args);
        format!("{op}:{}", digest.get(..12).unwrap_or(&digest))
    }

    /// The step as it is before anything is known about it.
    pub(super) fn ask(&self, plan: &StepPlan, asked: &str) -> StepData {
        let mut counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all += 1;
        let seq = counts.all;
        let occurrence = counts.same.entry(asked.to_owned()).or_default();
        *occurrence += 1;
        let occurrence = *occurrence;
        let (request, act) = match &plan.kind {
            StepKind::Read => (None, None),
            StepKind::Change(change) => (
                change
                    .request
                    .as_ref()
                    .map(|asked| self.journal.sealer().digest(asked)),
                self.act(plan, &mut counts.acts),
            ),
        };
        StepData {
            run: self.run.id().clone(),
            key: format!("{}/{asked}#{occurrence}", self.scope),
            position: self.position,
            seq,
            op: plan.op.clone(),
            changes: false,
            ledger: false,
            strikes: Vec::new(),
            state: StepState::Absent,
            thing: None,
            request,
            act,
            attempts: 0,
            started_ms: self.journal.clock().now_millis(),
            ended_ms: None,
            outcome: None,
            why: None,
        }
    }

    /// The key under which the plan's act is remembered. The row's own acts that are the same are counted.
    fn act(&self, plan: &StepPlan, counts: &mut HashMap<String, u32>) -> Option<String> {
        if let StepKind::Change(Change {
            act: Some(Act::Keyed(key)),
            ..
        }) = &plan.kind
        {
            let known_by = Value::List(vec![plan.op.as_str().into(), key.clone()]);
            return Some(self.journal.sealer().digest(&known_by));
        }
        let act = self.act_of_row(plan)?;
        let times = counts.entry(act.clone()).or_default();
        *times += 1;
        Some(format!("{act}#{times}"))
    }

    fn act_of_row(&self, plan: &StepPlan) -> Option<String> {
        let StepKind::Change(change) = &plan.kind else {
            return None;
        };
        let Some(Act::OfRow(asked, _)) = &change.act else {
            return None;
        };
        let row = self.identity.clone()?;
        let known_by = Value::List(vec![row, plan.op.as_str().into(), asked.clone()]);
        Some(self.journal.sealer().digest(&known_by))
    }

    /// An act that was done before this moment is forgotten.
    pub(super) fn acts_since_ms(&self, change: &Change) -> i64 {
        match &change.act {
            Some(Act::OfRow(..)) if self.again => i64::MAX,
            Some(Act::OfRow(_, within)) => {
                let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
                self.journal.clock().now_millis().saturating_sub(within)
            }
            _ => i64::MIN,
        }
    }

    /// Has the row asked for the step with this key?
    pub(super) fn was_asked(&self, key: &str) -> bool {
        let counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        split(key).is_some_and(|(asked, occurrence)| {
            let occurrence = occurrence.parse::<u32>().unwrap_or(u32::MAX);
            counts.same.get(asked).is_some_and(|times| occurrence <= *times)
        })
    }

    /// How often has the row asked for this?
    pub fn times_asked(&self, plan: &StepPlan) -> u32 {
        let asked = self.asked(plan);
        let counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        counts.same.get(&asked).copied().unwrap_or_default()
    }

    /// How the step that is asked for next in these words is recorded. Does not count as asking for it.
    pub fn recorded_state(&self, plan: &StepPlan) -> Option<StepState> {
        let asked = self.asked(plan);
        let next = self.times_asked(plan) + 1;
        let key = format!("{}/{asked}#{next}", self.scope);
        self.recorded.get(&key).map(|step| step.state)
    }

    /// A step that failed is not recorded, so it does not count either: when the script asks again and succeeds, a
    /// resume, which does not see the failure, must find that success under the same key.
    fn take_back(&self, plan: &StepPlan, asked: &str) {
        let mut counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(act) = self.act_of_row(plan)
            && let Some(times) = counts.acts.get_mut(&act)
        {
            *times = times.saturating_sub(1);
        }
        if let Some(occurrence) = counts.same.get_mut(asked) {
            *occurrence = occurrence.saturating_sub(1);
        }
    }

    /// What keeps a change that is not recorded from being sent: the script is another one, or has come to another
    /// decision, and does not ask for what is recorded.
    fn in_the_way(&self, plan: &StepPlan) -> Option<StepEnd> {
        if let Some(open) = self.open_besides(plan) {
            return Some(StepEnd::InDoubt {
                step: open.key.clone(),
                why: "an earlier step of the same operation is in doubt, and the script asks for another one"
                    .into(),
            });
        }
        let done = self.done_besides(plan).filter(|_| !self.again)?;
        Some(StepEnd::DoneBefore {
            step: done.key.clone(),
        })
    }

    async fn read(
        &self,
        blank: StepData,
        recorded: Option<&StepData>,
        attempt: &dyn Attempt,
        cancel: &Cancel,
    ) -> Result<Output, StepEnd> {
        if let Some(step) = recorded.filter(|step| step.state.is_final()) {
            return self.replay(step);
        }
        self.journal.store().healthy()?;
        // Reading harms nobody, so it may be given up half-way.
        let (event, value) = match cancel.or(attempt.send(false)).await {
            None => return Err(StepEnd::Cancelled),
            Some(Sending::Failed(why) | Sending::PutOff(why)) => return Err(StepEnd::Failed(why)),
            Some(Sending::Lost { why, .. }) => return Err(StepEnd::Failed(Value::Text(why))),
            Some(Sending::Done(value)) => (StepEvent::Known, value),
            Some(Sending::Refused(value) | Sending::HalfDone(value)) => (StepEvent::KnownRefused, value),
        };
        self.record(blank, event, &value, LARGEST_READ)?;
        match event {
            StepEvent::KnownRefused => Err(StepEnd::Refused(value)),
            _ => Ok(Output {
                value,
                replayed: false,
                created: false,
            }),
        }
    }

    /// Records what is known without a request that changes anything, with the next commit.
    pub(super) fn record(
        &self,
        mut step: StepData,
        event: StepEvent,
        value: &Value,
        largest: usize,
    ) -> Result<(), JournalError> {
        let sealed = self.journal.sealer().seal(&step_place(&step), value);
        if sealed.len() > largest {
            return Ok(());
        }
        step.outcome = Some(sealed);
        step.ended_ms = Some(self.journal.clock().now_millis());
        self.journal.store().write_later(Write::Record {
            step: Box::new(step),
            event,
        })
    }
}

/// What was asked for in a step's key, and how often before.
pub(super) fn split(key: &str) -> Option<(&str, &str)> {
    key.split_once('/').and_then(|(_, asked)| asked.rsplit_once('#'))
}

/// Where a step's outcome belongs.
pub(super) fn step_place(step: &StepData) -> String {
    format!("run {} step {}", step.run, step.key)
}

/// Where the reason of a step's doubt belongs.
pub(super) fn why_place(step: &StepData) -> String {
    format!("run {} step {} why", step.run, step.key)
}

//! The steps of one row: recorded ones are replayed, others are carried out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::Journal;
use super::apply::Write;
use super::attempt::{Act, Attempt, Change, Output, SendOutcome, StepEnd, StepKind, StepPlan};
use super::change::ChangingStep;
use super::error::JournalError;
use super::lock::RunLock;
use super::run::{Rules, RunId};
use super::step::{StepEvent, StepState};
use super::table::{StepData, StepFilter, StepTimes};
use crate::sabotage::Sabotage;
use crate::value::Value;

/// The journal of one row. The row requests one step at a time.
#[derive(Debug)]
pub struct RowJournal {
    pub(super) journal: Journal,
    pub(super) run: RunLock,
    position: u64,
    scope: String,
    pub(super) recorded: HashMap<String, StepData>,
    asked: Mutex<RequestCounts>,
    /// Whether completed acts may be done again.
    again: bool,
    /// The row's identity across runs.
    identity: Option<Value>,
}

#[derive(Debug, Default)]
struct RequestCounts {
    /// How often each operation was requested with the same arguments.
    occurrences: HashMap<String, u32>,
    /// How often each act of the row was requested.
    acts: HashMap<String, u32>,
    all: u32,
}

/// The largest outcome of a read, in bytes, that is recorded; larger reads are repeated by a resume.
const MAX_READ_BYTES: usize = 1024 * 1024;

impl Journal {
    /// Opens a row of a locked run. `scope` is the row's, as returned by the journal. A fresh row has no steps yet,
    /// which saves a read; for any other, the recorded steps are read as far as they are on disk. To open a row twice
    /// in one process, [flush](Journal::flush) in between.
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
            let of_row = StepFilter::Row(position);
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
                .filter(|step| step.key.split_once('/').is_some_and(|(of, _)| of == scope))
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
    /// Sets the row's identity across runs: its workflow and its parameters.
    #[must_use]
    pub fn known_by(self, identity: Option<Value>) -> RowJournal {
        RowJournal { identity, ..self }
    }

    /// Sets whether the row may repeat completed acts.
    #[must_use]
    pub fn again(self, again: bool) -> RowJournal {
        RowJournal { again, ..self }
    }

    /// Returns the step's recorded outcome, or carries the step out and records it. Must not be dropped before it
    /// completes, as a request may be in progress. If it is dropped anyway, or panics, the step is in doubt.
    pub async fn step(
        &self,
        plan: &StepPlan,
        attempt: &dyn Attempt,
        cancel: &CancellationToken,
    ) -> Result<Output, StepEnd> {
        let asked = self.asked(plan);
        let new_step = self.ask(plan, &asked);
        let recorded = self.recorded.get(&new_step.key);
        let end = match &plan.kind {
            StepKind::Read { keeps_all } => {
                let largest = if *keeps_all { usize::MAX } else { MAX_READ_BYTES };
                self.read((new_step, largest), recorded, attempt, cancel).await
            }
            StepKind::Change(change) => {
                if let Some(end) = self.change_blocker(plan).filter(|_| recorded.is_none()) {
                    Err(end)
                } else {
                    let changing = ChangingStep::new(self, (plan, change), attempt, cancel, new_step);
                    changing.carry_out(recorded.cloned()).await
                }
            }
        };
        if matches!(
            end,
            Err(StepEnd::Failed(_) | StepEnd::DoneBefore { .. } | StepEnd::LimitReached(_))
        ) {
            self.uncount_request(plan, &asked);
        }
        end
    }

    /// Returns the outcome or the refusal of a final step.
    pub(super) fn replay(&self, step: &StepData) -> Result<Output, StepEnd> {
        let value = match &step.outcome {
            Some(sealed) => self.journal.open_sealed(&step_seal_context(step), sealed)?,
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

    /// Returns the request as it appears in a step's key.
    pub(super) fn asked(&self, plan: &StepPlan) -> String {
        match self.run.rules() {
            Rules::Everything => self.request_key_v1(plan),
            Rules::Request => self.describe_request(&plan.op, &plan.args),
        }
    }

    /// Returns the request as it appears in the keys of version 1.
    pub(super) fn request_key_v1(&self, plan: &StepPlan) -> String {
        self.describe_request(&plan.op, &plan.former_args)
    }

    fn describe_request(&self, op: &str, args: &Value) -> String {
        let digest = self.journal.sealer().digest(args);
        format!("{op}:{}", digest.get(..12).unwrap_or(&digest))
    }

    /// Returns the initial record of a step, and counts the request.
    pub(super) fn ask(&self, plan: &StepPlan, asked: &str) -> StepData {
        let mut counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all += 1;
        let seq = counts.all;
        let occurrence = counts.occurrences.entry(asked.to_owned()).or_default();
        *occurrence += 1;
        let occurrence = *occurrence;
        let (request, act) = match &plan.kind {
            StepKind::Read { .. } => (None, None),
            StepKind::Change(change) => (
                change
                    .request
                    .as_ref()
                    .map(|asked| self.journal.sealer().digest(asked)),
                self.act(plan, &mut counts.acts),
            ),
        };
        StepData {
            id: None,
            run: self.run.id().clone(),
            key: format!("{}/{asked}#{occurrence}", self.scope),
            position: self.position,
            seq,
            op: plan.op.clone(),
            changes: false,
            ledger: false,
            ledger_removals: Vec::new(),
            state: StepState::Absent,
            parked: false,
            resource: None,
            request,
            act,
            attempts: 0,
            times: StepTimes {
                asked_ms: self.journal.clock().now_millis(),
                ..StepTimes::default()
            },
            outcome: None,
            reason: None,
        }
    }

    /// Returns the key under which the plan's act is remembered. Identical acts of the row are numbered.
    fn act(&self, plan: &StepPlan, counts: &mut HashMap<String, u32>) -> Option<String> {
        if let StepKind::Change(Change {
            act: Some(Act::Keyed(key)),
            ..
        }) = &plan.kind
        {
            let known_by = Value::List(vec![plan.op.as_str().into(), key.clone()]);
            return Some(self.journal.sealer().digest(&known_by));
        }
        let act = self.row_act_digest(plan)?;
        let times = counts.entry(act.clone()).or_default();
        *times += 1;
        Some(format!("{act}#{times}"))
    }

    fn row_act_digest(&self, plan: &StepPlan) -> Option<String> {
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

    /// Returns the time, in milliseconds, before which a completed act no longer counts.
    pub(super) fn act_cutoff_ms(&self, change: &Change) -> i64 {
        match &change.act {
            Some(Act::OfRow(..)) if self.again => i64::MAX,
            Some(Act::OfRow(_, within)) => {
                let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
                self.journal.clock().now_millis().saturating_sub(within)
            }
            _ => i64::MIN,
        }
    }

    /// Whether the row has requested the step with this key.
    pub(super) fn was_requested(&self, key: &str) -> bool {
        let counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        split(key).is_some_and(|(asked, occurrence)| {
            let occurrence = occurrence.parse::<u32>().unwrap_or(u32::MAX);
            counts
                .occurrences
                .get(asked)
                .is_some_and(|times| occurrence <= *times)
        })
    }

    /// Returns how often the row has requested this.
    pub fn request_count(&self, plan: &StepPlan) -> u32 {
        let asked = self.asked(plan);
        let counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        counts.occurrences.get(&asked).copied().unwrap_or_default()
    }

    /// Returns the recorded state of the step that the next such request refers to. Does not count as a request.
    pub fn recorded_state(&self, plan: &StepPlan) -> Option<StepState> {
        let asked = self.asked(plan);
        let next = self.request_count(plan) + 1;
        let key = format!("{}/{asked}#{next}", self.scope);
        self.recorded.get(&key).map(|step| step.state)
    }

    /// Uncounts a request that failed. Failures are not recorded: if the script retries and succeeds, a resume, which
    /// does not see the failure, must find that success under the same key.
    fn uncount_request(&self, plan: &StepPlan, asked: &str) {
        let mut counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(act) = self.row_act_digest(plan)
            && let Some(times) = counts.acts.get_mut(&act)
        {
            *times = times.saturating_sub(1);
        }
        if let Some(occurrence) = counts.occurrences.get_mut(asked) {
            *occurrence = occurrence.saturating_sub(1);
        }
    }

    /// Returns what prevents an unrecorded change from being sent: the script was edited, or took another branch, and
    /// does not request a recorded step.
    fn change_blocker(&self, plan: &StepPlan) -> Option<StepEnd> {
        if let Some(open) = self.unrequested_open_step(plan) {
            return Some(StepEnd::InDoubt {
                step: open.key.clone(),
                reason:
                    "an earlier step of the same operation is in doubt, and the script asks for another one"
                        .into(),
            });
        }
        let done = self.unrequested_act(plan).filter(|_| !self.again)?;
        Some(StepEnd::DoneBefore {
            step: done.key.clone(),
        })
    }

    async fn read(
        &self,
        (new_step, largest): (StepData, usize),
        recorded: Option<&StepData>,
        attempt: &dyn Attempt,
        cancel: &CancellationToken,
    ) -> Result<Output, StepEnd> {
        if let Some(step) = recorded.filter(|step| step.state.is_final()) {
            return self.replay(step);
        }
        self.journal.store().check_writable()?;
        self.run.owner().check()?;
        // A read is harmless, so it may be aborted at any point.
        let (event, value) = match cancel.run_until_cancelled(attempt.send(false)).await {
            None => return Err(StepEnd::Cancelled),
            Some(SendOutcome::Failed(reason) | SendOutcome::Throttled(reason)) => {
                return Err(StepEnd::Failed(reason));
            }
            Some(SendOutcome::LostResponse { reason, .. }) => {
                return Err(StepEnd::Failed(Value::Text(reason)));
            }
            Some(SendOutcome::Done(value)) => (StepEvent::Known, value),
            Some(SendOutcome::Refused(value) | SendOutcome::HalfDone(value)) => {
                (StepEvent::KnownRefused, value)
            }
        };
        let mut new_step = new_step;
        new_step.times.answered_ms = Some(self.journal.clock().now_millis());
        self.record(new_step, event, &value, largest)?;
        match event {
            StepEvent::KnownRefused => Err(StepEnd::Refused(value)),
            _ => Ok(Output {
                value,
                replayed: false,
                created: false,
            }),
        }
    }

    /// Records an outcome that is known without a changing request, with the next commit.
    pub(super) fn record(
        &self,
        mut step: StepData,
        event: StepEvent,
        value: &Value,
        largest: usize,
    ) -> Result<(), JournalError> {
        let sealed = self.journal.sealer().seal(&step_seal_context(&step), value);
        if sealed.len() > largest {
            return Ok(());
        }
        step.outcome = Some(sealed);
        step.times.ended_ms = Some(self.journal.clock().now_millis());
        self.journal
            .store()
            .write_later(self.run.submission(Write::Record {
                step: Box::new(step),
                event,
            }))
    }
}

/// Splits a step's key into the request and its occurrence number.
pub(super) fn split(key: &str) -> Option<(&str, &str)> {
    key.split_once('/').and_then(|(_, asked)| asked.rsplit_once('#'))
}

/// Returns the place a step's outcome is sealed for.
pub(super) fn step_seal_context(step: &StepData) -> String {
    outcome_seal_context(&step.run, &step.key)
}

/// The same for the step with this key.
pub(super) fn outcome_seal_context(run: &RunId, key: &str) -> String {
    format!("run {run} step {key}")
}

/// Returns the place that the reason of a step's doubt is sealed for.
pub(super) fn why_seal_context(step: &StepData) -> String {
    format!("run {} step {} why", step.run, step.key)
}

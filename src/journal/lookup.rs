//! Finds out whether a step was carried out, without ever sending it again.

use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, StepEnd, StepKind, StepPlan};
use super::change::{ChangingStep, Moved, StepResult};
use super::error::JournalError;
use super::row::RowJournal;
use super::settle::Settled;
use super::step::{StepEvent, StepState};
use super::table::StepData;

/// The result of looking up a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupOutcome {
    /// Nothing was open: the step is final, or nothing of it was sent.
    Known,
    /// A lookup found that it was carried out.
    Found,
    /// A lookup after its window found nothing. It is abandoned.
    Absent,
    /// It cannot be determined: why, as a sentence without a full stop.
    Open(String),
    /// The user cancelled the lookup.
    Stopped,
}

impl RowJournal {
    /// Settles a recorded step by a lookup. Counts as requesting the step.
    pub async fn close(
        &self,
        plan: &StepPlan,
        attempt: &dyn Attempt,
        cancel: &CancellationToken,
    ) -> Result<LookupOutcome, JournalError> {
        let StepKind::Change(change) = &plan.kind else {
            return Ok(LookupOutcome::Known);
        };
        let new_step = self.ask(plan, &self.asked(plan));
        let Some(recorded) = self.recorded.get(&new_step.key).cloned() else {
            return Ok(LookupOutcome::Known);
        };
        if !recorded.state.is_open() {
            return Ok(LookupOutcome::Known);
        }
        let changing = ChangingStep::new(self, (plan, change), attempt, cancel, new_step);
        match changing.close(recorded, change.probes).await {
            Ok(closed) => Ok(closed),
            Err(Err(StepEnd::Journal(error))) => Err(error),
            // Another process or task has settled it meanwhile.
            Err(_) => Ok(LookupOutcome::Known),
        }
    }
}

impl ChangingStep<'_> {
    async fn close(&self, mut step: StepData, probes: bool) -> Result<LookupOutcome, StepResult> {
        let reason = match step.state {
            StepState::Intended { .. } => Some(("the session ended before the response arrived", true)),
            _ => None,
        };
        let lost = self.abandoned();
        if self.move_step(&mut step, lost, None, reason).await? == Moved::Elsewhere {
            return Ok(LookupOutcome::Known);
        }
        if !probes {
            return Ok(LookupOutcome::Open(
                "provisor cannot find out whether it was carried out".into(),
            ));
        }
        Ok(match self.look(&step, "its response was lost", None).await {
            Settled::Found(value) => {
                self.move_step(&mut step, StepEvent::Found, Some(&value), None)
                    .await?;
                LookupOutcome::Found
            }
            Settled::Absent { looked_up_at } => {
                self.move_step(&mut step, StepEvent::GivenUp { looked_up_at }, None, None)
                    .await?;
                LookupOutcome::Absent
            }
            Settled::Unsettled(reason) => LookupOutcome::Open(reason),
            // No late response is awaited here.
            Settled::Answered(_) => LookupOutcome::Known,
            Settled::Cancelled => LookupOutcome::Stopped,
        })
    }
}

//! Finding out what became of a step, without ever sending it again.

use super::attempt::{Attempt, StepEnd, StepKind, StepPlan};
use super::cancel::Cancel;
use super::change::Changing;
use super::error::JournalError;
use super::row::RowJournal;
use super::settle::Settled;
use super::step::{Loss, StepEvent, StepState};

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupOutcome {
    /// Nothing was open: it is final, or nothing of it was sent.
    Known,
    /// A look-up found that it was carried out.
    Found,
    /// A look-up after its window found nothing. It is given up.
    Absent,
    /// It cannot be told: why, in a sentence without a full stop.
    Open(String),
    /// The user stopped the look-up.
    Stopped,
}

impl RowJournal {
    /// Settles a recorded step by looking. Counts as asking for it.
    pub async fn close(
        &self,
        plan: &StepPlan,
        attempt: &dyn Attempt,
        cancel: &Cancel,
    ) -> Result<LookupOutcome, JournalError> {
        let StepKind::Change(change) = &plan.kind else {
            return Ok(LookupOutcome::Known);
        };
        let blank = self.ask(plan, &self.asked(plan));
        let Some(recorded) = self.recorded.get(&blank.key).cloned() else {
            return Ok(LookupOutcome::Known);
        };
        if !recorded.state.is_open() {
            return Ok(LookupOutcome::Known);
        }
        let changing = Changing::new(self, (plan, change), attempt, cancel, blank);
        match changing.close(recorded, change.probes).await {
            Ok(closed) => Ok(closed),
            Err(Err(StepEnd::Journal(error))) => Err(error),
            // Somebody else has settled it meanwhile.
            Err(_) => Ok(LookupOutcome::Known),
        }
    }
}

impl Changing<'_> {
    async fn close(
        &self,
        mut step: super::table::StepData,
        probes: bool,
    ) -> Result<LookupOutcome, super::change::Ended> {
        let why = match step.state {
            StepState::Intended { .. } => Some(("the session ended before its answer came", true)),
            _ => None,
        };
        let lost = self.lost(Loss::Gone);
        if self.move_step(&mut step, lost, None, why).await?.is_some() {
            return Ok(LookupOutcome::Known);
        }
        if !probes {
            return Ok(LookupOutcome::Open(
                "provisor cannot find out whether it was carried out".into(),
            ));
        }
        Ok(match self.look(&step, "its answer was lost", None).await {
            Settled::Found(value) => {
                self.move_step(&mut step, StepEvent::Found, Some(&value), None)
                    .await?;
                LookupOutcome::Found
            }
            Settled::Absent { looked } => {
                self.move_step(&mut step, StepEvent::GivenUp { looked }, None, None)
                    .await?;
                LookupOutcome::Absent
            }
            Settled::Unsettled(why) => LookupOutcome::Open(why),
            // Nobody listens any more.
            Settled::Answered(_) => LookupOutcome::Known,
            Settled::Cancelled => LookupOutcome::Stopped,
        })
    }
}

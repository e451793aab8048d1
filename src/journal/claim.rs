//! Waits for another step that holds the same resource, or settles that step if its process has died.

use std::time::Duration;

use super::attempt::StepEnd;
use super::change::{ChangingStep, Moved, StepResult};
use super::lock::WaitNote;
use super::run::RunId;
use super::settle::Settled;
use super::step::{StepEvent, StepState};
use super::table::StepData;
use crate::sabotage::Sabotage;
use crate::waiting::{Wait, Waiting};

const FIRST_POLL: Duration = Duration::from_millis(50);
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);

impl ChangingStep<'_> {
    /// Waits for another step on the same resource, or settles it if no process is working on it any more. Returns
    /// whether it was looked for and not found after its window.
    pub(super) async fn wait_for_holder(&self, mut holder: StepData) -> Result<bool, StepResult> {
        let locks = self.row.journal.locks();
        // Steps of this process take turns, so if one of them still holds the resource, it is not active.
        let is_at_work = !holder.parked
            && !locks.is_held_here(&holder.run)
            && locks.is_alive(&holder.run)
            && !Sabotage::LivingTakenForDead.is_on();
        if is_at_work {
            return self.wait_for(&holder).await.map(|()| false);
        }
        let named = format!("{}/{}", holder.run, holder.key);
        let doubt = |reason: String| {
            Err(StepEnd::InDoubt {
                step: named.clone(),
                reason,
            })
        };
        if !self.change.probes {
            return Err(doubt("an earlier step on the same thing is in doubt".to_owned()));
        }
        if self.move_step(&mut holder, self.abandoned(), None, None).await? == Moved::Elsewhere {
            return Ok(false);
        }
        let value = match self.look(&holder, "another run left it in doubt", None).await {
            Settled::Cancelled => return Err(Err(StepEnd::Cancelled)),
            Settled::Unsettled(reason) => return Err(doubt(reason)),
            Settled::Absent { looked_up_at } => {
                self.move_step(&mut holder, StepEvent::GivenUp { looked_up_at }, None, None)
                    .await?;
                return Ok(true);
            }
            Settled::Found(value) => value,
            // No response to another step's request is awaited here.
            Settled::Answered(_) => return Ok(false),
        };
        self.move_step(&mut holder, StepEvent::Found, Some(&value), None)
            .await?;
        Ok(false)
    }

    /// Waits until the same act in another run has ended. An act in doubt needs a person's decision.
    pub(super) async fn wait_for_act(&self, owner: &StepData) -> Result<(), StepResult> {
        let journal = &self.row.journal;
        let locks = journal.locks();
        let mut pause = FIRST_POLL;
        let (mut waited, mut wait_notice) = (Duration::ZERO, None);
        let mut now = Some(owner.clone());
        // Acts of this process take turns.
        while let Some(step) = now
            .as_ref()
            .filter(|step| matches!(step.state, StepState::Intended { .. }))
            && !locks.is_held_here(&step.run)
            && locks.is_alive(&step.run)
        {
            if waited >= journal.waits().report_threshold() && wait_notice.is_none() {
                wait_notice = Some(self.report_wait(&owner.run, &format!("does the same `{}`", owner.op)));
            }
            waited += pause;
            pause = self.sleep(pause).await?;
            let look = journal
                .store()
                .read(|look| look.step_of_row(&owner.run, owner.position, &owner.key));
            now = look.map_err(|error| Err(error.into()))?;
        }
        match now {
            Some(step) if step.state != StepState::Done && step.state.is_remembered() => {
                Err(Err(StepEnd::InDoubt {
                    step: format!("{}/{}", step.run, step.key),
                    reason: format!(
                        "run {0} has left the same act in doubt; settle it there: provisor runs show {0}",
                        step.run
                    ),
                }))
            }
            _ => Ok(()),
        }
    }

    /// Sleeps between two polls, and returns the next pause.
    async fn sleep(&self, pause: Duration) -> Result<Duration, StepResult> {
        let slept = self.row.journal.clock().sleep(pause);
        let slept = self.cancel.run_until_cancelled(slept).await;
        slept.ok_or(Err(StepEnd::Cancelled))?;
        Ok((pause * 2).min(MAX_POLL_INTERVAL))
    }

    /// Waits until a running process's step releases the resource or is parked.
    async fn wait_for(&self, holder: &StepData) -> Result<(), StepResult> {
        let Some(resource) = &holder.resource else {
            return Ok(());
        };
        let journal = &self.row.journal;
        let mut pause = FIRST_POLL;
        let (mut waited, mut wait_notice) = (Duration::ZERO, None);
        loop {
            if waited >= journal.waits().report_threshold() && wait_notice.is_none() {
                let work = format!("is working on {} {}", resource.kind, resource.name);
                wait_notice = Some(self.report_wait(&holder.run, &work));
            }
            waited += pause;
            pause = self.sleep(pause).await?;
            let now = journal.store().read(|look| look.holder(resource));
            let now = now.map_err(|error| Err(error.into()))?;
            let still = now.is_some_and(|now| now.id == holder.id && now.parked == holder.parked);
            if !still || !journal.locks().is_alive(&holder.run) {
                return Ok(());
            }
        }
    }

    /// Reports that the run waits for another one, which does `does`, until the returned guards are dropped.
    fn report_wait(&self, other: &RunId, does: &str) -> (Waiting, WaitNote) {
        let (journal, own) = (&self.row.journal, self.row.run.id());
        let holder = journal.locks().holder(other);
        let holder = holder.map_or(String::new(), |pid| format!(" (process {pid})"));
        let sentence = format!("run {own} waits for run {other}{holder}, which {does}");
        let note = journal.locks().note_wait(own, &sentence);
        (journal.waits().begin(Wait::for_long(sentence)), note)
    }
}

//! A person's decision about a step in doubt, and its later correction.

use std::collections::HashSet;

use super::Journal;
use super::apply::{Inserted, Move, Reply, Write};
use super::change::platform_id;
use super::error::JournalError;
use super::lock::RunLock;
use super::maintain::audit_data;
use super::record::StepRecord;
use super::row::step_seal_context;
use super::run::RunId;
use super::step::{StepEvent, StepState};
use super::table::{AuditData, StepData};
use crate::value::Value;

/// A person's decision about a step in doubt.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// It was carried out.
    Done {
        /// The outcome.
        value: Value,
        /// Whether the outcome confirms that what a removing step removes is gone.
        removes: bool,
    },
    /// It was not carried out; a resume sends it again.
    Absent,
}

/// The kind of the audit records of such decisions.
const KIND: &str = "resolve";

/// The text after the step's name in those records, and whether it marks the step as done.
const OUTCOME_SUFFIXES: [(&str, bool); 4] = [
    (" corrected to done", true),
    (" corrected to absent", false),
    (" done", true),
    (" absent", false),
];

impl Journal {
    /// Records a person's decision about a step that is in doubt, half done, or done only by such a decision, and that
    /// `actor` made it. The run must not be in progress.
    pub fn resolve(&self, id: &RunId, key: &str, says: &Resolution, actor: &str) -> Result<(), JournalError> {
        let lock = self.lock_run(id)?;
        let Some(step) = self.store().read(|look| look.step_by_key(id, key))? else {
            return Err(JournalError::NoSuchStep {
                run: id.clone(),
                step: key.to_owned(),
            });
        };
        let corrected = step.state == StepState::Done && self.steps_marked_done(id)?.contains(key);
        let (event, outcome) = match (says, corrected) {
            (Resolution::Done { value, .. }, false) => (StepEvent::ResolvedDone, Some(value)),
            (Resolution::Absent, false) => (StepEvent::ResolvedAbsent, None),
            (Resolution::Done { value, .. }, true) => (StepEvent::CorrectedDone, Some(value)),
            (Resolution::Absent, true) => (StepEvent::CorrectedAbsent, None),
        };
        let word = match event {
            StepEvent::CorrectedDone => " corrected to done",
            StepEvent::CorrectedAbsent => " corrected to absent",
            _ if outcome.is_some() => " done",
            _ => " absent",
        };
        let audit = audit_data(self, KIND, actor, &Value::from(format!("{id}/{key}{word}")));
        let removes =
            event == StepEvent::ResolvedDone && matches!(says, Resolution::Done { removes: true, .. });
        self.resolve_manually(&lock, &step, event, (outcome, removes), Some(audit))?;
        drop(lock);
        Ok(())
    }

    /// Returns the steps of a run that are done by a person's decision, which may be corrected.
    pub fn resolved_steps(&self, id: &RunId) -> Result<Vec<StepRecord>, JournalError> {
        let keys = self.steps_marked_done(id)?;
        let mut steps = Vec::new();
        for key in keys {
            let step = self.store().read(|look| look.step_by_key(id, &key))?;
            if let Some(step) = step.filter(|step| step.state == StepState::Done) {
                steps.push(self.step_record(step));
            }
        }
        steps.sort_by_key(|step| (step.position, step.seq));
        Ok(steps)
    }

    /// Queues an ended row again because a person has resolved one of its steps; its other steps are answered from the
    /// journal. Returns `false`, changing nothing, if the row has not ended or the run was cancelled.
    pub fn reopen_row(&self, id: &RunId, position: u64) -> Result<bool, JournalError> {
        let lock = self.lock_run(id)?;
        let reply = self.store().write(lock.submission(Write::Reopen {
            run: id.clone(),
            position,
            at_ms: self.clock().now_millis(),
        }))?;
        drop(lock);
        Ok(matches!(reply, Reply::Counted(1..)))
    }

    /// Returns the keys of the steps whose last audit record marks them as done. Only the step's state tells whether
    /// they still are: after being marked absent it may have been sent again.
    fn steps_marked_done(&self, id: &RunId) -> Result<HashSet<String>, JournalError> {
        let prefix = format!("{id}/");
        let mut keys = HashSet::new();
        for audit in self.audits()?.iter().filter(|audit| audit.kind == KIND) {
            let what = audit.what.as_text().and_then(|what| what.strip_prefix(&prefix));
            let resolution = what.and_then(|what| {
                let mut words = OUTCOME_SUFFIXES.iter();
                words.find_map(|(word, done)| what.strip_suffix(word).map(|key| (key, *done)))
            });
            match resolution {
                Some((key, true)) => {
                    keys.insert(key.to_owned());
                }
                Some((key, false)) => {
                    keys.remove(key);
                }
                None => {}
            }
        }
        Ok(keys)
    }

    fn resolve_manually(
        &self,
        run: &RunLock,
        step: &StepData,
        event: StepEvent,
        (outcome, removes): (Option<&Value>, bool),
        audit: Option<AuditData>,
    ) -> Result<(), JournalError> {
        let at_ms = self.clock().now_millis();
        let inserts = outcome.filter(|_| step.ledger).map(|value| Inserted {
            platform_id: platform_id(value),
        });
        let change = Move {
            outcome: outcome.map(|value| self.sealer().seal(&step_seal_context(step), value)),
            reason: step.reason.clone().filter(|_| outcome.is_none()),
            parked: true,
            inserts,
            removed: if removes {
                step.ledger_removals.clone()
            } else {
                Vec::new()
            },
            audit,
            ..Move::new(step, event, at_ms)
        };
        match self
            .store()
            .write(run.submission(Write::Move(Box::new(change))))?
        {
            Reply::StateMismatch(now) => Err(JournalError::NotInDoubt {
                step: step.key.clone(),
                state: now.map_or(StepState::Absent, |step| step.state).name(),
            }),
            _ => Ok(()),
        }
    }
}

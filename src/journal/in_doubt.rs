//! Resources that may have been created without a recorded outcome.

use super::Journal;
use super::error::JournalError;
use super::run::RunId;
use super::step::StepState;
use super::table::{ReadTables, Res, ResourceKey};

/// A resource that a step may have created.
#[derive(Debug, Clone, PartialEq)]
pub struct InDoubt {
    /// The resource key.
    pub resource: ResourceKey,
    /// The step's run.
    pub run: RunId,
    /// The step's key.
    pub step: String,
    /// When its request left, by the wall clock, in milliseconds since the Unix epoch.
    pub sent_ms: i64,
}

impl Journal {
    /// Returns the resources of this account and kind whose step is in progress or in doubt.
    pub fn in_doubt(&self, account: &str, kind: &str) -> Result<Vec<InDoubt>, JournalError> {
        let mut doubts = self.all_in_doubt(kind)?;
        doubts.retain(|doubt| doubt.resource.account == account);
        Ok(doubts)
    }

    /// Returns the resources of this kind, of any account, whose step is in progress or in doubt.
    pub fn all_in_doubt(&self, kind: &str) -> Result<Vec<InDoubt>, JournalError> {
        self.store().read(|look| {
            let mut found = Vec::new();
            for claim in look.claims()? {
                if claim.resource.kind == kind {
                    found.extend(claimed(look, &claim.resource)?);
                }
            }
            Ok(found)
        })
    }
}

/// Returns the step that is working on a resource or has left it in doubt.
pub(super) fn claimed(look: &dyn ReadTables, resource: &ResourceKey) -> Res<Option<InDoubt>> {
    let Some(claim) = look.claim(resource)? else {
        return Ok(None);
    };
    let state = look.step(&claim.run, &claim.step)?.map(|step| step.state);
    let window = state.and_then(StepState::window);
    Ok(window.map(|window| InDoubt {
        resource: claim.resource,
        run: claim.run,
        step: claim.step,
        sent_ms: window.sent.wall_ms,
    }))
}

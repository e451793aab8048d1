//! Resources that may have been created without a recorded outcome.

use super::Journal;
use super::error::JournalError;
use super::run::RunId;
use super::table::{ReadTables, Res, ResourceKey, StepData};

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
        let open = self.store().read(|look| look.holders(Some(kind)))?;
        Ok(open.into_iter().filter_map(doubt).collect())
    }
}

/// Returns the step that is working on a resource or has left it in doubt.
pub(super) fn in_doubt(look: &dyn ReadTables, resource: &ResourceKey) -> Res<Option<InDoubt>> {
    Ok(look.holder(resource)?.and_then(doubt))
}

fn doubt(step: StepData) -> Option<InDoubt> {
    let window = step.state.window()?;
    Some(InDoubt {
        resource: step.resource?,
        run: step.run,
        step: step.key,
        sent_ms: window.sent.wall_ms,
    })
}

//! What may have come into being without our knowing.

use super::Journal;
use super::error::JournalError;
use super::run::RunId;
use super::step::StepState;
use super::table::{Look, Res, Thing};

/// A thing that a step may have brought into being.
#[derive(Debug, Clone, PartialEq)]
pub struct InDoubt {
    /// What it is called.
    pub thing: Thing,
    /// The step's run.
    pub run: RunId,
    /// The step's key.
    pub step: String,
    /// When its request left, by the time of day, in milliseconds since the Unix epoch.
    pub sent_ms: i64,
}

impl Journal {
    /// Things of this account and sort whose step is under way or in doubt.
    pub fn in_doubt(&self, account: &str, sort: &str) -> Result<Vec<InDoubt>, JournalError> {
        let mut doubts = self.all_in_doubt(sort)?;
        doubts.retain(|doubt| doubt.thing.account == account);
        Ok(doubts)
    }

    /// Things of this sort, of any account, whose step is under way or in doubt.
    pub fn all_in_doubt(&self, sort: &str) -> Result<Vec<InDoubt>, JournalError> {
        self.store().read(|look| {
            let mut found = Vec::new();
            for claim in look.claims()? {
                if claim.thing.sort == sort {
                    found.extend(claimed(look, &claim.thing)?);
                }
            }
            Ok(found)
        })
    }
}

/// Who is at work on a thing, or has left it in doubt.
pub(super) fn claimed(look: &dyn Look, thing: &Thing) -> Res<Option<InDoubt>> {
    let Some(claim) = look.claim(thing)? else {
        return Ok(None);
    };
    let state = look.step(&claim.run, &claim.step)?.map(|step| step.state);
    let window = state.and_then(StepState::window);
    Ok(window.map(|window| InDoubt {
        thing: claim.thing,
        run: claim.run,
        step: claim.step,
        sent_ms: window.sent.wall_ms,
    }))
}

//! The stamp of a request that leaves: on disk before its bytes go, and fresh.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Journal;
use super::apply::{Move, Reply, Write};
use super::error::JournalError;
use super::step::{StepEvent, StepState, Window};
use super::table::StepData;
use crate::clock::millis;
use crate::flight::Patience;
use crate::sabotage::Sabotage;

/// A request leaves at most this long after its stamp, in milliseconds. The window is that much longer.
pub(super) const FRESH_MS: i64 = 250;

/// So often a stamp may be too old when it has reached the disk, until the request is kept back. Each but the first is
/// made for a later time, so only a disk that takes minutes comes to that.
const MOST_STAMPS: u32 = 12;

/// Stamps the requests of a step whose intent is recorded.
///
/// Signing in, looking for what exists, or a platform that asks for patience can take longer than the window. Counted
/// from the intent, a look-up would then conclude too early that the request is lost, and send a second one.
pub(super) struct Stamper {
    journal: Journal,
    step: StepData,
    state: Mutex<StepState>,
}

impl Stamper {
    pub(super) fn new(journal: &Journal, step: &StepData) -> Stamper {
        Stamper {
            journal: journal.clone(),
            step: step.clone(),
            state: Mutex::new(step.state),
        }
    }

    /// The step as it stands since the last stamp.
    pub(super) fn state(&self) -> StepState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request that is waited for so long leaves when this has ended: when and how long are on disk, and the stamp is no
    /// older than [`FRESH_MS`], however long the disk took or the machine slept. On an error it must not leave.
    pub(super) async fn stamp(&self, patience: Patience) -> Result<(), JournalError> {
        if Sabotage::StampNotRenewed.is_on() {
            return Ok(());
        }
        let waits_ms = millis(patience.whole());
        let mut ahead_ms = 0;
        for _ in 0..=MOST_STAMPS {
            let now = self.journal.clock().now();
            if let Some(Window {
                sent,
                waits_ms: known,
                ..
            }) = self.state().window()
            {
                let age_ms = now.boot_ms.saturating_sub(sent.boot_ms);
                // A stamp further in the future was made for a time that has not come.
                let is_fresh = sent.boot == now.boot && (-ahead_ms..=FRESH_MS).contains(&age_ms);
                if is_fresh && known.is_some_and(|known| known >= waits_ms) {
                    return Ok(());
                }
            }
            let sent = now.plus(ahead_ms);
            self.renew(StepEvent::Leaves { sent, waits_ms }).await?;
            ahead_ms = (ahead_ms * 2).max(FRESH_MS);
        }
        Err(JournalError::Slow {
            limit: Duration::from_millis(FRESH_MS.unsigned_abs()),
        })
    }

    async fn renew(&self, event: StepEvent) -> Result<(), JournalError> {
        let moved = || JournalError::Moved {
            step: self.step.key.clone(),
        };
        let state = self.state().next(event).map_err(|_| moved())?;
        let write = Write::Move(Box::new(Move {
            run: self.step.run.clone(),
            key: self.step.key.clone(),
            event,
            at_ms: self.journal.clock().now_millis(),
            outcome: None,
            why: None,
            parked: false,
            item: None,
            removed: Vec::new(),
            audit: None,
            forgets: false,
        }));
        if let Reply::Elsewhere(_) = self.journal.store().write_async(write).await? {
            return Err(moved());
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(())
    }
}

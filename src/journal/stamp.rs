//! The time stamp of a request: recent, and on disk before the request is sent.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Journal;
use super::apply::{Move, Owner, Reply, Write};
use super::error::JournalError;
use super::step::{StepEvent, StepState, Window};
use super::table::StepData;
use crate::clock::millis;
use crate::flight::RequestTimeouts;
use crate::sabotage::Sabotage;

/// The maximum age of a stamp when its request is sent, in milliseconds. The window is extended by it.
pub(super) const MAX_STAMP_AGE_MS: i64 = 250;

/// How many stamps may be outdated by the time they are on disk before the request is withheld. Each after the first is
/// made for a later time, so only a disk that takes minutes reaches the limit.
const MAX_STAMPS: u32 = 12;

/// Stamps the requests of a step whose intent is recorded.
///
/// Signing in, looking for existing resources, or a rate limit can take longer than the window. Measured from the
/// intent, a lookup would conclude too early that the request is lost, and a second one would be sent.
pub(super) struct Stamper {
    journal: Journal,
    owner: Owner,
    step: StepData,
    state: Mutex<StepState>,
    /// When the last request was allowed to leave.
    left_ms: Mutex<Option<i64>>,
}

impl Stamper {
    pub(super) fn new(journal: &Journal, owner: &Owner, step: &StepData) -> Stamper {
        Stamper {
            journal: journal.clone(),
            owner: owner.clone(),
            step: step.clone(),
            state: Mutex::new(step.state),
            left_ms: Mutex::default(),
        }
    }

    /// Returns when the last request was allowed to leave, in milliseconds since the Unix epoch.
    pub(super) fn left_ms(&self) -> Option<i64> {
        *self.left_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the step's state as of the last stamp.
    pub(super) fn state(&self) -> StepState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stamps a request with these timeouts. On success it may be sent: its time and timeout are on disk, and the stamp
    /// is at most [`MAX_STAMP_AGE_MS`] old, however long the disk took or the machine slept. On an error it must not be sent.
    pub(super) async fn stamp(&self, patience: RequestTimeouts) -> Result<(), JournalError> {
        if Sabotage::StampNotRenewed.is_on() {
            return Ok(());
        }
        let waits_ms = millis(patience.whole());
        let mut ahead_ms = 0;
        for _ in 0..=MAX_STAMPS {
            let now = self.journal.clock().now();
            if let Some(Window {
                sent,
                waits_ms: known,
                ..
            }) = self.state().window()
            {
                let age_ms = now.boot_ms.saturating_sub(sent.boot_ms);
                // A stamp further ahead was made for a time that has not been reached.
                let is_fresh = sent.boot == now.boot && (-ahead_ms..=MAX_STAMP_AGE_MS).contains(&age_ms);
                if is_fresh && known.is_some_and(|known| known >= waits_ms) {
                    *self.left_ms.lock().unwrap_or_else(PoisonError::into_inner) = Some(now.wall_ms);
                    return Ok(());
                }
            }
            let sent = now.plus(ahead_ms);
            self.renew(StepEvent::Leaves { sent, waits_ms }).await?;
            ahead_ms = (ahead_ms * 2).max(MAX_STAMP_AGE_MS);
        }
        Err(JournalError::Slow {
            limit: Duration::from_millis(MAX_STAMP_AGE_MS.unsigned_abs()),
        })
    }

    async fn renew(&self, event: StepEvent) -> Result<(), JournalError> {
        let moved = || JournalError::Moved {
            step: self.step.key.clone(),
        };
        let state = self.state().next(event).map_err(|_| moved())?;
        let now_ms = self.journal.clock().now_millis();
        let write = Write::Move(Box::new(Move::new(&self.step, event, now_ms)));
        let write = self.owner.submission(write);
        if let Reply::StateMismatch(_) = self.journal.store().write_async(write).await? {
            return Err(moved());
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(())
    }
}

//! The stamp of a request that leaves: the settle time counts from it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::Journal;
use super::apply::{Move, Reply, Write};
use super::error::JournalError;
use super::step::StepEvent;
use super::table::StepData;

/// Told by an attempt right before its request leaves, each time it does.
///
/// Signing in, looking for what exists, or a platform that asks for patience can take longer than the settle time.
/// Counted from the intent, a look-up would then conclude too early that the request is lost, and send a second one.
#[derive(Clone, Default)]
pub struct Leaving(Option<Arc<Stamp>>);

struct Stamp {
    journal: Journal,
    step: StepData,
    sent_ms: AtomicI64,
    /// Was anybody told that a request leaves?
    told: AtomicBool,
}

/// A request leaves at most this long after its stamp, in milliseconds. The settle time is that much longer.
pub(super) const FRESH_MS: i64 = 250;

/// So often a stamp may be too old when it has reached the disk, until the request is kept back. Each but the first is
/// made for a later time, so only a disk that takes minutes comes to that.
const MOST_STAMPS: u32 = 12;

impl Leaving {
    /// For a request that changes nothing.
    pub(super) fn unwatched() -> Leaving {
        Leaving(None)
    }

    /// For a step whose intent is recorded.
    pub(super) fn of(journal: &Journal, step: &StepData) -> Leaving {
        let sent_ms = step.state.window().map_or(0, |(sent_ms, _)| sent_ms);
        Leaving(Some(Arc::new(Stamp {
            journal: journal.clone(),
            step: step.clone(),
            sent_ms: AtomicI64::new(sent_ms),
            told: AtomicBool::new(false),
        })))
    }

    /// A request leaves when this has ended: its time is on disk, and no older than [`FRESH_MS`], however long the disk
    /// took or the machine slept. On an error it must not leave.
    pub async fn now(&self) -> Result<(), JournalError> {
        let Some(stamp) = &self.0 else { return Ok(()) };
        stamp.told.store(true, Ordering::SeqCst);
        let mut ahead_ms = 0;
        for _ in 0..=MOST_STAMPS {
            let now_ms = stamp.journal.clock().now_millis();
            // A stamp further in the future was made before the clock was set back.
            if (-ahead_ms..=FRESH_MS).contains(&(now_ms - stamp.sent_ms.load(Ordering::SeqCst))) {
                return Ok(());
            }
            stamp.renew(now_ms + ahead_ms).await?;
            ahead_ms = (ahead_ms * 2).max(FRESH_MS);
        }
        Err(JournalError::Slow {
            limit: Duration::from_millis(FRESH_MS.unsigned_abs()),
        })
    }

    /// Can a request have left?
    pub(super) fn may_have_left(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|stamp| stamp.told.load(Ordering::SeqCst))
    }

    /// When the last request left, in milliseconds since the Unix epoch.
    pub(super) fn last_ms(&self) -> Option<i64> {
        self.0.as_ref().map(|stamp| stamp.sent_ms.load(Ordering::SeqCst))
    }
}

impl Stamp {
    async fn renew(&self, at_ms: i64) -> Result<(), JournalError> {
        let write = Write::Move(Box::new(Move {
            run: self.step.run.clone(),
            key: self.step.key.clone(),
            event: StepEvent::Leaves { at_ms },
            at_ms,
            outcome: None,
            why: None,
            parked: false,
            item: None,
            removed: None,
            audit: None,
        }));
        if let Reply::Elsewhere(_) = self.journal.store().write_async(write).await? {
            let step = self.step.key.clone();
            return Err(JournalError::Moved { step });
        }
        self.sent_ms.store(at_ms, Ordering::SeqCst);
        Ok(())
    }
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaving")
    }
}

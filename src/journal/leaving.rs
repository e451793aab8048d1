//! The stamp of a request that leaves: the settle time counts from it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

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

/// A stamp of at most this age, in milliseconds, stands.
const FRESH_MS: i64 = 250;

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

    /// A request leaves when this has ended: its time is on disk. On an error it must not leave.
    pub async fn now(&self) -> Result<(), JournalError> {
        let Some(stamp) = &self.0 else { return Ok(()) };
        stamp.told.store(true, Ordering::SeqCst);
        let at_ms = stamp.journal.clock().now_millis();
        let age = at_ms - stamp.sent_ms.load(Ordering::SeqCst);
        // A stamp in the future was made before the clock was set back.
        if (0..=FRESH_MS).contains(&age) {
            return Ok(());
        }
        let write = Write::Move(Box::new(Move {
            run: stamp.step.run.clone(),
            key: stamp.step.key.clone(),
            event: StepEvent::Leaves { at_ms },
            at_ms,
            outcome: None,
            why: None,
            parked: false,
            item: None,
            removed: None,
            audit: None,
        }));
        if let Reply::Elsewhere(_) = stamp.journal.store().write_async(write).await? {
            let step = stamp.step.key.clone();
            return Err(JournalError::Moved { step });
        }
        stamp.sent_ms.store(at_ms, Ordering::SeqCst);
        Ok(())
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

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaving")
    }
}

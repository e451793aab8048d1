//! Whether a call's request has left, and the chance to keep it back until then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const WAITS: u8 = 0;
const LEFT: u8 = 1;
const KEPT: u8 = 2;

/// The moment in which the first request of a change leaves. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Departure(Arc<AtomicU8>);

impl Departure {
    /// A request is about to leave; `false` when it was kept back before.
    pub(super) fn leave(&self) -> bool {
        let before = self
            .0
            .compare_exchange(WAITS, LEFT, Ordering::SeqCst, Ordering::SeqCst);
        before != Err(KEPT)
    }

    /// Keeps every request back; `false` when one has left already.
    pub fn keep_back(&self) -> bool {
        let before = self
            .0
            .compare_exchange(WAITS, KEPT, Ordering::SeqCst, Ordering::SeqCst);
        before != Err(LEFT)
    }

    /// Was the request kept back?
    pub(super) fn was_kept_back(&self) -> bool {
        self.0.load(Ordering::SeqCst) == KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_kept_back_or_has_left_and_that_stays() {
        let kept = Departure::default();
        assert!(kept.keep_back() && kept.keep_back());
        assert!(!kept.leave() && kept.was_kept_back());
        let left = Departure::default();
        assert!(left.leave() && left.leave(), "a request may be repeated");
        assert!(!left.keep_back() && !left.was_kept_back());
    }
}

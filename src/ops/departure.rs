//! Whether a call's request has left, and the chance to keep it back until then.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::platform::Gate;

const WAITS: u8 = 0;
const LEFT: u8 = 1;
const KEPT: u8 = 2;

/// The moment in which a change's request leaves. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Departure(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: AtomicU8,
    /// What its requests pass: tells whether one that left came back undone.
    gate: Mutex<Option<Gate>>,
}

impl Departure {
    /// Requests pass this gate from now on.
    pub(super) fn through(&self, gate: &Gate) {
        *self.gate() = Some(gate.clone());
    }

    /// A request is about to leave; `false` when it is kept back.
    pub(super) fn leave(&self) -> bool {
        let before = self.swap(WAITS, LEFT);
        before != Err(KEPT)
    }

    /// Keeps every request back; `false` when one has left and may have been carried out.
    pub fn keep_back(&self) -> bool {
        if self.swap(WAITS, KEPT) != Err(LEFT) {
            return true;
        }
        // Whoever passes the gate is counted before it asks to leave: kept back first, then counted.
        self.0.state.store(KEPT, Ordering::SeqCst);
        let untouched = self.gate().as_ref().is_some_and(Gate::is_untouched);
        if !untouched {
            self.0.state.store(LEFT, Ordering::SeqCst);
        }
        untouched
    }

    /// Was the request kept back?
    pub(super) fn was_kept_back(&self) -> bool {
        self.0.state.load(Ordering::SeqCst) == KEPT
    }

    fn swap(&self, from: u8, to: u8) -> Result<u8, u8> {
        self.0
            .state
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
    }

    fn gate(&self) -> MutexGuard<'_, Option<Gate>> {
        self.0.gate.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_request_that_came_back_undone_can_be_kept_back_again() {
        let departure = Departure::default();
        departure.through(&Gate::new(|| async { Ok(()) }));
        assert!(departure.leave());
        assert!(departure.keep_back(), "nothing is out");
        assert!(!departure.leave());
    }
}

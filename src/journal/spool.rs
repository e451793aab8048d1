//! How many rows may be on their way to the disk, so that a long input does not pile up in memory.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Messages full of rows that may be under way.
const MOST: usize = 32;

/// A gate that lets only so many in.
#[derive(Clone, Default)]
pub(super) struct Spool(Arc<(Mutex<usize>, Condvar)>);

/// A place inside, given back when it is dropped.
pub(super) struct Place(Spool);

impl Spool {
    /// Waits for a place, and takes it.
    pub(super) fn enter(&self) -> Place {
        let (inside, left) = &*self.0;
        let guard = inside.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |inside: &mut usize| *inside >= MOST;
        *left
            .wait_while(guard, full)
            .unwrap_or_else(PoisonError::into_inner) += 1;
        Place(self.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (inside, left) = &*self.0.0;
        *inside.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        left.notify_one();
    }
}

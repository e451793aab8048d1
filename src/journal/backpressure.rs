//! Backpressure: limits the rows on their way to disk, so that a long input does not pile up in memory.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The maximum number of messages with rows in progress.
const MAX_IN_FLIGHT: usize = 32;

/// A counting semaphore with a fixed limit.
#[derive(Clone, Default)]
pub(super) struct QueueSemaphore(Arc<(Mutex<usize>, Condvar)>);

/// A permit, returned when it is dropped.
pub(super) struct QueuePermit(QueueSemaphore);

impl QueueSemaphore {
    /// Waits for a permit and takes it.
    pub(super) fn enter(&self) -> QueuePermit {
        let (inside, left) = &*self.0;
        let guard = inside.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |inside: &mut usize| *inside >= MAX_IN_FLIGHT;
        *left
            .wait_while(guard, full)
            .unwrap_or_else(PoisonError::into_inner) += 1;
        QueuePermit(self.clone())
    }
}

impl Drop for QueuePermit {
    fn drop(&mut self) {
        let (inside, left) = &*self.0.0;
        *inside.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        left.notify_one();
    }
}

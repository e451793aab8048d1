//! Cancels a run.

use crate::journal;

/// Cancels a run permanently: no new step begins, reads and waits end, and the outcome of what was sent is awaited.
/// Cheap to clone and to check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(journal::Cancel);

impl Cancel {
    /// Creates a handle that is not cancelled.
    pub(crate) fn new() -> Cancel {
        Cancel::default()
    }

    /// Cancels the run. Further calls have no effect.
    pub(crate) fn request(&self) {
        self.0.cancel();
    }

    /// Whether the run is cancelled.
    pub(crate) fn requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Completes when the run is cancelled.
    pub(crate) async fn asked(&self) {
        self.0.cancelled().await;
    }

    /// Returns the signal that ends waits on cancellation.
    pub(crate) fn signal(&self) -> &journal::Cancel {
        &self.0
    }
}

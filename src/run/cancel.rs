//! How a run is asked to stop.

use crate::journal;

/// Asks a run to stop, once and for all: no new step is begun, reads and waits end, and what was sent is waited for.
/// Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(journal::Cancel);

impl Cancel {
    /// Nothing is asked yet.
    pub(crate) fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks. Asking again changes nothing.
    pub(crate) fn request(&self) {
        self.0.cancel();
    }

    /// Was it asked?
    pub(crate) fn requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Ends when it is asked.
    pub(crate) async fn asked(&self) {
        self.0.cancelled().await;
    }

    /// What ends waiting when it is asked.
    pub(crate) fn signal(&self) -> &journal::Cancel {
        &self.0
    }
}

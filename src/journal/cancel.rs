//! The user's wish to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// Becomes cancelled once, for every clone, and stays so.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Cancel {
    /// Not cancelled yet.
    pub fn new() -> Cancel {
        Cancel(Arc::new(watch::Sender::new(false)))
    }

    /// Asks everyone to stop.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Was it asked?
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it is asked.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so this ends only by a cancellation.
        let _ = receiver.wait_for(|cancelled| *cancelled).await;
    }

    /// The future's result, or `None` when the wish to stop came first.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.cancelled() => None,
            value = future => Some(value),
        }
    }
}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

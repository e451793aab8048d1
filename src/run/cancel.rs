//! How a run is asked to stop.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::journal;

/// Asks a run to stop, once and for all. Cheap to clone and to ask.
#[derive(Clone, Debug)]
pub struct Cancel {
    requested: Arc<OnceLock<Instant>>,
    /// Fires with the request.
    asked: journal::Cancel,
    /// Fires when the grace is over.
    over: journal::Cancel,
    grace: Duration,
    runtime: Handle,
}

impl Cancel {
    /// Nothing is asked yet. For `grace` after the request, rows that are under way may still start operations, so that
    /// they finish rather than stop between two steps. `runtime` keeps the time.
    pub fn new(grace: Duration, runtime: Handle) -> Cancel {
        Cancel {
            requested: Arc::default(),
            asked: journal::Cancel::new(),
            over: journal::Cancel::new(),
            grace,
            runtime,
        }
    }

    /// Asks. Asking again changes nothing.
    pub fn request(&self) {
        if self.requested.set(Instant::now()).is_err() {
            return;
        }
        self.asked.cancel();
        if self.grace.is_zero() {
            self.over.cancel();
            return;
        }
        let (over, grace) = (self.over.clone(), self.grace);
        self.runtime.spawn(async move {
            tokio::time::sleep(grace).await;
            over.cancel();
        });
    }

    /// Asks, and grants no grace.
    pub fn hurry(&self) {
        self.request();
        self.over.cancel();
    }

    /// Was it asked?
    pub fn requested(&self) -> bool {
        self.requested.get().is_some()
    }

    /// Ends when it is asked.
    pub async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// Is the grace over, too?
    pub fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }

    /// What ends waiting when the grace is over.
    pub fn over(&self) -> &journal::Cancel {
        &self.over
    }
}

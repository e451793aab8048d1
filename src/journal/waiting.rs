//! Telling whoever waits what is waited for.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long nothing is said.
pub(super) const UNTOLD: Duration = Duration::from_secs(2);

/// Passes on what is waited for. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<OnceLock<Told>>);

type Told = Box<dyn Fn(&str) + Send + Sync>;

impl Waiting {
    /// Who is told. Only the first counts.
    pub(super) fn tell_to(&self, told: impl Fn(&str) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(told));
    }

    /// Says what is waited for, in a sentence without a full stop.
    pub(super) fn tell(&self, what: &str) {
        tracing::info!("{what}");
        if let Some(told) = self.0.get() {
            told(what);
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

//! Tracks what the program is waiting for, so that it can be shown: a response, the end of a lookup, another run.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Shorter waits are not reported.
pub(crate) const REPORT_WAITS_AFTER: Duration = Duration::from_secs(3);

/// One wait.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wait {
    /// What the program waits for, in a sentence without a full stop and without secrets and queries:
    /// `waiting for an answer to POST crm.example/items`.
    pub what: String,
    /// The latest end, by the time of day, in milliseconds since the Unix epoch.
    pub until_ms: Option<i64>,
    /// The reason for the wait, where it is not obvious.
    pub reason: String,
}

impl Wait {
    /// Creates a wait whose end is unknown.
    pub fn for_long(what: impl Into<String>) -> Wait {
        Wait {
            what: what.into(),
            ..Wait::default()
        }
    }
}

type Listener = Box<dyn Fn(&Wait) + Send + Sync>;

/// The long waits of a process. Clones share them.
#[derive(Clone)]
pub struct Waits(Arc<Inner>);

struct Inner {
    report_threshold: Duration,
    listener: OnceLock<Listener>,
    now: Mutex<ActiveWaits>,
}

#[derive(Default)]
struct ActiveWaits {
    /// The number of waits so far.
    count: u64,
    waits: BTreeMap<u64, Wait>,
}

impl Default for Waits {
    fn default() -> Waits {
        Waits::after(REPORT_WAITS_AFTER)
    }
}

impl Waits {
    /// Creates a tracker that does not report waits shorter than `report_threshold`.
    pub fn after(report_threshold: Duration) -> Waits {
        Waits(Arc::new(Inner {
            report_threshold,
            listener: OnceLock::new(),
            now: Mutex::default(),
        }))
    }

    /// Sets the listener that is called for each long wait. Only the first one set counts.
    pub fn set_listener(&self, listener: impl Fn(&Wait) + Send + Sync + 'static) {
        let _ = self.0.listener.set(Box::new(listener));
    }

    /// Returns the duration from which a wait counts as long.
    pub fn report_threshold(&self) -> Duration {
        self.0.report_threshold
    }

    /// Reports a wait that has become long, or certainly will, and tracks it until the returned guard is dropped.
    pub fn begin(&self, wait: Wait) -> Waiting {
        tracing::info!(?wait, "waiting");
        if let Some(listener) = self.0.listener.get() {
            listener(&wait);
        }
        let mut now = self.now();
        now.count += 1;
        let id = now.count;
        now.waits.insert(id, wait);
        Waiting {
            waits: self.clone(),
            id,
        }
    }

    /// Does the work, and reports `wait` if it takes long.
    pub async fn track<T>(&self, wait: impl FnOnce() -> Wait, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Ok(done) = tokio::time::timeout(self.0.report_threshold, &mut work).await {
            return done;
        }
        let _waiting = self.begin(wait());
        work.await
    }

    /// Returns the oldest of the long waits, and their number.
    pub fn longest(&self) -> Option<(Wait, usize)> {
        let now = self.now();
        let (_, wait) = now.waits.first_key_value()?;
        Some((wait.clone(), now.waits.len()))
    }

    fn now(&self) -> MutexGuard<'_, ActiveWaits> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waits")
    }
}

/// A guard that keeps a wait registered until it is dropped.
#[must_use]
#[derive(Debug)]
pub struct Waiting {
    waits: Waits,
    id: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waits.now().waits.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_wait_is_announced_once_and_listed_until_it_ends() {
        let waits = Waits::after(Duration::ZERO);
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = told.clone();
        waits.set_listener(move |wait| {
            telling
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(wait.clone());
        });
        let wait = Wait::for_long("waiting for an answer");
        let known = waits.clone();
        let work = async {
            while known.longest().is_none() {
                tokio::task::yield_now().await;
            }
            known.longest()
        };
        assert_eq!(waits.track(|| wait.clone(), work).await, Some((wait.clone(), 1)));
        assert_eq!(waits.longest(), None);
        assert_eq!(*told.lock().unwrap_or_else(PoisonError::into_inner), [wait]);
    }

    #[tokio::test]
    async fn a_short_wait_is_not_announced() {
        let waits = Waits::default();
        waits.set_listener(|wait| panic!("{wait:?}"));
        assert_eq!(waits.track(Wait::default, async { 1 }).await, 1);
    }
}

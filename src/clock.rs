//! Time and chance, which tests replace.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time of day and the passing of time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock(None)
    }

    /// A clock that stands at `millis` after the Unix epoch and moves only by [`Clock::sleep`], which returns at once
    /// and adds the duration.
    pub fn frozen(millis: i64) -> Clock {
        Clock(Some(Arc::new(AtomicI64::new(millis))))
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_millis(&self) -> i64 {
        match &self.0 {
            Some(frozen) => frozen.load(Ordering::SeqCst),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_millis()).ok())
                .unwrap_or_default(),
        }
    }

    /// Ends when `duration` has passed. Needs a tokio runtime with time enabled, unless the clock is frozen.
    pub fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if let Some(frozen) = &self.0 {
            let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
            frozen.fetch_add(millis, Ordering::SeqCst);
            return Box::pin(tokio::task::yield_now());
        }
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// Identifiers and random numbers.
#[derive(Debug, Clone, Default)]
pub struct Ids(Option<Arc<std::sync::Mutex<fastrand::Rng>>>);

impl Ids {
    /// Unpredictable ones.
    pub fn random() -> Ids {
        Ids(None)
    }

    /// The same sequence for the same seed.
    pub fn seeded(seed: u64) -> Ids {
        let rng = fastrand::Rng::with_seed(seed);
        Ids(Some(Arc::new(std::sync::Mutex::new(rng))))
    }

    /// A version 4 UUID in its usual form.
    pub fn uuid(&self) -> String {
        let random = match self.lock() {
            Some(mut rng) => uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid(),
            None => uuid::Uuid::new_v4(),
        };
        random.to_string()
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        match self.lock() {
            Some(mut rng) => rng.f64(),
            None => fastrand::f64(),
        }
    }

    /// `length` characters of lower-case letters and digits that are hard to confuse.
    pub fn short(&self, length: usize) -> String {
        const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
        let pick = |index: usize| char::from(ALPHABET[index]);
        (0..length)
            .map(|_| match self.lock() {
                Some(mut rng) => pick(rng.usize(..ALPHABET.len())),
                None => pick(fastrand::usize(..ALPHABET.len())),
            })
            .collect()
    }

    fn lock(&self) -> Option<std::sync::MutexGuard<'_, fastrand::Rng>> {
        self.0
            .as_ref()
            .map(|rng| rng.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

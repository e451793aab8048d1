//! One at a time for each natural key, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::table::Thing;

/// Who is at work on what.
#[derive(Default)]
pub(super) struct Things(Mutex<HashMap<Thing, Arc<AsyncMutex<()>>>>);

/// The turn on one thing; the next one's begins when it is dropped.
pub(super) struct Turn {
    things: Arc<Things>,
    thing: Thing,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Things {
    /// Waits for the turn on a thing.
    pub(super) async fn turn(self: &Arc<Things>, thing: &Thing) -> Turn {
        let waiting = Waiting {
            things: self,
            thing,
            mutex: Arc::clone(self.lock().entry(thing.clone()).or_default()),
        };
        let guard = Arc::clone(&waiting.mutex).lock_owned().await;
        Turn {
            things: Arc::clone(self),
            thing: thing.clone(),
            guard: Some(guard),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Thing, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a thing that nobody else works on or waits for. `own` is how many references the caller has.
    fn forget(&self, thing: &Thing, own: usize) {
        let mut map = self.lock();
        if map
            .get(thing)
            .is_some_and(|mutex| Arc::strong_count(mutex) <= 1 + own)
        {
            map.remove(thing);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.guard.take());
        self.things.forget(&self.thing, 0);
    }
}

/// A wait that may be given up.
struct Waiting<'a> {
    things: &'a Things,
    thing: &'a Thing,
    mutex: Arc<AsyncMutex<()>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.things.forget(self.thing, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_taken_one_by_one_and_leave_nothing_behind() {
        let things = Arc::new(Things::default());
        let thing = Thing {
            account: "a".into(),
            sort: "tenant".into(),
            name: "n".into(),
        };
        let first = things.turn(&thing).await;
        let mut second = Box::pin(things.turn(&thing));
        assert!(futures_poll(&mut second).await.is_none());
        drop(first);
        drop(second.await);
        let waiting = things.turn(&thing).await;
        let mut given_up = Box::pin(things.turn(&thing));
        assert!(futures_poll(&mut given_up).await.is_none());
        drop(given_up);
        drop(waiting);
        assert!(things.lock().is_empty());
    }

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            value = future => Some(value),
            () = tokio::task::yield_now() => None,
        }
    }
}

//! Mutual exclusion per natural key, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::table::Thing;

/// The locks of all keys in use.
#[derive(Default)]
pub(super) struct Things(Mutex<HashMap<Thing, Arc<AsyncMutex<()>>>>);

/// The lock on one key; dropping it lets the next waiter in.
pub(super) struct Turn {
    things: Arc<Things>,
    thing: Thing,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Things {
    /// Waits for the lock on a key.
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

    /// Removes the lock of a key that nothing else holds or waits for. `own` is the number of the caller's references.
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

/// A pending wait, which may be dropped.
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

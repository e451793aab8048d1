//! Mutual exclusion per natural key, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::table::ResourceKey;

/// The locks of all keys in use.
#[derive(Default)]
pub(super) struct KeyLocks(Mutex<HashMap<ResourceKey, Arc<AsyncMutex<()>>>>);

/// The lock on one key; dropping it lets the next waiter in.
pub(super) struct KeyGuard {
    resources: Arc<KeyLocks>,
    resource: ResourceKey,
    guard: Option<OwnedMutexGuard<()>>,
}

impl KeyLocks {
    /// Waits for the lock on a key.
    pub(super) async fn lock_key(self: &Arc<KeyLocks>, resource: &ResourceKey) -> KeyGuard {
        let waiting = Waiting {
            resources: self,
            resource,
            mutex: Arc::clone(self.lock().entry(resource.clone()).or_default()),
        };
        let guard = Arc::clone(&waiting.mutex).lock_owned().await;
        KeyGuard {
            resources: Arc::clone(self),
            resource: resource.clone(),
            guard: Some(guard),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ResourceKey, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the lock of a key that nothing else holds or waits for. `own` is the number of the caller's references.
    fn forget(&self, resource: &ResourceKey, own: usize) {
        let mut map = self.lock();
        if map
            .get(resource)
            .is_some_and(|mutex| Arc::strong_count(mutex) <= 1 + own)
        {
            map.remove(resource);
        }
    }
}

impl Drop for KeyGuard {
    fn drop(&mut self) {
        drop(self.guard.take());
        self.resources.forget(&self.resource, 0);
    }
}

/// A pending wait, which may be dropped.
struct Waiting<'a> {
    resources: &'a KeyLocks,
    resource: &'a ResourceKey,
    mutex: Arc<AsyncMutex<()>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.resources.forget(self.resource, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn key_locks_are_exclusive_and_removed_even_when_waits_are_cancelled() {
        let resources = Arc::new(KeyLocks::default());
        let resource = ResourceKey {
            account: "a".into(),
            kind: "tenant".into(),
            name: "n".into(),
        };
        let first = resources.lock_key(&resource).await;
        let mut second = Box::pin(resources.lock_key(&resource));
        assert!(futures_poll(&mut second).await.is_none());
        drop(first);
        drop(second.await);
        let waiting = resources.lock_key(&resource).await;
        let mut given_up = Box::pin(resources.lock_key(&resource));
        assert!(futures_poll(&mut given_up).await.is_none());
        drop(given_up);
        drop(waiting);
        assert!(resources.lock().is_empty());
    }

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            value = future => Some(value),
            () = tokio::task::yield_now() => None,
        }
    }
}

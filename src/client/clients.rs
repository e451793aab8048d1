//! One client per account, so that all callers of an account share its tokens; and a cache of other per-account data.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{ConnectOptions, Network};

/// Creates a platform's clients: the same account always gets the same client, so that one sign-in, one refresh and one
/// refusal serve all rows. Clones share the clients.
#[derive(Clone)]
pub struct Accounts<C> {
    network: Network,
    clients: Arc<Recent<C>>,
}

impl<C: Clone> Accounts<C> {
    /// Creates an empty set whose clients will use `network`.
    pub fn new(network: Network) -> Accounts<C> {
        Accounts {
            network,
            clients: Arc::default(),
        }
    }

    /// The network, reached on `connect_options`.
    pub(super) fn network(&self, connect_options: &ConnectOptions) -> Network {
        self.network.with_connect_options(connect_options)
    }

    /// Returns the cached client for `key` if it `fits` the network on `connect_options`, else a new one. Sends
    /// nothing.
    pub(crate) fn shared(
        &self,
        key: String,
        connect_options: &ConnectOptions,
        fits: impl Fn(&C, &Network) -> bool,
        make: impl FnOnce(Network) -> C,
    ) -> C {
        let network = self.network(connect_options);
        self.clients
            .get(key, |client| fits(client, &network), || make(network.clone()))
    }
}

impl<C> fmt::Debug for Accounts<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}

/// The number of new accounts after which those not used meanwhile are dropped.
const GENERATION: usize = 512;

/// A cache by account that keeps recently used entries only, so that its size is bounded.
pub struct Recent<C> {
    known: Mutex<Generations<C>>,
}

struct Generations<C> {
    young: HashMap<String, C>,
    old: HashMap<String, C>,
}

impl<C: Clone> Recent<C> {
    /// Returns the entry for `key` if it `fits`, else creates one, which replaces it.
    pub fn get(&self, key: String, fits: impl Fn(&C) -> bool, make: impl FnOnce() -> C) -> C {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.young.get(&key).or_else(|| known.old.get(&key));
        let entry = match found.filter(|client| fits(client)) {
            Some(entry) => entry.clone(),
            None => make(),
        };
        if known.young.len() >= GENERATION && !known.young.contains_key(&key) {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(key, entry.clone());
        entry
    }
}

impl<C> Default for Recent<C> {
    fn default() -> Recent<C> {
        Recent {
            known: Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recently_used_cache_entries_are_kept_and_unused_ones_evicted() {
        let recent = Recent::default();
        let get = |key: usize| recent.get(key.to_string(), |_| true, || Arc::new(key));
        let (first, second) = (get(0), get(1));
        for key in 2..5 * GENERATION {
            get(key);
            get(0);
        }
        assert!(Arc::ptr_eq(&first, &get(0)), "asked for all the time");
        assert!(!Arc::ptr_eq(&second, &get(1)), "nobody has asked for it since");
        let known = recent.known.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(known.young.len() + known.old.len() <= 2 * GENERATION);
    }
}

//! One client per account, so that all callers of an account share its tokens.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Line, Network};

/// Hands out clients of a platform: the same account always gets the same one, so that one sign-in, one refresh and one
/// refusal serve all rows. A clone shares the clients.
#[derive(Clone)]
pub struct Accounts<C> {
    network: Network,
    clients: Arc<Clients<C>>,
}

impl<C: Clone> Accounts<C> {
    /// No clients yet; they will be made over `network`.
    pub fn new(network: Network) -> Accounts<C> {
        Accounts {
            network,
            clients: Arc::default(),
        }
    }

    /// The network, reached on `line`.
    pub(super) fn network(&self, line: &Line) -> Network {
        self.network.on(line)
    }

    /// The client kept for `key` when it `fits` the network on `line`, else a new one. Sends nothing.
    pub(super) fn shared(
        &self,
        key: String,
        line: &Line,
        fits: impl Fn(&C, &Network) -> bool,
        make: impl FnOnce(Network) -> C,
    ) -> C {
        let network = self.network(line);
        self.clients
            .get(key, |client| fits(client, &network), || make(network.clone()))
    }
}

impl<C> fmt::Debug for Accounts<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}

/// After so many new accounts those that nobody asked for meanwhile are let go; their tokens stay in the store.
const GENERATION: usize = 512;

/// The clients of a process, by account.
struct Clients<C> {
    known: Mutex<Known<C>>,
}

struct Known<C> {
    young: HashMap<String, C>,
    old: HashMap<String, C>,
}

impl<C: Clone> Clients<C> {
    /// The client kept for `key` when it `fits`, else a new one, which takes its place.
    fn get(&self, key: String, fits: impl Fn(&C) -> bool, make: impl FnOnce() -> C) -> C {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.young.get(&key).or_else(|| known.old.get(&key));
        let client = match found.filter(|client| fits(client)) {
            Some(client) => client.clone(),
            None => make(),
        };
        if known.young.len() >= GENERATION && !known.young.contains_key(&key) {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(key, client.clone());
        client
    }
}

impl<C> Default for Clients<C> {
    fn default() -> Clients<C> {
        Clients {
            known: Mutex::new(Known {
                young: HashMap::new(),
                old: HashMap::new(),
            }),
        }
    }
}

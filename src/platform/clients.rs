//! One client per account, so that all callers of an account share its tokens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// After so many new accounts those that nobody asked for meanwhile are let go; their tokens stay in the store.
const GENERATION: usize = 512;

/// The clients of a process, by account.
pub struct Clients<C> {
    known: Mutex<Known<C>>,
}

struct Known<C> {
    young: HashMap<String, C>,
    old: HashMap<String, C>,
}

impl<C: Clone> Clients<C> {
    /// The client kept for `key` when it `fits`, else a new one, which takes its place.
    pub fn get(&self, key: String, fits: impl Fn(&C) -> bool, make: impl FnOnce() -> C) -> C {
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

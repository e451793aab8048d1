//! Recorded values that could not be read: each costs itself alone, and is named.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What could not be read since the journal was opened, a sentence each without a full stop.
#[derive(Debug, Default)]
pub struct Damage(Mutex<BTreeSet<String>>);

/// More of them are not kept: they tell nothing new, and a journal may hold millions.
const MOST: usize = 100;

impl Damage {
    /// The first hundred in the order of their names.
    pub fn sentences(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn note(&self, sentence: String) {
        let mut noted = self.lock();
        if noted.len() < MOST {
            noted.insert(sentence);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

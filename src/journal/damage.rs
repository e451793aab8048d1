//! Recorded values that could not be read: each affects only itself and is reported by name.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The values that could not be read since the journal was opened, each a sentence without a full stop.
#[derive(Debug, Default)]
pub struct Damage(Mutex<BTreeSet<String>>);

/// The maximum number kept: more would add no information, and a journal may hold millions.
const MAX_NOTES: usize = 100;

impl Damage {
    /// Returns the sentences in alphabetical order, at most one hundred.
    pub fn sentences(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn note(&self, sentence: String) {
        let mut noted = self.lock();
        if noted.len() < MAX_NOTES {
            noted.insert(sentence);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

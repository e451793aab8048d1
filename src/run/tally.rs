//! What a run brought into being, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::ops::perform::Performed;
use crate::ops::spec::{Effect, OpSpec};
use crate::value::Value;

/// Counts of things by sort and outcome.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<(String, String), u64>>);

impl Tally {
    /// Counts what an operation gave, when it brings something into being. What the journal answered was counted when it
    /// happened.
    pub fn count(&self, op: &OpSpec, performed: &Performed) {
        if performed.replayed {
            return;
        }
        let (Effect::Ensure { .. } | Effect::Create { .. }, Value::Object(thing)) =
            (op.effect, &performed.value)
        else {
            return;
        };
        let sort = thing
            .kind
            .rsplit("::")
            .next()
            .unwrap_or(&thing.kind)
            .to_lowercase();
        let outcome = thing.text("outcome").to_owned();
        *self.lock().entry((sort, outcome)).or_default() += 1;
    }

    /// The counts: sort, outcome, how many.
    pub fn counts(&self) -> Vec<(String, String, u64)> {
        let counts = self.lock();
        counts
            .iter()
            .map(|((sort, outcome), count)| (sort.clone(), outcome.clone(), *count))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;
    use crate::ops;
    use crate::value::Object;

    #[test]
    fn what_the_journal_answers_is_not_counted_again() {
        let mut all = ops::ALL.iter().copied().flatten();
        let ensure = all
            .find(|op| op.name == "ensure_tenant")
            .expect("the operation exists");
        let tenant = Object::new("mobsted::Tenant", [("outcome", "created".into())]);
        let tally = Tally::default();
        for replayed in [false, true, true] {
            let value = Value::Object(tenant.clone());
            tally.count(ensure, &Performed { value, replayed });
        }
        assert_eq!(tally.counts(), [("tenant".to_owned(), "created".to_owned(), 1)]);
    }
}

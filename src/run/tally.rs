//! Counts what a run created or found.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::journal::{Journal, JournalError, RunId, StepFilter};
use crate::operation::catalogue::Catalogue;
use crate::operation::perform::Performed;
use crate::operation::spec::{Effect, OpSpec};
use crate::value::Value;

/// The kind under which a resource created by key on a generic web service is counted.
const KEYED: &str = "keyed item";

/// The kind under which the results of `send_` operations are counted.
const MESSAGE: &str = "message";

/// Counts by kind and outcome.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<(String, String), u64>>);

impl Tally {
    /// Counts the result of an operation that creates something. A result replayed from the journal was counted when it
    /// was first produced.
    pub(crate) fn count(&self, op: &OpSpec, performed: &Performed) {
        if performed.replayed {
            return;
        }
        let (kind, outcome) = match (op.effect, &performed.value) {
            (Effect::Ensure { .. } | Effect::Create { .. }, Value::Object(resource)) => {
                let kind = resource.kind.rsplit("::").next().unwrap_or(&resource.kind);
                (kind.to_lowercase(), resource.text("outcome").to_owned())
            }
            // Count a message that an earlier run sent: the row has it, too.
            (Effect::Act, Value::Record(answer)) if op.name.starts_with("send_") => {
                let outcome = answer.get("outcome").and_then(Value::as_text);
                (MESSAGE.to_owned(), outcome.unwrap_or("sent").to_owned())
            }
            // A web service call with a key reports an outcome; without a key the outcome is unknown.
            (Effect::ByCall(_), Value::Record(answer)) => {
                let Some(outcome) = answer.get("outcome").and_then(Value::as_text) else {
                    return;
                };
                (KEYED.to_owned(), outcome.to_owned())
            }
            _ => return,
        };
        *self.lock().entry((kind, outcome)).or_default() += 1;
    }

    /// Counts the recorded steps of earlier processes of the run, until the run is cancelled.
    pub(crate) fn recall(
        &self,
        catalogue: &Catalogue,
        journal: &Journal,
        run: &RunId,
        cancel: &CancellationToken,
    ) -> Result<(), JournalError> {
        journal.for_each_step(run, &StepFilter::WithResource, &mut |step| {
            if let (Some(op), Some(value)) = (catalogue.operation(&step.op), step.outcome) {
                let replayed = false;
                self.count(&op, &Performed { value, replayed });
            }
            if cancel.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    /// Returns the counts as (kind, outcome, count).
    pub(crate) fn counts(&self) -> Vec<(String, String, u64)> {
        let counts = self.lock();
        counts
            .iter()
            .map(|((kind, outcome), count)| (kind.clone(), outcome.clone(), *count))
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

    use crate::value::Object;

    #[test]
    fn results_replayed_from_the_journal_are_not_counted_again() {
        let ensure = crate::platforms::catalogue()
            .operation("mobsted::ensure_tenant")
            .expect("the operation exists");
        let tenant = Object::new("mobsted::Tenant", [("outcome", "created".into())]);
        let tally = Tally::default();
        for replayed in [false, true, true] {
            let value = Value::Object(tenant.clone());
            tally.count(&ensure, &Performed { value, replayed });
        }
        assert_eq!(tally.counts(), [("tenant".to_owned(), "created".to_owned(), 1)]);
    }

    #[test]
    fn only_keyed_http_posts_count_as_created_resources() {
        let post = crate::platforms::catalogue()
            .operation("http::post")
            .expect("the operation exists");
        let tally = Tally::default();
        let answer = |outcome: &[(String, Value)]| Performed {
            value: Value::Record(outcome.iter().cloned().collect()),
            replayed: false,
        };
        tally.count(&post, &answer(&[("status".to_owned(), Value::Int(201))]));
        tally.count(&post, &answer(&[("outcome".to_owned(), "created".into())]));
        assert_eq!(
            tally.counts(),
            [("keyed item".to_owned(), "created".to_owned(), 1)]
        );
    }
}

//! Predicts the effect of a call without performing it, as far as possible.

use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::context::OpContext;
use super::credential;
use super::custody;
use super::error::OpError;
use super::perform::{CallAttempt, plan};
use crate::journal::{Attempt as _, JournalError, Recall, RowJournal, StepKind};
use crate::value::Value;

/// The predicted result of a call.
#[derive(Debug)]
pub enum Preview {
    /// The call returns a value without a request.
    Answered {
        /// The value.
        value: Value,
        /// The recorded step that provides it; `None` if it comes from the ledger or the call is never recorded.
        step: Option<String>,
    },
    /// The call fails without a request.
    Failed {
        /// The reason.
        error: OpError,
        /// The recorded step that failed; `None` if the call fails before it becomes a step.
        step: Option<String>,
    },
    /// The call sends a request whose result cannot be predicted.
    Acts(NextCall),
}

/// The predicted action of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct NextCall {
    /// The key of the step.
    pub step: String,
    /// The stable name of the operation.
    pub op: String,
    /// The name of the resource it would create.
    pub resource: Option<String>,
    /// The next action.
    pub how: NextAction,
}

/// The next action of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum NextAction {
    /// Sends a request that changes something.
    Sends,
    /// Sends a request that only reads.
    Reads,
    /// Looks up a lost response.
    LooksUp {
        /// The time from which "not found" is conclusive, in milliseconds since the Unix epoch.
        settled_ms: i64,
        /// Whether the request is sent again if nothing is found by then; otherwise a person must decide.
        resends: bool,
    },
    /// Parks: only a person can determine the outcome.
    Parks,
    /// Repeats an act of the same operation that was already done, recorded under this step key. Needs a person's
    /// consent.
    Repeats(String),
    /// First looks up or waits for this step of another run on the same resource: its run and step.
    Waits(String),
}

/// Predicts the result of a call in a row. `retrying` ignores recorded refusals.
pub async fn preview(
    context: &OpContext,
    row: &RowJournal,
    call: &Call,
    retrying: bool,
) -> Result<Preview, JournalError> {
    let failed = |error| Ok(Preview::Failed { error, step: None });
    let call = &match call.op.driver().resolve(context, call.clone()) {
        Ok(call) => call.op.driver().with_known_account(context, call).await,
        Err(error) => return failed(error),
    };
    let plan = match plan(context, call) {
        Ok(plan) => plan,
        Err(error) => return failed(error),
    };
    let Some(plan) = plan else {
        // Connecting to an account sends nothing.
        return match (call.op.run)(context, call).await {
            Ok(value) => Ok(Preview::Answered { value, step: None }),
            Err(error) => failed(error),
        };
    };
    let (step, recall) = match row.recall(&plan, retrying)? {
        (_, Recall::Blocked(open)) => (open.clone(), Recall::Blocked(open)),
        recalled => recalled,
    };
    let (resource, probes) = match &plan.kind {
        StepKind::Read { .. } => (None, true),
        StepKind::Change(change) => (
            change.resource.as_ref().map(|resource| resource.name.clone()),
            change.probes,
        ),
    };
    let reads = matches!(plan.kind, StepKind::Read { .. });
    let how = match recall {
        Recall::Done(value) => {
            let value = custody::with_secrets_marked(
                context,
                call,
                credential::with_current_password(context, call, value)?,
            );
            let step = Some(step);
            return Ok(match call.op.driver().replayed(call, value) {
                Ok(value) => Preview::Answered { value, step },
                Err(error) => Preview::Failed { error, step },
            });
        }
        Recall::Refused(error) => {
            let error = OpError::from_value(call.op.platform(), &error);
            return Ok(Preview::Failed {
                error,
                step: Some(step),
            });
        }
        Recall::Held(earlier) => {
            return match CallAttempt::new(context, call, &CancellationToken::new()).existing(earlier) {
                Ok(value) => Ok(Preview::Answered { value, step: None }),
                Err(error) => failed(OpError::from_value(call.op.platform(), &error)),
            };
        }
        Recall::Open { .. } if !probes => NextAction::Parks,
        Recall::Open { settled_ms, resends } => NextAction::LooksUp { settled_ms, resends },
        Recall::Blocked(_) => NextAction::Parks,
        Recall::DoneBefore(done) => NextAction::Repeats(done),
        Recall::Acted(step) => NextAction::Waits(step),
        Recall::Claimed(doubt) => NextAction::Waits(format!("{}/{}", doubt.run, doubt.step)),
        Recall::Nothing if reads => NextAction::Reads,
        Recall::Nothing => NextAction::Sends,
    };
    Ok(Preview::Acts(NextCall {
        step,
        op: plan.op,
        resource,
        how,
    }))
}

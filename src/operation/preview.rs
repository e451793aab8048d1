//! What a call would do, as far as that can be told without doing it.

use super::call::Call;
use super::credential;
use super::custody;
use super::error::OpError;
use super::perform::{Asking, plan};
use super::world::World;
use crate::journal::{Attempt as _, Cancel, JournalError, Recall, RowJournal, StepKind};
use crate::value::Value;

/// What comes of a call.
#[derive(Debug)]
pub enum Preview {
    /// It is answered without a request.
    Answered {
        /// With this value.
        value: Value,
        /// The recorded step that answers it; `None` when the ledger does, or when nothing is ever recorded of it.
        step: Option<String>,
    },
    /// It fails without a request.
    Failed {
        /// For this reason.
        error: OpError,
        /// The recorded step that says so; `None` when it fails before it is asked.
        step: Option<String>,
    },
    /// It does something, and what comes after that cannot be told.
    Acts(NextCall),
}

/// What a step would do.
#[derive(Debug, Clone, PartialEq)]
pub struct NextCall {
    /// The step's key.
    pub step: String,
    /// The operation's stable name.
    pub op: String,
    /// What it would bring into being, by name.
    pub thing: Option<String>,
    /// How it goes on.
    pub how: How,
}

/// How a step goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// A request that changes something is sent.
    Sends,
    /// Something is read.
    Reads,
    /// A lost answer is looked up.
    LooksUp {
        /// Not found is believed only after this time, in milliseconds since the Unix epoch.
        settled_ms: i64,
        /// Is it sent again when it is not found then? Otherwise a person is asked.
        resends: bool,
    },
    /// Nothing can tell what became of it but a person.
    Parks,
    /// Another act of the operation is done, and would be done once more: that step. Needs a person's consent.
    Repeats(String),
    /// Another run's step on the same thing is looked up or waited for first: that run and step.
    Waits(String),
}

/// Foresees a call of a row. `retrying` takes recorded refusals for forgotten.
pub async fn preview(
    world: &World,
    row: &RowJournal,
    call: &Call,
    retrying: bool,
) -> Result<Preview, JournalError> {
    let failed = |error| Ok(Preview::Failed { error, step: None });
    let call = &match call.op.driver().resolve(world, call.clone()) {
        Ok(call) => call.op.driver().with_known_account(world, call).await,
        Err(error) => return failed(error),
    };
    let plan = match plan(world, call) {
        Ok(plan) => plan,
        Err(error) => return failed(error),
    };
    let Some(plan) = plan else {
        // Naming an account sends nothing.
        return match (call.op.run)(world, call).await {
            Ok(value) => Ok(Preview::Answered { value, step: None }),
            Err(error) => failed(error),
        };
    };
    let (step, recall) = match row.recall(&plan, retrying)? {
        (_, Recall::Blocked(open)) => (open.clone(), Recall::Blocked(open)),
        recalled => recalled,
    };
    let (thing, probes) = match &plan.kind {
        StepKind::Read => (None, true),
        StepKind::Change(change) => (
            change.thing.as_ref().map(|thing| thing.name.clone()),
            change.probes,
        ),
    };
    let reads = matches!(plan.kind, StepKind::Read);
    let how = match recall {
        Recall::Done(value) => {
            let value = custody::kept(world, call, credential::renewed(world, call, value)?);
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
            return match Asking::new(world, call, &Cancel::new()).existing(earlier) {
                Ok(value) => Ok(Preview::Answered { value, step: None }),
                Err(error) => failed(OpError::from_value(call.op.platform(), &error)),
            };
        }
        Recall::Open { .. } if !probes => How::Parks,
        Recall::Open { settled_ms, resends } => How::LooksUp { settled_ms, resends },
        Recall::Blocked(_) => How::Parks,
        Recall::DoneBefore(done) => How::Repeats(done),
        Recall::Acted(step) => How::Waits(step),
        Recall::Claimed(doubt) => How::Waits(format!("{}/{}", doubt.run, doubt.step)),
        Recall::Nothing if reads => How::Reads,
        Recall::Nothing => How::Sends,
    };
    Ok(Preview::Acts(NextCall {
        step,
        op: plan.op,
        thing,
        how,
    }))
}

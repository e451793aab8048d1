//! What a session changed, and the way back.

use crate::journal::{StepRecord, StepState};
use crate::ops;
use crate::ops::spec::{Effect, OpSpec};
use crate::value::Value;

/// One change of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The input that made it, from 1.
    pub number: u64,
    /// The operation's stable name.
    pub op: String,
    /// What was made or found, by name.
    pub what: Option<String>,
    /// How the step stands: `done`, `in doubt`.
    pub state: String,
    /// The call that undoes it, as an input.
    pub undo: Option<String>,
    /// Why there is none, in a sentence without a full stop.
    pub why_not: &'static str,
}

/// The change that a step made or may have made; `None` when it changed nothing.
pub(super) fn change(step: &StepRecord) -> Option<Change> {
    let changed = match step.state {
        StepState::Absent | StepState::Refused => false,
        StepState::Intended { .. } | StepState::InDoubt { .. } | StepState::HalfDone => true,
        // What was there before was only found.
        StepState::Done => step.attempts > 0 && step.changes,
    };
    let outcome = step.outcome.as_ref();
    let unchanged = matches!(outcome, Some(Value::Object(thing)) if thing.text("outcome") == "unchanged");
    if !changed || unchanged {
        return None;
    }
    let spec = ops::ALL
        .iter()
        .copied()
        .flatten()
        .find(|spec| spec.id() == step.op);
    let undo = spec.and_then(|spec| way_back(spec, step));
    let why_not = match (spec.map(|spec| spec.effect), &step.thing) {
        (Some(Effect::Change { strikes: Some(_), .. }), _) => "what was removed cannot be brought back",
        (_, Some(_)) => "no operation removes it; ask the platform",
        _ => "nothing is known that would undo it",
    };
    Some(Change {
        number: step.position + 1,
        op: step.op.clone(),
        what: step.thing.as_ref().map(|thing| thing.name.clone()),
        state: step.state.name().to_owned(),
        undo,
        why_not,
    })
}

/// The operation that strikes out what this one made, on the same platform.
fn way_back(spec: &OpSpec, step: &StepRecord) -> Option<String> {
    let sort = step.thing.as_ref()?.sort.as_str();
    let makes = matches!(spec.effect, Effect::Ensure { .. } | Effect::Create { .. });
    let removes = |other: &&OpSpec| {
        let strikes = match other.effect {
            Effect::Change { strikes, .. } => strikes,
            _ => None,
        };
        other.module == spec.module && other.receiver == spec.receiver && strikes == Some(sort)
    };
    let undo = ops::ALL
        .iter()
        .copied()
        .flatten()
        .find(removes)
        .filter(|_| makes)?;
    let Some(Value::Object(thing)) = &step.outcome else {
        return None;
    };
    let id = match thing.fields.get("id")? {
        Value::Int(id) => id.to_string(),
        Value::Text(id) => format!("{id:?}"),
        _ => return None,
    };
    Some(format!(
        "`{}`",
        undo.signature().replacen(undo.params.first()?.name, &id, 1)
    ))
}

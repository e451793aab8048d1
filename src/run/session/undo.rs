//! The changes made by a session, and how to undo them.

use crate::journal::{Journal, JournalError, NaturalKey, StepRecord, StepState};
use crate::operation::catalogue::Catalogue;
use crate::operation::spec::{Effect, OpSpec};
use crate::value::Value;

/// A change made by a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The number of the input that made it, from 1.
    pub number: u64,
    /// The operation's stable name.
    pub op: String,
    /// The name of what was created or found.
    pub what: Option<String>,
    /// The state of the step: `done`, `in doubt`.
    pub state: String,
    /// The call that undoes it.
    pub undo: Option<UndoHint>,
    /// The reason why there is no such call, as a sentence without a full stop.
    pub why_not: &'static str,
}

/// The call that undoes a change. Identifiers are valid for one account only; another account may reuse them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UndoHint {
    /// The kind of object to call it on.
    pub receiver: Option<&'static str>,
    /// The account of that object, as named in the ledger.
    pub account: String,
    /// The method call on the object: `delete_app(2)`.
    pub call: String,
}

/// Returns the change that a step made or may have made; `None` if it changed nothing.
pub(super) fn change(
    catalogue: &Catalogue,
    journal: &Journal,
    step: &StepRecord,
) -> Result<Option<Change>, JournalError> {
    let changed = match step.state {
        StepState::Absent | StepState::Refused => false,
        StepState::Intended { .. } | StepState::InDoubt { .. } | StepState::HalfDone => true,
        // A step without an attempt only found what already existed.
        StepState::Done => step.attempts > 0 && step.changes,
    };
    let outcome = step.outcome.as_ref();
    let unchanged =
        matches!(outcome, Some(Value::Object(resource)) if resource.text("outcome") == "unchanged");
    if !changed || unchanged {
        return Ok(None);
    }
    let op = catalogue.operation(&step.op);
    let undo = op.and_then(|op| undo_hint(catalogue, &op, step));
    let is_gone = match &undo {
        Some((_, kind)) => is_gone(journal, step, kind)?,
        None => false,
    };
    let why_not = match (op.map(|op| op.effect), &step.resource) {
        _ if is_gone => "it has been removed since",
        (
            Some(Effect::Change {
                ledger_removals: Some(_),
                ..
            }),
            _,
        ) => "a removed object cannot be restored",
        (_, Some(_)) => "no operation removes it; contact the platform",
        _ => "no known operation undoes it",
    };
    Ok(Some(Change {
        number: step.position + 1,
        op: step.op.clone(),
        what: match &step.resource {
            Some(resource) => Some(resource.name.clone()),
            None => outcome.and_then(resource_label),
        },
        state: step.state.name().to_owned(),
        undo: undo.map(|(undo_hint, _)| undo_hint).filter(|_| !is_gone),
        why_not,
    }))
}

/// Returns a readable label: the identifier, name and email address, as far as the value has them.
fn resource_label(resource: &Value) -> Option<String> {
    let fields = match resource {
        Value::Object(resource) => &resource.fields,
        Value::Record(fields) => fields,
        _ => return None,
    };
    let identifiers = ["id", "name", "email"].iter().filter_map(|wanted| {
        let mut fields = fields.iter();
        let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        match value {
            Value::Int(id) => Some(id.to_string()),
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    });
    let identifiers: Vec<String> = identifiers.collect();
    (!identifiers.is_empty()).then(|| identifiers.join(" "))
}

/// Whether the ledger no longer holds what the step created, because an operation has removed it.
fn is_gone(journal: &Journal, step: &StepRecord, kind: &'static str) -> Result<bool, JournalError> {
    let Some(resource) = &step.resource else {
        return Ok(false);
    };
    let key = NaturalKey {
        account: resource.account.clone(),
        kind,
        name: resource.name.clone(),
    };
    let held = journal.ledger_get(&key)?.map(|item| item.value);
    Ok(id(held.as_ref()) != id(step.outcome.as_ref()))
}

fn id(resource: Option<&Value>) -> Option<&Value> {
    match resource {
        Some(Value::Object(resource)) => resource.fields.get("id"),
        _ => None,
    }
}

/// Returns the call that removes what this one created, and the kind of that resource.
fn undo_hint(catalogue: &Catalogue, spec: &OpSpec, step: &StepRecord) -> Option<(UndoHint, &'static str)> {
    let made = step.resource.as_ref()?;
    let makes = matches!(spec.effect, Effect::Ensure { .. } | Effect::Create { .. });
    let removes = |other: &OpSpec| match other.effect {
        Effect::Change { ledger_removals, .. } => {
            let same_receiver = other.module == spec.module && other.receiver == spec.receiver;
            ledger_removals.filter(|kind| same_receiver && *kind == made.kind)
        }
        _ => None,
    };
    let mut all = catalogue.operations().iter();
    let (undo, kind) = all
        .find_map(|other| Some((other, removes(other)?)))
        .filter(|_| makes)?;
    let id = match id(step.outcome.as_ref())? {
        Value::Int(id) => id.to_string(),
        Value::Text(id) => format!("{id:?}"),
        _ => return None,
    };
    let undo_hint = UndoHint {
        receiver: undo.receiver,
        account: made.account.clone(),
        call: format!("{}({id})", undo.name),
    };
    Some((undo_hint, kind))
}

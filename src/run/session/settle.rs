//! Settles the open steps of a killed session by looking them up; never repeats a request.

use std::collections::BTreeMap;

use crate::operation::catalogue::Catalogue;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::journal::{
    Journal, JournalError, LookupOutcome, RowFilter, RowRecord, RowStatus, RunLock, StepFilter,
};
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::OpError;
use crate::operation::function::Functions;
use crate::operation::perform::{is_open, look_up};
use crate::script::host_calls::CallRequest;
use crate::value::{Record, Value};

/// The result of settling one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SettledStep {
    /// The number of the input that requested it, from 1.
    pub number: u64,
    /// The operation's stable name.
    pub op: String,
    /// What is now known of the step.
    pub settled_as: SettledAs,
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SettledAs {
    /// It was carried out; its outcome is recorded.
    Done,
    /// It was not carried out, and is not repeated.
    Absent,
    /// Its outcome cannot be determined, for this reason: a sentence without a full stop.
    Open(String),
    /// The user cancelled the lookup.
    Stopped,
}

/// The functions passed to calls in doubt, by input number.
pub(crate) type LookUps = BTreeMap<u64, Functions>;

/// Looks up every open step of a session, reports each to `each`, and closes the rows that have no open step left. Only
/// the session that made the calls has `functions`.
pub(crate) fn settle(
    (journal, run): (&Journal, &RunLock),
    context: &OpContext,
    runtime: &Handle,
    cancel: &CancellationToken,
    functions: &LookUps,
    each: &mut dyn FnMut(&SettledStep),
) -> Result<(), JournalError> {
    let mut after = None;
    loop {
        let page = journal.rows(run.id(), after, 64, RowFilter::Unfinished)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.position);
        for row in page {
            close_row((journal, run), context, runtime, cancel, functions, &row, each)?;
        }
    }
}

fn close_row(
    (journal, run): (&Journal, &RunLock),
    context: &OpContext,
    runtime: &Handle,
    cancel: &CancellationToken,
    functions: &LookUps,
    row: &RowRecord,
    each: &mut dyn FnMut(&SettledStep),
) -> Result<(), JournalError> {
    let recorded = journal.open_row(run, row.position, &row.scope, false)?;
    let mut open = Vec::new();
    for StoredCall {
        op,
        call,
        lost,
        earlier,
    } in calls(context.catalogue(), row, functions.get(&(row.position + 1)))
    {
        for _ in 0..earlier {
            if let Ok(call) = &call {
                let _ = is_open(context, &recorded, call);
            }
        }
        let is_open = match &call {
            Ok(call) if lost.is_some() => is_open(context, &recorded, call),
            // The lookup finds out whether it is open.
            Ok(_) => true,
            Err(_) => recorded.has_open(&op),
        };
        if !is_open {
            continue;
        }
        let settled_as = match (lost, call) {
            (Some(reason), _) => SettledAs::Open(reason),
            (None, Err(error)) => SettledAs::Open(error.message),
            (None, Ok(call)) => match runtime.block_on(look_up(context, &recorded, &call, cancel))? {
                LookupOutcome::Known => continue,
                LookupOutcome::Found => SettledAs::Done,
                LookupOutcome::Absent => SettledAs::Absent,
                LookupOutcome::Open(reason) => SettledAs::Open(reason),
                LookupOutcome::Stopped => SettledAs::Stopped,
            },
        };
        if let SettledAs::Open(reason) = &settled_as {
            open.push(reason.clone());
        }
        let number = row.position + 1;
        each(&SettledStep {
            number,
            op,
            settled_as,
        });
    }
    journal.flush()?;
    let left = journal.steps(run.id(), &StepFilter::Row(row.position))?;
    let is_open = left.iter().any(|step| step.state.is_open());
    let (status, reason) = if is_open {
        (RowStatus::Parked, open.first().cloned())
    } else {
        (
            RowStatus::Failed,
            Some("the session ended before this input did".into()),
        )
    };
    let output = row.output.as_ref().filter(|_| is_open);
    journal.finish_row(
        run,
        row.position,
        status,
        output,
        reason.map(Value::from).as_ref(),
    )
}

/// Closes the parked rows that have no open step left because a later input settled it.
pub(super) fn close_settled_rows(journal: &Journal, run: &RunLock) -> Result<(), JournalError> {
    let mut after = None;
    loop {
        let page = journal.rows(run.id(), after, 64, RowFilter::Only(RowStatus::Parked))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.position);
        for row in &page {
            let steps = journal.steps(run.id(), &StepFilter::Row(row.position))?;
            if !steps.iter().any(|step| step.state.is_open()) {
                let reason = Value::from("it was stopped; a later input settled the step in doubt");
                journal.finish_row(run, row.position, RowStatus::Failed, None, Some(&reason))?;
            }
        }
    }
}

/// Returns the form in which a row stores a call. `earlier` is how often the same call was requested before it.
pub(super) fn to_value(ask: &CallRequest, earlier: u32) -> Value {
    let receiver = ask.receiver.clone().map_or(Value::Null, Value::Object);
    let functions = ask.functions.keys().map(|key| Value::from(*key));
    Value::Record(Record::from([
        ("op".into(), ask.op.id().into()),
        ("on".into(), receiver),
        ("args".into(), Value::List(ask.args.clone())),
        ("functions".into(), Value::List(functions.collect())),
        ("earlier".into(), i64::from(earlier).into()),
    ]))
}

/// A call as stored in a row.
struct StoredCall {
    /// The operation's name.
    op: String,
    /// The call, or an error if it is no longer valid.
    call: Result<Call, OpError>,
    /// Why it cannot be looked up: its lookup function is gone with the session.
    lost: Option<String>,
    /// How often the same call was requested before it, not counting the calls stored in the row.
    earlier: i64,
}

/// Returns the calls stored in a row, with their functions if the session still has them.
fn calls(catalogue: &Catalogue, row: &RowRecord, functions: Option<&Functions>) -> Vec<StoredCall> {
    let Some(Value::List(stored_calls)) = &row.output else {
        return Vec::new();
    };
    stored_calls
        .iter()
        .filter_map(|stored_calls| from_value(catalogue, stored_calls, functions))
        .collect()
}

fn from_value(catalogue: &Catalogue, value: &Value, functions: Option<&Functions>) -> Option<StoredCall> {
    let fields = value.as_record()?;
    let op = fields.get("op")?.as_text()?.to_owned();
    let receiver = match fields.get("on") {
        Some(Value::Object(object)) => Some(object.clone()),
        _ => None,
    };
    let Some(Value::List(args)) = fields.get("args") else {
        return None;
    };
    let call = Call::check(catalogue.operation(&op)?, receiver, args.clone());
    let had_functions = matches!(fields.get("functions"), Some(Value::List(keys)) if !keys.is_empty());
    let (call, lost) = if let Some(functions) = functions.filter(|_| had_functions) {
        (call.map(|call| call.with_functions(functions.clone())), None)
    } else {
        let lost = had_functions.then(|| gone(call.as_ref().ok()));
        (call, lost)
    };
    let earlier = match fields.get("earlier") {
        Some(Value::Int(earlier)) => *earlier,
        _ => 0,
    };
    Some(StoredCall {
        op,
        call,
        lost,
        earlier,
    })
}

/// Returns the message for a call whose functions are gone.
fn gone(call: Option<&Call>) -> String {
    let key = match call.and_then(|call| call.option("key")) {
        Some(Value::Text(key)) => format!("`{key}`"),
        Some(Value::Int(key)) => format!("`{key}`"),
        _ => "it".to_owned(),
    };
    let url = call.map(|call| call.text("url")).unwrap_or_default();
    let url = url.split(['?', '#']).next().unwrap_or_default();
    format!(
        "its look-up was a function of the session, which is gone; check yourself whether {key} exists: {url}"
    )
}

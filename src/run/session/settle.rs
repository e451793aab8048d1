//! What a killed session left open: looked up, and never sent again.

use std::collections::BTreeMap;

use crate::operation::catalogue::Catalogue;
use tokio::runtime::Handle;

use crate::journal::{
    Cancel, Journal, JournalError, LookupOutcome, RowFilter, RowRecord, RowStatus, RunLock, StepFilter,
};
use crate::operation::call::Call;
use crate::operation::error::OpError;
use crate::operation::function::Functions;
use crate::operation::perform::{is_open, look_up};
use crate::operation::world::World;
use crate::script::door::Ask;
use crate::value::{Record, Value};

/// What became of one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settling {
    /// The input that asked for it, from 1.
    pub number: u64,
    /// The operation's stable name.
    pub op: String,
    /// What is known now.
    pub fate: Fate,
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// It was carried out; its outcome is on record.
    Done,
    /// It was not carried out, and is not sent again.
    Absent,
    /// It cannot be told: why, in a sentence without a full stop.
    Open(String),
    /// The user stopped the look-up.
    Stopped,
}

/// The functions that calls in doubt were given, by the number of their input.
pub(crate) type LookUps = BTreeMap<u64, Functions>;

/// Looks up every open step of a session, tells `each`, and closes the rows that nothing is open in. Only the session that
/// has asked has `functions`.
pub(crate) fn settle(
    (journal, run): (&Journal, &RunLock),
    world: &World,
    runtime: &Handle,
    cancel: &Cancel,
    functions: &LookUps,
    each: &mut dyn FnMut(&Settling),
) -> Result<(), JournalError> {
    let mut after = None;
    loop {
        let page = journal.rows(run.id(), after, 64, RowFilter::Unfinished)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.position);
        for row in page {
            close_row((journal, run), world, runtime, cancel, functions, &row, each)?;
        }
    }
}

fn close_row(
    (journal, run): (&Journal, &RunLock),
    world: &World,
    runtime: &Handle,
    cancel: &Cancel,
    functions: &LookUps,
    row: &RowRecord,
    each: &mut dyn FnMut(&Settling),
) -> Result<(), JournalError> {
    let recorded = journal.open_row(run, row.position, &row.scope, false)?;
    let mut open = Vec::new();
    for Kept {
        op,
        call,
        lost,
        earlier,
    } in calls(world.catalogue(), row, functions.get(&(row.position + 1)))
    {
        for _ in 0..earlier {
            if let Ok(call) = &call {
                let _ = is_open(world, &recorded, call);
            }
        }
        let is_open = match &call {
            Ok(call) if lost.is_some() => is_open(world, &recorded, call),
            // Whether it is open is found out by the look-up.
            Ok(_) => true,
            Err(_) => recorded.has_open(&op),
        };
        if !is_open {
            continue;
        }
        let fate = match (lost, call) {
            (Some(why), _) => Fate::Open(why),
            (None, Err(error)) => Fate::Open(error.message),
            (None, Ok(call)) => match runtime.block_on(look_up(world, &recorded, &call, cancel))? {
                LookupOutcome::Known => continue,
                LookupOutcome::Found => Fate::Done,
                LookupOutcome::Absent => Fate::Absent,
                LookupOutcome::Open(why) => Fate::Open(why),
                LookupOutcome::Stopped => Fate::Stopped,
            },
        };
        if let Fate::Open(why) = &fate {
            open.push(why.clone());
        }
        let number = row.position + 1;
        each(&Settling { number, op, fate });
    }
    journal.flush()?;
    let left = journal.steps(run.id(), &StepFilter::Scope(row.scope.clone()))?;
    let is_open = left.iter().any(|step| step.state.is_open());
    let (status, why) = if is_open {
        (RowStatus::Parked, open.first().cloned())
    } else {
        (
            RowStatus::Failed,
            Some("the session ended before this input did".into()),
        )
    };
    let output = row.output.as_ref().filter(|_| is_open);
    journal.finish_row(
        run.id(),
        row.position,
        status,
        output,
        why.map(Value::from).as_ref(),
    )
}

/// Closes the rows that were left in doubt and in which nothing is open any more: a later input has settled it.
pub(super) fn tidy(journal: &Journal, run: &RunLock) -> Result<(), JournalError> {
    let mut after = None;
    loop {
        let page = journal.rows(run.id(), after, 64, RowFilter::Only(RowStatus::Parked))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.position);
        for row in &page {
            let steps = journal.steps(run.id(), &StepFilter::Scope(row.scope.clone()))?;
            if !steps.iter().any(|step| step.state.is_open()) {
                let why = Value::from("it was stopped; a later input settled the step in doubt");
                journal.finish_row(run.id(), row.position, RowStatus::Failed, None, Some(&why))?;
            }
        }
    }
}

/// The form in which a row keeps a call. `earlier` is how often the same was asked for before it.
pub(super) fn to_value(ask: &Ask, earlier: u32) -> Value {
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

/// A call as a row keeps it.
struct Kept {
    /// The operation's name.
    op: String,
    /// The call, unless it is no longer understood.
    call: Result<Call, OpError>,
    /// Why nothing can look it up: what it was given for that is gone with the session.
    lost: Option<String>,
    /// How often the same was asked for before it, beyond the calls that the row keeps.
    earlier: i64,
}

/// The calls that a row keeps, with their functions where the session still has them.
fn calls(catalogue: &Catalogue, row: &RowRecord, functions: Option<&Functions>) -> Vec<Kept> {
    let Some(Value::List(asked)) = &row.output else {
        return Vec::new();
    };
    asked
        .iter()
        .filter_map(|asked| from_value(catalogue, asked, functions))
        .collect()
}

fn from_value(catalogue: &Catalogue, value: &Value, functions: Option<&Functions>) -> Option<Kept> {
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
    Some(Kept {
        op,
        call,
        lost,
        earlier,
    })
}

/// What to say of a call whose functions are gone.
fn gone(call: Option<&Call>) -> String {
    let key = match call.and_then(|call| call.option("key")) {
        Some(Value::Text(key)) => format!("`{key}`"),
        Some(Value::Int(key)) => format!("`{key}`"),
        _ => "it".to_owned(),
    };
    let url = call.map(|call| call.text("url")).unwrap_or_default();
    let url = url.split(['?', '#']).next().unwrap_or_default();
    format!(
        "its look-up was a function of the session, which is gone; look yourself whether {key} is there: {url}"
    )
}

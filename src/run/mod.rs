//! Executes the rows of one run: brings the script, the journal and the operations together.

pub(crate) mod dry_run;
pub(crate) mod interrupt;
mod operations;
mod read_only;
pub(crate) mod session;
pub(crate) mod tally;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub(crate) use operations::RowOperations;
use tally::Tally;

use crate::journal::{Journal, RunLock};
use crate::operation::context::OpContext;
use crate::sabotage::Sabotage;
use crate::script::host_calls::Stop;
use crate::script::program::{Script, ScriptEnd};
use crate::value::Value;

/// What all rows of a run share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Runner {
    /// The script, pinned.
    pub script: Script,
    /// Records the steps.
    pub journal: Journal,
    /// The lock on the run, which permits executing it.
    pub run: RunLock,
    /// The world that operations act on.
    pub context: Arc<OpContext>,
    /// Drives the operations' I/O.
    pub runtime: tokio::runtime::Handle,
    /// Whether acts that are already done may be repeated.
    pub again: bool,
    /// The identity of the script across runs, if rows are units of work whose acts are remembered. `None` for a run
    /// without rows.
    pub workflow: Option<String>,
    /// Signals when to stop.
    pub cancel: CancellationToken,
    /// Counts what was created and what was found.
    pub tally: Arc<Tally>,
    /// Receives the lines that a script prints.
    pub print: Arc<dyn Fn(&str) + Send + Sync>,
}

/// The row to run.
#[derive(Debug, Clone)]
pub(crate) struct RowPlan {
    /// Its position in the input, from 0.
    pub position: u64,
    /// The first part of the keys of its steps.
    pub scope: String,
    /// How many rows of the run, up to this one, have the same content.
    pub repeat: u64,
    /// The arguments of `main`.
    pub args: Vec<Value>,
    /// Whether the journal may already hold steps of this row.
    pub resumed: bool,
}

impl Runner {
    /// Returns the identity of a row across runs: its workflow, its parameters, and how often they occurred before.
    fn identity(&self, plan: &RowPlan) -> Option<Value> {
        let workflow = self.workflow.as_deref()?;
        let repeated = match plan.repeat {
            0 | 1 => String::new(),
            repeat => repeat.to_string(),
        };
        let args = Value::List(plan.args.clone());
        Some(Value::List(vec![workflow.into(), args, repeated.into()]))
    }

    /// Runs one row to its end on the calling thread, which needs a stack of [`crate::script::STACK_SIZE`]. Returns the
    /// value of `main`.
    pub(crate) fn row(&self, plan: &RowPlan) -> Result<Value, ScriptEnd> {
        let host_operations = self.open_row(plan).map_err(ScriptEnd::Stopped)?;
        let ended = self.script.call(plan.args.clone(), host_operations.clone());
        // A stop decides the result, even if the script caught some of its errors.
        if let Some(stop) = host_operations.stopped() {
            return Err(ScriptEnd::Stopped(stop));
        }
        // An edited script may no longer request a step whose outcome is unknown.
        let left_open = host_operations
            .left_open()
            .filter(|_| !Sabotage::LeftOpenIsDone.is_on());
        if let (Ok(_) | Err(ScriptEnd::Failed(_)), Some((step, op))) = (&ended, left_open) {
            let reason = format!("the script ended without calling `{op}`, whose outcome is not known");
            return Err(ScriptEnd::Stopped(Stop::InDoubt { step, reason }));
        }
        ended
    }

    /// Opens a row for code that calls operations.
    pub(crate) fn open_row(&self, plan: &RowPlan) -> Result<Arc<RowOperations>, Stop> {
        let row = self
            .journal
            .open_row(&self.run, plan.position, &plan.scope, !plan.resumed)
            .map_err(|error| Stop::JournalLost(error.to_string()))?;
        let row = row.again(self.again).known_by(self.identity(plan));
        Ok(Arc::new(RowOperations::new(self.clone(), row, plan.position)))
    }
}

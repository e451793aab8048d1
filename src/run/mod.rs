//! One run, from its first row to its last: the script, the journal and the operations brought together.

pub(crate) mod cancel;
mod door;
pub(crate) mod interrupt;
mod looking;
pub(crate) mod rehearsal;
pub(crate) mod session;
pub(crate) mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cancel::Cancel;
use door::RowDoor;
use tally::Tally;

use crate::journal::{Journal, RunLock};
use crate::operation::world::World;
use crate::sabotage::Sabotage;
use crate::script::door::Stop;
use crate::script::error::Diagnostic;
use crate::script::program::{Ended, Script};
use crate::value::Value;

/// Everything the rows of one run share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Runner {
    /// The script, pinned.
    pub script: Script,
    /// Where steps are recorded.
    pub journal: Journal,
    /// The run, and the right to carry it out.
    pub run: RunLock,
    /// What operations act on.
    pub world: Arc<World>,
    /// Drives the operations' I/O.
    pub runtime: tokio::runtime::Handle,
    /// May acts be done again that are done?
    pub again: bool,
    /// What the script is, whatever run it is in, where the rows are a unit of work: their acts are remembered. `None` for
    /// a run without rows.
    pub workflow: Option<String>,
    /// Tells when to stop.
    pub cancel: Cancel,
    /// Counts what was created and what was found.
    pub tally: Arc<Tally>,
    /// Takes the lines a script prints.
    pub print: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Which row to run.
#[derive(Debug, Clone)]
pub(crate) struct RowPlan {
    /// Its position in the input, from 0.
    pub position: u64,
    /// Its natural identity: what its steps' keys begin with.
    pub scope: String,
    /// The arguments of `main`.
    pub args: Vec<Value>,
    /// May the journal hold steps of this row already?
    pub resumed: bool,
}

/// How a row ended.
#[derive(Debug)]
pub(crate) enum RowEnd {
    /// With what `main` returned.
    Done(Value),
    /// With an error of the script or of an operation.
    Failed(Box<Diagnostic>),
    /// Its last step is in doubt.
    Parked {
        /// The step's key.
        step: String,
        /// What is known.
        why: String,
    },
    /// The run was interrupted; a resume continues it.
    Interrupted,
    /// The journal cannot be written; nothing more may be sent.
    JournalLost(String),
    /// A fault of provisor.
    Bug(String),
}

impl Runner {
    /// What a row is, whatever run it is in: its workflow and its parameters, and how often they were there before.
    fn identity(&self, plan: &RowPlan) -> Option<Value> {
        let workflow = self.workflow.as_deref()?;
        let repeated = plan.scope.split_once('~').map_or("", |(_, number)| number);
        let args = Value::List(plan.args.clone());
        Some(Value::List(vec![workflow.into(), args, repeated.into()]))
    }

    /// Runs one row to its end, on the calling thread. The thread needs a stack of [`crate::script::STACK_SIZE`].
    pub(crate) fn row(&self, plan: &RowPlan) -> RowEnd {
        let opened = self
            .journal
            .open_row(&self.run, plan.position, &plan.scope, !plan.resumed);
        let row = match opened {
            Ok(row) => row.again(self.again).known_by(self.identity(plan)),
            Err(error) => return RowEnd::JournalLost(error.to_string()),
        };
        let door = Arc::new(RowDoor::new(self.clone(), row, plan.position));
        let ended = catch_unwind(AssertUnwindSafe(|| {
            self.script.call(plan.args.clone(), door.clone())
        }));
        // A script may have caught what it could; what stopped the row decides all the same.
        if let Some(stop) = door.stopped() {
            return stop.into();
        }
        // A script that was edited may not ask any more for a step whose outcome nobody knows.
        let left_open = door.left_open().filter(|_| !Sabotage::LeftOpenIsDone.is_on());
        if let (Ok(Ok(_) | Err(Ended::Failed(_))), Some((step, op))) = (&ended, left_open) {
            let why = format!("the script ended without asking for `{op}`, whose outcome is not known");
            return RowEnd::Parked { step, why };
        }
        match ended {
            Ok(Ok(value)) => RowEnd::Done(value),
            Ok(Err(Ended::Failed(diagnostic))) => RowEnd::Failed(diagnostic),
            Ok(Err(Ended::Stopped(stop))) => stop.into(),
            Ok(Err(Ended::Bug(what))) => RowEnd::Bug(what),
            Err(_) => RowEnd::Bug("the script host panicked".into()),
        }
    }
}

impl From<Stop> for RowEnd {
    fn from(stop: Stop) -> RowEnd {
        match stop {
            Stop::Cancelled => RowEnd::Interrupted,
            Stop::Parked { step, why } => RowEnd::Parked { step, why },
            Stop::JournalLost(why) => RowEnd::JournalLost(why),
        }
    }
}

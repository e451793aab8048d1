//! The one way from a script to the world.

use std::sync::Arc;

use tokio::sync::watch;

use crate::operation::error::{Code, OpError};
use crate::operation::function::Functions;
use crate::operation::platform::Operation;
use crate::value::{Object, Value};

/// What a script asks for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The operation.
    pub op: Operation,
    /// The object it was called on, for a method.
    pub receiver: Option<Object>,
    /// The arguments after the receiver, as many as were given: at least the required, at most all parameters.
    pub args: Vec<Value>,
    /// Functions that options were given as, which the operation may call while it is carried out.
    pub functions: Functions,
}

/// Why an operation gives no value.
#[derive(Debug, Clone)]
pub enum Denied {
    /// It failed; the script may catch this.
    Failed(OpError),
    /// The row must stop here; the script cannot catch this.
    Stop(Stop),
}

/// Why a row stops without being finished.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The user interrupted the run.
    Cancelled,
    /// A step is in doubt and needs a person or a later look-up: the step's name and why.
    Parked {
        /// The step's key as `provisor runs steps` shows it.
        step: String,
        /// What is known, in a sentence without a full stop.
        why: String,
    },
    /// The journal cannot be written: nothing more may be sent.
    JournalLost(String),
}

/// Where a script's calls go. A call blocks the script's thread until it is answered.
pub trait Door: Send + Sync {
    /// Asks for an operation.
    fn ask(&self, ask: Ask) -> Result<Value, Denied>;

    /// Should the script stop? Asked at every statement, so it must be cheap. Once true, always true.
    fn stopping(&self) -> Option<Stop>;

    /// The door of a function that looks something up while the operation that was given it is carried out: reads pass
    /// and are not recorded, anything else is refused. `waited_for` closes when nobody waits for the function any more.
    fn looking(&self, waited_for: watch::Receiver<()>) -> Arc<dyn Door> {
        let _ = waited_for;
        Arc::new(Shut)
    }

    /// The script printed a line.
    fn print(&self, line: &str);
}

/// A door through which nothing passes.
struct Shut;

impl Door for Shut {
    fn ask(&self, ask: Ask) -> Result<Value, Denied> {
        let message = format!("`{}` cannot be called here", ask.op.name);
        Err(Denied::Failed(OpError::new(Code::BadArgument, message)))
    }

    fn stopping(&self) -> Option<Stop> {
        None
    }

    fn print(&self, _: &str) {}
}

//! The only interface between a script and the outside world.

use std::sync::Arc;

use tokio::sync::watch;

use crate::operation::call::Call;
pub(crate) use crate::operation::error::{CallError, Stop};
use crate::operation::error::{Code, OpError};
use crate::operation::function::Functions;
use crate::operation::platform::Operation;
use crate::value::{Object, Value};

/// A call of an operation by a script.
#[derive(Debug, Clone)]
pub struct CallRequest {
    /// The operation.
    pub op: Operation,
    /// The object it was called on, for a method.
    pub receiver: Option<Object>,
    /// The arguments after the receiver, as given: at least the required ones, at most all parameters.
    pub args: Vec<Value>,
    /// Functions passed as options; the operation may call them while it runs.
    pub functions: Functions,
    /// The place of the call in the script, if the operation needs it.
    pub site: Option<String>,
}

impl CallRequest {
    /// Checks the call against the operation's entry.
    pub(crate) fn into_call(self) -> Result<Call, OpError> {
        let call = Call::check(self.op, self.receiver, self.args)?.with_functions(self.functions);
        Ok(call.at(self.site.unwrap_or_default()))
    }
}

/// Executes a script's calls. A call blocks the script's thread until it returns.
pub trait Operations: Send + Sync {
    /// Calls an operation.
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError>;

    /// The reason to stop the script, if any. Called at every statement, so it must be cheap. Never reverts to `None`.
    fn stopping(&self) -> Option<Stop>;

    /// The door for a function that looks something up during the operation it was passed to: reads are allowed and
    /// not recorded, anything else is rejected. `caller_alive` closes when the function's result is no longer needed.
    fn read_only(&self, caller_alive: watch::Receiver<()>) -> Arc<dyn Operations> {
        let _ = caller_alive;
        Arc::new(NoOperations)
    }

    /// Prints a line of the script.
    fn print(&self, line: &str);
}

/// A door that rejects every call.
struct NoOperations;

impl Operations for NoOperations {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        let message = format!("`{}` cannot be called here", ask.op.name);
        Err(CallError::Failed(OpError::new(Code::BadArgument, message)))
    }

    fn stopping(&self) -> Option<Stop> {
        None
    }

    fn print(&self, _: &str) {}
}

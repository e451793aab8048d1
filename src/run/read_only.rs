//! Handles the operation calls of a lookup function while a step is being settled.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::operation::context::OpContext;
use crate::operation::perform::look;
use crate::script::host_calls::{CallError, CallRequest, Operations, Stop};
use crate::value::Value;

/// Permits reads without recording them, because a resumed row has to look again. Refuses everything else.
pub(super) struct ReadOnlyOperations {
    pub(super) context: Arc<OpContext>,
    pub(super) runtime: Handle,
    /// Whether the run limits its changes.
    pub(super) limits_changes: bool,
    /// Closes when the result of the function is no longer awaited.
    pub(super) caller_alive: watch::Receiver<()>,
    pub(super) print: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Operations for ReadOnlyOperations {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        let call = ask.into_call().map_err(CallError::Failed)?;
        let call = call.in_limited_run(self.limits_changes);
        let mut caller_alive = self.caller_alive.clone();
        self.runtime.block_on(async {
            tokio::select! {
                done = look(&self.context, &call) => done.map_err(CallError::Failed),
                // No value is ever sent on this channel; it can only close.
                _ = caller_alive.changed() => Err(CallError::Stopped(Stop::Cancelled)),
            }
        })
    }

    fn stopping(&self) -> Option<Stop> {
        self.caller_alive
            .has_changed()
            .is_err()
            .then_some(Stop::Cancelled)
    }

    fn print(&self, line: &str) {
        (self.print)(line);
    }
}

//! The dry run of a row: replays the script against its recorded steps and stops at the first call that would take
//! effect.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{RowPlan, Runner};
use crate::journal::{JournalError, RowJournal};
use crate::operation::preview::{Preview, preview};
use crate::script::host_calls::{CallError, CallRequest, Operations, Stop};
use crate::script::program::ScriptEnd;
use crate::value::Value;

pub(crate) use crate::operation::preview::{NextAction, NextCall};

/// What a row would do.
#[derive(Debug)]
pub(crate) struct DryRun {
    /// The recorded steps that the script requests, in order.
    pub matched: Vec<String>,
    /// What happens after the recorded steps.
    pub then: DryRunEnd,
    /// The recorded steps that it has not requested. When it [acts](DryRunEnd::Acts), it may still request them.
    pub unrequested_keys: Vec<String>,
}

/// What a row does after its recorded steps.
#[derive(Debug)]
pub(crate) enum DryRunEnd {
    /// It makes this call; what follows is unknown.
    Acts(NextCall),
    /// `main` returns.
    Returns,
    /// It fails, for this reason.
    Fails(String),
}

impl Runner {
    /// Performs a dry run of one row. Returns `None` if the journal has no step of it and `only_begun` is set. Needs
    /// the same stack as [`Runner::row`]. `retrying` treats recorded refusals as absent.
    pub(crate) fn dry_run(
        &self,
        plan: &RowPlan,
        only_begun: bool,
        retrying: bool,
    ) -> Result<Option<DryRun>, JournalError> {
        let row = self
            .journal
            .open_row(&self.run, plan.position, &plan.scope, false)?
            .again(self.again)
            .known_by(self.identity(plan));
        if only_begun && row.is_blank() {
            return Ok(None);
        }
        let host_operations = Arc::new(DryRunOperations {
            runner: self.clone(),
            row,
            retrying,
            matched: Mutex::default(),
            next_call: OnceLock::new(),
            lost: OnceLock::new(),
        });
        let ended = self.script.call(plan.args.clone(), host_operations.clone());
        if let Some(error) = host_operations.lost.get() {
            return Err(error.clone());
        }
        let then = match (host_operations.next_call.get(), ended) {
            (Some(predicted), _) => DryRunEnd::Acts(predicted.clone()),
            (None, Ok(_)) => DryRunEnd::Returns,
            (None, Err(ScriptEnd::Failed(diagnostic))) => DryRunEnd::Fails(diagnostic.summary_with_repair()),
            (None, Err(ScriptEnd::Bug(what))) => DryRunEnd::Fails(format!("a bug in provisor: {what}")),
            (None, Err(ScriptEnd::Stopped(_))) => DryRunEnd::Fails("it stopped by itself".into()),
        };
        let then = match (then, host_operations.row.left_open()) {
            (DryRunEnd::Returns | DryRunEnd::Fails(_), Some((step, op))) => DryRunEnd::Acts(NextCall {
                step,
                op,
                resource: None,
                how: NextAction::Parks,
            }),
            (then, _) => then,
        };
        let unrequested_keys = host_operations.row.unrequested_keys();
        let matched = host_operations
            .matched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Some(DryRun {
            matched,
            then,
            unrequested_keys,
        }))
    }
}

struct DryRunOperations {
    runner: Runner,
    row: RowJournal,
    retrying: bool,
    matched: Mutex<Vec<String>>,
    /// The call that would take effect; the script is stopped there.
    next_call: OnceLock<NextCall>,
    lost: OnceLock<JournalError>,
}

impl DryRunOperations {
    fn note(&self, step: Option<String>) {
        self.matched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(step);
    }
}

impl Operations for DryRunOperations {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        if let Some(stop) = self.stopping() {
            return Err(CallError::Stopped(stop));
        }
        let call = ask.into_call().map_err(CallError::Failed)?;
        let preview_of_call = preview(&self.runner.context, &self.row, &call, self.retrying);
        match self.runner.runtime.block_on(preview_of_call) {
            Ok(Preview::Answered { value, step }) => {
                self.note(step);
                Ok(value)
            }
            Ok(Preview::Failed { error, step }) => {
                self.note(step);
                Err(CallError::Failed(error))
            }
            Ok(Preview::Acts(predicted)) => {
                self.next_call.get_or_init(|| predicted);
                Err(CallError::Stopped(Stop::Cancelled))
            }
            Err(error) => {
                self.lost.get_or_init(|| error);
                Err(CallError::Stopped(Stop::Cancelled))
            }
        }
    }

    fn stopping(&self) -> Option<Stop> {
        let stopped = self.next_call.get().is_some() || self.lost.get().is_some();
        stopped.then_some(Stop::Cancelled)
    }

    fn print(&self, _: &str) {}
}

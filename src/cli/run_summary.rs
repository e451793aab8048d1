//! Runs and steps as commands look them up and show them.

use super::app::App;
use serde_json::{Value as Json, json};

use super::error::CommandError;
use super::plan::RunPlan;
use super::times;
use crate::journal::{Journal, RowCounts, RowStatus, RunId, RunRecord, RunStatus, StepRecord};
use crate::operation::manual_result::expected_result;
use crate::value::nearest::nearest;

/// Finds the run with this ID, or returns an error that suggests the nearest.
pub(super) fn find_run(journal: &Journal, name: &str) -> Result<RunRecord, CommandError> {
    if let Some(record) = journal.run(&RunId::new(name))? {
        return Ok(record);
    }
    let runs = journal.runs()?;
    let mut error = CommandError::usage(format!("there is no run `{name}`"));
    if let Some(near) = nearest(name, runs.iter().map(|run| run.id.as_str())) {
        error = error.hint(format!("did you mean {near}?"));
    }
    Err(error.hint("provisor runs list shows the runs"))
}

/// A run as shown in lists.
pub(super) struct RunSummary {
    pub(super) record: RunRecord,
    pub(super) plan: RunPlan,
    pub(super) counts: RowCounts,
    /// The process that executes it.
    pub(super) pid: Option<u32>,
    alive: bool,
}

impl RunSummary {
    /// Reads what is shown of a run.
    pub(super) fn read(journal: &Journal, record: RunRecord) -> Result<RunSummary, CommandError> {
        Ok(RunSummary {
            plan: RunPlan::from_value(&record.plan),
            counts: journal.row_counts(&record.id)?,
            alive: journal.is_run_alive(&record.id),
            pid: journal.run_holder(&record.id),
            record,
        })
    }

    /// The run's status. A run whose process died before recording its end is `killed`.
    pub(super) fn status(&self) -> &'static str {
        match self.record.status {
            _ if self.record.pruned => "pruned",
            _ if self.alive => RunStatus::Running.as_str(),
            RunStatus::Running | RunStatus::Queued => "killed",
            other => other.as_str(),
        }
    }

    /// The number of unfinished rows.
    pub(super) fn open(&self) -> u64 {
        let open = [RowStatus::Queued, RowStatus::Skipped, RowStatus::Interrupted];
        open.into_iter().map(|status| self.counts.of(status)).sum()
    }

    /// Where the run works: `sandbox`, a profile, or `-` if no profile was given.
    pub(super) fn place(&self) -> &str {
        match &self.plan.profile {
            _ if self.plan.sandbox => "sandbox",
            Some(name) => name,
            None => "-",
        }
    }

    /// The fields common to all JSON documents about runs.
    pub(super) fn json(&self) -> Json {
        let of = |status| self.counts.of(status);
        json!({
            "id": self.record.id.as_str(),
            "script": self.record.name,
            "status": self.status(),
            "rows": {
                "done": of(RowStatus::Done),
                "failed": of(RowStatus::Failed),
                "parked": of(RowStatus::Parked),
                "open": self.open(),
                "total": self.record.total,
            },
            "started": times::json(self.record.created_ms),
            "changed": times::json(self.record.changed_ms),
            "sandbox": self.plan.sandbox,
            "profile": self.plan.profile,
            "pid": self.pid,
        })
    }
}

/// A short description of a step: `crm::ensure_contact ann@example.com of row 3`.
pub(super) fn described(step: &StepRecord) -> String {
    let name = step
        .resource
        .as_ref()
        .map(|resource| format!(" {}", resource.name));
    format!(
        "{}{} of row {}",
        step.op,
        name.unwrap_or_default(),
        step.position + 1
    )
}

/// The command that records the outcome of a step of this operation: with `--value` where the script needs the call's
/// result.
pub(super) fn resolve_command(app: &App, run: &RunId, key: &str, op: &str) -> String {
    let needs_value = app
        .catalogue()
        .operation(op)
        .is_none_or(|op| expected_result(app.catalogue(), op).is_some());
    let done = if needs_value {
        "--as absent, or --as done --value FILE"
    } else {
        "--as absent, or --as done"
    };
    format!("provisor resolve {run} {key} {done}")
}

/// A step as JSON. Its outcome is left out; only exports have it.
pub(super) fn step_json(step: &StepRecord) -> Json {
    json!({
        "row": step.position + 1,
        "step": step.key,
        "operation": step.op,
        "changes": step.changes,
        "state": step.state.name(),
        "thing": step.resource.as_ref().map(|resource| json!({
            "sort": resource.kind, "name": resource.name, "account": resource.account,
        })),
        "attempts": step.attempts,
        "started": times::json(step.started_ms),
        "ended": step.ended_ms.map(times::json),
        "why": step.reason,
    })
}

//! Writing and reading runs, rows and steps.

use std::ops::ControlFlow;

use super::Journal;
use super::apply::{Reply, Write};
use super::error::JournalError;
use super::lock::RunLock;
use super::row::{step_seal_context, why_seal_context};
use super::run::{
    NewRow, NewRun, RowCounts, RowFilter, RowRecord, RowStatus, Rules, RunId, RunRecord, RunStatus,
};
use super::seal::Sealed;
use super::step::StepState;
use super::table::{
    Epoch, QueuedRow, ResourceKey, RowClaim, RowData, RowEnd, RunData, StepData, StepFilter, StepTimes,
};
use crate::value::Value;
use crate::value::digest::sha256;

/// A recorded step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Its key: `scope/operation:arguments#occurrence`.
    pub key: String,
    /// The position of the row that requested it.
    pub position: u64,
    /// Its place in the order of the row's requests.
    pub seq: u32,
    /// The operation's stable name.
    pub op: String,
    /// Whether it can change anything on the platform.
    pub changes: bool,
    /// Its state.
    pub state: StepState,
    /// The resource it creates or works on.
    pub resource: Option<ResourceKey>,
    /// The number of requests sent.
    pub attempts: u32,
    /// When what happened to it.
    pub times: StepTimes,
    /// The outcome, or the refusal.
    pub outcome: Option<Value>,
    /// Why it is in doubt.
    pub reason: Option<String>,
}

/// The epoch of a new run, as the store sets it.
pub(super) const FIRST_EPOCH: Epoch = 1;
const ID_LENGTH: usize = 5;
/// Rows per message to the writer.
const CHUNK: usize = 256;
/// Steps per read.
const PAGE: usize = 256;

impl Journal {
    /// Records a run and returns its lock. It is on disk with the first write that waits for the disk.
    pub fn begin_run(&self, new: NewRun) -> Result<RunLock, JournalError> {
        self.check_writable()?;
        let lock = self.unused_id()?;
        let id = lock.id();
        let hashes = new
            .sources
            .iter()
            .map(|(name, text)| (name.clone(), sha256(text.as_bytes())));
        let now_ms = self.clock().now_millis();
        let run = RunData {
            id: id.clone(),
            name: new.name,
            sources: hashes.collect(),
            params: self.sealer().seal(&run_seal_context(id, "params"), &new.params),
            plan: self.sealer().seal(&run_seal_context(id, "plan"), &new.plan),
            columns: None,
            has_rows: new.has_rows,
            total: None,
            status: RunStatus::Running,
            created_ms: now_ms,
            changed_ms: now_ms,
            pruned: false,
            earlier: Vec::new(),
            rules: Rules::Request,
        };
        self.store().write_later(Write::BeginRun {
            run: Box::new(run),
            texts: new.sources.into_iter().map(|(_, text)| text).collect(),
        })?;
        Ok(lock)
    }

    /// Takes the lock of a recorded run in order to continue it. Fails with [`JournalError::RunBusy`] if another
    /// process has it, and with [`JournalError::NoSuchRun`] if its rows were pruned.
    pub fn lock_run(&self, id: &RunId) -> Result<RunLock, JournalError> {
        self.check_writable()?;
        let run = self.store().read(|look| look.run(id))?;
        let rules = match run {
            Some(run) if !run.pruned => run.rules,
            _ => return Err(JournalError::NoSuchRun(id.clone())),
        };
        self.locks().take(id, rules, self.store(), |rows| {
            let write = Write::TakeRun {
                run: id.clone(),
                pid: std::process::id(),
                rows,
            };
            match self.store().write(write)? {
                Reply::Taken(epoch) => Ok(epoch),
                _ => Err(JournalError::NoSuchRun(id.clone())),
            }
        })
    }

    /// Whether a running process is executing the run.
    pub fn is_run_alive(&self, id: &RunId) -> bool {
        self.locks().is_alive(id)
    }

    /// Returns the id of the process that is executing the run, if there is one.
    pub fn run_holder(&self, id: &RunId) -> Option<u32> {
        self.locks().holder(id)
    }

    /// Returns what the run waits for, if a running process executes it, each a sentence without a full stop.
    pub fn run_waits(&self, id: &RunId) -> Vec<String> {
        self.locks().waits(id)
    }

    /// Returns the run, if it exists.
    pub fn run(&self, id: &RunId) -> Result<Option<RunRecord>, JournalError> {
        let data = self.store().read(|look| look.run(id))?;
        Ok(data.map(|data| self.run_record(data)))
    }

    /// Returns all runs except pruned ones, newest first.
    pub fn runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        let (runs, damaged) = self
            .store()
            .read(|look| Ok((look.runs()?, look.damaged_runs()?)))?;
        for sentence in damaged {
            self.damage().note(sentence);
        }
        let retained = runs.into_iter().filter(|run| !run.pruned);
        Ok(retained.map(|run| self.run_record(run)).collect())
    }

    /// Returns the newest run that can be resumed and that no running process is executing. A run whose plan cannot be
    /// read is skipped, and [`Journal::damage`] names it.
    pub fn latest_unfinished(&self) -> Result<Option<RunRecord>, JournalError> {
        let runs = self.store().read(|look| look.runs())?;
        let open = runs.into_iter().filter(|run| !run.status.is_finished());
        let mut free = open.filter(|run| !self.is_run_alive(&run.id));
        Ok(free.find_map(|run| Some(self.run_record(run)).filter(|run| run.plan != Value::Null)))
    }

    /// Returns the names and texts of a run's sources, the script first. Sources whose text was pruned are omitted.
    pub fn sources(&self, id: &RunId) -> Result<Vec<(String, String)>, JournalError> {
        let run = self.store().read(|look| look.run(id))?;
        self.source_texts(&run.map(|run| run.sources).unwrap_or_default())
    }

    /// Records the status of a run; on disk when it returns.
    pub fn set_run_status(&self, run: &RunLock, status: RunStatus) -> Result<(), JournalError> {
        let write = Write::Status {
            run: run.id().clone(),
            status,
            at_ms: self.clock().now_millis(),
        };
        self.store().write(run.submission(write)).map(drop)
    }

    /// Records the columns of a run's rows, with the next commit.
    pub fn set_columns(&self, run: &RunLock, columns: Vec<String>) -> Result<(), JournalError> {
        let columns = Value::List(columns.into_iter().map(Value::from).collect());
        self.store().write_later(
            run.submission(Write::Columns {
                run: run.id().clone(),
                columns: self
                    .sealer()
                    .seal(&run_seal_context(run.id(), "columns"), &columns),
            }),
        )
    }

    /// Queues rows, in order, with the next commits. A row whose position is already taken is left unchanged, so an
    /// input may be spooled again from its start. Blocks while the disk cannot keep up.
    pub fn spool_rows(&self, run: &RunLock, rows: Vec<NewRow>) -> Result<(), JournalError> {
        let id = run.id();
        let mut rows = rows.into_iter().map(|row| QueuedRow {
            input: self
                .sealer()
                .seal(&row_seal_context(id, row.position, "input"), &row.input),
            position: row.position,
            digest: row
                .content
                .as_ref()
                .map(|content| self.sealer().row_digest(content)),
        });
        loop {
            let rows: Vec<QueuedRow> = rows.by_ref().take(CHUNK).collect();
            if rows.is_empty() {
                return self.check_writable();
            }
            let place = self.0.spool.enter();
            let write = Write::Rows {
                run: id.clone(),
                rows,
            };
            self.store()
                .write_later_then(run.submission(write), Box::new(move |_| drop(place)))?;
        }
    }

    /// Records that all rows are queued, and their number, with the next commit.
    pub fn spool_complete(&self, run: &RunLock, total: u64) -> Result<(), JournalError> {
        self.store().write_later(run.submission(Write::RowsComplete {
            run: run.id().clone(),
            total,
        }))
    }

    /// Returns up to `limit` rows after position `after`, in order.
    pub fn rows(
        &self,
        id: &RunId,
        after: Option<u64>,
        limit: usize,
        only: RowFilter,
    ) -> Result<Vec<RowRecord>, JournalError> {
        let rows = self.store().read(|look| look.rows(id, after, limit, only))?;
        Ok(rows.into_iter().map(|row| self.row_record(id, row)).collect())
    }

    /// Takes up to `limit` rows after position `after`, in order, which no other worker of the run is given from then on.
    /// Rows that the run's owner has taken and not finished are free again when the run has a new owner.
    pub fn claim_rows(
        &self,
        run: &RunLock,
        after: Option<u64>,
        limit: usize,
        only: RowFilter,
    ) -> Result<Vec<RowRecord>, JournalError> {
        let owner = run.owner();
        let write = Write::ClaimRows {
            run: owner.run.clone(),
            epoch: owner.epoch,
            claim: RowClaim { after, limit, only },
        };
        let positions = match self.store().write(owner.submission(write))? {
            Reply::Claimed(positions) => positions,
            _ => Vec::new(),
        };
        // Read by the reader: a row that cannot be read must not fail the transaction that takes it.
        let rows = self
            .store()
            .read_committed(|look| look.rows_at(run.id(), &positions))?;
        Ok(rows
            .into_iter()
            .map(|row| self.row_record(run.id(), row))
            .collect())
    }

    /// Returns how many rows have each status.
    pub fn row_counts(&self, id: &RunId) -> Result<RowCounts, JournalError> {
        self.store().read(|look| look.row_counts(id))
    }

    /// Records how a row ended, with the next commit.
    pub fn finish_row(
        &self,
        run: &RunLock,
        position: u64,
        status: RowStatus,
        output: Option<&Value>,
        error: Option<&Value>,
    ) -> Result<(), JournalError> {
        let id = run.id();
        let seal =
            |what: &str, value: &Value| self.sealer().seal(&row_seal_context(id, position, what), value);
        self.store().write_later(run.submission(Write::RowEnd {
            run: id.clone(),
            position,
            end: RowEnd {
                status,
                output: output.map(|value| seal("output", value)),
                error: error.map(|value| seal("error", value)),
            },
        }))
    }

    /// Queues the failed rows again and forgets their refusals and the reads after their last change, so that these are
    /// requested again. Returns the number of rows.
    pub fn retry_failed(&self, run: &RunLock) -> Result<u64, JournalError> {
        let (mut retried, mut after) = (0, None);
        loop {
            let write = Write::RetryFailed {
                run: run.id().clone(),
                after,
                at_ms: self.clock().now_millis(),
            };
            let Reply::Page { rows, last } = self.store().write(run.submission(write))? else {
                return Ok(retried);
            };
            retried += rows;
            after = Some(last);
        }
    }

    /// Returns the steps of a run, by row and in the order in which each row requested them.
    pub fn steps(&self, id: &RunId, filter: &StepFilter) -> Result<Vec<StepRecord>, JournalError> {
        let mut steps = self.store().read(|look| look.steps(id, filter))?;
        steps.sort_by_key(|step| (step.position, step.seq));
        Ok(steps.into_iter().map(|step| self.step_record(step)).collect())
    }

    /// Calls `each` with every matching step of a run, row by row, reading a page at a time.
    pub fn for_each_step(
        &self,
        id: &RunId,
        filter: &StepFilter,
        each: &mut dyn FnMut(StepRecord) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        let mut after = (0, String::new());
        loop {
            let (position, key) = (after.0, after.1.as_str());
            let page = self
                .store()
                .read(|look| look.steps_after(id, filter, (position, key), PAGE))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.position, last.key.clone());
            for step in page {
                if each(self.step_record(step)).is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Returns an unused run id, locked.
    fn unused_id(&self) -> Result<RunLock, JournalError> {
        loop {
            // A leading letter, so that no id looks like a number.
            let id = RunId::new(format!("r{}", self.0.ids.short(ID_LENGTH - 1)));
            match self
                .locks()
                .take(&id, Rules::Request, self.store(), |_| Ok(FIRST_EPOCH))
            {
                Ok(lock) if self.store().read(|look| look.run(&id))?.is_none() => return Ok(lock),
                Ok(_) | Err(JournalError::RunBusy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn run_record(&self, run: RunData) -> RunRecord {
        let open = |what: &str, sealed: &Sealed| {
            let opened = self.open_or_record_damage(&run_seal_context(&run.id, what), sealed);
            opened.unwrap_or_default()
        };
        let columns = run.columns.as_ref().map(|sealed| match open("columns", sealed) {
            Value::List(names) => names
                .iter()
                .filter_map(Value::as_text)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        });
        RunRecord {
            params: open("params", &run.params),
            plan: open("plan", &run.plan),
            columns,
            id: run.id,
            name: run.name,
            sources: run.sources,
            has_rows: run.has_rows,
            total: run.total,
            status: run.status,
            created_ms: run.created_ms,
            changed_ms: run.changed_ms,
            earlier: run.earlier,
            pruned: run.pruned,
        }
    }

    fn row_record(&self, id: &RunId, row: RowData) -> RowRecord {
        let mut lost = None;
        let mut open = |what: &str, sealed: &Sealed| {
            let opened = self.open_or_record_damage(&row_seal_context(id, row.position, what), sealed);
            opened.unwrap_or_else(|error| {
                lost.get_or_insert(error);
                Value::Null
            })
        };
        let input = open("input", &row.input);
        let output = row.output.as_ref().map(|sealed| open("output", sealed));
        let error = row.error.as_ref().map(|sealed| open("error", sealed));
        RowRecord {
            input,
            output,
            // A value that cannot be read is reported as the row's error.
            error: lost.map(|lost| lost.to_string().into()).or(error),
            position: row.position,
            scope: row.scope,
            repeat: row.repeat,
            crashes: row.crashes,
            status: row.status,
        }
    }

    pub(super) fn step_record(&self, step: StepData) -> StepRecord {
        let outcome = step.outcome.as_ref();
        let outcome = outcome.map(|sealed| {
            self.open_or_record_damage(&step_seal_context(&step), sealed)
                .unwrap_or_default()
        });
        let reason = step.reason.as_ref();
        let reason = reason.map(|sealed| {
            self.open_or_record_damage(&why_seal_context(&step), sealed)
                .unwrap_or_default()
        });
        StepRecord {
            outcome,
            reason: reason.and_then(|reason| reason.as_text().map(str::to_owned)),
            key: step.key,
            position: step.position,
            seq: step.seq,
            op: step.op,
            changes: step.changes,
            state: step.state,
            resource: step.resource,
            attempts: step.attempts,
            times: step.times,
        }
    }
}

pub(super) fn run_seal_context(id: &RunId, what: &str) -> String {
    format!("run {id} {what}")
}

pub(super) fn row_seal_context(id: &RunId, position: u64, what: &str) -> String {
    format!("run {id} row {position} {what}")
}

//! Writes and their effect on the tables of a store.

use std::sync::{Arc, OnceLock};

use super::attempt::LedgerEntry;
use super::error::JournalError;
use super::progress_notes::InterruptedRow;
use super::run::{EarlierSources, RowFilter, RowStatus, RunId, RunStatus};
use super::seal::Sealed;
use super::step::{StepEvent, StepState};
use super::table::{
    AuditData, Epoch, ItemData, ItemStep, QueuedRow, ReadTables, Res, ResourceKey, RowClaim, RowData, RowEnd,
    RunData, StepData, StepFilter, StepId, StepTimes, Tables,
};
use crate::sabotage::Sabotage;

/// A write, and who makes it.
#[derive(Debug, Clone)]
pub(super) struct Submission {
    /// `None` for a write that belongs to no run in progress.
    pub(super) owner: Option<Owner>,
    pub(super) write: Write,
}

impl From<Write> for Submission {
    fn from(write: Write) -> Submission {
        Submission { owner: None, write }
    }
}

/// The right to write for a run, until another process takes the run over.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) run: RunId,
    pub(super) epoch: Epoch,
    /// The error of all writes after the run was taken over.
    pub(super) lost: Arc<OnceLock<JournalError>>,
}

impl Owner {
    pub(super) fn new(run: &RunId, epoch: Epoch) -> Owner {
        Owner {
            run: run.clone(),
            epoch,
            lost: Arc::default(),
        }
    }

    /// Returns a write of this owner.
    pub(super) fn submission(&self, write: Write) -> Submission {
        Submission {
            owner: Some(self.clone()),
            write,
        }
    }

    /// Fails if a write has been refused because another process owns the run.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        self.lost.get().cloned().map_or(Ok(()), Err)
    }

    /// Notes that another process owns the run, and returns the error.
    pub(super) fn lose(&self, pid: Option<u32>) -> JournalError {
        let error = || JournalError::TakenOver {
            run: self.run.clone(),
            pid,
        };
        self.lost.get_or_init(error).clone()
    }
}

/// One write, applied atomically.
#[derive(Debug, Clone)]
pub(super) enum Write {
    BeginRun {
        run: Box<RunData>,
        texts: Vec<String>,
    },
    Status {
        run: RunId,
        status: RunStatus,
        at_ms: i64,
    },
    Columns {
        run: RunId,
        columns: Sealed,
    },
    /// Pins the run to different sources.
    Repin(Box<Repin>),
    Rows {
        run: RunId,
        rows: Vec<QueuedRow>,
    },
    RowsComplete {
        run: RunId,
        total: u64,
    },
    /// Takes the next rows for a worker of the run's owner.
    ClaimRows {
        run: RunId,
        epoch: Epoch,
        claim: RowClaim,
    },
    RowEnd {
        run: RunId,
        position: u64,
        end: RowEnd,
    },
    /// Makes a process the owner of a recorded run. The owner before it died while these rows were in progress.
    TakeRun {
        run: RunId,
        pid: u32,
        rows: Vec<InterruptedRow>,
    },
    /// Queues an ended row again; it restarts from its recorded steps.
    Reopen {
        run: RunId,
        position: u64,
        at_ms: i64,
    },
    /// Retries a page of failed rows: drops the records that must be requested again and queues the rows.
    RetryFailed {
        run: RunId,
        after: Option<u64>,
        at_ms: i64,
    },
    /// A request is about to be sent. The step holds its resource from now on, and its act is registered.
    Intend {
        step: Box<StepData>,
        event: StepEvent,
        /// Whether a request follows. Otherwise the step adopts what was found.
        sends: bool,
        /// Acts completed before this time no longer count.
        since_ms: i64,
    },
    /// Records an outcome that is known without sending.
    Record {
        step: Box<StepData>,
        event: StepEvent,
    },
    Move(Box<Move>),
    PutItem(Box<ItemData>),
    /// Removes a resource from the ledger.
    Strike(Box<ResourceKey>),
    /// Renames a resource, unless the new name is taken.
    Rename(Box<Rename>),
    Audit(AuditData),
    /// Marks the runs that finished before this time as pruned.
    Prune {
        before_ms: i64,
    },
    /// Drops a page of the rows of a pruned run and, with the last page, its reads.
    DropDetails {
        run: RunId,
    },
    /// Drops the sources that no run needs any more.
    DropSources,
}

impl Write {
    /// Whether a request is sent once this is on disk.
    pub(super) fn precedes_request(&self) -> bool {
        match self {
            Write::Intend { .. } => true,
            Write::Move(change) => matches!(change.event, StepEvent::Leaves { .. }),
            _ => false,
        }
    }
}

/// An event for a step that is already recorded.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub(super) run: RunId,
    pub(super) key: String,
    /// The step's number, if it is known.
    pub(super) id: Option<StepId>,
    pub(super) event: StepEvent,
    pub(super) at_ms: i64,
    /// What happened since the last record of the step.
    pub(super) times: StepTimes,
    /// The outcome or the refusal, if the event carries one.
    pub(super) outcome: Option<Sealed>,
    pub(super) reason: Option<Sealed>,
    /// No process is working on the step for now.
    pub(super) parked: bool,
    /// The outcome is inserted into the ledger.
    pub(super) inserts: Option<Inserted>,
    /// The ledger entries to remove.
    pub(super) removed: Vec<LedgerEntry>,
    pub(super) audit: Option<AuditData>,
    /// The act is not remembered, even though it has an outcome.
    pub(super) releases_act: bool,
}

/// A ledger entry whose value is the outcome of its step.
#[derive(Debug, Clone)]
pub(super) struct Inserted {
    pub(super) platform_id: Option<String>,
}

impl Move {
    /// Returns the event for this step that changes nothing else.
    pub(super) fn new(step: &StepData, event: StepEvent, at_ms: i64) -> Move {
        Move {
            run: step.run.clone(),
            key: step.key.clone(),
            id: step.id,
            event,
            at_ms,
            times: StepTimes::default(),
            outcome: None,
            reason: None,
            parked: false,
            inserts: None,
            removed: Vec::new(),
            audit: None,
            releases_act: false,
        }
    }
}

/// A new name for a resource.
#[derive(Debug, Clone)]
pub(super) struct Rename {
    pub(super) from: ResourceKey,
    pub(super) to: ResourceKey,
    /// The ledger entry under the new name, sealed for it; `None` leaves the ledger unchanged.
    pub(super) item: Option<ItemData>,
}

/// Replacement sources for a run.
#[derive(Debug, Clone)]
pub(super) struct Repin {
    pub(super) run: RunId,
    pub(super) sources: Vec<(String, String)>,
    pub(super) texts: Vec<String>,
    pub(super) plan: Sealed,
    pub(super) at_ms: i64,
    pub(super) audit: AuditData,
}

/// The result of a write.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Written,
    /// The process owns the run from this epoch on.
    Taken(Epoch),
    /// Another process, if this is its id, owns the run for which the write was made. Nothing was written.
    TakenOver(Option<u32>),
    /// The intent is recorded, with this number of the step.
    Intended(StepId),
    /// The positions of the rows taken, in order.
    Claimed(Vec<u64>),
    /// The number of runs or rows affected.
    Counted(u64),
    /// The number of rows affected and the position of the last one.
    Page {
        rows: u64,
        last: u64,
    },
    /// The step's state does not allow the write; carries the step's current record, if it has one.
    StateMismatch(Option<Box<StepData>>),
    /// The act is done or in doubt; carries its step.
    Acted(Box<StepData>),
    /// The ledger already has the resource.
    InLedger(Box<ItemData>),
    /// Another step holds the resource.
    Held(Box<StepData>),
}

/// Rows per write, which keeps transactions short.
const PAGE: usize = 256;

/// Applies a write. All checks come before the first change, so a rejected write leaves no trace.
pub(super) fn apply(tables: &mut dyn Tables, submission: Submission) -> Res<Reply> {
    let Submission { owner, write } = submission;
    if let Some(owner) = owner
        && let Some((epoch, pid)) = tables.epoch(&owner.run)?
        && epoch != owner.epoch
        && !Sabotage::EpochIgnored.is_on()
    {
        return Ok(Reply::TakenOver(pid));
    }
    match write {
        Write::BeginRun { run, texts } => {
            put_sources(tables, &run.sources, &texts)?;
            tables.put_run(&run)?;
        }
        Write::Repin(repin) => repin_run(tables, *repin)?,
        Write::Status { run, status, at_ms } => change_run(tables, &run, |data| {
            data.status = status;
            data.changed_ms = at_ms;
        })?,
        Write::Columns { run, columns } => change_run(tables, &run, |data| data.columns = Some(columns))?,
        Write::RowsComplete { run, total } => change_run(tables, &run, |data| data.total = Some(total))?,
        Write::Rows { run, rows } => {
            for row in rows {
                tables.put_row(&run, &row)?;
            }
        }
        Write::ClaimRows { run, epoch, claim } => {
            return Ok(Reply::Claimed(tables.claim_rows(&run, epoch, claim)?));
        }
        Write::RowEnd { run, position, end } => tables.end_row(&run, position, &end)?,
        Write::TakeRun { run, pid, rows } => {
            for left in rows {
                tables.put_crash(&run, left)?;
            }
            return Ok(tables.take_run(&run, pid)?.map_or(Reply::Written, Reply::Taken));
        }
        Write::Reopen { run, position, at_ms } => return reopen(tables, &run, position, at_ms),
        Write::RetryFailed { run, after, at_ms } => return retry_failed(tables, &run, after, at_ms),
        Write::Intend {
            step,
            event,
            sends,
            since_ms,
        } => return insert_intent(tables, *step, (event, sends), since_ms),
        Write::Record { step, event } => return record(tables, *step, event),
        Write::Move(change) => return move_step(tables, *change),
        Write::PutItem(item) => tables.put_item(&item)?,
        Write::Strike(resource) => tables.remove_item(&resource)?,
        Write::Rename(rename) => return rename_entry(tables, *rename),
        Write::Audit(audit) => tables.put_audit(&audit)?,
        Write::Prune { before_ms } => return prune(tables, before_ms),
        Write::DropDetails { run } => return Ok(Reply::Counted(tables.drop_details(&run, PAGE)?)),
        Write::DropSources => tables.drop_sources()?,
    }
    Ok(Reply::Written)
}

fn put_sources(tables: &mut dyn Tables, sources: &[(String, String)], texts: &[String]) -> Res<()> {
    for ((_, hash), text) in sources.iter().zip(texts) {
        tables.put_source(hash, text)?;
    }
    Ok(())
}

/// The previous sources are kept next to the new ones.
fn repin_run(tables: &mut dyn Tables, repin: Repin) -> Res<()> {
    put_sources(tables, &repin.sources, &repin.texts)?;
    change_run(tables, &repin.run, |run| {
        let sources = std::mem::replace(&mut run.sources, repin.sources);
        run.earlier.push(EarlierSources {
            until_ms: repin.at_ms,
            sources,
        });
        run.plan = repin.plan;
    })?;
    tables.put_audit(&repin.audit)
}

fn change_run(tables: &mut dyn Tables, run: &RunId, change: impl FnOnce(&mut RunData)) -> Res<()> {
    if let Some(mut data) = tables.run(run)? {
        change(&mut data);
        tables.put_run(&data)?;
    }
    Ok(())
}

/// Queues an ended row again. Leaves rows that have not ended, and rows of cancelled runs, unchanged.
fn reopen(tables: &mut dyn Tables, run: &RunId, position: u64, at_ms: i64) -> Res<Reply> {
    let row = tables
        .rows(run, position.checked_sub(1), 1, RowFilter::All)?
        .pop();
    let has_ended =
        |row: &RowData| row.position == position && matches!(row.status, RowStatus::Done | RowStatus::Failed);
    let given_up = tables
        .run(run)?
        .is_none_or(|run| run.status == RunStatus::Cancelled);
    if given_up || !row.as_ref().is_some_and(has_ended) {
        return Ok(Reply::Counted(0));
    }
    let end = RowEnd {
        status: RowStatus::Queued,
        output: None,
        error: None,
    };
    tables.end_row(run, position, &end)?;
    change_run(tables, run, |run| {
        run.status = RunStatus::Interrupted;
        run.changed_ms = at_ms;
    })?;
    Ok(Reply::Counted(1))
}

fn retry_failed(tables: &mut dyn Tables, run: &RunId, after: Option<u64>, at_ms: i64) -> Res<Reply> {
    let rows = tables.rows(run, after, PAGE, RowFilter::Only(RowStatus::Failed))?;
    let Some(last) = rows.last().map(|row| row.position) else {
        return Ok(Reply::Counted(0));
    };
    for row in &rows {
        let steps = tables.steps(run, &StepFilter::Row(row.position))?;
        let last_change = last_change(&steps);
        for mut step in steps {
            if !is_rerun_on_retry(&step, last_change) {
                continue;
            }
            if let Ok(state) = step.state.next(StepEvent::RetryWanted) {
                step.state = state;
                step.outcome = None;
                step.times.ended_ms = None;
                keep_or_drop(tables, &step, StepEvent::RetryWanted)?;
            } else if let Some(id) = step.id {
                tables.drop_step(id)?;
            }
        }
        let end = RowEnd {
            status: RowStatus::Queued,
            output: None,
            error: None,
        };
        tables.end_row(run, row.position, &end)?;
    }
    // If the process is killed between two pages, the run can still be resumed.
    change_run(tables, run, |run| {
        run.status = RunStatus::Interrupted;
        run.changed_ms = at_ms;
    })?;
    Ok(Reply::Page {
        rows: rows.len() as u64,
        last,
    })
}

/// Returns the sequence number of a row's last change that a retry will not repeat, or 0 if there is none.
pub(super) fn last_change<'a>(steps: impl IntoIterator<Item = &'a StepData>) -> u32 {
    let kept = steps.into_iter().filter(|step| {
        let over = matches!(step.state, StepState::Absent | StepState::Refused);
        step.changes && !over
    });
    kept.map(|step| step.seq).max().unwrap_or_default()
}

/// Whether a retry of a failed row executes the step again. True for refusals and for reads after the last change, as
/// the failure may come from a response. Reads before a change are kept: the change may depend on them, and with other
/// arguments it would be a different change.
pub(super) fn is_rerun_on_retry(step: &StepData, last_change: u32) -> bool {
    let read = !step.changes && step.state.is_final() && step.seq > last_change;
    step.state == StepState::Refused || read
}

/// Inserts the intent, unless the ledger has the resource, the act is remembered, or another step is working on either.
fn insert_intent(
    tables: &mut dyn Tables,
    mut step: StepData,
    (event, sends): (StepEvent, bool),
    since_ms: i64,
) -> Res<Reply> {
    let recorded = tables.step_of_row(&step.run, step.position, &step.key)?;
    let before = recorded.as_ref().map_or(StepState::Absent, |step| step.state);
    let Ok(state) = before.next(event) else {
        return Ok(Reply::StateMismatch(recorded.map(Box::new)));
    };
    if let Some(owner) = earlier_act(tables, &step, since_ms)? {
        return Ok(Reply::Acted(Box::new(owner)));
    }
    if let Some(resource) = &step.resource {
        if step.ledger
            && let Some(item) = tables.item(resource)?
        {
            return Ok(Reply::InLedger(Box::new(item)));
        }
        if let Some(holder) = tables
            .holder(resource)?
            .filter(|_| !Sabotage::ClaimSkipped.is_on())
        {
            return Ok(Reply::Held(Box::new(holder)));
        }
    }
    step.state = state;
    step.parked = false;
    continue_record(&mut step, recorded);
    step.attempts += u32::from(sends);
    let id = tables.put_step(&step)?;
    if let Some(act) = &step.act {
        tables.put_act(act, id)?;
    }
    Ok(Reply::Intended(id))
}

/// Makes the step replace an earlier record of it.
fn continue_record(step: &mut StepData, recorded: Option<StepData>) {
    step.id = recorded.as_ref().and_then(|step| step.id);
    step.attempts = recorded.map_or(0, |step| step.attempts);
}

/// Returns the other step by which this act was done at `since_ms` or later, or may have been done.
pub(super) fn earlier_act(
    look: &(impl ReadTables + ?Sized),
    step: &StepData,
    since_ms: i64,
) -> Res<Option<StepData>> {
    let Some(act) = step.act.as_ref().filter(|_| !Sabotage::ActsForgotten.is_on()) else {
        return Ok(None);
    };
    let Some(id) = look.act(act)? else {
        return Ok(None);
    };
    let counts = |owner: &StepData| {
        let is_other = (&owner.run, &owner.key) != (&step.run, &step.key);
        is_other
            && match owner.state {
                StepState::Done => owner.times.ended_ms.is_none_or(|ended_ms| ended_ms >= since_ms),
                state => state.is_remembered(),
            }
    };
    Ok(look.step(id)?.filter(counts))
}

fn rename_entry(tables: &mut dyn Tables, rename: Rename) -> Res<Reply> {
    let Rename { from, to, item } = rename;
    if tables.item(&to)?.is_some() || tables.holder(&to)?.is_some() {
        return Ok(Reply::Counted(0));
    }
    let renamed = |tables: &mut dyn Tables, step: Option<StepData>| -> Res<()> {
        if let Some(mut step) = step {
            step.resource = Some(to.clone());
            tables.put_step(&step)?;
        }
        Ok(())
    };
    let holder = tables.holder(&from)?;
    renamed(tables, holder)?;
    if let Some(item) = item {
        if let Some(of) = &item.step {
            let step = tables.step(of.id)?;
            renamed(tables, step)?;
        }
        tables.remove_item(&from)?;
        tables.put_item(&item)?;
    }
    Ok(Reply::Counted(1))
}

fn record(tables: &mut dyn Tables, mut step: StepData, event: StepEvent) -> Res<Reply> {
    let recorded = tables.step_of_row(&step.run, step.position, &step.key)?;
    let before = recorded.as_ref().map_or(StepState::Absent, |step| step.state);
    let Ok(state) = before.next(event) else {
        return Ok(Reply::StateMismatch(recorded.map(Box::new)));
    };
    step.state = state;
    continue_record(&mut step, recorded);
    tables.put_step(&step)?;
    Ok(Reply::Written)
}

fn move_step(tables: &mut dyn Tables, change: Move) -> Res<Reply> {
    let step = match change.id {
        // The number of a step that was dropped may be given again.
        Some(id) => tables
            .step(id)?
            .filter(|step| (&step.run, &step.key) == (&change.run, &change.key)),
        None => tables.step_by_key(&change.run, &change.key)?,
    };
    let Some((mut step, id)) = step.and_then(|step| step.id.map(|id| (step, id))) else {
        return Ok(Reply::StateMismatch(None));
    };
    let Ok(state) = step.state.next(change.event) else {
        return Ok(Reply::StateMismatch(Some(Box::new(step))));
    };
    if matches!(change.event, StepEvent::LookedInVain { .. }) {
        step.attempts += 1;
    }
    step.state = state;
    step.parked = change.parked;
    step.outcome = change.outcome;
    step.reason = change.reason.or(step.reason).filter(|_| !state.is_final());
    step.times.add(change.times);
    step.times.ended_ms = state.is_final().then_some(change.at_ms);
    keep_or_drop(tables, &step, change.event)?;
    if let Some(act) = step
        .act
        .as_deref()
        .filter(|_| change.releases_act || !state.is_remembered())
        && tables.act(act)? == Some(id)
    {
        tables.drop_act(act)?;
    }
    if let (Some(inserted), Some(resource)) = (change.inserts, &step.resource) {
        tables.put_item(&ItemData {
            resource: resource.clone(),
            platform_id: inserted.platform_id,
            step: Some(ItemStep {
                id,
                run: change.run,
                key: change.key,
                outcome: step.outcome.clone(),
            }),
            value: None,
            created_ms: change.at_ms,
            changed_ms: change.at_ms,
        })?;
    }
    if let (StepEvent::CorrectedAbsent, Some(resource)) = (change.event, &step.resource) {
        remove_inserted(tables, resource, id)?;
    }
    for removed in change.removed {
        remove_entry(tables, &removed)?;
    }
    if let Some(audit) = change.audit {
        tables.put_audit(&audit)?;
    }
    Ok(Reply::Written)
}

fn remove_entry(tables: &mut dyn Tables, removed: &LedgerEntry) -> Res<()> {
    match removed {
        LedgerEntry::Identified {
            account,
            kind,
            platform_id,
        } => tables.drop_item(account, kind, platform_id),
        LedgerEntry::Named(resource) => tables.remove_item(resource),
    }
}

/// Removes the resource from the ledger if this step inserted it.
fn remove_inserted(tables: &mut dyn Tables, resource: &ResourceKey, step: StepId) -> Res<()> {
    let item = tables.item(resource)?;
    if item.is_some_and(|item| item.step.is_some_and(|of| of.id == step)) {
        tables.remove_item(resource)?;
    }
    Ok(())
}

/// Keeps a step that may have been carried out before when it becomes absent, so that the next attempt knows about the
/// earlier ones.
fn keep_or_drop(tables: &mut dyn Tables, step: &StepData, event: StepEvent) -> Res<()> {
    let was_never_in_doubt =
        matches!(event, StepEvent::NotCarriedOut | StepEvent::RetryWanted) && step.attempts <= 1;
    match step.id {
        Some(id) if step.state == StepState::Absent && was_never_in_doubt => tables.drop_step(id),
        _ => tables.put_step(step).map(drop),
    }
}

/// Marks runs as pruned. Their details are dropped page by page afterwards; nothing reads them any more.
fn prune(tables: &mut dyn Tables, before_ms: i64) -> Res<Reply> {
    let mut pruned = 0;
    for mut run in tables.runs()? {
        if run.pruned || !run.status.is_finished() || run.changed_ms >= before_ms {
            continue;
        }
        run.pruned = true;
        tables.put_run(&run)?;
        pruned += 1;
    }
    Ok(Reply::Counted(pruned))
}

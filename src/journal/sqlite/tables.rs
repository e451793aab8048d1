//! Implements [`ReadTables`] and [`Tables`] for a connection.

use rusqlite::Connection;

use super::super::progress_notes::InterruptedRow;
use super::super::run::{RowCounts, RowFilter, RunId};
use super::super::table::{
    AuditData, Epoch, ItemData, QueuedRow, ReadTables, Res, ResourceKey, RowClaim, RowData, RowEnd, RunData,
    StepData, StepFilter, StepId, Tables,
};
use super::{runs, steps};

/// A connection; its owner opens a transaction for writes.
pub(super) struct Sql<'a> {
    connection: &'a Connection,
    /// The net number of entries added to the ledger, if it was changed.
    ledger_change: Option<i64>,
}

impl<'a> Sql<'a> {
    pub(super) fn new(connection: &'a Connection) -> Sql<'a> {
        Sql {
            connection,
            ledger_change: None,
        }
    }

    /// Returns the net number of entries added to the ledger, or `None` if it was not changed.
    pub(super) fn ledger_change(&self) -> Option<i64> {
        self.ledger_change
    }

    fn ledger_changed(&mut self, more: i64) {
        *self.ledger_change.get_or_insert(0) += more;
    }
}

impl ReadTables for Sql<'_> {
    fn run(&self, id: &RunId) -> Res<Option<RunData>> {
        runs::run(self.connection, id)
    }
    fn epoch(&self, run: &RunId) -> Res<Option<(Epoch, Option<u32>)>> {
        runs::epoch(self.connection, run)
    }
    fn runs(&self) -> Res<Vec<RunData>> {
        runs::runs(self.connection)
    }
    fn damaged_runs(&self) -> Res<Vec<String>> {
        runs::damaged_runs(self.connection)
    }
    fn damaged_parts(&self) -> Res<Vec<String>> {
        let mut damaged = runs::damaged_rows(self.connection)?;
        damaged.extend(steps::damaged_steps(self.connection)?);
        Ok(damaged)
    }
    fn source(&self, hash: &str) -> Res<Option<String>> {
        runs::source(self.connection, hash)
    }
    fn rows(&self, run: &RunId, after: Option<u64>, limit: usize, only: RowFilter) -> Res<Vec<RowData>> {
        runs::rows(self.connection, run, after, limit, only)
    }
    fn rows_at(&self, run: &RunId, positions: &[u64]) -> Res<Vec<RowData>> {
        runs::rows_at(self.connection, run, positions)
    }
    fn row_counts(&self, run: &RunId) -> Res<RowCounts> {
        runs::row_counts(self.connection, run)
    }
    fn step(&self, id: StepId) -> Res<Option<StepData>> {
        steps::step(self.connection, id)
    }
    fn step_of_row(&self, run: &RunId, position: u64, key: &str) -> Res<Option<StepData>> {
        steps::step_of_row(self.connection, run, position, key)
    }
    fn step_by_key(&self, run: &RunId, key: &str) -> Res<Option<StepData>> {
        steps::step_by_key(self.connection, run, key)
    }
    fn steps_after(
        &self,
        run: &RunId,
        filter: &StepFilter,
        after: (u64, &str),
        limit: usize,
    ) -> Res<Vec<StepData>> {
        steps::steps_after(self.connection, run, filter, after, limit)
    }
    fn steps(&self, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>> {
        steps::steps(self.connection, run, filter)
    }
    fn holder(&self, resource: &ResourceKey) -> Res<Option<StepData>> {
        steps::holder(self.connection, resource)
    }
    fn holders(&self, kind: Option<&str>) -> Res<Vec<StepData>> {
        steps::holders(self.connection, kind)
    }
    fn act(&self, key: &str) -> Res<Option<StepId>> {
        steps::act(self.connection, key)
    }
    fn item(&self, resource: &ResourceKey) -> Res<Option<ItemData>> {
        steps::item(self.connection, resource)
    }
    fn items(&self, kind: &str, account: Option<&str>) -> Res<Vec<ItemData>> {
        steps::items(self.connection, kind, account)
    }
    fn all_items(&self) -> Res<Vec<ItemData>> {
        steps::all_items(self.connection)
    }
    fn recorded_platform_ids(&self, account: &str, kind: &str) -> Res<Vec<String>> {
        steps::recorded_platform_ids(self.connection, account, kind)
    }
    fn audits(&self) -> Res<Vec<AuditData>> {
        steps::audits(self.connection)
    }
}

impl Tables for Sql<'_> {
    fn put_run(&mut self, run: &RunData) -> Res<()> {
        runs::put_run(self.connection, run)
    }
    fn take_run(&mut self, run: &RunId, pid: u32) -> Res<Option<Epoch>> {
        runs::take_run(self.connection, run, pid)
    }
    fn put_source(&mut self, hash: &str, text: &str) -> Res<()> {
        runs::put_source(self.connection, hash, text)
    }
    fn claim_rows(&mut self, run: &RunId, epoch: Epoch, claim: RowClaim) -> Res<Vec<u64>> {
        runs::claim_rows(self.connection, run, epoch, claim)
    }
    fn put_row(&mut self, run: &RunId, row: &QueuedRow) -> Res<()> {
        runs::put_row(self.connection, run, row)
    }
    fn end_row(&mut self, run: &RunId, position: u64, end: &RowEnd) -> Res<()> {
        runs::end_row(self.connection, run, position, end)
    }
    fn put_crash(&mut self, run: &RunId, left: InterruptedRow) -> Res<()> {
        runs::put_crash(self.connection, run, left)
    }
    fn put_step(&mut self, step: &StepData) -> Res<StepId> {
        steps::put_step(self.connection, step)
    }
    fn drop_step(&mut self, id: StepId) -> Res<()> {
        steps::drop_step(self.connection, id)
    }
    fn put_act(&mut self, key: &str, step: StepId) -> Res<()> {
        steps::put_act(self.connection, key, step)
    }
    fn drop_act(&mut self, key: &str) -> Res<()> {
        steps::drop_act(self.connection, key)
    }
    fn put_item(&mut self, item: &ItemData) -> Res<()> {
        let is_new = steps::put_item(self.connection, item)?;
        self.ledger_changed(i64::from(is_new));
        Ok(())
    }
    fn drop_item(&mut self, account: &str, kind: &str, platform_id: &str) -> Res<()> {
        let dropped = steps::drop_item(self.connection, account, kind, platform_id)?;
        self.ledger_changed(-dropped);
        Ok(())
    }
    fn remove_item(&mut self, resource: &ResourceKey) -> Res<()> {
        let dropped = steps::remove_item(self.connection, resource)?;
        self.ledger_changed(-dropped);
        Ok(())
    }
    fn put_audit(&mut self, audit: &AuditData) -> Res<()> {
        steps::put_audit(self.connection, audit)
    }
    fn drop_details(&mut self, run: &RunId, limit: usize) -> Res<u64> {
        runs::drop_details(self.connection, run, limit)
    }
    fn drop_sources(&mut self) -> Res<()> {
        runs::drop_sources(self.connection)
    }
}

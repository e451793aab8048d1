//! A connection as [`Look`] and [`Tables`].

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::run::{RowCounts, RowFilter, RunId};
use super::super::table::{
    AuditData, ClaimData, ItemData, Look, Res, RowData, RowEnd, RowPut, RunData, StepData, StepFilter,
    Tables, Thing,
};
use super::super::under_way::{Deaths, Left};
use super::{runs, steps};

/// One connection; writes belong into a transaction that its owner opens.
pub(super) struct Sql<'a>(pub(super) &'a Connection);

impl Look for Sql<'_> {
    fn run(&self, id: &RunId) -> Res<Option<RunData>> {
        runs::run(self.0, id)
    }
    fn runs(&self) -> Res<Vec<RunData>> {
        runs::runs(self.0)
    }
    fn source(&self, hash: &str) -> Res<Option<String>> {
        runs::source(self.0, hash)
    }
    fn rows(&self, run: &RunId, after: Option<u64>, limit: usize, only: RowFilter) -> Res<Vec<RowData>> {
        runs::rows(self.0, run, after, limit, only)
    }
    fn row_counts(&self, run: &RunId) -> Res<RowCounts> {
        runs::row_counts(self.0, run)
    }
    fn scope_count(&self, run: &RunId, scope: &str) -> Res<u64> {
        runs::scope_count(self.0, run, scope)
    }
    fn step(&self, run: &RunId, key: &str) -> Res<Option<StepData>> {
        steps::step(self.0, run, key)
    }
    fn deaths(&self, run: &RunId) -> Res<BTreeMap<u64, Deaths>> {
        runs::deaths(self.0, run)
    }
    fn steps_after(&self, run: &RunId, filter: &StepFilter, after: &str, limit: usize) -> Res<Vec<StepData>> {
        steps::steps_after(self.0, run, filter, after, Some(limit))
    }
    fn steps(&self, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>> {
        steps::steps(self.0, run, filter)
    }
    fn claim(&self, thing: &Thing) -> Res<Option<ClaimData>> {
        steps::claim(self.0, thing)
    }
    fn claims(&self) -> Res<Vec<ClaimData>> {
        steps::claims(self.0)
    }
    fn item(&self, thing: &Thing) -> Res<Option<ItemData>> {
        steps::item(self.0, thing)
    }
    fn items(&self, sort: &str, account: Option<&str>) -> Res<Vec<ItemData>> {
        steps::items(self.0, sort, account)
    }
    fn all_items(&self) -> Res<Vec<ItemData>> {
        steps::all_items(self.0)
    }
    fn attributed(&self, account: &str, sort: &str) -> Res<Vec<String>> {
        steps::attributed(self.0, account, sort)
    }
    fn audits(&self) -> Res<Vec<AuditData>> {
        steps::audits(self.0)
    }
}

impl Tables for Sql<'_> {
    fn put_run(&mut self, run: &RunData) -> Res<()> {
        runs::put_run(self.0, run)
    }
    fn put_source(&mut self, hash: &str, text: &str) -> Res<()> {
        runs::put_source(self.0, hash, text)
    }
    fn put_row(&mut self, run: &RunId, row: &RowData) -> Res<RowPut> {
        runs::put_row(self.0, run, row)
    }
    fn end_row(&mut self, run: &RunId, position: u64, end: &RowEnd) -> Res<()> {
        runs::end_row(self.0, run, position, end)
    }
    fn put_death(&mut self, run: &RunId, left: Left) -> Res<()> {
        runs::put_death(self.0, run, left)
    }
    fn put_step(&mut self, step: &StepData) -> Res<()> {
        steps::put_step(self.0, step)
    }
    fn drop_step(&mut self, run: &RunId, key: &str) -> Res<()> {
        steps::drop_step(self.0, run, key)
    }
    fn put_claim(&mut self, claim: &ClaimData) -> Res<()> {
        steps::put_claim(self.0, claim)
    }
    fn drop_claim(&mut self, thing: &Thing) -> Res<()> {
        steps::drop_claim(self.0, thing)
    }
    fn put_item(&mut self, item: &ItemData) -> Res<()> {
        steps::put_item(self.0, item)
    }
    fn drop_item(&mut self, account: &str, sort: &str, platform_id: &str) -> Res<()> {
        steps::drop_item(self.0, account, sort, platform_id)
    }
    fn strike_item(&mut self, thing: &Thing) -> Res<()> {
        steps::strike_item(self.0, thing)
    }
    fn put_audit(&mut self, audit: &AuditData) -> Res<()> {
        steps::put_audit(self.0, audit)
    }
    fn drop_details(&mut self, run: &RunId) -> Res<()> {
        runs::drop_details(self.0, run)
    }
}

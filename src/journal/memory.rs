//! A store that lives as long as its process, for tests and for runs that leave nothing behind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::apply::{Reply, Write, apply};
use super::progress_notes::{CrashCounts, InterruptedRow};
use super::run::{RowCounts, RowFilter, RunId};
use super::table::{
    AuditData, ClaimData, ItemData, ReadTables, Repeats, Res, ResourceKey, RowData, RowEnd, RowPut, RunData,
    StepData, StepFilter, StoreError, Tables,
};
use crate::waiting::Waits;

/// The tables, as maps.
#[derive(Default)]
pub(super) struct MemoryStore {
    tables: Mutex<(Maps, Repeats)>,
    waits: Waits,
}

impl MemoryStore {
    pub(super) fn write(&self, write: Write) -> Result<Reply, StoreError> {
        let mut guard = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let (maps, repeats) = &mut *guard;
        apply(maps, repeats, write)
    }

    /// Returns the long waits of this store.
    pub(super) fn waits(&self) -> &Waits {
        &self.waits
    }

    pub(super) fn read<R>(&self, look: impl FnOnce(&dyn ReadTables) -> Res<R>) -> Res<R> {
        look(&self.tables.lock().unwrap_or_else(PoisonError::into_inner).0)
    }
}

#[derive(Default)]
struct Maps {
    runs: Vec<RunData>,
    sources: BTreeMap<String, String>,
    rows: BTreeMap<(RunId, u64), RowData>,
    scopes: BTreeMap<(RunId, String), u64>,
    steps: BTreeMap<(RunId, String), StepData>,
    claims: BTreeMap<ResourceKey, ClaimData>,
    acts: BTreeMap<String, (RunId, String)>,
    items: BTreeMap<ResourceKey, ItemData>,
    audits: Vec<AuditData>,
}

impl Maps {
    fn rows_of(&self, run: &RunId, from: u64) -> impl Iterator<Item = &RowData> {
        let range = (run.clone(), from)..=(run.clone(), u64::MAX);
        self.rows.range(range).map(|(_, row)| row)
    }
}

impl ReadTables for Maps {
    fn run(&self, id: &RunId) -> Res<Option<RunData>> {
        Ok(self.runs.iter().find(|run| run.id == *id).cloned())
    }

    fn runs(&self) -> Res<Vec<RunData>> {
        Ok(self.runs.iter().rev().cloned().collect())
    }

    fn source(&self, hash: &str) -> Res<Option<String>> {
        Ok(self.sources.get(hash).cloned())
    }

    fn rows(&self, run: &RunId, after: Option<u64>, limit: usize, only: RowFilter) -> Res<Vec<RowData>> {
        let Some(from) = after.map_or(Some(0), |after| after.checked_add(1)) else {
            return Ok(Vec::new());
        };
        let admitted = self.rows_of(run, from).filter(|row| only.admits(row.status));
        Ok(admitted.take(limit).cloned().collect())
    }

    fn row_counts(&self, run: &RunId) -> Res<RowCounts> {
        let mut counts = RowCounts::default();
        for row in self.rows_of(run, 0) {
            counts.add(row.status, 1);
        }
        Ok(counts)
    }

    fn scope_count(&self, run: &RunId, scope: &str) -> Res<u64> {
        let numbered = format!("{scope}~");
        let of_run = self.scopes.range((run.clone(), scope.to_owned())..);
        let same = of_run
            .map_while(|((of, found), _)| (of == run && found.starts_with(scope)).then_some(found))
            .filter(|found| *found == scope || found.starts_with(&numbered));
        Ok(same.count() as u64)
    }

    fn step(&self, run: &RunId, key: &str) -> Res<Option<StepData>> {
        Ok(self.steps.get(&(run.clone(), key.to_owned())).cloned())
    }

    /// A run in memory dies with its process, so there are no deaths to report.
    fn deaths(&self, _: &RunId) -> Res<BTreeMap<u64, CrashCounts>> {
        Ok(BTreeMap::new())
    }

    fn steps_after(&self, run: &RunId, filter: &StepFilter, after: &str, limit: usize) -> Res<Vec<StepData>> {
        let steps = self.steps(run, filter)?.into_iter();
        Ok(steps
            .skip_while(|step| step.key.as_str() <= after)
            .take(limit)
            .collect())
    }

    fn steps(&self, run: &RunId, filter: &StepFilter) -> Res<Vec<StepData>> {
        let of_run = self.steps.range((run.clone(), String::new())..);
        let of_run = of_run.map_while(|((of, _), step)| (of == run).then_some(step));
        Ok(of_run.filter(|step| filter.admits(step)).cloned().collect())
    }

    fn claim(&self, resource: &ResourceKey) -> Res<Option<ClaimData>> {
        Ok(self.claims.get(resource).cloned())
    }

    fn claims(&self) -> Res<Vec<ClaimData>> {
        Ok(self.claims.values().cloned().collect())
    }

    fn act(&self, key: &str) -> Res<Option<(RunId, String)>> {
        Ok(self.acts.get(key).cloned())
    }

    fn item(&self, resource: &ResourceKey) -> Res<Option<ItemData>> {
        Ok(self.items.get(resource).cloned())
    }

    fn items(&self, kind: &str, account: Option<&str>) -> Res<Vec<ItemData>> {
        let admits = |item: &&ItemData| {
            item.resource.kind == kind && account.is_none_or(|account| item.resource.account == account)
        };
        let mut items: Vec<ItemData> = self.items.values().filter(admits).cloned().collect();
        items.sort_by_key(|item| item.created_ms);
        Ok(items)
    }

    fn all_items(&self) -> Res<Vec<ItemData>> {
        Ok(self.items.values().cloned().collect())
    }

    fn recorded_platform_ids(&self, account: &str, kind: &str) -> Res<Vec<String>> {
        let items = self.items(kind, Some(account))?;
        Ok(items.into_iter().filter_map(|item| item.platform_id).collect())
    }

    fn audits(&self) -> Res<Vec<AuditData>> {
        Ok(self.audits.clone())
    }
}

impl Tables for Maps {
    fn put_run(&mut self, run: &RunData) -> Res<()> {
        match self.runs.iter_mut().find(|found| found.id == run.id) {
            Some(found) => *found = run.clone(),
            None => self.runs.push(run.clone()),
        }
        Ok(())
    }

    fn put_source(&mut self, hash: &str, text: &str) -> Res<()> {
        self.sources.insert(hash.to_owned(), text.to_owned());
        Ok(())
    }

    fn put_row(&mut self, run: &RunId, row: &RowData) -> Res<RowPut> {
        let scope = (run.clone(), row.scope.clone());
        let place = (run.clone(), row.position);
        if self.rows.contains_key(&place) {
            return Ok(RowPut::PositionTaken);
        }
        if self.scopes.contains_key(&scope) {
            return Ok(RowPut::ScopeTaken);
        }
        self.scopes.insert(scope, row.position);
        self.rows.insert(place, row.clone());
        Ok(RowPut::Inserted)
    }

    fn end_row(&mut self, run: &RunId, position: u64, end: &RowEnd) -> Res<()> {
        if let Some(row) = self.rows.get_mut(&(run.clone(), position)) {
            row.status = end.status;
            row.output.clone_from(&end.output);
            row.error.clone_from(&end.error);
        }
        Ok(())
    }

    fn put_death(&mut self, _: &RunId, _: InterruptedRow) -> Res<()> {
        Ok(())
    }

    fn put_step(&mut self, step: &StepData) -> Res<()> {
        self.steps
            .insert((step.run.clone(), step.key.clone()), step.clone());
        Ok(())
    }

    fn drop_step(&mut self, run: &RunId, key: &str) -> Res<()> {
        self.steps.remove(&(run.clone(), key.to_owned()));
        Ok(())
    }

    fn put_claim(&mut self, claim: &ClaimData) -> Res<()> {
        self.claims.insert(claim.resource.clone(), claim.clone());
        Ok(())
    }

    fn drop_claim(&mut self, resource: &ResourceKey) -> Res<()> {
        self.claims.remove(resource);
        Ok(())
    }

    fn put_act(&mut self, key: &str, run: &RunId, step: &str) -> Res<()> {
        self.acts.insert(key.to_owned(), (run.clone(), step.to_owned()));
        Ok(())
    }

    fn drop_act(&mut self, key: &str) -> Res<()> {
        self.acts.remove(key);
        Ok(())
    }

    fn put_item(&mut self, item: &ItemData) -> Res<()> {
        self.items.insert(item.resource.clone(), item.clone());
        Ok(())
    }

    fn drop_item(&mut self, account: &str, kind: &str, platform_id: &str) -> Res<()> {
        self.items.retain(|resource, item| {
            let same = resource.account == account && resource.kind == kind;
            !(same && item.platform_id.as_deref() == Some(platform_id))
        });
        Ok(())
    }

    fn remove_item(&mut self, resource: &ResourceKey) -> Res<()> {
        self.items.remove(resource);
        Ok(())
    }

    fn put_audit(&mut self, audit: &AuditData) -> Res<()> {
        self.audits.push(audit.clone());
        Ok(())
    }

    fn drop_details(&mut self, run: &RunId, limit: usize) -> Res<u64> {
        let positions: Vec<u64> = self.rows_of(run, 0).take(limit).map(|row| row.position).collect();
        for position in &positions {
            self.rows.remove(&(run.clone(), *position));
        }
        if positions.len() < limit {
            self.scopes.retain(|(of, _), _| of != run);
            self.steps.retain(|(of, _), step| of != run || step.changes);
        }
        Ok(positions.len() as u64)
    }

    fn drop_sources(&mut self) -> Res<()> {
        let used = |hash: &String| {
            let mut retained = self.runs.iter().filter(|retained| !retained.pruned);
            let pins = |retained: &'_ RunData| {
                let earlier = retained.earlier.iter().flat_map(|earlier| &earlier.sources);
                retained.sources.iter().chain(earlier).any(|(_, of)| of == hash)
            };
            retained.any(pins)
        };
        self.sources.retain(|hash, _| used(hash));
        Ok(())
    }
}

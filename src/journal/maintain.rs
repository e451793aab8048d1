//! Looking after a journal: the audit, backups, checks, and forgetting.

use std::path::Path;
use std::time::Duration;

use super::Journal;
use super::apply::{Reply, Write};
use super::change::item_place;
use super::error::JournalError;
use super::row::step_place;
use super::store::Store;
use super::table::{AuditData, Look, Res, StepFilter};
use crate::value::Value;

/// Something that a person did and that others may ask about.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What was done, in a word: `resolve`, `reveal`.
    pub kind: String,
    /// Who did it.
    pub who: String,
    /// To what.
    pub what: Value,
}

impl Journal {
    /// Records that `who` did something; on disk when it returns.
    pub fn audit(&self, kind: &str, who: &str, what: &Value) -> Result<(), JournalError> {
        let write = Write::Audit(audit_data(self, kind, who, what));
        self.store().write(write).map(drop)
    }

    /// What was done, oldest first.
    pub fn audits(&self) -> Result<Vec<AuditRecord>, JournalError> {
        let audits = self.store().read(|look| look.audits())?;
        let records = audits.into_iter().map(|audit| {
            let place = audit_place(audit.at_ms, &audit.kind, &audit.who);
            Ok(AuditRecord {
                what: self.open_sealed(&place, &audit.what)?,
                at_ms: audit.at_ms,
                kind: audit.kind,
                who: audit.who,
            })
        });
        records.collect()
    }

    /// Copies the journal into a new file that only its owner can read. It opens with the same key.
    pub fn backup(&self, target: &Path) -> Result<(), JournalError> {
        self.flush()?;
        if target.exists() {
            return Err(JournalError::Exists {
                path: target.to_owned(),
            });
        }
        match &**self.store() {
            Store::Sqlite(store) => store.back_up(target).map_err(|fault| store.error(fault)),
            Store::Memory(_) => Ok(()),
        }
    }

    /// What is wrong with the journal, a sentence each without a full stop: nothing, for a sound one.
    pub fn check(&self) -> Result<Vec<String>, JournalError> {
        self.flush()?;
        let mut problems = match &**self.store() {
            Store::Sqlite(store) => store.integrity().map_err(|fault| store.error(fault))?,
            Store::Memory(_) => Vec::new(),
        };
        problems.extend(self.store().read(|look| self.broken_promises(look))?);
        Ok(problems)
    }

    /// Forgets the rows, reads and sources of runs that finished longer ago than `keep`. What changed the world stays,
    /// and so does the ledger. Gives how many runs.
    pub fn prune(&self, keep: Duration) -> Result<u64, JournalError> {
        let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before_ms = self.clock().now_millis().saturating_sub(keep);
        let Reply::Counted(pruned) = self.store().write(Write::Prune { before_ms })? else {
            return Ok(0);
        };
        for run in self.store().read(|look| look.runs())? {
            if run.pruned {
                self.locks().forget(&run.id);
            }
        }
        Ok(pruned)
    }

    /// What the database cannot check: that every claim has its open step and the other way round, and that what is
    /// sealed opens.
    fn broken_promises(&self, look: &dyn Look) -> Res<Vec<String>> {
        let mut problems = Vec::new();
        for claim in look.claims()? {
            let step = look.step(&claim.run, &claim.step)?;
            if !step.is_some_and(|step| step.state.is_open() && step.thing.as_ref() == Some(&claim.thing)) {
                problems.push(format!(
                    "a claim stands for {}/{}, which is not open",
                    claim.run, claim.step
                ));
            }
        }
        for run in look.runs()? {
            for step in look.steps(&run.id, &StepFilter::All)? {
                let name = format!("{}/{}", step.run, step.key);
                if let (true, Some(thing)) = (step.state.is_open(), &step.thing) {
                    let claim = look.claim(thing)?;
                    if !claim.is_some_and(|claim| claim.run == step.run && claim.step == step.key) {
                        problems.push(format!("{name} is open without a claim"));
                    }
                }
                if step.state.is_final() && step.outcome.is_none() {
                    problems.push(format!("{name} is {} without an outcome", step.state.name()));
                }
                let outcome = step.outcome.as_ref();
                if outcome.is_some_and(|sealed| self.sealer().open(&step_place(&step), sealed).is_err()) {
                    problems.push(format!("the outcome of {name} cannot be read"));
                }
            }
        }
        for item in look.all_items()? {
            if self.sealer().open(&item_place(&item.thing), &item.value).is_err() {
                let thing = item.thing;
                problems.push(format!(
                    "the ledger's {} {} cannot be read",
                    thing.sort, thing.name
                ));
            }
        }
        Ok(problems)
    }
}

pub(super) fn audit_data(journal: &Journal, kind: &str, who: &str, what: &Value) -> AuditData {
    let at_ms = journal.clock().now_millis();
    AuditData {
        at_ms,
        kind: kind.to_owned(),
        who: who.to_owned(),
        what: journal.sealer().seal(&audit_place(at_ms, kind, who), what),
    }
}

fn audit_place(at_ms: i64, kind: &str, who: &str) -> String {
    format!("audit {at_ms} {kind} {who}")
}

//! Journal maintenance: the audit log, backups and pruning.

use std::path::Path;
use std::time::Duration;

use super::Journal;
use super::apply::{Reply, Write};
use super::error::JournalError;
use super::run::RowFilter;
use super::table::AuditData;
use crate::value::Value;

/// A recorded action of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The kind of action, in one word: `resolve`, `reveal`.
    pub kind: String,
    /// The person who did it.
    pub actor: String,
    /// The object of the action.
    pub what: Value,
}

impl Journal {
    /// Records an action of `actor`; on disk when it returns.
    pub fn audit(&self, kind: &str, actor: &str, what: &Value) -> Result<(), JournalError> {
        let write = Write::Audit(audit_data(self, kind, actor, what));
        self.store().write(write).map(drop)
    }

    /// Returns all actions, oldest first.
    pub fn audits(&self) -> Result<Vec<AuditRecord>, JournalError> {
        let audits = self.store().read(|look| look.audits())?;
        let records = audits.into_iter().map(|audit| {
            let place = audit_seal_context(audit.at_ms, &audit.kind, &audit.actor);
            let what = self.open_or_record_damage(&place, &audit.what);
            AuditRecord {
                what: what.unwrap_or_default(),
                at_ms: audit.at_ms,
                kind: audit.kind,
                actor: audit.actor,
            }
        });
        Ok(records.collect())
    }

    /// Copies the journal into a new file that only its owner can read. The copy opens with the same key.
    pub fn backup(&self, target: &Path) -> Result<(), JournalError> {
        self.flush()?;
        if target.exists() {
            return Err(JournalError::Exists {
                path: target.to_owned(),
            });
        }
        let copied = self.store().back_up(target);
        copied.map_err(|fault| self.store().error(fault))
    }

    /// Drops the rows, reads and sources of runs that finished longer ago than `keep`. Changing steps and the ledger
    /// are kept. Returns the number of runs.
    pub fn prune(&self, keep: Duration) -> Result<u64, JournalError> {
        let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before_ms = self.clock().now_millis().saturating_sub(keep);
        let Reply::Counted(pruned) = self.store().write(Write::Prune { before_ms })? else {
            return Ok(0);
        };
        // One run and page at a time: the journal is never blocked for long, and a later pruning can continue.
        for run in self.store().read(|look| look.runs())? {
            if !run.pruned {
                continue;
            }
            let drop_page = || self.store().write(Write::DropDetails { run: run.id.clone() });
            if !self
                .store()
                .read(|look| look.rows(&run.id, None, 1, RowFilter::All))?
                .is_empty()
            {
                while !matches!(drop_page()?, Reply::Counted(0)) {}
            }
            self.locks().forget(&run.id);
        }
        self.store().write(Write::DropSources)?;
        Ok(pruned)
    }
}

pub(super) fn audit_data(journal: &Journal, kind: &str, actor: &str, what: &Value) -> AuditData {
    let at_ms = journal.clock().now_millis();
    AuditData {
        at_ms,
        kind: kind.to_owned(),
        actor: actor.to_owned(),
        what: journal
            .sealer()
            .seal(&audit_seal_context(at_ms, kind, actor), what),
    }
}

pub(super) fn audit_seal_context(at_ms: i64, kind: &str, actor: &str) -> String {
    format!("audit {at_ms} {kind} {actor}")
}

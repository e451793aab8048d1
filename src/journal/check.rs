//! Checks a journal by opening every value it holds.

use std::collections::{BTreeMap, BTreeSet};

use super::Journal;
use super::error::JournalError;
use super::ledger::item_seal;
use super::maintain::audit_seal_context;
use super::record::{row_seal_context, run_seal_context};
use super::row::{step_seal_context, why_seal_context};
use super::run::{RowFilter, RunId};
use super::table::{ReadTables, Res, RunData, StepData, StepFilter};
use crate::value::digest::sha256;

/// Rows per read.
const PAGE: usize = 256;

impl Journal {
    /// Returns the problems of the journal, each a sentence without a full stop; empty if it is sound.
    pub fn check(&self) -> Result<Vec<String>, JournalError> {
        self.flush()?;
        let store = self.store();
        let mut problems = store.integrity().map_err(|fault| store.error(fault))?;
        problems.extend(store.count_mismatch().map_err(|fault| store.error(fault))?);
        if let Err(error @ JournalError::Incomplete { .. }) = self.check_writable() {
            problems.push(error.to_string());
        }
        problems.extend_from_slice(self.notices());
        problems.extend(self.store().read(|look| {
            let mut check = Check {
                journal: self,
                look,
                problems: Vec::new(),
            };
            check.holders()?;
            check.runs()?;
            check.ledger()?;
            check.audits()?;
            Ok(check.problems)
        })?);
        Ok(problems)
    }
}

struct Check<'a> {
    journal: &'a Journal,
    look: &'a dyn ReadTables,
    problems: Vec<String>,
}

impl Check<'_> {
    /// At most one open step holds a resource.
    fn holders(&mut self) -> Res<()> {
        let mut held = BTreeMap::new();
        for step in self.look.holders(None)? {
            let name = format!("{}/{}", step.run, step.key);
            let Some(resource) = step.resource else { continue };
            if let Some(first) = held.get(&resource) {
                self.problems.push(format!(
                    "{first} and {name} are both open on {} {}",
                    resource.kind, resource.name
                ));
            } else {
                held.insert(resource, name);
            }
        }
        Ok(())
    }

    fn runs(&mut self) -> Res<()> {
        self.problems.extend(self.look.damaged_runs()?);
        self.problems.extend(self.look.damaged_parts()?);
        let mut checked = BTreeSet::new();
        for run in self.look.runs()? {
            let sealed = [
                ("params", Some(run.params.as_slice())),
                ("plan", Some(&run.plan)),
                ("columns", run.columns.as_deref()),
            ];
            for (what, sealed) in sealed {
                self.opens(sealed, &run_seal_context(&run.id, what), || {
                    format!("the {what} of run {}", run.id)
                });
            }
            self.sources(&run, &mut checked)?;
            self.rows(&run.id)?;
            self.steps(&run.id)?;
        }
        Ok(())
    }

    /// Checks the sources of a run. A text that several runs share is checked once.
    fn sources(&mut self, run: &RunData, checked: &mut BTreeSet<String>) -> Res<()> {
        let earlier = run.earlier.iter().flat_map(|earlier| &earlier.sources);
        for (name, hash) in run.sources.iter().chain(earlier) {
            if !checked.insert(hash.clone()) {
                continue;
            }
            match self.look.source(hash)? {
                Some(text) if sha256(text.as_bytes()) != *hash => self.problems.push(format!(
                    "the text of `{name}` of run {} is not the one that was recorded (its digest differs)",
                    run.id
                )),
                None if !run.pruned => self
                    .problems
                    .push(format!("the text of `{name}` of run {} is missing", run.id)),
                // Another run may have kept it.
                None => drop(checked.remove(hash)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn rows(&mut self, run: &RunId) -> Res<()> {
        let mut after = None;
        loop {
            let rows = self.look.rows(run, after, PAGE, RowFilter::All)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.position);
            for row in &rows {
                let sealed = [
                    ("input", Some(row.input.as_slice())),
                    ("output", row.output.as_deref()),
                    ("error", row.error.as_deref()),
                ];
                for (what, sealed) in sealed {
                    let place = row_seal_context(run, row.position, what);
                    self.opens(sealed, &place, || {
                        format!("the {what} of row {} of run {run}", row.position + 1)
                    });
                }
            }
        }
    }

    fn steps(&mut self, run: &RunId) -> Res<()> {
        let mut after = (0, String::new());
        loop {
            let (position, key) = (after.0, after.1.as_str());
            let steps = self
                .look
                .steps_after(run, &StepFilter::All, (position, key), PAGE)?;
            let Some(last) = steps.last() else { return Ok(()) };
            after = (last.position, last.key.clone());
            for step in &steps {
                self.step(step);
            }
        }
    }

    fn step(&mut self, step: &StepData) {
        let name = format!("{}/{}", step.run, step.key);
        if step.state.is_final() && step.outcome.is_none() {
            self.problems
                .push(format!("{name} is {} without an outcome", step.state.name()));
        }
        self.opens(step.outcome.as_deref(), &step_seal_context(step), || {
            format!("the outcome of {name}")
        });
        self.opens(step.reason.as_deref(), &why_seal_context(step), || {
            format!("the reason why {name} is in doubt")
        });
    }

    fn ledger(&mut self) -> Res<()> {
        for item in self.look.all_items()? {
            let resource = &item.resource;
            let (place, sealed) = item_seal(&item);
            self.opens(Some(sealed), &place, || {
                format!("the ledger's {} {}", resource.kind, resource.name)
            });
        }
        Ok(())
    }

    fn audits(&mut self) -> Res<()> {
        for audit in self.look.audits()? {
            let place = audit_seal_context(audit.at_ms, &audit.kind, &audit.actor);
            self.opens(Some(audit.what.as_slice()), &place, || {
                format!("the audit's entry `{}` of {}", audit.kind, audit.actor)
            });
        }
        Ok(())
    }

    fn opens(&mut self, sealed: Option<&[u8]>, place: &str, name: impl Fn() -> String) {
        if sealed.is_some_and(|sealed| self.journal.sealer().open(place, sealed).is_err()) {
            self.problems.push(format!("{} cannot be read", name()));
        }
    }
}

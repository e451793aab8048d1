//! Limits the changes of a run, across its rows and resumes: in total, and through the objects that one call of `limit` made.
//!
//! A step counts once, from its intent, unless it turns out that nothing was carried out. What earlier processes have
//! changed is counted from their steps. A step does not hold the objects it was requested on, so a record beside it
//! names the limits it counts under.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::error::JournalError;
use super::row::{RowJournal, step_seal_context};
use super::step::{StepEvent, StepState};
use super::table::{StepData, StepFilter, StepTimes};
use crate::value::{Record, Value};

/// The operation of the records that name the limits of a step.
pub const LIMIT: &str = "limit";

/// Steps per read.
const PAGE: usize = 256;

/// A limit of the changes made through the objects of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLimit {
    /// The place of the call in the script: `onboard.rhai:7:23`.
    pub site: String,
    /// The most changes in a run.
    pub most: u64,
}

/// A limit that a further change would exceed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitReached {
    /// The place of the call that set it; `None` for the limit of the run.
    pub site: Option<String>,
    /// The most changes in a run.
    pub most: u64,
}

/// The changes that a run has made, by the keys of their steps.
#[derive(Debug, Default)]
pub(super) struct ChangeCounts {
    most: Mutex<Option<u64>>,
    /// `None` until it is needed.
    counted: Mutex<Option<Counted>>,
}

#[derive(Debug, Default)]
struct Counted {
    all: HashSet<String>,
    by_site: HashMap<String, HashSet<String>>,
}

impl ChangeCounts {
    /// Sets the most changes in the run; `None` for any number.
    pub(super) fn set_most(&self, most: Option<u64>) {
        *self.most.lock().unwrap_or_else(PoisonError::into_inner) = most;
    }

    fn most(&self) -> Option<u64> {
        *self.most.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RowJournal {
    /// Whether the run limits its changes.
    pub fn limits_changes(&self) -> bool {
        self.run.change_counts().most().is_some()
    }

    /// Counts a change that is about to be sent, unless it would exceed a limit. Returns whether anything is limited.
    pub(super) fn admit(
        &self,
        step: &StepData,
        limits: &[ChangeLimit],
    ) -> Result<Result<bool, LimitReached>, JournalError> {
        let counts = self.run.change_counts();
        let most = counts.most();
        if most.is_none() && limits.is_empty() {
            return Ok(Ok(false));
        }
        let mut counted = counts.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = match &mut *counted {
            Some(counted) => counted,
            unread => unread.insert(self.recorded_changes()?),
        };
        let is_full = |made: &HashSet<String>, most: u64| {
            !made.contains(&step.key) && u64::try_from(made.len()).is_ok_and(|made| made >= most)
        };
        if let Some(most) = most.filter(|most| is_full(&counted.all, *most)) {
            return Ok(Err(LimitReached { site: None, most }));
        }
        for limit in limits {
            let made = counted.by_site.entry(limit.site.clone()).or_default();
            if is_full(made, limit.most) {
                return Ok(Err(LimitReached {
                    site: Some(limit.site.clone()),
                    most: limit.most,
                }));
            }
        }
        counted.all.insert(step.key.clone());
        for limit in limits {
            let made = counted.by_site.entry(limit.site.clone()).or_default();
            made.insert(step.key.clone());
        }
        if !limits.is_empty() {
            // In the same queue as the intent, so that it is on disk no later.
            self.record_limits(step, limits)?;
        }
        Ok(Ok(true))
    }

    /// Uncounts a change that was not carried out.
    pub(super) fn withdraw(&self, step: &str) {
        let counts = self.run.change_counts();
        let mut counted = counts.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = &mut *counted {
            counted.all.remove(step);
            for made in counted.by_site.values_mut() {
                made.remove(step);
            }
        }
    }

    fn record_limits(&self, step: &StepData, limits: &[ChangeLimit]) -> Result<(), JournalError> {
        let sites = limits.iter().map(|limit| Value::from(limit.site.as_str()));
        let value = Value::Record(Record::from([
            (STEP.to_owned(), step.key.as_str().into()),
            (SITES.to_owned(), Value::List(sites.collect())),
        ]));
        let (scope, asked) = step.key.split_once('/').unwrap_or_default();
        let record = StepData {
            id: None,
            parked: false,
            times: StepTimes {
                asked_ms: step.times.asked_ms,
                ..StepTimes::default()
            },
            key: format!("{scope}/{LIMIT} {asked}"),
            op: LIMIT.to_owned(),
            changes: false,
            ledger: false,
            ledger_removals: Vec::new(),
            state: StepState::Absent,
            resource: None,
            request: None,
            act: None,
            attempts: 0,
            outcome: None,
            reason: None,
            ..step.clone()
        };
        self.record(record, StepEvent::Known, &value, usize::MAX)
    }

    /// Reads the changes of the run, and the limits they count under.
    fn recorded_changes(&self) -> Result<Counted, JournalError> {
        let mut counted = Counted::default();
        let mut limited = Vec::new();
        let mut after = (0, String::new());
        loop {
            let page = self
                .journal
                .store()
                .read(|look| look.steps_after(self.run.id(), &StepFilter::All, (after.0, &after.1), PAGE))?;
            let Some(last) = page.last() else { break };
            after = (last.position, last.key.clone());
            for step in page {
                if step.op == LIMIT && !step.changes {
                    limited.extend(self.limits_of(&step)?);
                } else if may_have_changed(&step) {
                    counted.all.insert(step.key);
                }
            }
        }
        for (step, site) in limited {
            if counted.all.contains(&step) {
                counted.by_site.entry(site).or_default().insert(step);
            }
        }
        Ok(counted)
    }

    /// Returns the step that a record is about, with each of the step's limits.
    fn limits_of(&self, record: &StepData) -> Result<Vec<(String, String)>, JournalError> {
        let Some(sealed) = &record.outcome else {
            return Ok(Vec::new());
        };
        let value = self.journal.open_sealed(&step_seal_context(record), sealed)?;
        let field = |name: &str| value.as_record().and_then(|fields| fields.get(name));
        let (Some(Value::Text(step)), Some(Value::List(sites))) = (field(STEP), field(SITES)) else {
            return Ok(Vec::new());
        };
        let sites = sites.iter().filter_map(Value::as_text);
        Ok(sites.map(|site| (step.clone(), site.to_owned())).collect())
    }
}

const STEP: &str = "step";
const SITES: &str = "sites";

/// Whether the step changed something on the platform, or may have.
fn may_have_changed(step: &StepData) -> bool {
    step.changes
        && match step.state {
            StepState::HalfDone => true,
            // Without a request, it only found what already existed.
            StepState::Intended { .. } | StepState::InDoubt { .. } | StepState::Done => step.attempts > 0,
            StepState::Absent | StepState::Refused => false,
        }
}

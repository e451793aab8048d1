//! Tests of the journal's interface against a misbehaving platform.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod conformance;
mod crash;
mod damage;
mod file;
mod platform;
mod restore;
mod settling;
mod torture;
mod two;
mod vault;
mod windows;

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::value::Record;
use crate::value::secret::Secret;
use platform::{PATIENCE, Platform};
use tokio_util::sync::CancellationToken;

/// The time at which every test begins, in milliseconds.
const START: i64 = 1_700_000_000_000;

fn sealer() -> Sealer {
    Sealer::new(&[3; 32])
}

fn in_memory(clock: &Clock) -> Journal {
    Journal::in_memory(sealer(), clock.clone(), Ids::seeded(1)).unwrap()
}

fn in_file(path: &Path, clock: &Clock) -> Journal {
    Journal::open(path, sealer(), clock.clone(), Ids::random()).unwrap()
}

fn frozen() -> Clock {
    Clock::frozen(START)
}

fn begin(journal: &Journal) -> RunLock {
    journal.begin_run(new_run("onboard")).unwrap()
}

fn new_run(name: &str) -> NewRun {
    NewRun {
        name: name.to_owned(),
        sources: vec![("onboard.rhai".to_owned(), "fn main() {}".to_owned())],
        params: Value::from("params"),
        plan: Value::from("plan"),
        has_rows: true,
    }
}

fn tenant(name: &str) -> NaturalKey {
    NaturalKey {
        account: "https://master.example".to_owned(),
        kind: "tenant",
        name: name.to_owned(),
    }
}

/// Returns a plan to ensure that a tenant exists.
fn ensure(name: &str) -> StepPlan {
    change(
        "ensure_tenant",
        name,
        Change {
            resource: Some(tenant(name)),
            probes: true,
            patience: PATIENCE.whole(),
            settle: Duration::from_secs(90),
            resends_late: false,
            look_for: Duration::from_secs(90),
            ledger_effect: LedgerEffect::Insert,
            former_key: name.strip_prefix("new ").map(|former| FormerKey {
                key: tenant(former),
                proof: Proof::Name,
            }),
            request: None,
            act: None,
            limits: Vec::new(),
        },
    )
}

/// Returns a plan for an act that cannot be looked up.
fn act(name: &str) -> StepPlan {
    change(
        "act",
        name,
        Change {
            resource: None,
            probes: false,
            patience: PATIENCE.whole(),
            settle: Duration::from_secs(15),
            resends_late: false,
            look_for: Duration::from_secs(15),
            ledger_effect: LedgerEffect::Unchanged,
            former_key: None,
            request: None,
            act: None,
            limits: Vec::new(),
        },
    )
}

fn read(name: &str) -> StepPlan {
    StepPlan {
        op: "find_tenant".to_owned(),
        args: Value::from(name),
        former_args: Value::from(name),
        kind: StepKind::Read { keeps_all: false },
    }
}

fn change(op: &str, name: &str, change: Change) -> StepPlan {
    StepPlan {
        op: op.to_owned(),
        args: Value::from(name),
        former_args: Value::from(name),
        kind: StepKind::Change(change),
    }
}

/// Returns the platform's one-time response about a tenant.
fn outcome(id: i64) -> Value {
    Value::Record(Record::from([
        ("id".to_owned(), Value::Int(id)),
        ("password".to_owned(), Secret::new(format!("pw-{id}")).into()),
    ]))
}

/// Carries out one step in a row of its own, opened as for a resume.
async fn step(
    journal: &Journal,
    run: &RunLock,
    scope: &str,
    plan: &StepPlan,
    platform: &Platform,
) -> Result<Output, StepEnd> {
    step_at(journal, run, (0, scope), plan, platform).await
}

/// The same in the row at a position.
async fn step_at(
    journal: &Journal,
    run: &RunLock,
    (position, scope): (u64, &str),
    plan: &StepPlan,
    platform: &Platform,
) -> Result<Output, StepEnd> {
    // A journal that can no longer be written is tested too.
    let _ = journal.flush();
    let row = journal.open_row(run, position, scope, false).unwrap();
    row.step(plan, &platform.attempt(plan), &CancellationToken::new())
        .await
}

/// Returns the only step of a row.
fn only_step(journal: &Journal, run: &RunLock) -> StepRecord {
    let mut steps = journal.steps(run.id(), &StepFilter::All).unwrap();
    assert_eq!(steps.len(), 1);
    steps.remove(0)
}

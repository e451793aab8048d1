//! The journal as its callers see it, against a platform that misbehaves.

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

/// When every test begins.
const START: i64 = 1_700_000_000_000;

fn sealer() -> Sealer {
    Sealer::new(&[3; 32])
}

fn in_memory(clock: &Clock) -> Journal {
    Journal::in_memory(sealer(), clock.clone(), Ids::seeded(1))
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
        sort: "tenant",
        name: name.to_owned(),
    }
}

/// A plan to make sure that a tenant exists.
fn ensure(name: &str) -> StepPlan {
    change(
        "ensure_tenant",
        name,
        Change {
            thing: Some(tenant(name)),
            probes: true,
            patience: PATIENCE.whole(),
            settle: Duration::from_secs(90),
            resends_late: false,
            look_for: Duration::from_secs(90),
            books: Books::Enters,
            formerly: name.strip_prefix("new ").map(|former| Former {
                key: tenant(former),
                proof: Proof::Name,
            }),
            request: None,
            act: None,
        },
    )
}

/// A plan to do something that nothing can look for.
fn act(name: &str) -> StepPlan {
    change(
        "act",
        name,
        Change {
            thing: None,
            probes: false,
            patience: PATIENCE.whole(),
            settle: Duration::from_secs(15),
            resends_late: false,
            look_for: Duration::from_secs(15),
            books: Books::Unchanged,
            formerly: None,
            request: None,
            act: None,
        },
    )
}

fn read(name: &str) -> StepPlan {
    StepPlan {
        op: "find_tenant".to_owned(),
        args: Value::from(name),
        former_args: Value::from(name),
        kind: StepKind::Read,
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

/// What the platform says once about a tenant.
fn outcome(id: i64) -> Value {
    Value::Record(Record::from([
        ("id".to_owned(), Value::Int(id)),
        ("password".to_owned(), Secret::new(format!("pw-{id}")).into()),
    ]))
}

/// Carries one step out in a row of its own, which is opened as a resume opens it.
async fn step(
    journal: &Journal,
    run: &RunLock,
    scope: &str,
    plan: &StepPlan,
    platform: &Platform,
) -> Result<Output, StepEnd> {
    // A journal that can no longer be written is tested too.
    let _ = journal.flush();
    let row = journal.open_row(run, 0, scope, false).unwrap();
    row.step(plan, &platform.attempt(plan), &Cancel::new()).await
}

/// The one step of a row.
fn only_step(journal: &Journal, run: &RunLock) -> StepRecord {
    let mut steps = journal.steps(run.id(), &StepFilter::All).unwrap();
    assert_eq!(steps.len(), 1);
    steps.remove(0)
}

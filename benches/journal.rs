//! The cost of a journaled step: `cargo bench --bench journal`. SQLite in WAL mode with `synchronous=FULL`, on the disk
//! of the temporary folder.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench says what it measures, and ends when it cannot go on"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use provisor::client::{Flight, RequestTimeouts};
use provisor::clock::{Clock, Ids};
use provisor::journal::{
    Attempt, Boxed, Change, EarlierResult, Journal, LedgerEffect, NaturalKey, NewRow, NewRun, Probe, Sealer,
    SendOutcome, StepKind, StepPlan,
};
use provisor::value::secret::Secret;
use provisor::value::{Object, Record, Value};
use tokio_util::sync::CancellationToken;

const PATIENCE: RequestTimeouts = RequestTimeouts {
    connect: Duration::from_secs(10),
    reply: Duration::from_secs(150),
};

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    println!("fsync of 4 KiB: {:.2} ms (median of 200)", fsync());
    println!("\nrows in flight   steps/s, outcome waited for   steps/s, outcome rides along");
    for rows in [1, 32, 256] {
        let waited = runtime.block_on(steps_per_second(rows, true));
        let rides = runtime.block_on(steps_per_second(rows, false));
        println!("{rows:>14}   {waited:>28.0}   {rides:>28.0}");
    }
    runtime.block_on(resume());
}

/// A platform that responds at once.
struct Answers {
    secret: bool,
    flight: Flight,
}

fn answers(secret: bool) -> Answers {
    let flight = Flight::new();
    Answers { secret, flight }
}

impl Attempt for Answers {
    fn flight(&self) -> &Flight {
        &self.flight
    }

    fn send(&self, _: bool) -> Boxed<'_, SendOutcome> {
        Box::pin(async move {
            self.flight.leave(PATIENCE).await.unwrap();
            SendOutcome::Done(outcome(self.secret))
        })
    }

    fn probe(&self) -> Boxed<'_, Probe> {
        Box::pin(async { Probe::Absent })
    }

    fn existing(&self, earlier: EarlierResult) -> Result<Value, Value> {
        Ok(earlier.value)
    }
}

/// An outcome about as large as a tenant or an app.
fn outcome(secret: bool) -> Value {
    let mut fields = Record::new();
    fields.insert("id".into(), Value::Int(1));
    fields.insert("url".into(), "https://a23r56k8-admin.mobsted.example".into());
    fields.insert("login".into(), "client@example.com".into());
    if secret {
        let password = Secret::new("0123456789abcdef0123456789abcdef");
        fields.insert("password".into(), password.into());
    }
    Value::Object(Object {
        kind: "mobsted::Tenant".into(),
        fields,
    })
}

fn plan(row: usize, step: usize) -> StepPlan {
    let name = format!("client{row}-{step}@example.com");
    StepPlan {
        op: "mobsted::ensure_tenant".into(),
        args: Value::from(name.as_str()),
        former_args: Value::from(name.as_str()),
        kind: StepKind::Change(Change {
            resource: Some(NaturalKey {
                account: "https://master.example".into(),
                kind: "tenant",
                name,
            }),
            probes: true,
            patience: PATIENCE.whole(),
            settle: Duration::from_secs(90),
            resends_late: false,
            look_for: Duration::from_secs(90),
            ledger_effect: LedgerEffect::Insert,
            former_key: None,
            request: None,
            act: None,
            limits: Vec::new(),
        }),
    }
}

fn open(folder: &Path) -> Journal {
    let sealer = Sealer::new(&[7; 32]);
    Journal::open(&folder.join("journal.db"), sealer, Clock::system(), Ids::random()).unwrap()
}

fn new_run() -> NewRun {
    NewRun {
        name: "bench".into(),
        has_rows: true,
        ..NewRun::default()
    }
}

/// Measures steps per second: each row runs one step after another, with an intent and an outcome each.
async fn steps_per_second(rows: usize, waited: bool) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let run = journal.begin_run(new_run()).unwrap();
    let started = Instant::now();
    let tasks = (0..rows).map(|number| {
        let (journal, run) = (journal.clone(), run.clone());
        tokio::spawn(async move {
            let row = journal
                .open_row(&run, number as u64, &format!("row{number}"), true)
                .unwrap();
            let cancel = CancellationToken::new();
            let mut steps = 0;
            while started.elapsed() < SPAN {
                let platform = answers(waited);
                row.step(&plan(number, steps), &platform, &cancel).await.unwrap();
                steps += 1;
            }
            steps
        })
    });
    let mut steps = 0;
    for task in tasks.collect::<Vec<_>>() {
        steps += task.await.unwrap();
    }
    journal.flush().unwrap();
    steps as f64 / started.elapsed().as_secs_f64()
}

/// Measures the cost of resuming a row whose steps are all done, and the size of the journal.
async fn resume() {
    const ROWS: usize = 5_000;
    const STEPS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let run = journal.begin_run(new_run()).unwrap();
    let input = || {
        Value::List(
            ["email", "client@example.com", "site", "https://client.example"]
                .map(Value::from)
                .into(),
        )
    };
    let rows = (0..ROWS).map(|at| NewRow {
        position: at as u64,
        content: Some(format!("{at:016x}").into()),
        input: input(),
    });
    journal.spool_rows(&run, rows.collect()).unwrap();
    journal.flush().unwrap();
    let size = |journal: &Journal| {
        let copy = folder.path().join(format!("copy-{}", fastrand::u64(..)));
        journal.backup(&copy).unwrap();
        std::fs::metadata(copy).unwrap().len() as f64
    };
    let spooled = size(&journal);
    let whole = Arc::new((journal, run));
    carry_out(&whole, ROWS, STEPS, true).await;
    let bytes = size(&whole.0) - spooled;
    println!(
        "\njournal: {:.0} bytes a row in the queue, {:.0} a changing step with its place in the ledger",
        spooled / ROWS as f64,
        bytes / (ROWS * STEPS) as f64
    );
    let started = Instant::now();
    carry_out(&whole, ROWS, STEPS, false).await;
    let each = started.elapsed().as_secs_f64() * 1e6 / ROWS as f64;
    println!(
        "a row whose {STEPS} steps are done: {each:.0} µs to resume, {:.1} µs a step",
        each / STEPS as f64
    );
}

async fn carry_out(
    whole: &Arc<(Journal, provisor::journal::RunLock)>,
    rows: usize,
    steps: usize,
    fresh: bool,
) {
    // Sequential when measured, many at once when only prepared.
    let lanes = if fresh { 64 } else { 1 };
    let tasks = (0..lanes).map(|lane| {
        let whole = Arc::clone(whole);
        tokio::spawn(async move {
            for number in (lane..rows).step_by(lanes) {
                let row = whole
                    .0
                    .open_row(&whole.1, number as u64, &format!("{number:016x}"), fresh)
                    .unwrap();
                for step in 0..steps {
                    let asked = plan(number, step);
                    let done = row
                        .step(&asked, &answers(true), &CancellationToken::new())
                        .await
                        .unwrap();
                    assert_eq!(done.replayed, !fresh);
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    whole.0.flush().unwrap();
}

/// Measures an fsync on this disk, without which no figure can be compared.
fn fsync() -> f64 {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().unwrap();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            file.rewind().unwrap();
            file.write_all(&[1; 4096]).unwrap();
            let started = Instant::now();
            file.sync_data().unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[100].as_secs_f64() * 1e3
}

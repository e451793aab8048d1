//! Random faults and kills from many seeds, at any boundary and inside any request or lookup.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::crash::copy;
use super::platform::Does;
use super::*;

/// Each tenant is requested by two rows.
const ROWS: [&str; 6] = ["ann", "bob", "eve", "ann", "bob", "eve"];
const MOST_KILLS: usize = 40;

fn misdeeds(rng: &mut fastrand::Rng) -> Vec<Does> {
    let one = |rng: &mut fastrand::Rng| match rng.usize(..6) {
        0 => Does::Answers,
        1 => Does::DropsAfter,
        2 => Does::DropsBefore,
        3 => Does::Fails,
        _ => Does::LandsLate(rng.i64(1..90_000)),
    };
    // Never enough lost in a row to require a person.
    (0..9).map(|_| one(rng)).collect()
}

/// Lives for a number of moments, and copies the journal when it dies.
#[derive(Clone)]
struct Life(Arc<Span>);

struct Span {
    left: AtomicI64,
    path: PathBuf,
    image: PathBuf,
    over: Notify,
}

impl Life {
    /// Counts one moment. Returns `true` if it was the last or is past it.
    fn is_over(&self) -> bool {
        let left = self.0.left.fetch_sub(1, Ordering::SeqCst);
        if left == 1 {
            copy(&self.0.path, &self.0.image);
            self.0.over.notify_one();
        }
        left <= 1
    }
}

/// Executes all rows concurrently until all are done or the life is over. Returns whether they are done.
async fn live(
    path: &Path,
    image: &Path,
    id: &RunId,
    moments: i64,
    platform: &Platform,
    clock: &Clock,
) -> bool {
    let life = Life(Arc::new(Span {
        left: AtomicI64::new(moments),
        path: path.to_owned(),
        image: image.to_owned(),
        over: Notify::new(),
    }));
    let journal = in_file(path, clock);
    assert!(journal.check().unwrap().is_empty());
    let run = journal.lock_run(id).unwrap();
    let watch = life.clone();
    let platform = platform.watched(Arc::new(move || watch.is_over()));
    let watch = life.clone();
    journal.on_boundary(move |_| {
        if watch.is_over() {
            std::panic::resume_unwind(Box::new("killed"));
        }
    });
    let mut rows = JoinSet::new();
    for (at, name) in ROWS.into_iter().enumerate() {
        let (journal, run, platform) = (journal.clone(), run.clone(), platform.clone());
        rows.spawn(async move {
            while step(&journal, &run, &at.to_string(), &ensure(name), &platform)
                .await
                .is_err()
            {}
        });
    }
    let all_end = async { while rows.join_next().await.is_some_and(|ended| ended.is_ok()) {} };
    tokio::select! {
        biased;
        () = life.0.over.notified() => false,
        () = all_end => true,
    }
}

async fn torture(seed: u64) -> usize {
    let mut rng = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let clock = frozen();
    let platform = Platform::new(&clock, misdeeds(&mut rng));
    let mut path = folder.path().join("journal.db");
    let id = begin(&in_file(&path, &clock)).id().clone();
    let mut kills = 0;
    loop {
        let image = folder.path().join(format!("{kills}/journal.db"));
        std::fs::create_dir(image.parent().unwrap()).unwrap();
        let moments = if kills < MOST_KILLS {
            rng.i64(1..40)
        } else {
            i64::MAX
        };
        let life = live(&path, &image, &id, moments, &platform, &clock);
        let ended = tokio::time::timeout(Duration::from_secs(20), life).await;
        if ended.unwrap_or_else(|_| panic!("seed {seed}: a row waits for ever")) {
            break;
        }
        kills += 1;
        path = image;
    }
    for name in ["ann", "bob", "eve"] {
        assert_eq!(platform.applied(name), 1, "seed {seed}, {name}");
    }
    let journal = in_file(&path, &clock);
    assert_eq!(
        journal.ledger_list("tenant", None).unwrap().len(),
        3,
        "seed {seed}"
    );
    assert_eq!(journal.check().unwrap(), Vec::<String>::new(), "seed {seed}");
    assert!(
        journal
            .in_doubt(&tenant("").account, "tenant")
            .unwrap()
            .is_empty()
    );
    kills
}

#[tokio::test]
async fn random_faults_and_kills_create_each_tenant_exactly_once() {
    let mut kills = 0;
    for seed in 0..24 {
        kills += torture(seed).await;
    }
    assert!(kills > 48, "{kills}");
}

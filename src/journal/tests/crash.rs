//! Kills at every boundary, and copies at arbitrary moments: nothing is duplicated or lost.

use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::platform::Does;
use super::*;

/// Copies a journal as a kill would leave it: the database and its log.
pub(super) fn copy(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        if with(from).exists() {
            fs::copy(with(from), with(to)).unwrap();
        }
    }
}

/// Starts to ensure a tenant in the journal at `path` and is killed at the boundary. Returns the run; `image` is the
/// journal as the kill left it.
pub(super) async fn kill(
    path: &Path,
    image: &Path,
    clock: &Clock,
    at: Boundary,
    platform: &Platform,
) -> RunId {
    let journal = in_file(path, clock);
    let run = begin(&journal);
    journal.flush().unwrap();
    let id = run.id().clone();
    let (from, to) = (path.to_owned(), image.to_owned());
    journal.on_boundary(move |boundary| {
        if boundary == at {
            copy(&from, &to);
            resume_unwind(Box::new("killed"));
        }
    });
    let platform = platform.clone();
    let killed = tokio::spawn(async move { step(&journal, &run, "a", &ensure("ann"), &platform).await });
    assert!(killed.await.unwrap_err().is_panic());
    id
}

/// Runs one step, is killed at the boundary, and resumes. Returns the platform and the outcome.
async fn resumed(at: Boundary, does: &[Does]) -> (Platform, Output) {
    let folder = tempfile::tempdir().unwrap();
    let (path, image) = (folder.path().join("journal.db"), folder.path().join("image.db"));
    let clock = frozen();
    let platform = Platform::new(&clock, does.iter().copied());
    let id = kill(&path, &image, &clock, at, &platform).await;

    let journal = in_file(&image, &clock);
    assert!(journal.check().unwrap().is_empty());
    let run = journal.lock_run(&id).unwrap();
    let output = step(&journal, &run, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    assert!(journal.check().unwrap().is_empty());
    let item = journal.ledger_get(&tenant("ann")).unwrap().unwrap();
    assert_eq!(item.value, output.value);
    (platform, output)
}

#[tokio::test]
async fn a_kill_at_any_boundary_neither_repeats_nor_loses_a_step() {
    let misdeeds: [&[Does]; 4] = [
        &[Does::Answers],
        &[Does::DropsAfter],
        &[Does::LandsLate(70_000)],
        &[Does::DropsBefore, Does::LandsLate(70_000)],
    ];
    for does in misdeeds {
        for at in Boundary::ALL {
            let (platform, output) = resumed(*at, does).await;
            assert_eq!(platform.applied("ann"), 1, "{at:?} {does:?}");
            assert_eq!(output.value, outcome(1), "{at:?} {does:?}");
            assert!(output.created || *at == Boundary::AfterOutcome, "{at:?} {does:?}");
        }
    }
}

/// Creates tenants one after the other; counts those whose outcome the journal has acknowledged.
async fn make(journal: Journal, run: RunLock, platform: Platform, acknowledged: &AtomicU64) {
    for at in 0..150 {
        let name = format!("{}-{at}", run.id());
        step(&journal, &run, &name, &ensure(&name), &platform)
            .await
            .unwrap();
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}

fn done_steps(journal: &Journal) -> u64 {
    let runs = journal.runs().unwrap();
    let steps = runs
        .iter()
        .flat_map(|run| journal.steps(&run.id, &StepFilter::All).unwrap());
    steps
        .filter(|step| step.state == StepState::Done && step.outcome == Some(outcome(1)))
        .count() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_at_any_moment_holds_everything_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let clock = frozen();
    let journal = in_file(&path, &clock);
    let platform = Platform::new(&clock, []);
    let acknowledged: &'static AtomicU64 = Box::leak(Box::default());
    let workers: Vec<_> = (0..2)
        .map(|_| {
            tokio::spawn(make(
                journal.clone(),
                begin(&journal),
                platform.clone(),
                acknowledged,
            ))
        })
        .collect();
    let mut images = Vec::new();
    while acknowledged.load(Ordering::SeqCst) < 300 {
        let image = folder.path().join(format!("image-{}.db", images.len()));
        let before = acknowledged.load(Ordering::SeqCst);
        copy(&path, &image);
        images.push((image, before));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert!(images.len() > 1);
    for (image, before) in images.iter().step_by(images.len().div_ceil(20)) {
        let copied = in_file(image, &clock);
        assert_eq!(copied.check().unwrap(), Vec::<String>::new());
        assert!(done_steps(&copied) >= *before);
    }
}

#[tokio::test]
async fn a_truncated_wal_opens_with_a_prefix_of_the_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (path, image) = (folder.path().join("journal.db"), folder.path().join("image.db"));
    let clock = frozen();
    let journal = in_file(&path, &clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, []);
    for at in 0..20 {
        let name = at.to_string();
        step(&journal, &run, &name, &ensure(&name), &platform)
            .await
            .unwrap();
    }
    let wal = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    let log = fs::read(wal(&path)).unwrap();
    let mut seen = Vec::new();
    for part in 1..=40 {
        copy(&path, &image);
        let _ = fs::remove_file(format!("{}-shm", image.display()));
        // The first writes create the tables, without which there is nothing to check.
        let length = log.len() * (40 + part) / 80;
        fs::write(wal(&image), &log[..length]).unwrap();
        let copied = in_file(&image, &clock);
        assert_eq!(copied.check().unwrap(), Vec::<String>::new());
        seen.push(done_steps(&copied));
    }
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&20));
}

//! Two processes on one journal, simulated by two handles that share nothing but the files.

use super::crash::kill;
use super::platform::Does;
use super::*;

struct Two {
    first: Journal,
    second: Journal,
    clock: Clock,
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

fn two() -> Two {
    two_at(frozen())
}

fn two_at(clock: Clock) -> Two {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    Two {
        first: in_file(&path, &clock),
        second: in_file(&path, &clock),
        clock,
        path,
        _folder: folder,
    }
}

#[tokio::test]
async fn two_processes_with_the_same_key_send_one_request() {
    let two = two();
    let platform = Platform::new(&two.clock, [Does::LandsLate(3_000)]);
    let tasks = [&two.first, &two.second].map(|journal| {
        let (journal, platform) = (journal.clone(), platform.clone());
        tokio::spawn(async move {
            let run = begin(&journal);
            step(&journal, &run, "a", &ensure("ann"), &platform).await
        })
    });
    let mut created = 0;
    for task in tasks {
        let output = task.await.unwrap().unwrap();
        assert_eq!(output.value, outcome(1));
        created += usize::from(output.created);
    }
    assert_eq!((created, platform.sends().len()), (1, 1));
}

#[tokio::test]
async fn a_long_wait_for_another_process_names_its_run() {
    let two = two();
    let (told, waits) = std::sync::mpsc::channel();
    for journal in [&two.first, &two.second] {
        let told = told.clone();
        journal
            .waits()
            .set_listener(move |wait| drop(told.send(wait.what.clone())));
    }
    let platform = Platform::new(&two.clock, []);
    let runs = [begin(&two.first), begin(&two.second)];
    let ids = runs.each_ref().map(|run| run.id().to_string());
    // The owner's request hangs until the other one has reported that it waits.
    let hangs = platform.watched(Arc::new(|| true));
    let start = |journal: &Journal, run: &RunLock, platform: Platform| {
        let (journal, run) = (journal.clone(), run.clone());
        tokio::spawn(async move { step(&journal, &run, "a", &ensure("ann"), &platform).await })
    };
    let owner = start(&two.first, &runs[0], hangs);
    while two
        .first
        .steps(runs[0].id(), &StepFilter::All)
        .unwrap()
        .is_empty()
    {
        tokio::task::yield_now().await;
    }
    let other = start(&two.second, &runs[1], platform);
    let first = loop {
        if let Ok(what) = waits.try_recv() {
            break what;
        }
        assert!(!other.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    };
    let waiting = two.first.run_waits(runs[1].id());
    assert_eq!(waiting, std::slice::from_ref(&first), "others see it, too");
    assert_eq!(two.second.run_waits(runs[0].id()), Vec::<String>::new());
    owner.abort();
    assert!(owner.await.is_err_and(|error| error.is_cancelled()));
    drop(runs);
    other.await.unwrap().unwrap();
    let left = std::fs::read_dir(two.path.with_file_name("locks")).unwrap();
    let left = left.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .ends_with(".waits")
    });
    assert_eq!(left.count(), 0, "it does not wait any more");
    let what: Vec<String> = std::iter::once(first).chain(waits.try_iter()).collect();
    assert_eq!(what.len(), 1, "{what:?}");
    assert!(ids.iter().all(|id| what[0].contains(id)), "{what:?}");
    assert!(
        what[0].contains("tenant ann") && what[0].contains("process"),
        "{what:?}"
    );
}

#[tokio::test]
async fn a_run_lock_is_exclusive_and_released_with_its_owner() {
    let two = two();
    let run = begin(&two.first);
    two.first.flush().unwrap();
    let id = run.id().clone();
    let refused = two.second.lock_run(&id);
    let pid = Some(std::process::id());
    assert!(matches!(refused, Err(JournalError::RunBusy { pid: of, .. }) if of == pid));
    assert!(two.second.is_run_alive(&id));
    assert_eq!(two.second.latest_unfinished().unwrap(), None);
    drop(run);
    assert!(!two.second.is_run_alive(&id));
    assert!(two.second.lock_run(&id).is_ok());
}

#[tokio::test]
async fn a_killed_owners_step_is_settled_from_its_send_timestamp() {
    for (does, sends) in [
        (Does::DropsAfter, 1),
        (Does::LandsLate(60_000), 1),
        (Does::DropsBefore, 2),
    ] {
        let two = two();
        let image = two.path.with_extension("image");
        let platform = Platform::new(&two.clock, [does]);
        let dead = kill(&two.path, &image, &two.clock, Boundary::AfterSend, &platform).await;
        let clock = Clock::frozen(START + 50_000);
        let journal = in_file(&image, &clock);
        let platform = platform.by(&clock);
        let run = begin(&journal);
        let output = step(&journal, &run, "x", &ensure("ann"), &platform)
            .await
            .unwrap();
        assert_eq!(
            (output.value, output.created),
            (outcome(1), does == Does::DropsBefore)
        );
        assert_eq!(
            (platform.sends().len(), platform.applied("ann")),
            (sends, 1),
            "{does:?}"
        );
        assert!(
            platform
                .sends()
                .iter()
                .skip(1)
                .all(|(at, earlier)| *earlier && *at >= START + 130_000)
        );
        assert!(clock.now_millis() <= START + 131_000);
        assert!(journal.check().unwrap().is_empty());
        let of_the_dead = journal.steps(&dead, &StepFilter::All).unwrap().remove(0).state;
        let expected = if sends == 1 {
            StepState::Done
        } else {
            StepState::Absent
        };
        assert_eq!(of_the_dead, expected);

        let resumed = journal.lock_run(&dead).unwrap();
        let output = step(&journal, &resumed, "a", &ensure("ann"), &platform)
            .await
            .unwrap();
        assert_eq!((output.value, platform.sends().len()), (outcome(1), sends));
    }
}

#[tokio::test]
async fn a_living_owners_parked_step_is_settled_by_another_process() {
    let two = two();
    let down = std::iter::repeat_n(Probe::Unreachable("no connection".to_owned()), 24);
    let platform = Platform::new(&two.clock, [Does::DropsAfter]).looks(down);
    let run = begin(&two.first);
    let parked = step(&two.first, &run, "a", &ensure("ann"), &platform).await;
    assert!(matches!(parked, Err(StepEnd::InDoubt { .. })));
    let other = begin(&two.second);
    let mut end = step(&two.second, &other, "a", &ensure("ann"), &platform).await;
    while end.is_err() {
        end = step(&two.second, &other, "a", &ensure("ann"), &platform).await;
    }
    assert_eq!((end.unwrap().created, platform.sends().len()), (false, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_concurrent_writers_do_not_lock_each_other_out() {
    // A step that waits for the other must not let hours pass while a busy disk writes.
    let two = two_at(Clock::system());
    let platform = Platform::new(&two.clock, []);
    let tasks = [&two.first, &two.second].map(|journal| {
        let (journal, platform) = (journal.clone(), platform.clone());
        tokio::spawn(async move {
            let run = begin(&journal);
            for at in 0..60 {
                let name = format!("{at}");
                step(&journal, &run, &name, &ensure(&name), &platform)
                    .await
                    .unwrap();
            }
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    assert!((0..60).all(|at| platform.applied(&at.to_string()) == 1));
    assert!(two.first.check().unwrap().is_empty());
}

#[tokio::test]
async fn a_resent_request_is_still_claimed_by_its_owner() {
    let two = two();
    let platform = Platform::new(&two.clock, [Does::DropsBefore]);
    let (second, seen) = (two.second.clone(), Arc::new(std::sync::Mutex::new(Vec::new())));
    let seeing = Arc::clone(&seen);
    two.first.on_boundary(move |boundary| {
        if boundary == Boundary::AfterIntent {
            let holders = second.store().read(|look| look.holders(None)).unwrap();
            seeing
                .lock()
                .unwrap()
                .extend(holders.iter().map(|holder| holder.parked));
        }
    });
    let run = begin(&two.first);
    assert!(
        step(&two.first, &run, "a", &ensure("ann"), &platform)
            .await
            .unwrap()
            .created
    );
    assert_eq!(*seen.lock().unwrap(), [false, false]);
}

/// Everything a journal file records, row by row.
fn contents(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut lines = Vec::new();
    for table in ["run", "row", "step", "act", "ledger", "audit", "source"] {
        let mut statement = connection.prepare(&format!("select * from {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
            lines.push(format!("{table}: {}", cells.collect::<Vec<_>>().join(", ")));
        }
    }
    lines
}

/// Makes the second process the owner of the first one's run. The first one's lock is lost, as on a network disk.
fn take_over(two: &Two, run: &RunLock) -> RunLock {
    two.first.flush().unwrap();
    let lock = two
        .path
        .with_file_name("locks")
        .join(format!("{}.lock", run.id()));
    std::fs::remove_file(lock).unwrap();
    two.second.lock_run(run.id()).unwrap()
}

/// A write for a run.
type Writes = fn(&Journal, &RunLock) -> Result<(), JournalError>;

#[tokio::test]
async fn a_paused_process_writes_nothing_after_its_run_was_taken_over() {
    let input = |position| NewRow {
        position,
        content: None,
        input: Value::Null,
    };
    let writes: [Writes; 8] = [
        |journal, run| journal.set_run_status(run, RunStatus::Done),
        |journal, run| journal.set_columns(run, vec!["email".into()]),
        |journal, run| journal.spool_complete(run, 7),
        |journal, run| journal.finish_row(run, 0, RowStatus::Done, None, None),
        |journal, run| journal.claim_rows(run, None, 9, RowFilter::All).map(drop),
        |journal, run| journal.retry_failed(run).map(drop),
        |journal, run| journal.repin(run, &[("a".into(), "b".into())], &Value::Null, "eve"),
        |journal, run| {
            let row = NewRow {
                position: 9,
                content: Some("z".into()),
                input: Value::Null,
            };
            journal.spool_rows(run, vec![row])
        },
    ];
    for write in writes {
        let two = two();
        let run = begin(&two.first);
        two.first.spool_rows(&run, (0..2).map(input).collect()).unwrap();
        two.first
            .finish_row(&run, 1, RowStatus::Failed, None, None)
            .unwrap();
        let owner = take_over(&two, &run);
        let before = contents(&two.path);
        // Some are written with the next commit, and the next one is told.
        let written = write(&two.first, &run);
        two.first.flush().unwrap();
        let error = written
            .and_then(|()| two.first.set_run_status(&run, RunStatus::Failed))
            .unwrap_err();
        let pid = Some(std::process::id());
        assert!(
            matches!(&error, JournalError::TakenOver { run: of, pid: by } if (of, *by) == (run.id(), pid)),
            "{error}"
        );
        assert_eq!(contents(&two.path), before);
        two.second.set_run_status(&owner, RunStatus::Done).unwrap();
        two.first.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    }

    let two = two();
    let platform = Platform::new(&two.clock, []);
    let run = begin(&two.first);
    let _owner = take_over(&two, &run);
    let before = contents(&two.path);
    for plan in [ensure("ann"), act("pay")] {
        let ended = step(&two.first, &run, "a", &plan, &platform).await;
        assert!(
            matches!(ended, Err(StepEnd::Journal(JournalError::TakenOver { .. }))),
            "{ended:?}"
        );
    }
    assert_eq!(platform.sends().len(), 0);
    assert_eq!(contents(&two.path), before);
}

#[tokio::test]
async fn an_outcome_that_arrives_after_a_takeover_is_not_recorded_but_looked_up() {
    let two = two();
    let platform = Platform::new(&two.clock, []);
    let run = begin(&two.first);
    let (second, path, id) = (two.second.clone(), two.path.clone(), run.id().clone());
    let owner = Arc::new(std::sync::Mutex::new(None));
    let taken = Arc::clone(&owner);
    // The process is paused after its request has left.
    two.first.on_boundary(move |boundary| {
        if boundary == Boundary::AfterSend {
            std::fs::remove_file(path.with_file_name("locks").join(format!("{id}.lock"))).unwrap();
            *taken.lock().unwrap() = Some(second.lock_run(&id).unwrap());
        }
    });
    let ended = step(&two.first, &run, "a", &ensure("ann"), &platform).await;
    assert!(
        matches!(ended, Err(StepEnd::Journal(JournalError::TakenOver { .. }))),
        "{ended:?}"
    );
    let owner = owner.lock().unwrap().take().unwrap();
    assert!(only_step(&two.second, &owner).state.is_open());

    let output = step(&two.second, &owner, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    assert_eq!((output.value, platform.sends().len()), (outcome(1), 1));
    let times = only_step(&two.second, &owner).times;
    assert!(
        times.looked_up_ms.is_some() && times.ended_ms.is_some(),
        "{times:?}"
    );
}

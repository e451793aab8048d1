//! Settling of steps whose response is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::platform::Does;
use super::*;

const SETTLE: i64 = 90_000;

async fn ensured(does: impl IntoIterator<Item = Does>) -> (Result<Output, StepEnd>, Platform, StepRecord) {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, does);
    let end = step(&journal, &run, "a", &ensure("ann"), &platform).await;
    assert!(journal.check().unwrap().is_empty());
    let step = only_step(&journal, &run);
    (end, platform, step)
}

fn doubt(end: Result<Output, StepEnd>) -> String {
    match end {
        Err(StepEnd::InDoubt { reason, .. }) => reason,
        other => panic!("not in doubt: {other:?}"),
    }
}

#[tokio::test]
async fn a_lost_response_is_settled_by_lookup_without_resending() {
    let (end, platform, step) = ensured([Does::DropsAfter]).await;
    let output = end.unwrap();
    assert_eq!((output.value, output.created), (outcome(1), true));
    assert_eq!(platform.sends().len(), 1);
    assert_eq!(step.state, StepState::Done);
}

#[tokio::test]
async fn a_request_that_lands_late_is_found_within_the_settle_time() {
    for late in [1, 40, 45_000, SETTLE - 1, SETTLE] {
        let (end, platform, _) = ensured([Does::LandsLate(late)]).await;
        assert!(end.unwrap().created, "{late}");
        assert_eq!(platform.applied("ann"), 1, "{late}");
        assert_eq!(platform.sends().len(), 1, "{late}");
    }
}

#[tokio::test]
async fn a_resend_happens_only_after_a_lookup_past_the_settle_time() {
    let (end, platform, step) = ensured([Does::DropsBefore]).await;
    assert!(end.unwrap().created);
    let sends = platform.sends();
    assert_eq!(
        sends.iter().map(|(_, earlier)| *earlier).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(platform.probes().last().unwrap() >= &(START + SETTLE));
    assert!(sends[1].0 >= START + SETTLE);
    assert_eq!((platform.applied("ann"), step.attempts), (1, 2));
}

#[tokio::test]
async fn each_resend_restarts_the_settle_window() {
    let (end, platform, _) = ensured([Does::DropsBefore, Does::LandsLate(SETTLE)]).await;
    assert!(end.unwrap().created);
    assert_eq!((platform.applied("ann"), platform.sends().len()), (1, 2));
    assert!(platform.probes().last().unwrap() >= &(START + 2 * SETTLE));
}

#[tokio::test]
async fn the_settle_window_starts_at_send_and_not_at_the_intent() {
    for dawdles in [251, 40_000, 89_000, 500_000] {
        let clock = frozen();
        let journal = in_memory(&clock);
        let run = begin(&journal);
        let platform = Platform::new(&clock, [Does::LandsLate(SETTLE)]).dawdling([dawdles]);
        let end = step(&journal, &run, "a", &ensure("ann"), &platform).await;
        assert!(end.unwrap().created, "{dawdles}");
        assert_eq!(platform.applied("ann"), 1, "{dawdles}");
        assert_eq!(platform.sends().len(), 1, "{dawdles}");
    }
}

#[tokio::test]
async fn the_send_timestamp_is_fresh_despite_a_slow_disk() {
    let folder = tempfile::tempdir().unwrap();
    let clock = frozen();
    let journal = in_file(&folder.path().join("journal.db"), &clock);
    let run = begin(&journal);
    let began = Arc::new(AtomicBool::new(false));
    let beginning = Arc::clone(&began);
    let watch = move || beginning.swap(true, Ordering::SeqCst);
    let platform = Platform::new(&clock, []).dawdling([1_000]);
    let (watched, journal_of_step) = (platform.watched(Arc::new(watch)), journal.clone());
    let asked =
        tokio::spawn(async move { step(&journal_of_step, &run, "a", &ensure("ann"), &watched).await });
    while !began.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    // A long time passes while the stamp is being written, and then none.
    for _ in 0..200 {
        clock.sleep(Duration::from_secs(5)).await;
    }
    while platform.sends().is_empty() {
        tokio::task::yield_now().await;
    }
    let sent_ms = journal
        .steps(&journal.runs().unwrap()[0].id, &StepFilter::All)
        .unwrap()[0]
        .state
        .window()
        .unwrap()
        .sent
        .wall_ms;
    let left_ms = platform.sends()[0].0;
    assert!(
        left_ms - sent_ms <= 250,
        "left {} ms after its stamp",
        left_ms - sent_ms
    );
    asked.abort();
}

#[tokio::test]
async fn a_resource_created_by_someone_else_is_refused_without_an_intent() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, []).of_strangers();
    let end = step(&journal, &run, "a", &ensure("ann"), &platform).await;
    assert!(matches!(end, Err(StepEnd::Refused(_))));
    let recorded = only_step(&journal, &run);
    assert_eq!((recorded.state, recorded.attempts), (StepState::Refused, 0));
    assert!(platform.sends().is_empty());
}

#[tokio::test]
async fn a_resource_in_the_ledger_is_not_looked_up() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, []);
    assert!(
        step(&journal, &run, "a", &ensure("ann"), &platform)
            .await
            .unwrap()
            .created
    );
    let platform = platform.of_strangers();
    assert!(step(&journal, &run, "b", &ensure("ann"), &platform).await.is_ok());
    assert_eq!((platform.prepared(), platform.sends().len()), (1, 1));
}

#[tokio::test]
async fn a_resume_counts_the_settle_window_from_the_send_time() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, [Does::LandsLate(SETTLE)]).dawdling([60_000]);
    let asked = ensure("ann");
    {
        let dies = Arc::new(AtomicBool::new(false));
        let dying = Arc::clone(&dies);
        // The process dies once the request has left.
        let watched = platform.watched(Arc::new(move || dying.swap(true, Ordering::SeqCst)));
        let plan = asked.clone();
        let journal = journal.clone();
        let run = run.clone();
        let alive = tokio::spawn(async move { step(&journal, &run, "a", &plan, &watched).await });
        while platform.sends().is_empty() {
            tokio::task::yield_now().await;
        }
        alive.abort();
        assert!(alive.await.is_err());
    }
    let end = step(&journal, &run, "a", &asked, &platform).await;
    assert!(end.unwrap().created);
    assert_eq!((platform.applied("ann"), platform.sends().len()), (1, 1));
}

#[tokio::test]
async fn a_step_is_in_doubt_after_five_lost_requests() {
    let (end, platform, step) = ensured([Does::DropsBefore; 9]).await;
    assert_eq!(
        doubt(end),
        "it was sent 5 times, and the answer was lost each time"
    );
    assert_eq!(platform.sends().len(), 5);
    assert!(matches!(step.state, StepState::InDoubt { .. }));
}

#[tokio::test]
async fn an_ambiguous_lookup_parks_the_step_without_resending() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let unclear = std::iter::repeat_n(Probe::Unknown("two apps match".to_owned()), 1000);
    let platform = Platform::new(&clock, [Does::DropsAfter]).looks(unclear);
    let end = step(&journal, &run, "a", &ensure("ann"), &platform).await;
    assert_eq!(doubt(end), "the answer was lost, and two apps match");
    assert_eq!(platform.sends().len(), 1);
    assert!(clock.now_millis() >= START + SETTLE);

    let looked = platform.probes().len();
    let again = step(&journal, &run, "a", &ensure("ann"), &platform).await;
    doubt(again);
    assert_eq!((platform.sends().len(), platform.probes().len()), (1, looked + 3));
}

#[tokio::test]
async fn a_lookup_is_retried_while_the_platform_is_unreachable() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let down = std::iter::repeat_n(Probe::Unreachable("no connection".to_owned()), 5);
    let platform = Platform::new(&clock, [Does::DropsAfter]).looks(down);
    let output = step(&journal, &run, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    assert!(output.created);
    assert_eq!((platform.sends().len(), platform.probes().len()), (1, 6));
}

#[tokio::test]
async fn an_unreachable_platform_parks_the_step_and_a_resume_settles_it() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let down = std::iter::repeat_n(Probe::Unreachable("no connection".to_owned()), 30);
    let platform = Platform::new(&clock, [Does::DropsAfter]).looks(down);
    doubt(step(&journal, &run, "a", &ensure("ann"), &platform).await);
    assert_eq!(
        only_step(&journal, &run).reason.unwrap(),
        "the answer was lost, and no connection"
    );
    let mut end = step(&journal, &run, "a", &ensure("ann"), &platform).await;
    while end.is_err() {
        end = step(&journal, &run, "a", &ensure("ann"), &platform).await;
    }
    assert_eq!((platform.sends().len(), end.unwrap().created), (1, true));
}

#[tokio::test]
async fn an_act_without_a_lookup_parks_at_once_and_stays_parked() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, [Does::DropsAfter]);
    for _ in 0..3 {
        assert_eq!(
            doubt(step(&journal, &run, "a", &act("ann"), &platform).await),
            "the answer was lost"
        );
    }
    assert_eq!((platform.sends().len(), platform.probes().len()), (1, 0));
    assert_eq!(clock.now_millis(), START);
}

#[tokio::test]
async fn parked_steps_are_resolved_manually_and_audited() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let platform = Platform::new(&clock, [Does::DropsAfter, Does::DropsBefore]);
    let run = begin(&journal);
    doubt(step(&journal, &run, "a", &act("ann"), &platform).await);
    doubt(step(&journal, &run, "b", &act("bob"), &platform).await);
    let id = run.id().clone();
    let keys: Vec<String> = journal
        .steps(&id, &StepFilter::Open)
        .unwrap()
        .into_iter()
        .map(|step| step.key)
        .collect();
    let done = Resolution::Done {
        value: "by hand".into(),
        removes: true,
    };
    let busy = journal.resolve(&id, &keys[0], &done, "eve");
    assert!(matches!(busy, Err(JournalError::RunBusy { pid: Some(pid), .. }) if pid == std::process::id()));
    drop(run);

    journal.resolve(&id, &keys[0], &done, "eve").unwrap();
    journal
        .resolve(&id, &keys[1], &Resolution::Absent, "eve")
        .unwrap();
    // A person's decision can be corrected; an absent step is for the next attempt.
    let other = Resolution::Done {
        value: "otherwise".into(),
        removes: true,
    };
    journal.resolve(&id, &keys[0], &other, "eve").unwrap();
    let said = journal.resolved_steps(&id).unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].outcome, Some("otherwise".into()));
    journal.resolve(&id, &keys[0], &done, "eve").unwrap();
    let run = journal.lock_run(&id).unwrap();
    let first = step(&journal, &run, "a", &act("ann"), &platform).await.unwrap();
    assert_eq!((first.value, first.replayed), ("by hand".into(), true));
    assert!(
        step(&journal, &run, "b", &act("bob"), &platform)
            .await
            .unwrap()
            .created
    );
    assert_eq!(platform.sends().last().unwrap(), &(START, true));
    drop(run);
    let settled = journal.resolve(&id, &keys[1], &Resolution::Absent, "eve");
    assert!(matches!(
        settled,
        Err(JournalError::NotInDoubt { state: "done", .. })
    ));
    let audits = journal.audits().unwrap();
    assert_eq!(audits.len(), 4);
    assert_eq!(
        (audits[0].kind.as_str(), audits[0].actor.as_str()),
        ("resolve", "eve")
    );
}

#[tokio::test]
async fn a_resource_gone_from_the_platform_is_recreated_by_later_runs() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let platform = Platform::new(&clock, []);
    let run = begin(&journal);
    step(&journal, &run, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    platform.loses("ann");
    clock.sleep(Duration::from_secs(100)).await;
    step(&journal, &run, "b", &ensure("ann"), &platform)
        .await
        .unwrap();
    assert_eq!(platform.sends().len(), 1, "the run that made it knows it");
    let other = begin(&journal);
    let anew = step(&journal, &other, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    assert!(anew.created && platform.sends().len() == 2);
    platform.loses("ann");
    clock.sleep(Duration::from_secs(80)).await;
    step(&journal, &begin(&journal), "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    assert_eq!(platform.sends().len(), 2, "it may not be listed yet");
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_ledger_entry_under_a_former_name_is_found_and_renamed() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let platform = Platform::new(&clock, []);
    let run = begin(&journal);
    journal.ledger_put(&tenant("ann"), &outcome(7)).unwrap();
    let found = step(&journal, &run, "a", &ensure("new ann"), &platform)
        .await
        .unwrap();
    assert_eq!((found.value, platform.sends().len()), (outcome(7), 0));
    assert_eq!(journal.ledger_get(&tenant("ann")).unwrap(), None);
    assert!(journal.ledger_get(&tenant("new ann")).unwrap().is_some());
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_ambiguous_former_name_requires_a_lookup_of_the_same_resource() {
    for (number, looked_up, sends) in [(1, true, 0), (7, false, 1)] {
        let clock = frozen();
        let journal = in_memory(&clock);
        // The lookup finds the resource with id 1.
        let platform = Platform::new(&clock, []).looks([Probe::Found(outcome(1))]);
        let run = begin(&journal);
        journal.ledger_put(&tenant("ann"), &outcome(number)).unwrap();
        let mut plan = ensure("new ann");
        let StepKind::Change(change) = &mut plan.kind else {
            unreachable!()
        };
        let former = change.former_key.take().unwrap();
        change.former_key = Some(FormerKey {
            proof: Proof::LookUp,
            ..former
        });
        let ended = step(&journal, &run, "a", &plan, &platform).await.unwrap();
        assert_eq!((ended.value, platform.sends().len()), (outcome(1), sends));
        assert_eq!(journal.ledger_get(&tenant("ann")).unwrap().is_none(), looked_up);
        assert!(journal.ledger_get(&tenant("new ann")).unwrap().is_some());
    }
}

#[tokio::test]
async fn correcting_a_resolution_updates_the_ledger() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let unclear = std::iter::repeat_n(Probe::Unknown("two apps match".to_owned()), 1000);
    let platform = Platform::new(&clock, [Does::DropsAfter]).looks(unclear);
    let run = begin(&journal);
    doubt(step(&journal, &run, "a", &ensure("ann"), &platform).await);
    let (id, key) = (run.id().clone(), only_step(&journal, &run).key);
    drop(run);
    let held = || journal.ledger_get(&tenant("ann")).unwrap().map(|item| item.value);
    for number in [1, 2] {
        let done = Resolution::Done {
            value: outcome(number),
            removes: true,
        };
        journal.resolve(&id, &key, &done, "eve").unwrap();
        assert_eq!(held(), Some(outcome(number)));
    }
    journal.resolve(&id, &key, &Resolution::Absent, "eve").unwrap();
    assert_eq!(held(), None);
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_removal_resolved_with_a_failure_keeps_the_ledger_entry() {
    for removes in [false, true] {
        let clock = frozen();
        let journal = in_memory(&clock);
        let platform = Platform::new(&clock, [Does::Answers, Does::DropsAfter]);
        let run = begin(&journal);
        step(&journal, &run, "a", &ensure("ann"), &platform)
            .await
            .unwrap();
        let StepKind::Change(mut removal) = act("delete").kind else {
            unreachable!()
        };
        removal.ledger_effect = LedgerEffect::Remove(vec![LedgerEntry::Identified {
            account: tenant("").account,
            kind: "tenant".into(),
            platform_id: "1".into(),
        }]);
        doubt(step(&journal, &run, "b", &change("delete", "ann", removal), &platform).await);
        let id = run.id().clone();
        let open = journal.steps(&id, &StepFilter::Open).unwrap();
        drop(run);
        let value = Value::from("by hand");
        let done = Resolution::Done { value, removes };
        journal.resolve(&id, &open[0].key, &done, "eve").unwrap();
        let held = journal.ledger_get(&tenant("ann")).unwrap();
        assert_eq!(held.is_none(), removes);
    }
}

#[tokio::test]
async fn cancelling_a_lookup_leaves_the_step_in_doubt() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, [Does::LandsLate(10)]);
    let row = journal.open_row(&run, 0, "a", true).unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let plan = ensure("ann");
    let unsent = row.step(&plan, &platform.attempt(&plan), &cancel).await;
    assert!(matches!(unsent, Err(StepEnd::Cancelled)));
    assert!(platform.sends().is_empty());

    let cancel = CancellationToken::new();
    let interrupting = cancel.clone();
    journal.on_boundary(move |boundary| {
        if boundary == Boundary::AfterSend {
            interrupting.cancel();
        }
    });
    let row = journal.open_row(&run, 0, "a", true).unwrap();
    let reason = doubt(row.step(&plan, &platform.attempt(&plan), &cancel).await);
    assert_eq!(reason, "the answer was lost, and looking for it was interrupted");
    let resumed = step(&journal, &run, "a", &plan, &platform).await.unwrap();
    assert_eq!((resumed.created, platform.sends().len()), (true, 1));
}

#[tokio::test]
async fn a_step_future_dropped_after_sending_leaves_the_step_in_doubt() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, [Does::Answers]);
    let plan = ensure("ann");
    let row = journal.open_row(&run, 0, "a", true).unwrap();
    let dies = AtomicBool::new(false);
    // No response reaches it once the request has left.
    let watched = platform.watched(Arc::new(move || dies.swap(true, Ordering::SeqCst)));
    let (attempt, cancel) = (watched.attempt(&plan), CancellationToken::new());
    {
        let dropped = row.step(&plan, &attempt, &cancel);
        let mut dropped = std::pin::pin!(dropped);
        while platform.sends().is_empty() {
            assert!(
                std::future::poll_fn(|cx| std::task::Poll::Ready(dropped.as_mut().poll(cx).is_pending()))
                    .await
            );
        }
    }
    assert!(matches!(
        only_step(&journal, &run).state,
        StepState::InDoubt { .. }
    ));
    assert!(step(&journal, &run, "a", &plan, &platform).await.unwrap().created);
    assert_eq!(platform.applied("ann"), 1);
}

#[tokio::test]
async fn a_step_future_dropped_before_sending_records_no_step() {
    let clock = frozen();
    let journal = in_memory(&clock);
    let run = begin(&journal);
    let platform = Platform::new(&clock, [Does::Answers]);
    let plan = ensure("ann");
    let row = journal.open_row(&run, 0, "a", true).unwrap();
    let (attempt, cancel) = (platform.attempt(&plan), CancellationToken::new());
    {
        let dropped = row.step(&plan, &attempt, &cancel);
        let mut dropped = std::pin::pin!(dropped);
        // The future first suspends inside `send`, before anything is sent.
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(dropped.as_mut().poll(cx).is_pending())).await
        );
    }
    assert!(platform.sends().is_empty());
    assert!(journal.steps(run.id(), &StepFilter::All).unwrap().is_empty());
    assert!(step(&journal, &run, "a", &plan, &platform).await.unwrap().created);
    assert_eq!(platform.applied("ann"), 1);
}

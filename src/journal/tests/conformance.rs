//! The behaviour that both stores guarantee.

use std::collections::BTreeSet;

use super::platform::Does;
use super::*;

/// Runs each check against a journal in memory and one in a file.
macro_rules! both_stores {
    ($($check:ident)*) => {$(
        mod $check {
            use super::*;

            #[tokio::test]
            async fn in_memory() {
                let clock = frozen();
                super::$check(super::in_memory(&clock), clock).await;
            }

            #[tokio::test]
            async fn in_a_file() {
                let folder = tempfile::tempdir().unwrap();
                let clock = frozen();
                let path = folder.path().join("journal.db");
                super::$check(super::in_file(&path, &clock), clock.clone()).await;
                assert_eq!(super::in_file(&path, &clock).check().unwrap(), Vec::<String>::new());
            }
        }
    )*};
}

both_stores! {
    a_run_is_kept_with_its_sources
    rows_are_queued_paged_and_finished
    rows_with_equal_contents_are_counted
    a_row_is_claimed_once_by_each_owner_of_its_run
    outcomes_and_refusals_are_replayed
    a_failure_is_not_recorded
    replay_matches_steps_by_arguments_and_not_by_order
    a_ledger_entry_is_returned_without_a_request_to_the_platform
    a_resource_removed_from_the_ledger_can_be_created_again
    failed_rows_can_be_retried
    a_retry_repeats_reads_that_no_change_depends_on
    a_prune_interrupted_by_a_kill_is_finished_by_the_next
    pruning_keeps_changing_steps_and_ledger_entries
    concurrent_rows_with_the_same_key_send_one_request
    a_parked_step_is_settled_by_another_run_needing_its_resource
    an_act_is_deduplicated_per_row_identity_for_its_retention_time
    an_act_in_doubt_blocks_repeats_until_it_is_resolved
    an_open_step_blocks_other_calls_of_its_operation
    changes_count_once_under_their_limits_and_refused_ones_do_not
}

/// Returns a plan to act for a row, which is remembered for an hour.
fn remembered(name: &str) -> StepPlan {
    let mut plan = act(name);
    if let StepKind::Change(change) = &mut plan.kind {
        change.act = Some(Act::OfRow(name.into(), Duration::from_hours(1)));
    }
    plan
}

/// Executes it in a row with the identity `row`, in a run of its own.
async fn done_for(journal: &Journal, row: &str, again: bool, platform: &Platform) -> Result<Output, StepEnd> {
    let run = begin(journal);
    let opened = journal.open_row(&run, 0, "a", true).unwrap();
    let opened = opened.known_by(Some(row.into())).again(again);
    let plan = remembered("ann");
    opened
        .step(&plan, &platform.attempt(&plan), &CancellationToken::new())
        .await
}

async fn an_act_is_deduplicated_per_row_identity_for_its_retention_time(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, [Does::Refuses]);
    let refused = done_for(&journal, "row", false, &platform).await;
    assert!(matches!(refused, Err(StepEnd::Refused(_))), "{refused:?}");
    assert!(done_for(&journal, "row", false, &platform).await.unwrap().created);
    assert!(!done_for(&journal, "row", false, &platform).await.unwrap().created);
    assert!(
        done_for(&journal, "other", false, &platform)
            .await
            .unwrap()
            .created
    );
    assert!(done_for(&journal, "row", true, &platform).await.unwrap().created);
    clock.sleep(Duration::from_mins(59)).await;
    assert!(!done_for(&journal, "row", false, &platform).await.unwrap().created);
    clock.sleep(Duration::from_mins(2)).await;
    assert!(done_for(&journal, "row", false, &platform).await.unwrap().created);
    assert_eq!(platform.sends().len(), 5);
}

async fn an_act_in_doubt_blocks_repeats_until_it_is_resolved(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, [Does::DropsAfter]);
    let parked = done_for(&journal, "row", false, &platform).await;
    assert!(matches!(parked, Err(StepEnd::InDoubt { .. })), "{parked:?}");
    clock.sleep(Duration::from_hours(48)).await;
    for again in [false, true] {
        let held = done_for(&journal, "row", again, &platform).await;
        let Err(StepEnd::InDoubt { step, .. }) = held else {
            panic!("{held:?}");
        };
        let (run, key) = step.split_once('/').unwrap();
        assert!(journal.steps(&RunId::new(run), &StepFilter::Open).unwrap()[0].key == key);
    }
    assert_eq!(platform.sends().len(), 1);
    let first = journal.runs().unwrap().last().unwrap().id.clone();
    let key = journal.steps(&first, &StepFilter::Open).unwrap()[0].key.clone();
    journal.resolve(&first, &key, &Resolution::Absent, "ann").unwrap();
    assert!(done_for(&journal, "row", false, &platform).await.unwrap().created);
}

async fn an_open_step_blocks_other_calls_of_its_operation(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, [Does::DropsAfter]);
    let run = begin(&journal);
    let parked = step(&journal, &run, "a", &act("ann"), &platform).await;
    assert!(matches!(parked, Err(StepEnd::InDoubt { .. })), "{parked:?}");
    journal.flush().unwrap();
    let row = journal.open_row(&run, 0, "a", false).unwrap();
    let other = act("another");
    let held = row
        .step(&other, &platform.attempt(&other), &CancellationToken::new())
        .await;
    assert!(matches!(held, Err(StepEnd::InDoubt { .. })), "{held:?}");
    assert_eq!(row.left_open().map(|(_, op)| op), Some("act".to_owned()));
    let key = journal.steps(run.id(), &StepFilter::Open).unwrap()[0].key.clone();
    let id = run.id().clone();
    drop((row, run));
    journal
        .resolve(
            &id,
            &key,
            &Resolution::Done {
                value: "done".into(),
                removes: true,
            },
            "ann",
        )
        .unwrap();

    // A completed act is not repeated differently without permission.
    let run = journal.lock_run(&id).unwrap();
    let held = step(&journal, &run, "a", &other, &platform).await;
    assert!(matches!(held, Err(StepEnd::DoneBefore { .. })), "{held:?}");
    let row = journal.open_row(&run, 0, "a", false).unwrap().again(true);
    let done = row
        .step(&other, &platform.attempt(&other), &CancellationToken::new())
        .await;
    assert!(done.unwrap().created);
    assert_eq!(platform.sends().len(), 2);
}

/// Ensures a tenant in a row of the same name, under limits of so many changes by place.
async fn limited(
    journal: &Journal,
    run: &RunLock,
    (name, limits): (&str, &[(&str, u64)]),
    platform: &Platform,
) -> Result<bool, Option<String>> {
    let mut plan = ensure(name);
    if let StepKind::Change(change) = &mut plan.kind {
        let limits = limits.iter().map(|(site, most)| ChangeLimit {
            site: (*site).to_owned(),
            most: *most,
        });
        change.limits = limits.collect();
    }
    match step(journal, run, name, &plan, platform).await {
        Ok(output) => Ok(output.created),
        Err(StepEnd::LimitReached(reached)) => Err(reached.site),
        Err(other) => panic!("{other:?}"),
    }
}

async fn changes_count_once_under_their_limits_and_refused_ones_do_not(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, [Does::Refuses]);
    let mut run = begin(&journal);
    run.limit_changes(Some(3));
    let refused = step(&journal, &run, "no", &ensure("no"), &platform).await;
    assert!(matches!(refused, Err(StepEnd::Refused(_))), "{refused:?}");
    let (one, two): (&[_], &[_]) = (&[("x:1:1", 1)], &[("x:1:1", 2), ("x:2:1", 9)]);
    let of = |site: &str| Err(Some(site.to_owned()));
    assert_eq!(limited(&journal, &run, ("ann", one), &platform).await, Ok(true));
    assert_eq!(
        limited(&journal, &run, ("bob", one), &platform).await,
        of("x:1:1")
    );
    assert_eq!(limited(&journal, &run, ("bob", two), &platform).await, Ok(true));
    assert_eq!(
        limited(&journal, &run, ("eve", two), &platform).await,
        of("x:1:1")
    );
    // Another process counts from the record.
    for _ in 0..2 {
        let id = run.id().clone();
        drop(run);
        run = journal.lock_run(&id).unwrap();
        run.limit_changes(Some(3));
        // What is done is replayed, whatever the limit.
        assert_eq!(limited(&journal, &run, ("ann", one), &platform).await, Ok(false));
        assert_eq!(
            limited(&journal, &run, ("eve", two), &platform).await,
            of("x:1:1")
        );
    }
    assert_eq!(
        limited(&journal, &run, ("eve", &[("x:2:1", 2)]), &platform).await,
        Ok(true)
    );
    let full = limited(&journal, &run, ("joe", &[]), &platform).await;
    assert_eq!(full, Err(None), "the run may make three changes");
    assert_eq!(platform.sends().len(), 4);
}

async fn a_run_is_kept_with_its_sources(journal: Journal, _: Clock) {
    let first = begin(&journal);
    let second = begin(&journal);
    assert_ne!(first.id(), second.id());
    journal.set_columns(&first, vec!["email".into()]).unwrap();
    journal.spool_complete(&first, 7).unwrap();
    journal.set_run_status(&second, RunStatus::Done).unwrap();
    let record = journal.run(first.id()).unwrap().unwrap();
    assert_eq!((record.params, record.plan), ("params".into(), "plan".into()));
    assert_eq!(
        (record.columns, record.total),
        (Some(vec!["email".to_owned()]), Some(7))
    );
    assert_eq!(record.status, RunStatus::Running);
    assert_eq!(journal.sources(first.id()).unwrap(), new_run("").sources);
    let newest_first: Vec<RunId> = journal.runs().unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(newest_first, [second.id().clone(), first.id().clone()]);

    assert!(journal.is_run_alive(first.id()));
    assert_eq!(journal.latest_unfinished().unwrap(), None);
    let id = first.id().clone();
    drop(first);
    assert!(!journal.is_run_alive(&id));
    assert_eq!(journal.latest_unfinished().unwrap().unwrap().id, id);
    assert_eq!(journal.lock_run(&id).unwrap().id(), &id);
    let missing = RunId::new("../../etc/passwd");
    assert!(matches!(
        journal.lock_run(&missing),
        Err(JournalError::NoSuchRun(_))
    ));
    assert_eq!(journal.run(&missing).unwrap(), None);
}

fn new_row(position: u64, content: &str) -> NewRow {
    NewRow {
        position,
        content: Some(content.into()),
        input: Value::Int(i64::try_from(position).unwrap()),
    }
}

async fn rows_are_queued_paged_and_finished(journal: Journal, _: Clock) {
    let run = begin(&journal);
    let id = run.id();
    let all: Vec<NewRow> = (0..1000).map(|at| new_row(at, &format!("s{at}"))).collect();
    journal.spool_rows(&run, all[..700].to_vec()).unwrap();
    journal.spool_rows(&run, all).unwrap();
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = journal.rows(id, after, 300, RowFilter::All).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position);
        seen.extend(page);
    }
    assert_eq!(seen.len(), 1000);
    assert!(
        seen.iter()
            .zip(0..)
            .all(|(row, at)| row.position == at && row.input == Value::Int(at.try_into().unwrap()))
    );

    for position in 0..1000 {
        let status = match position {
            3 => RowStatus::Failed,
            5 => RowStatus::Parked,
            7 => RowStatus::Skipped,
            9 => continue,
            _ => RowStatus::Done,
        };
        let error = (status != RowStatus::Done).then_some(Value::from("why"));
        journal
            .finish_row(&run, position, status, Some(&"out".into()), error.as_ref())
            .unwrap();
    }
    let positions = |only| {
        let rows = journal.rows(id, None, 10, only).unwrap();
        rows.into_iter().map(|row| row.position).collect::<Vec<_>>()
    };
    assert_eq!(positions(RowFilter::Unfinished), [5, 7, 9]);
    assert_eq!(positions(RowFilter::Only(RowStatus::Failed)), [3]);
    let counts = journal.row_counts(id).unwrap();
    assert_eq!(
        (
            counts.all(),
            counts.of(RowStatus::Done),
            counts.of(RowStatus::Queued)
        ),
        (1000, 996, 1)
    );
    let row = journal.rows(id, Some(2), 1, RowFilter::All).unwrap().remove(0);
    assert_eq!((row.output, row.error), (Some("out".into()), Some("why".into())));
}

async fn rows_with_equal_contents_are_counted(journal: Journal, _: Clock) {
    let run = begin(&journal);
    let rows = ["a", "b", "a", "a", "b"].into_iter().zip(0..);
    let rows: Vec<NewRow> = rows.map(|(content, at)| new_row(at, content)).collect();
    journal.spool_rows(&run, rows[..3].to_vec()).unwrap();
    journal.flush().unwrap();
    journal.spool_rows(&run, rows).unwrap();
    let other = begin(&journal);
    journal.spool_rows(&other, vec![new_row(0, "a")]).unwrap();
    let counted = |run: &RunLock| -> Vec<(String, u64)> {
        let rows = journal.rows(run.id(), None, 9, RowFilter::All).unwrap();
        rows.into_iter().map(|row| (row.scope, row.repeat)).collect()
    };
    let expected = [("1", 1), ("2", 1), ("3", 2), ("4", 3), ("5", 2)];
    assert_eq!(
        counted(&run),
        expected.map(|(scope, repeat)| (scope.to_owned(), repeat))
    );
    assert_eq!(counted(&other), [("1".to_owned(), 1)]);
}

async fn a_row_is_claimed_once_by_each_owner_of_its_run(journal: Journal, _: Clock) {
    let run = begin(&journal);
    let rows = (0..5).map(|position| new_row(position, "same"));
    journal.spool_rows(&run, rows.collect()).unwrap();
    let claim = |run: &RunLock, after, limit, only| -> Vec<u64> {
        let rows = journal.claim_rows(run, after, limit, only).unwrap();
        rows.into_iter().map(|row| row.position).collect()
    };
    assert_eq!(claim(&run, None, 2, RowFilter::All), [0, 1]);
    assert_eq!(claim(&run, None, 2, RowFilter::All), [2, 3]);
    assert_eq!(claim(&run, Some(4), 2, RowFilter::All), [0; 0]);
    assert_eq!(claim(&run, None, 9, RowFilter::All), [4]);
    assert_eq!(claim(&run, None, 9, RowFilter::All), [0; 0]);
    journal.finish_row(&run, 1, RowStatus::Done, None, None).unwrap();
    journal
        .finish_row(&run, 2, RowStatus::Parked, None, None)
        .unwrap();

    let id = run.id().clone();
    drop(run);
    let run = journal.lock_run(&id).unwrap();
    let parked = RowFilter::Only(RowStatus::Parked);
    assert_eq!(claim(&run, None, 9, parked), [2]);
    assert_eq!(claim(&run, None, 9, RowFilter::Unfinished), [0, 3, 4]);
}

async fn outcomes_and_refusals_are_replayed(journal: Journal, clock: Clock) {
    let run = begin(&journal);
    let platform = Platform::new(
        &clock,
        [Does::Answers, Does::Refuses, Does::Answers, Does::Refuses],
    );
    for replayed in [false, true] {
        let made = step(&journal, &run, "a", &ensure("ann"), &platform)
            .await
            .unwrap();
        assert_eq!(
            (made.value, made.replayed, made.created),
            (outcome(1), replayed, !replayed)
        );
        let refused = step(&journal, &run, "b", &ensure("bob"), &platform).await;
        assert!(matches!(refused, Err(StepEnd::Refused(reason)) if reason == "no".into()));
        let found = step(&journal, &run, "c", &read("ann"), &platform).await.unwrap();
        assert_eq!((found.value, found.replayed), (outcome(1), replayed));
        let refused = step(&journal, &run, "d", &read("bob"), &platform).await;
        assert!(matches!(refused, Err(StepEnd::Refused(_))));
    }
    assert_eq!(platform.sends().len(), 4);
    let steps = journal.steps(run.id(), &StepFilter::All).unwrap();
    assert_eq!(steps.len(), 4);
    assert_eq!((steps[0].state, steps[0].attempts), (StepState::Done, 1));
    assert_eq!(
        (steps[0].outcome.clone(), steps[0].resource.clone()),
        (Some(outcome(1)), Some((&tenant("ann")).into()))
    );
}

async fn a_failure_is_not_recorded(journal: Journal, clock: Clock) {
    let run = begin(&journal);
    let platform = Platform::new(&clock, [Does::Fails, Does::Fails, Does::Answers]);
    let row = journal.open_row(&run, 0, "a", true).unwrap();
    let plan = act("ann");
    for _ in 0..2 {
        let failed = row
            .step(&plan, &platform.attempt(&plan), &CancellationToken::new())
            .await;
        assert!(matches!(failed, Err(StepEnd::Failed(_))));
    }
    assert!(journal.steps(run.id(), &StepFilter::All).unwrap().is_empty());
    assert!(
        row.step(&plan, &platform.attempt(&plan), &CancellationToken::new())
            .await
            .unwrap()
            .created
    );
    // A resume does not see the failures, so its first request is the one that succeeded.
    assert!(
        step(&journal, &run, "a", &plan, &platform)
            .await
            .unwrap()
            .replayed
    );
    assert_eq!(platform.sends().len(), 3);
}

async fn replay_matches_steps_by_arguments_and_not_by_order(journal: Journal, clock: Clock) {
    let run = begin(&journal);
    let platform = Platform::new(&clock, []);
    let names = ["ann", "bob", "ann"];
    for (names, replayed) in [(names, false), (["ann", "ann", "bob"], true)] {
        journal.flush().unwrap();
        let row = journal.open_row(&run, 0, "a", false).unwrap();
        for name in names {
            let plan = act(name);
            let output = row
                .step(&plan, &platform.attempt(&plan), &CancellationToken::new())
                .await
                .unwrap();
            assert_eq!(output.replayed, replayed);
        }
    }
    assert_eq!((platform.applied("ann"), platform.applied("bob")), (2, 1));
    let row = journal.open_row(&run, 1, "another row", false).unwrap();
    let plan = act("ann");
    assert!(
        !row.step(&plan, &platform.attempt(&plan), &CancellationToken::new())
            .await
            .unwrap()
            .replayed
    );
    let keys: BTreeSet<String> = journal
        .steps(run.id(), &StepFilter::Row(0))
        .unwrap()
        .into_iter()
        .map(|step| step.key)
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(
        keys.iter()
            .all(|key| key.starts_with("a/act:") && !key.contains("ann"))
    );
}

async fn a_ledger_entry_is_returned_without_a_request_to_the_platform(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, []);
    let run = begin(&journal);
    assert!(
        step(&journal, &run, "a", &ensure("ann"), &platform)
            .await
            .unwrap()
            .created
    );
    let other = begin(&journal);
    let known = step(&journal, &other, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    assert_eq!(
        (known.value, known.created, known.replayed),
        (outcome(1), false, false)
    );
    assert!(
        step(&journal, &other, "a", &ensure("ann"), &platform)
            .await
            .unwrap()
            .replayed
    );
    assert_eq!(platform.sends().len(), 1);

    let item = journal.ledger_get(&tenant("ann")).unwrap().unwrap();
    assert_eq!((item.value, item.run.as_ref()), (outcome(1), Some(run.id())));
    journal.ledger_put(&tenant("ann"), &outcome(1)).unwrap();
    journal.ledger_put(&tenant("adopted"), &outcome(2)).unwrap();
    let account = tenant("").account;
    assert_eq!(journal.ledger_list("tenant", Some(&account)).unwrap().len(), 2);
    assert_eq!(journal.ledger_list("app", None).unwrap(), []);
    assert_eq!(
        journal.ledger_get(&tenant("ann")).unwrap().unwrap().run.as_ref(),
        Some(run.id())
    );
    let ids: Vec<String> = journal
        .recorded_platform_ids(&account, "tenant")
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(ids, ["1", "2"]);
}

async fn a_resource_removed_from_the_ledger_can_be_created_again(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, []);
    let run = begin(&journal);
    step(&journal, &run, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    let StepKind::Change(mut strike) = act("delete").kind else {
        unreachable!()
    };
    strike.ledger_effect = LedgerEffect::Remove(vec![LedgerEntry::Identified {
        account: tenant("").account,
        kind: "tenant".into(),
        platform_id: "1".into(),
    }]);
    step(&journal, &run, "b", &change("delete", "ann", strike), &platform)
        .await
        .unwrap();
    assert_eq!(journal.ledger_get(&tenant("ann")).unwrap(), None);
    assert!(
        step(&journal, &run, "c", &ensure("ann"), &platform)
            .await
            .unwrap()
            .created
    );
}

async fn failed_rows_can_be_retried(journal: Journal, clock: Clock) {
    let run = begin(&journal);
    journal
        .spool_rows(&run, vec![new_row(0, "a"), new_row(1, "b")])
        .unwrap();
    let platform = Platform::new(&clock, [Does::Answers, Does::Refuses]);
    for (scope, status) in [("a", RowStatus::Done), ("b", RowStatus::Failed)] {
        let position = u64::from(scope == "b");
        let end = step_at(&journal, &run, (position, scope), &ensure(scope), &platform).await;
        assert_eq!(end.is_ok(), status == RowStatus::Done);
        journal
            .finish_row(&run, position, status, None, Some(&"e".into()))
            .unwrap();
    }
    assert_eq!(journal.retry_failed(&run).unwrap(), 1);
    let open = journal.rows(run.id(), None, 9, RowFilter::Unfinished).unwrap();
    assert_eq!(
        (open.len(), open[0].position, open[0].error.clone()),
        (1, 1, None)
    );
    assert!(
        step_at(&journal, &run, (1, "b"), &ensure("b"), &platform)
            .await
            .unwrap()
            .created
    );
    assert!(
        step(&journal, &run, "a", &ensure("a"), &platform)
            .await
            .unwrap()
            .replayed
    );
}

async fn a_retry_repeats_reads_that_no_change_depends_on(journal: Journal, clock: Clock) {
    let run = begin(&journal);
    // More than one page of rows.
    let rows = (0..300).map(|position| new_row(position, &format!("r{position}")));
    journal.spool_rows(&run, rows.collect()).unwrap();
    let platform = Platform::new(&clock, []);
    let asked = [read("before"), ensure("ann"), read("after")];
    let mut replayed = Vec::new();
    for attempt in 0..2 {
        journal.flush().unwrap();
        let row = journal.open_row(&run, 299, "r299", false).unwrap();
        for plan in &asked {
            let (_, known) = row.recall(plan, attempt == 1).unwrap();
            replayed.push(matches!(known, Recall::Done(_)));
        }
        let row = journal.open_row(&run, 299, "r299", false).unwrap();
        for plan in &asked {
            let output = row
                .step(plan, &platform.attempt(plan), &CancellationToken::new())
                .await
                .unwrap();
            replayed.push(output.replayed);
        }
        for position in 0..300 {
            journal
                .finish_row(&run, position, RowStatus::Failed, None, Some(&"e".into()))
                .unwrap();
        }
        if attempt == 0 {
            assert_eq!(journal.retry_failed(&run).unwrap(), 300);
            assert_eq!(journal.row_counts(run.id()).unwrap().of(RowStatus::Queued), 300);
            let status = journal.run(run.id()).unwrap().unwrap().status;
            assert_eq!(status, RunStatus::Interrupted, "killed here, a resume goes on");
        }
    }
    let (first, second) = replayed.split_at(6);
    assert_eq!(first, [false; 6]);
    assert_eq!(second, [true, true, false, true, true, false]);
    assert_eq!(platform.sends().len(), 4);
}

async fn a_prune_interrupted_by_a_kill_is_finished_by_the_next(journal: Journal, clock: Clock) {
    let run = begin(&journal);
    let id = run.id().clone();
    let rows = (0..512).map(|position| new_row(position, &format!("r{position}")));
    journal.spool_rows(&run, rows.collect()).unwrap();
    step(&journal, &run, "r0", &read("ann"), &Platform::new(&clock, []))
        .await
        .unwrap();
    journal.set_run_status(&run, RunStatus::Done).unwrap();
    drop(run);
    let before_ms = i64::MAX;
    journal.store().write(apply::Write::Prune { before_ms }).unwrap();
    let page = apply::Write::DropDetails { run: id.clone() };
    journal.store().write(page).unwrap();
    assert!(
        journal.runs().unwrap().is_empty(),
        "nobody resumes what is half gone"
    );
    assert_eq!(journal.row_counts(&id).unwrap().all(), 256);

    assert_eq!(journal.prune(Duration::from_mins(1)).unwrap(), 0);
    assert_eq!(journal.row_counts(&id).unwrap().all(), 0);
    assert!(journal.steps(&id, &StepFilter::All).unwrap().is_empty());
    assert!(journal.sources(&id).unwrap().is_empty());
}

async fn pruning_keeps_changing_steps_and_ledger_entries(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, []);
    let run = begin(&journal);
    let id = run.id().clone();
    journal.spool_rows(&run, vec![new_row(0, "a")]).unwrap();
    step(&journal, &run, "a", &ensure("ann"), &platform)
        .await
        .unwrap();
    step(&journal, &run, "a", &read("ann"), &platform).await.unwrap();
    journal.set_run_status(&run, RunStatus::Done).unwrap();
    drop(run);
    let young = begin(&journal);
    assert_eq!(journal.prune(Duration::from_mins(1)).unwrap(), 0);
    clock.sleep(Duration::from_mins(2)).await;
    assert_eq!(journal.prune(Duration::from_mins(1)).unwrap(), 1);
    assert_eq!(journal.prune(Duration::from_mins(1)).unwrap(), 0);
    let kept = journal.steps(&id, &StepFilter::All).unwrap();
    assert_eq!(
        kept.iter().map(|step| step.op.as_str()).collect::<Vec<_>>(),
        ["ensure_tenant"]
    );
    assert_eq!(journal.row_counts(&id).unwrap().all(), 0);
    assert!(journal.ledger_get(&tenant("ann")).unwrap().is_some());
    assert_eq!(journal.runs().unwrap().len(), 1);
    assert_eq!(journal.sources(young.id()).unwrap().len(), 1);
}

async fn concurrent_rows_with_the_same_key_send_one_request(journal: Journal, clock: Clock) {
    let platform = Platform::new(&clock, [Does::LandsLate(500)]);
    let run = begin(&journal);
    let tasks = (0..8).map(|at| {
        let (journal, run, platform) = (journal.clone(), run.clone(), platform.clone());
        tokio::spawn(async move { step(&journal, &run, &format!("s{at}"), &ensure("ann"), &platform).await })
    });
    let mut created = 0;
    for task in tasks.collect::<Vec<_>>() {
        let output = task.await.unwrap().unwrap();
        assert_eq!(output.value, outcome(1));
        created += usize::from(output.created);
    }
    assert_eq!((created, platform.sends().len()), (1, 1));
}

async fn a_parked_step_is_settled_by_another_run_needing_its_resource(journal: Journal, clock: Clock) {
    let run = begin(&journal);
    let down = std::iter::repeat_n(Probe::Unreachable("no connection".to_owned()), 40);
    let platform = Platform::new(&clock, [Does::DropsAfter]).looks(down);
    let parked = step(&journal, &run, "a", &ensure("ann"), &platform).await;
    assert!(matches!(parked, Err(StepEnd::InDoubt { .. })));
    let account = tenant("").account;
    let open = journal.in_doubt(&account, "tenant").unwrap();
    assert_eq!((open.len(), open[0].sent_ms, &open[0].run), (1, START, run.id()));

    let other = begin(&journal);
    let end = step(&journal, &other, "x", &ensure("ann"), &platform).await;
    let Err(StepEnd::InDoubt { step: named, .. }) = end else {
        panic!("{end:?}")
    };
    assert_eq!(named, format!("{}/{}", run.id(), open[0].step));
    let mut end = step(&journal, &other, "x", &ensure("ann"), &platform).await;
    while end.is_err() {
        end = step(&journal, &other, "x", &ensure("ann"), &platform).await;
    }
    assert!(!end.unwrap().created);
    assert!(
        step(&journal, &run, "a", &ensure("ann"), &platform)
            .await
            .unwrap()
            .replayed
    );
    assert_eq!(platform.sends().len(), 1);
    assert!(journal.in_doubt(&account, "tenant").unwrap().is_empty());
}

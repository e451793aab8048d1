//! One damaged value affects only that value.

use super::platform::Does;
use super::*;

/// A journal with two runs of two rows each; each run has a step, a ledger entry and an audit record.
struct Fixture {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
    journal: Journal,
    runs: [RunId; 2],
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let clock = frozen();
    let journal = in_file(&path, &clock);
    let mut ids = Vec::new();
    for name in ["ann", "bob"] {
        let run = begin(&journal);
        journal.set_columns(&run, vec!["email".into()]).unwrap();
        let rows = (0..2).map(|position| NewRow {
            position,
            content: Some(name.into()),
            input: Value::from(name),
        });
        journal.spool_rows(&run, rows.collect()).unwrap();
        let platform = Platform::new(&clock, [Does::Answers]);
        step(&journal, &run, &format!("{name}0"), &ensure(name), &platform)
            .await
            .unwrap();
        let (output, error) = (Value::from("out"), Value::from("err"));
        journal
            .finish_row(&run, 0, RowStatus::Done, Some(&output), Some(&error))
            .unwrap();
        journal.audit("reveal", name, &Value::from("what")).unwrap();
        ids.push(run.id().clone());
    }
    Fixture {
        _folder: folder,
        path,
        journal,
        runs: ids.try_into().unwrap(),
    }
}

/// Returns SQL for the number of a run.
fn number_of(run: &RunId) -> String {
    format!("(select seq from run where id = '{run}')")
}

impl Fixture {
    fn damage(&self, sql: &str) {
        let other = rusqlite::Connection::open(&self.path).unwrap();
        assert_eq!(other.execute(sql, []).unwrap(), 1, "{sql}");
    }

    /// Asserts that the check finds the problem, and that values read without it are reported as damaged.
    fn is_named(&self, problem: &str, damage: &str) {
        let problems = self.journal.check().unwrap();
        assert!(
            problems.iter().any(|found| found.contains(problem)),
            "{problems:?}"
        );
        let damaged = self.journal.damage().sentences();
        assert!(damaged.iter().any(|found| found.contains(damage)), "{damaged:?}");
    }
}

#[tokio::test]
async fn check_reports_every_damaged_value_and_keeps_others_readable() {
    let fixture = fixture().await;
    let journal = &fixture.journal;
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
    let [ann, bob] = &fixture.runs;

    fixture.damage("update ledger set value = x'0102' where name = 'ann'");
    let items = journal.ledger_list("tenant", None).unwrap();
    let values: Vec<bool> = items.iter().map(|item| item.value == Value::Null).collect();
    assert_eq!(values, [true, false]);
    assert!(matches!(
        journal.ledger_get(&tenant("ann")),
        Err(JournalError::Sealed { .. })
    ));
    fixture.is_named("the ledger's tenant ann", "tenant ann");

    for what in ["params", "plan", "columns"] {
        fixture.damage(&format!("update run set {what} = x'0102' where id = '{bob}'"));
        let runs = journal.runs().unwrap();
        assert_eq!(runs.len(), 2);
        assert_eq!(runs[1].plan, Value::from("plan"), "the other run is whole");
        fixture.is_named(&format!("the {what} of run {bob}"), what);
    }

    for what in ["input", "output", "error"] {
        fixture.damage(&format!(
            "update row set {what} = x'0102' where run = {} and position = 0",
            number_of(ann)
        ));
        let rows = journal.rows(ann, None, 9, RowFilter::All).unwrap();
        assert_eq!((rows.len(), &rows[1].input), (2, &Value::from("ann")));
        let told = rows[0].error.as_ref().unwrap().as_text().unwrap_or_default();
        assert!(what == "error" || told.contains("cannot be read"), "{told}");
        fixture.is_named(
            &format!("the {what} of row 1 of run {ann}"),
            &format!("row 0 {what}"),
        );
    }

    fixture.damage(&format!(
        "update step set outcome = x'0102' where run = {}",
        number_of(ann)
    ));
    let steps = journal.steps(ann, &StepFilter::All).unwrap();
    assert_eq!((steps.len(), &steps[0].outcome), (1, &Some(Value::Null)));
    fixture.is_named("the outcome of", "step ann0/");

    fixture.damage("update audit set what = x'0102' where who = 'ann'");
    let whats: Vec<Value> = journal
        .audits()
        .unwrap()
        .into_iter()
        .map(|audit| audit.what)
        .collect();
    assert_eq!(whats, [Value::Null, Value::from("what")]);
    fixture.is_named("the audit's entry `reveal` of ann", "reveal ann");
}

#[tokio::test]
async fn a_source_whose_digest_differs_is_refused() {
    let fixture = fixture().await;
    fixture.damage("update source set text = replace(text, 'main', 'pain')");
    let error = fixture.journal.sources(&fixture.runs[0]).unwrap_err();
    assert!(
        matches!(&error, JournalError::Source { name } if name == "onboard.rhai"),
        "{error}"
    );
    fixture.is_named("its digest differs", "its digest differs");
}

#[tokio::test]
async fn a_damaged_plan_does_not_prevent_resuming_other_runs() {
    let fixture = fixture().await;
    let [ann, bob] = &fixture.runs;
    assert_eq!(&fixture.journal.latest_unfinished().unwrap().unwrap().id, bob);
    fixture.damage(&format!("update run set plan = x'0102' where id = '{bob}'"));
    assert_eq!(&fixture.journal.latest_unfinished().unwrap().unwrap().id, ann);
}

#[tokio::test]
async fn an_unknown_status_affects_only_its_own_run_or_row() {
    let fixture = fixture().await;
    let journal = &fixture.journal;
    let [ann, bob] = &fixture.runs;

    fixture.damage(&format!("update run set status = 77 where id = '{ann}'"));
    fixture.damage(&format!("update run set rules = 9 where id = '{bob}'"));
    let runs = journal.runs().unwrap();
    assert_eq!(runs.len(), 1, "by which rules the other one goes on is not known");
    assert_eq!((&runs[0].id, runs[0].status), (ann, RunStatus::Interrupted));
    fixture.is_named(&format!("the status of run {ann} is `77`"), "is `77`");
    fixture.is_named(&format!("run {bob} cannot be read"), &format!("run {bob}"));

    fixture.damage(&format!(
        "update row set status = 77 where run = {} and position = 0",
        number_of(ann)
    ));
    for (filter, expected) in [
        (RowFilter::All, 2),
        (RowFilter::Unfinished, 2),
        (RowFilter::Only(RowStatus::Done), 0),
    ] {
        assert_eq!(
            journal.rows(ann, None, 9, filter).unwrap().len(),
            expected,
            "{filter:?}"
        );
    }
    assert_eq!(journal.row_counts(ann).unwrap().all(), 2);
    let problems = journal.check().unwrap();
    let named = format!("the status of row 1 of run {ann} is `77`");
    assert!(
        problems.iter().any(|problem| problem.contains(&named)),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_step_of_unknown_state_is_looked_up_and_never_resent() {
    for is_there in [true, false] {
        let fixture = fixture().await;
        let journal = &fixture.journal;
        let [ann, _] = &fixture.runs;
        fixture.damage(&format!(
            "update step set state = 'dome' where run = {}",
            number_of(ann)
        ));
        let open = journal.steps(ann, &StepFilter::Open).unwrap();
        assert_eq!((open.len(), open[0].state.name()), (1, "in doubt"));
        let problems = journal.check().unwrap();
        assert!(
            problems.iter().any(|problem| problem.contains("is `dome`")),
            "{problems:?}"
        );
        let clock = frozen();
        let look = if is_there {
            Probe::Found(outcome(1))
        } else {
            Probe::Absent
        };
        let platform = Platform::new(&clock, []).looks(std::iter::repeat_n(look, 1000));
        let run = journal.lock_run(ann).unwrap();
        let ended = step(journal, &run, "ann0", &ensure("ann"), &platform).await;
        assert_eq!(ended.is_ok(), is_there, "{ended:?}");
        assert_eq!(platform.sends().len(), 0);
    }
}

#[tokio::test]
async fn a_row_damaged_in_any_way_is_claimed_with_the_others() {
    for (damage, named) in [
        ("input = 'text'", "the input of row 1"),
        ("input = 7", "the input of row 1"),
        ("output = 'text'", "the output of row 1"),
        ("error = 1.5", "the error of row 1"),
        ("status = 'text'", "the status of row 1"),
        ("status = x'00'", "the status of row 1"),
        ("crashes = 'text'", "a count of row 1"),
        ("crashes = -3", ""),
        ("computing = x'00'", "a count of row 1"),
        ("repeat = 'text'", "a count of row 1"),
        ("repeat = -1", ""),
        ("claimed = 'text'", "a count of row 1"),
        ("claimed = 99", ""),
        ("scope = x'00'", "the scope or a count of row 1"),
    ] {
        let fixture = fixture().await;
        let journal = &fixture.journal;
        let [ann, _] = &fixture.runs;
        fixture.damage(&format!(
            "update row set {damage} where run = {} and position = 0",
            number_of(ann)
        ));
        let problems = journal.check().unwrap();
        let is_named = problems.iter().any(|problem| problem.contains(named));
        assert!(is_named || named.is_empty(), "{damage}: {problems:?}");
        let run = journal.lock_run(ann).unwrap();
        let rows = journal.claim_rows(&run, None, 9, RowFilter::All).unwrap();
        assert_eq!((rows.len(), &rows[1].input), (2, &Value::from("ann")), "{damage}");
        let [row, _] = rows.as_slice() else { unreachable!() };
        // Without its input the row fails, without its scope too: its steps would be repeated.
        let is_lost = damage.starts_with("input") || damage.starts_with("scope");
        assert_eq!(row.input == Value::Null, is_lost, "{damage}");
        let error = row.error.as_ref().and_then(Value::as_text).unwrap_or_default();
        assert_eq!(
            error.contains("row 0 input cannot be read"),
            is_lost,
            "{damage}: {error}"
        );
        if damage.starts_with("status") {
            assert_eq!(row.status, RowStatus::Interrupted, "{damage}");
        }
        assert_eq!((row.crashes, row.repeat), (CrashCounts::default(), 1), "{damage}");
        journal.finish_row(&run, 0, RowStatus::Done, None, None).unwrap();
        journal.finish_row(&run, 1, RowStatus::Done, None, None).unwrap();
        journal.set_run_status(&run, RunStatus::Done).unwrap();
        assert_eq!(
            journal.row_counts(ann).unwrap().of(RowStatus::Done),
            2,
            "{damage}"
        );
    }
}

#[tokio::test]
async fn a_row_without_a_number_is_left_out_and_reported() {
    let fixture = fixture().await;
    let journal = &fixture.journal;
    let [ann, _] = &fixture.runs;
    fixture.damage(&format!(
        "update row set position = 'text' where run = {} and position = 0",
        number_of(ann)
    ));
    let run = journal.lock_run(ann).unwrap();
    let rows = journal.claim_rows(&run, None, 9, RowFilter::All).unwrap();
    assert_eq!((rows.len(), rows[0].position), (1, 1));
    assert_eq!(journal.rows(ann, None, 9, RowFilter::All).unwrap().len(), 1);
    journal.set_run_status(&run, RunStatus::Done).unwrap();
    let problem = format!("a row of run {ann} is not executed: its number cannot be read");
    assert_eq!(journal.check().unwrap(), [problem]);
}

#[tokio::test]
async fn rows_and_steps_whose_run_is_missing_are_reported() {
    let fixture = fixture().await;
    let [ann, _] = &fixture.runs;
    fixture.damage(&format!("delete from run where id = '{ann}'"));
    let problems = fixture.journal.check().unwrap();
    assert_eq!(
        problems,
        [
            "rows of run number 1, which is missing: 2",
            "steps of run number 1, which is missing: 1",
            "the ledger's tenant ann cannot be read",
        ]
    );
}

/// A damaged step of one run must not end the other runs' writes.
#[tokio::test]
async fn a_step_with_a_damaged_outcome_does_not_stop_the_writer() {
    let fixture = fixture().await;
    let journal = &fixture.journal;
    let [ann, bob] = &fixture.runs;
    fixture.damage(&format!(
        "update step set state = 'in doubt', outcome = 'text', why = 7 where run = {}",
        number_of(ann)
    ));
    fixture.damage("delete from ledger where name = 'ann'");
    let clock = frozen();
    let platform = Platform::new(&clock, []).looks([Probe::Found(outcome(1))]);
    let run = journal.lock_run(bob).unwrap();
    let ended = step(journal, &run, "bob1", &ensure("ann"), &platform).await;
    assert!(ended.is_ok(), "{ended:?}");
    journal.set_run_status(&run, RunStatus::Done).unwrap();
}

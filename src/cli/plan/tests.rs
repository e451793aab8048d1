//! Tests of the module above.

use super::*;
use crate::value::secret::Secret;

#[test]
fn a_run_plan_round_trips_as_a_journal_value() {
    let plan = RunPlan {
        script: "onboard.rhai".into(),
        rows: Some("clients.csv".into()),
        reveal: vec!["password".into()],
        jobs: 8,
        stop_after: Some(3),
        sandbox: true,
        faults: vec!["partners:500".into()],
        profile: Some("acme".into()),
        address: Some("https://acme-admin.mobsted.com".into()),
        folder: Some("/work".into()),
        imports: vec![("a".into(), "b".into(), "c".into())],
        constants: Record::from([("token".to_owned(), Secret::new("t").into())]),
        ..RunPlan::default()
    };
    assert_eq!(RunPlan::from_value(&plan.to_value()), plan);
}

#[test]
fn from_another_folder_paths_lead_to_the_same_files() {
    let plan = RunPlan {
        script: "onboard.rhai".into(),
        rows: Some("-".into()),
        out: Some("/tmp/results.csv".into()),
        folder: Some("/work".into()),
        ..RunPlan::default()
    };
    assert_eq!(plan.clone().rebased_on(Path::new("/work")), plan);
    let seen = plan.rebased_on(Path::new("/elsewhere"));
    assert_eq!(seen.script, "/work/onboard.rhai");
    assert_eq!(
        (seen.rows.as_deref(), seen.out.as_deref()),
        (Some("-"), Some("/tmp/results.csv"))
    );
}

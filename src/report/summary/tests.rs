use super::*;

#[test]
fn the_summary_lists_row_counts_outcomes_and_grouped_errors() {
    let mut summary = Summary::new();
    for position in 0..5 {
        summary.row(position, RowStatus::Done, None);
    }
    summary.row(
        5,
        RowStatus::Failed,
        Some("ann@example.com is already registered"),
    );
    summary.row(
        6,
        RowStatus::Failed,
        Some("bob@example.org is already registered"),
    );
    summary.row(
        7,
        RowStatus::Parked,
        Some("nobody knows whether `create_tenant` went through"),
    );
    summary.outcome("tenant", "unchanged", 1);
    summary.outcome("tenant", "created", 4);
    summary.outcome("app", "created", 1);
    summary.outcome("app", "adopted", 0);
    summary.set_duration(Duration::from_millis(12_345));
    assert_eq!(
        summary.lines(),
        [
            "8 rows: 5 done, 2 failed, 1 parked, in 12.3 s",
            "app: 1 created",
            "tenants: 4 created, 1 unchanged",
            "2 rows failed: … is already registered\n  the first, row 6: ann@example.com is already registered",
            "row 8 parked: nobody knows whether `create_tenant` went through",
        ]
    );
}

#[test]
fn the_summary_of_a_resumed_run_includes_earlier_rows() {
    let mut summary = Summary::new();
    (7..12).for_each(|position| summary.row(position, RowStatus::Done, None));
    summary.whole([(RowStatus::Done, 12), (RowStatus::Failed, 0)]);
    assert_eq!(summary.lines(), ["12 rows: 12 done (7 before, 5 now)"]);
    summary.row(12, RowStatus::Parked, Some("nobody knows"));
    summary.earlier(3, RowStatus::Failed, "refused");
    let whole = [
        (RowStatus::Done, 12),
        (RowStatus::Failed, 1),
        (RowStatus::Parked, 1),
        (RowStatus::Interrupted, 2),
        (RowStatus::Skipped, 6),
    ];
    summary.whole(whole);
    assert_eq!(
        summary.lines(),
        [
            "22 rows: 12 done (7 before, 5 now), 1 failed (before), 1 parked (now), 2 interrupted, 6 not started",
            "row 4 failed: refused",
            "row 13 parked: nobody knows",
        ]
    );
    summary.outcome("message", "sent", 3);
    assert_eq!(summary.lines()[1], "messages in the whole run: 3 sent");
}

#[test]
fn created_resources_are_counted_with_irregular_plurals() {
    let mut summary = Summary::new();
    for kind in ["company", "person", "administrator"] {
        summary.outcome(kind, "created", 2);
    }
    let lines = summary.lines();
    assert_eq!(
        lines[lines.len() - 3..],
        [
            "administrators: 2 created",
            "companies: 2 created",
            "people: 2 created"
        ]
    );
}

#[test]
fn durations_are_formatted_in_readable_units() {
    let cases = [
        (850, "850 ms"),
        (1_000, "1.0 s"),
        (250_000, "4 m 10 s"),
        (7_500_000, "2 h 5 m"),
    ];
    for (millis, expected) in cases {
        assert_eq!(format_duration(Duration::from_millis(millis)), expected);
    }
}

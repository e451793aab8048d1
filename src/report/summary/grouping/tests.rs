//! Tests of the module above.

use super::*;

#[test]
fn identical_errors_are_grouped_without_placeholders() {
    let mut groups = Groups::default();
    groups.add(RowStatus::Failed, 7, "status 409 from a.example");
    groups.add(RowStatus::Failed, 3, "status 409 from a.example");
    assert_eq!(
        groups.lines(),
        ["2 rows failed: status 409 from a.example (first: row 4)"]
    );
}

#[test]
fn the_row_number_is_not_repeated_in_an_error() {
    let line = |position, error: &str| {
        let mut groups = Groups::default();
        groups.add(RowStatus::Failed, position, error);
        groups.lines().join("\n")
    };
    assert_eq!(
        line(0, "row 1 (line 2): it has 2 cells"),
        "row 1 failed (line 2): it has 2 cells"
    );
    assert_eq!(
        line(6, "row 7, column `age`: not a number"),
        "row 7 failed, column `age`: not a number"
    );
    assert_eq!(line(0, "row 12 is meant"), "row 1 failed: row 12 is meant");
}

#[test]
fn grouped_errors_elide_only_the_differing_parts() {
    let mut groups = Groups::default();
    let error = |phone: &str| {
        format!(
            "POST https://api.example/v1/sms/ kept the message to {phone} [sparrow_draft, HTTP 200] (notify.rhai:20:22)"
        )
    };
    groups.add(RowStatus::Failed, 0, &error("+491"));
    groups.add(RowStatus::Failed, 1, &error("+492"));
    let text = error("…");
    assert_eq!(
        groups.lines(),
        [format!(
            "2 rows failed: {text}\n  the first, row 1: {}",
            error("+491")
        )]
    );
}

#[test]
fn errors_differing_only_in_retry_count_are_grouped() {
    let mut groups = Groups::default();
    groups.add(RowStatus::Failed, 0, "no answer within 5 s (2 tries)");
    groups.add(RowStatus::Failed, 1, "no answer within 5 s");
    groups.add(RowStatus::Failed, 2, "no answer within 5 s (3 tries)");
    assert_eq!(
        groups.lines(),
        ["3 rows failed: no answer within 5 s (first: row 1)"]
    );
}

#[test]
fn the_number_of_groups_is_bounded() {
    let mut groups = Groups::default();
    let letters = |number: u64| -> String {
        let digit = |place: u32| char::from(b'a' + u8::try_from(number / 26_u64.pow(place) % 26).unwrap());
        (0..3).map(digit).collect()
    };
    for position in 0..1000 {
        groups.add(RowStatus::Failed, position, &letters(position));
    }
    assert_eq!(groups.groups.len(), MAX_GROUPS);
    let lines = groups.lines();
    assert_eq!(lines.len(), MAX_LINES + 1);
    assert_eq!(lines[MAX_LINES], "980 more rows with other errors");
    assert_eq!(groups.others, 900);
}

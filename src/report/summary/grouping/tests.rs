//! Tests of the module above.

use super::*;

#[test]
fn equal_errors_keep_their_values() {
    let mut groups = Groups::default();
    groups.add(RowStatus::Failed, 7, "status 409 from a.example");
    groups.add(RowStatus::Failed, 3, "status 409 from a.example");
    assert_eq!(
        groups.lines(),
        ["2 rows failed: status 409 from a.example (first: row 4)"]
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
    assert_eq!(groups.groups.len(), MOST_GROUPS);
    let lines = groups.lines();
    assert_eq!(lines.len(), MOST_LINES + 1);
    assert_eq!(lines[MOST_LINES], "980 more rows with other errors");
    assert_eq!(groups.to_json()[MOST_GROUPS]["rows"], 900);
}

//! Tests of the module above.

use super::*;

#[test]
fn ranges_lie_within_the_inputs() {
    assert_eq!(parse_range("2-5", 9), Some((2, 5)));
    assert_eq!(parse_range("3", 9), Some((3, 3)));
    assert_eq!(parse_range("3-", 9), Some((3, 9)));
    for wrong in ["0-1", "5-2", "3-10", "x", "-3", ""] {
        assert_eq!(parse_range(wrong, 9), None, "{wrong}");
    }
}

#[test]
fn values_are_quoted_for_a_shell() {
    assert_eq!(quoted("ann@example.com"), "ann@example.com");
    assert_eq!(quoted("Ann's"), "'Ann'\\''s'");
    assert_eq!(quoted(""), "''");
}

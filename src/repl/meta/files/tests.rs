//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn words_are_split_at_blanks_outside_of_quotes() {
    let split = words("a.rhai --name 'Ann B' --x=\"1 2\" ''").unwrap();
    assert_eq!(split, ["a.rhai", "--name", "Ann B", "--x=1 2", ""]);
    assert_eq!(words("a 'b").unwrap_err(), "the quote ' is not closed");
}

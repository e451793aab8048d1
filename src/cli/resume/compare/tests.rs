//! Tests of the module above.

use super::*;

#[test]
fn the_operation_name_is_parsed_from_a_step_key() {
    assert_eq!(
        operation("3f2a~2/mobsted::ensure_app:0123#1"),
        "mobsted::ensure_app"
    );
    assert_eq!(operation("3f2a/now:0123#1"), "now");
}

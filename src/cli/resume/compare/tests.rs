//! Tests of the module above.

use super::*;

#[test]
fn a_key_names_its_operation() {
    assert_eq!(
        operation("3f2a~2/mobsted::ensure_app:0123#1"),
        "mobsted::ensure_app"
    );
    assert_eq!(operation("3f2a/now:0123#1"), "now");
}

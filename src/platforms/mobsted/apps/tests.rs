//! Tests of the module above.

use super::*;
use crate::value::secret::Secret;

#[test]
fn changed_fields_are_compared_as_the_platform_may_write_them() {
    assert!(same(&"7".into(), &Value::Int(7)));
    assert!(!same(&"8".into(), &Value::Int(7)));
    assert!(same(&Secret::new("word").into(), &"word".into()));
    assert!(!same(&Secret::new("word").into(), &Secret::new("other").into()));
}

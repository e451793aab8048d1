//! Tests of the module above.

use super::*;
use crate::value::secret::Secret;

#[test]
fn field_values_compare_equal_across_number_text_and_secret_types() {
    assert!(same(&"7".into(), &Value::Int(7)));
    assert!(!same(&"8".into(), &Value::Int(7)));
    assert!(same(&Secret::new("word").into(), &"word".into()));
    assert!(!same(&Secret::new("word").into(), &Secret::new("other").into()));
}

//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn native_functions_have_parameters_result_types_and_docs() {
    let natives = natives();
    let len = natives
        .iter()
        // There is a property of this name as well.
        .find(|native| native.takes("string") && native.method() == "len()")
        .unwrap();
    assert_eq!((len.name.as_str(), len.result.as_str()), ("len", "int"));
    assert!(!len.doc.is_empty());
    let get_or = natives.iter().find(|native| native.name == "get_or").unwrap();
    assert_eq!(get_or.method(), "get_or(key, default)");
    assert!(get_or.takes("map") && !get_or.takes("array"));
    assert!(!natives.iter().any(|native| native.name == "eval"));
    assert!(natives.iter().all(|native| !native.name.contains(' ')));
}

//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn functions_are_known_with_parameters_results_and_a_line_of_text() {
    let natives = natives();
    let len = natives
        .iter()
        .find(|native| native.name == "len" && native.takes("string"))
        .unwrap();
    assert_eq!((len.result.as_str(), len.method().as_str()), ("int", "len()"));
    assert!(!len.doc.is_empty());
    let get_or = natives.iter().find(|native| native.name == "get_or").unwrap();
    assert_eq!(get_or.method(), "get_or(key, default)");
    assert!(get_or.takes("map") && !get_or.takes("array"));
    assert!(!natives.iter().any(|native| native.name == "eval"));
    assert!(natives.iter().all(|native| !native.name.contains(' ')));
}

//! Tests of the module above.

use std::collections::BTreeSet;

use super::*;
use crate::operation::error::Code;
use crate::value::nearest::nearest;

#[test]
fn every_operation_error_code_has_an_explanation() {
    let missing: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| find(&crate::platforms::catalogue(), code).is_none())
        .collect();
    assert!(
        missing.is_empty(),
        "operation/explain/operations.rs has no entry for {missing:?}"
    );
}

#[test]
fn explanations_are_complete_and_unique() {
    let mut seen = BTreeSet::new();
    for entry in all(&crate::platforms::catalogue()) {
        assert!(seen.insert(entry.code), "{} is there twice", entry.code);
        assert!(entry.meaning.ends_with('.'), "{}: {}", entry.code, entry.meaning);
        assert!(
            !entry.causes.is_empty() && !entry.remedies.is_empty(),
            "{}",
            entry.code
        );
        assert!(!entry.example.trim().is_empty(), "{}", entry.code);
        for line in entry.causes.iter().chain(entry.remedies) {
            assert!(!line.ends_with('.'), "{}: {line}", entry.code);
        }
    }
    for entry in operations::CODES {
        assert!(Code::parse(entry.code).is_some(), "{} is no code", entry.code);
    }
}

#[test]
fn error_codes_are_found_in_any_case_and_typos_get_suggestions() {
    assert_eq!(
        find(&crate::platforms::catalogue(), "IN-DOUBT").map(|entry| entry.code),
        Some("in_doubt")
    );
    let catalogue = crate::platforms::catalogue();
    let near = |code: &str| nearest(code, all(&catalogue).map(|entry| entry.code));
    assert_eq!(near("rate_limted"), Some("rate_limited"));
    assert_eq!(near("banana"), None);
    assert!(!remedy(&crate::platforms::catalogue(), "unreachable").is_empty());
    assert_eq!(remedy(&crate::platforms::catalogue(), "banana"), "");
}

//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn secret_locations_are_parsed_and_errors_redact_the_input() {
    let parse = |text: &str| {
        SecretLocation::parse_assignment(&crate::platforms::catalogue().account_keys().1, text)
            .map(|(_, place)| place)
    };
    assert_eq!(parse("password=env:A").unwrap(), SecretLocation::Env("A".into()));
    assert_eq!(
        parse("password=file:~/x").unwrap(),
        SecretLocation::File("~/x".into())
    );
    let words = vec!["pass".to_owned(), "show".to_owned()];
    assert_eq!(
        parse("api_token=command:pass show").unwrap(),
        SecretLocation::Command(words)
    );
    assert_eq!(parse("app_key=keyring").unwrap(), SecretLocation::Keyring);
    assert_eq!(
        parse("app_key=keyring:mine").unwrap(),
        SecretLocation::Entry("mine".into())
    );
    assert_eq!(
        parse("password=stdin").unwrap(),
        SecretLocation::Sealed { stdin: true }
    );
    for text in [
        "password=hunter2",
        "password=env:",
        "hunter2",
        "hunter2=sealed",
        "password=",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!error.message.contains("hunter2"), "{}", error.message);
        assert!(error.hints.iter().all(|hint| !hint.contains("hunter2")));
    }
}

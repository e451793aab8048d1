//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn only_http_urls_without_credentials_are_accepted() {
    assert_eq!(
        address(" https://api.example/a?b=1#c ").unwrap().as_str(),
        "https://api.example/a?b=1"
    );
    for text in ["", "api.example", "ftp://api.example/", "file:///etc/passwd"] {
        assert_eq!(address(text).unwrap_err().kind, ApiErrorKind::Address, "{text}");
    }
    let error = address("https://ann:hunter2@api.example/").unwrap_err();
    assert!(error.message.contains("basic") && !error.message.contains("hunter2"));
}

//! Tests of the module above.

use super::*;

#[test]
fn error_messages_are_extracted_from_common_json_formats() {
    let words = |text: &str| message_in(&serde_json::from_str(text).unwrap());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        words(r#"{"errors":[{"status":"400","title":"Bad Request","detail":"email is used"}]}"#),
        some("Bad Request: email is used")
    );
    assert_eq!(words(r#""Not allowed""#), some("Not allowed"));
    assert_eq!(words(r#"{"error":{"message":"no"}}"#), some("no"));
    assert_eq!(words(r#"{"errors":["a","b"]}"#), some("a; b"));
    assert_eq!(words(r#"{"code":7}"#), None);
}

#[test]
fn conflict_errors_are_distinguished_from_invalid_requests_by_message() {
    assert_eq!(sort(400, true, "Email is already used").0, ApiErrorKind::Conflict);
    assert_eq!(sort(400, true, "Email is not valid").0, ApiErrorKind::Invalid);
    assert_eq!(sort(400, true, "The app does not exist").0, ApiErrorKind::Invalid);
    assert_eq!(sort(409, true, "").0, ApiErrorKind::Conflict);
    assert_eq!(
        sort(500, false, "no DNS record"),
        (ApiErrorKind::Unavailable, true)
    );
    assert_eq!(sort(500, true, ""), (ApiErrorKind::Unavailable, true));
}

//! Tests of the module above.

use super::*;

#[test]
fn credentials_are_detected_by_field_name() {
    for name in [
        "password",
        "userPassword",
        "api_key",
        "X-Api-Key",
        "Authorization",
        "access_token",
        "PIN",
        "App-Key",
    ] {
        assert!(name_is_secret(name), "{name}");
    }
    for name in [
        "url",
        "email",
        "token_url",
        "tokenType",
        "expires_in",
        "keyboard",
        "monkey",
        "pinned",
        "passenger",
    ] {
        assert!(!name_is_secret(name), "{name}");
    }
}

#[test]
fn credentials_are_detected_by_value_format() {
    for value in [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "5a4d0b0c1e2f3a4b5c6d7e8f90a1b2c3",
        "sk_live_abcdefgh1234",
        "Bearer abcdefghijkl",
        "aB3dE5gH7jK9mN1pQ3sT5vX7",
    ] {
        assert!(value_is_secret(value), "{value}");
    }
    for value in [
        "https://example.com/api/v1/users",
        "hello world",
        "550e8400-e29b-41d4-a716-446655440000",
        "application/json",
        "ann@example.com",
        "getAllCustomersWithAddress",
    ] {
        assert!(!value_is_secret(value), "{value}");
    }
}

#[test]
fn only_credentials_are_redacted_from_imported_comments() {
    let shown = |text: &str| scrubbed(text, &["hunter22".to_owned()]);
    assert_eq!(shown("the password is hunter22 here"), "the password is *** here");
    assert_eq!(
        shown(r#"{"password": "abc", "name": "Ann"}"#),
        r#"{"password": "***", "name": "Ann"}"#
    );
    assert_eq!(shown("token=abc&x=1"), "token=***&x=1");
    assert_eq!(shown("<password>abc</password>"), "<password>***</password>");
    assert_eq!(
        shown("send it with your token, please"),
        "send it with your token, please"
    );
    assert_eq!(
        shown("pm.environment.set(\"token\", \"abc\");"),
        "pm.environment.set(\"token\", \"***\");"
    );
    assert!(!shown("key 5a4d0b0c1e2f3a4b5c6d7e8f90a1b2c3").contains("5a4d"));
}

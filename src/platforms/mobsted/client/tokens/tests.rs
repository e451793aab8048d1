//! Tests of the module above.

use super::*;

const NOW: i64 = 1_598_444_403_000;

fn read(text: &str) -> Option<Tokens> {
    from_answer(&serde_json::from_str(text).unwrap(), NOW)
}

#[test]
fn expires_in_is_a_time_or_a_duration() {
    let expires = |text: &str| read(text).unwrap().expires;
    assert_eq!(
        expires(r#"{"access_token":"a","expires_in":1599049203}"#),
        1_599_049_203_000
    );
    assert_eq!(
        expires(r#"{"access_token":"a","expires_in":"1599049203"}"#),
        1_599_049_203_000
    );
    assert_eq!(
        expires(r#"{"access_token":"a","expires_in":3600}"#),
        NOW + 3_600_000
    );
    assert_eq!(expires(r#"{"access_token":"a"}"#), NOW + UNKNOWN_LIFE);
    // The clocks differ: the token seems to have expired already.
    assert_eq!(
        expires(r#"{"access_token":"a","expires_in":1500000000}"#),
        NOW + UNKNOWN_LIFE
    );
    // A widget token expires in three thousand years.
    assert_eq!(
        expires(r#"{"access_token":"a","expires_in":101567577600}"#),
        101_567_577_600_000
    );
}

#[test]
fn the_token_expiry_is_read_from_the_jwt_exp_claim() {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1599049203}"#);
    let tokens = read(&format!(r#"{{"access_token":"eyJ0.{claims}.c2ln"}}"#)).unwrap();
    assert_eq!(tokens.expires, 1_599_049_203_000);
    assert!(read(r#"{"access_token":"eyJ.xxxx.yyy","refresh_token":"r"}"#).is_some());
}

#[test]
fn a_response_without_access_token_is_not_a_sign_in() {
    for text in [
        "{}",
        "[]",
        r#"{"access_token":null}"#,
        r#"{"access_token":""}"#,
        r#""ok""#,
    ] {
        assert!(read(text).is_none(), "{text}");
    }
}

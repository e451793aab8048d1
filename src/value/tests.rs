//! Tests of the module above.

use super::*;

#[test]
fn json_integers_beyond_64_bits_stay_exact() {
    let json: Json = serde_json::from_str("[1, 12345678901234567890, 1.5]").unwrap();
    assert_eq!(
        Value::from_json(json),
        Value::List(vec![
            Value::Int(1),
            Value::from("12345678901234567890"),
            Value::Float(1.5)
        ])
    );
}

#[test]
fn masked_json_shows_no_secret_and_no_hidden_field() {
    let tenant = Value::Object(Object::new(
        "mobsted::Tenant",
        [
            ("email", "ann@example.com".into()),
            ("password", Secret::new("hunter2").into()),
            ("$account", "hidden".into()),
        ],
    ));
    assert_eq!(
        tenant.to_masked_json().to_string(),
        r#"{"email":"ann@example.com","password":"***"}"#
    );
}

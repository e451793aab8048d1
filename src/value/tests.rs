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
fn integers_keep_their_digits_however_many_there_are() {
    let read = |text: &str| Value::from_json(read_json(text.as_bytes()).unwrap());
    let list = |items: &[Value]| Value::List(items.to_vec());
    assert_eq!(
        read(
            "[9223372036854775807, -9223372036854775808,9223372036854775808,123456789012345678901234567890,\
             -123456789012345678901234567890 ,1234567890123456789012e3,0.1234567890123456789]"
        ),
        list(&[
            Value::Int(i64::MAX),
            Value::Int(i64::MIN),
            "9223372036854775808".into(),
            "123456789012345678901234567890".into(),
            "-123456789012345678901234567890".into(),
            Value::Float("1234567890123456789012e3".parse().unwrap()),
            Value::Float("0.1234567890123456789".parse().unwrap()),
        ])
    );
    let text = r#"{"a\"123456789012345678901": "\\", "b": "123456789012345678901 \" 1", "c": 123456789012345678901}"#;
    assert_eq!(
        read(text).to_masked_json().to_string(),
        r#"{"a\"123456789012345678901":"\\","b":"123456789012345678901 \" 1","c":"123456789012345678901"}"#
    );
    for wrong in [
        "0123456789012345678901",
        "123456789012345678901x",
        "\"123456789012345678901",
        "[",
    ] {
        assert!(read_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn fields_of_data_may_begin_with_a_dollar() {
    let json = r#"{"$set":{"$ref":"x","a":1}}"#;
    let value = Value::from_json(read_json(json.as_bytes()).unwrap());
    assert_eq!(value.to_masked_json().to_string(), json);
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

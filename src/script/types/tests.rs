//! Tests of the module above.

use super::*;

fn reason(ty: ParamType, text: &str) -> String {
    ty.parse(text).unwrap_err()
}

#[test]
fn each_parameter_type_parses_valid_text() {
    let cases = [
        (ParamType::String, " a ", r#"" a ""#),
        (ParamType::Int, " -7 ", "-7"),
        (ParamType::Float, "1e3", "1000.0"),
        (ParamType::Bool, "Yes", "true"),
        (ParamType::Bool, "0", "false"),
        (
            ParamType::Url,
            "https://a.example/x?y",
            r#""https://a.example/x?y""#,
        ),
        (ParamType::Email, " ann@example.com ", r#""ann@example.com""#),
        (ParamType::Path, "a b/c", r#""a b/c""#),
        (ParamType::Secret, "hunter2", r#""***""#),
        (ParamType::List, "a, b", r#"["a","b"]"#),
        (ParamType::List, "[1, {}]", "[1,{}]"),
        (ParamType::List, "", "[]"),
        (ParamType::Json, r#"{"a": null}"#, r#"{"a":null}"#),
    ];
    for (ty, text, expected) in cases {
        let value = ty.parse(text).unwrap();
        assert_eq!(
            value.to_masked_json().to_string(),
            expected,
            "{} {text}",
            ty.name()
        );
    }
}

#[test]
fn invalid_parameter_values_are_refused_with_a_reason() {
    assert_eq!(reason(ParamType::Int, "1.5"), "\"1.5\" is not a whole number");
    assert_eq!(
        reason(ParamType::Int, "99999999999999999999"),
        "99999999999999999999 is too large for an int"
    );
    assert_eq!(reason(ParamType::Float, "inf"), "\"inf\" is not a number");
    assert_eq!(reason(ParamType::Bool, "ja"), "\"ja\" is not true or false");
    let scheme = "is not an address that begins with https:// or http://";
    assert_eq!(
        reason(ParamType::Url, "ann.example"),
        format!("\"ann.example\" {scheme}")
    );
    assert_eq!(
        reason(ParamType::Url, "ftp://a.example"),
        format!("\"ftp://a.example\" {scheme}")
    );
    assert!(
        reason(ParamType::Email, "ann.example").starts_with("\"ann.example\" is not an e-mail address: ")
    );
    assert!(reason(ParamType::Json, "{").starts_with("is not JSON: "));
}

#[test]
fn typed_values_convert_to_parameter_types_only_without_loss() {
    assert_eq!(ParamType::String.accept(Value::Int(7)), Ok(Value::from("7")));
    assert_eq!(ParamType::Int.accept(Value::from("7")), Ok(Value::Int(7)));
    assert_eq!(ParamType::Float.accept(Value::Int(7)), Ok(Value::Float(7.0)));
    assert_eq!(
        ParamType::Int.accept(Value::Float(7.5)),
        Err("is a float, not an int".into())
    );
    assert_eq!(
        ParamType::Email.accept(Value::Int(7)),
        Err("is an int, not an email".into())
    );
    let secret = Value::Secret(Secret::new("hunter2"));
    assert_eq!(
        ParamType::String.accept(secret),
        Err("is a secret, not a string".into())
    );
}

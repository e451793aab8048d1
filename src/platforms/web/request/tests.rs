//! Tests of the module above.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn call(options: &str) -> Result<Call, OpError> {
    let op = crate::platforms::catalogue().operation("http::post").unwrap();
    let options = Value::from_json(serde_json::from_str(options).unwrap());
    Call::check(op, None, vec!["https://api.example/x".into(), options])
}

fn refused(options: &str) -> String {
    let asked = call(options).and_then(|call| asked(&call, Method::Post));
    asked.unwrap_err().message
}

fn body_of(options: &str) -> Body {
    asked(&call(options).unwrap(), Method::Post).unwrap().body
}

#[test]
fn json_form_raw_and_multipart_bodies_are_parsed() {
    assert_eq!(body_of("{}"), Body::None);
    assert_eq!(
        body_of(r#"{"json": [1]}"#),
        Body::Json(Value::List(vec![Value::Int(1)]))
    );
    assert!(matches!(body_of(r#"{"form": {"a": 1}}"#), Body::Form(fields) if fields.len() == 1));
    let raw = body_of(r#"{"body": "<a/>", "content_type": "text/xml"}"#);
    assert_eq!(
        raw,
        Body::Raw {
            kind: "text/xml".into(),
            content: "<a/>".into()
        }
    );
    let Body::Multipart(parts) = body_of(
        r#"{"multipart": {"a": ["x", "y"], "f": {"content": "1,2", "filename": "a.csv", "type": "text/csv"}}}"#,
    ) else {
        panic!("not multipart");
    };
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["a", "a", "f"]);
    assert_eq!(parts[2].filename.as_deref(), Some("a.csv"));
}

#[test]
fn conflicting_or_unknown_request_options_are_refused() {
    assert!(refused(r#"{"json": 1, "form": {}}"#).contains("one body, not json and form"));
    assert!(refused(r#"{"content_type": "text/csv"}"#).contains("goes with `body`"));
    assert!(refused(r#"{"form": {}, "content_type": "x/y"}"#).contains("not with `form`"));
    assert!(refused(r#"{"headers": {"Host": "evil.example"}}"#).contains("`Host`"));
    assert!(
        refused(r#"{"bearer": "a", "basic": {"user": "u", "password": "p"}}"#)
            .contains("pass only one of them")
    );
    assert!(refused(r#"{"basic": {"user": "u"}}"#).contains("is missing the key `password`"));
    assert!(refused(r#"{"multipart": {"f": {"filename": "a"}}}"#).contains("`content`"));
    let part = |part: &str| refused(&format!(r#"{{"multipart": {{"f": {part}}}}}"#));
    assert!(part(r#"{"content": "a?", "encoding": "base64"}"#).contains("is not base64"));
    assert!(part(r#"{"content": "a", "encoding": "hex"}"#).contains("can only be \"base64\""));
    assert!(refused(r#"{"probe": "x"}"#).contains("must be function"));
    assert!(refused(r#"{"jsn": 1}"#).contains("did you mean `json`?"));
}

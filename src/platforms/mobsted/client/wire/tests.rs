//! Tests of the module above.

use super::*;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_app_id_is_found_in_every_response_shape() {
    for (answer, id) in [
        (
            r#"{"data":[{"id":7,"attributes":{"applicationId":8}}]}"#,
            Value::Int(7),
        ),
        (
            r#"{"data":[{"attributes":{"applicationId":"8","id":9}}]}"#,
            "8".into(),
        ),
        (r#"{"data":{"id":"9"}}"#, "9".into()),
        (r#"{"applicationId":5,"id":6}"#, Value::Int(5)),
        (r#"{"id":6}"#, Value::Int(6)),
        (r#"{"data":[],"id":6}"#, Value::Int(6)),
    ] {
        assert_eq!(app_id(&json(answer)), Some(id), "{answer}");
    }
    for answer in [
        r#"{"data":[]}"#,
        "[]",
        "7",
        r#"{"id":null}"#,
        r#"{"id":""}"#,
        r#"{"id":1.5}"#,
    ] {
        assert_eq!(app_id(&json(answer)), None, "{answer}");
    }
}

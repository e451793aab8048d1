//! Tests of the module above.

use super::*;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_app_id_is_found_wherever_it_is() {
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

#[test]
fn fields_are_found_in_any_case_and_type() {
    let answer = json(r#"{"EMAIL":" a@b.c ","Total":"12","pages":3.0,"none":null,"blank":" "}"#);
    let fields = answer.as_object().unwrap();
    assert_eq!(
        text(fields, &["none", "blank", "Email"]).as_deref(),
        Some("a@b.c")
    );
    assert_eq!(int(fields, &["total"]), Some(12));
    assert_eq!(int(fields, &["pages"]), Some(3));
    assert_eq!(text(fields, &["none"]), None);
}

#[test]
fn credentials_in_answers_become_secrets() {
    let value = guarded(json(
        r#"{"data":[{"UserPassword":"x1y2z3","access_token":"t","Name":"n"}]}"#,
    ));
    let shown = value.to_masked_json().to_string();
    assert_eq!(
        shown,
        r#"{"data":[{"Name":"n","UserPassword":"***","access_token":"***"}]}"#
    );
}

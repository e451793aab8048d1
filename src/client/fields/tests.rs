//! Tests of the module above.

use super::*;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn response_fields_are_case_insensitive_and_converted_between_types() {
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
    let value = mark_credentials(json(
        r#"{"data":[{"UserPassword":"x1y2z3","access_token":"t","Name":"n"}]}"#,
    ));
    let shown = value.to_masked_json().to_string();
    assert_eq!(
        shown,
        r#"{"data":[{"Name":"n","UserPassword":"***","access_token":"***"}]}"#
    );
}

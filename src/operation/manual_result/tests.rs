//! Tests of the module above.

use super::{ExpectedResult, OPTIONAL_FIELDS, Operation, Record, Secret, Value};

fn op(name: &str) -> Operation {
    let catalogue = crate::platforms::catalogue();
    let mut all = catalogue.operations().iter().copied();
    all.find(|op| op.name == name).unwrap()
}

fn given(op: Operation, written: Value, known: Record) -> Result<Value, String> {
    super::given(&crate::platforms::catalogue(), op, written, known)
}

fn expected_result(op: Operation) -> Option<ExpectedResult> {
    super::expected_result(&crate::platforms::catalogue(), op)
}

fn json(text: &str) -> Value {
    Value::from_json(serde_json::from_str(text).unwrap())
}

fn known() -> Record {
    Record::from([
        ("email".to_owned(), "ann@example.com".into()),
        ("$profile".to_owned(), "acme".into()),
    ])
}

#[test]
fn a_manual_tenant_result_is_completed_and_its_password_a_secret() {
    let written = json(r#"{"url": "a1-admin.mobsted.com/", "password": "hunter2"}"#);
    let Value::Object(tenant) = given(op("ensure_tenant"), written, known()).unwrap() else {
        panic!("not an object");
    };
    assert_eq!(tenant.text("url"), "https://a1-admin.mobsted.com");
    assert_eq!(tenant.text("login"), "ann@example.com");
    assert_eq!(tenant.text("outcome"), "created");
    assert_eq!(tenant.text("$profile"), "acme");
    assert_eq!(tenant.fields["password"], Secret::new("hunter2").into());
}

#[test]
fn missing_and_unknown_fields_are_named() {
    let refused = |text: &str| given(op("ensure_tenant"), json(text), known()).unwrap_err();
    assert_eq!(refused("{}"), "`url` is missing");
    assert!(refused(r#"{"pasword": "x"}"#).contains("no `pasword`"));
    assert!(refused("null").contains("JSON object with email (string)"));
    assert_eq!(
        refused(r#"{"url": "a1-admin.mobsted.com", "password": 1}"#),
        "`password` must be secret, not an int"
    );
}

#[test]
fn a_raw_call_result_accepts_any_json_and_masks_credentials() {
    assert_eq!(given(op("post"), Value::Null, Record::new()), Ok(Value::Null));
    assert!(
        expected_result(op("post"))
            .unwrap()
            .shape
            .contains("null is fine")
    );
    let answer = json(r#"{"items": [{"api_token": "hunter2", "id": 1}]}"#);
    let kept = given(op("post"), answer, Record::new()).unwrap();
    assert!(!kept.to_masked_json().to_string().contains("hunter2"));
}

#[test]
fn an_operation_without_a_result_accepts_only_null() {
    assert_eq!(expected_result(op("delete_app")), None);
    assert_eq!(
        given(op("delete_app"), Value::Null, Record::new()),
        Ok(Value::Null)
    );
    assert!(given(op("delete_app"), json("1"), Record::new()).is_err());
}

#[test]
fn a_map_result_has_all_fields_and_requires_the_first() {
    let sms = op("send_sms");
    assert!(
        expected_result(sms)
            .unwrap()
            .shape
            .contains("id (string), message (string)")
    );
    let refused = |text: &str| given(sms, json(text), Record::new()).unwrap_err();
    assert!(refused("{}").contains("`id` is missing"));
    assert!(refused("null").contains("a JSON object with id (string)"));
    assert!(refused(r#"{"id": "m-1", "cost": 1}"#).contains("no `cost`"));
    assert_eq!(refused(r#"{"id": 7}"#), "`id` must be string, not an int");
    let Ok(Value::Record(sent)) = given(sms, json(r#"{"id": "m-1"}"#), Record::new()) else {
        panic!("no map");
    };
    assert_eq!((&sent["id"], &sent["valid"]), (&"m-1".into(), &Value::Null));
    for (name, ..) in crate::platforms::catalogue().fields(sms).unwrap() {
        assert!(
            sent.contains_key(*name) || OPTIONAL_FIELDS.contains(name),
            "{name}"
        );
    }
}

#[test]
fn every_manual_result_example_is_valid() {
    for op in crate::platforms::catalogue().operations().iter().copied() {
        if let Some(expected_result) = expected_result(op).filter(|_| op.effect.changes()) {
            let example = expected_result
                .example
                .replace("https://…", "https://a1-admin.mobsted.com");
            let result = given(op, json(&example), Record::new());
            assert!(
                result.is_ok(),
                "{}: {result:?} of {}",
                op.id(),
                expected_result.example
            );
        }
    }
}

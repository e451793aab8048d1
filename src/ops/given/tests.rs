//! Tests of the module above.

use super::*;

fn op(name: &str) -> &'static OpSpec {
    let mut all = super::super::ALL.iter().copied().flatten();
    all.find(|op| op.name == name).unwrap()
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
fn a_tenant_is_complete_and_its_password_a_secret() {
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
fn what_is_missing_or_unknown_is_named() {
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
fn an_operation_without_a_kind_takes_anything() {
    assert_eq!(given(op("post"), Value::Null, Record::new()), Ok(Value::Null));
    assert_eq!(wanted(op("post")), None);
}

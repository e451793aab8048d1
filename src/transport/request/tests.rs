//! Tests of the module above.

use proptest::prelude::*;

use super::*;
use crate::value::Object;

fn sign_in() -> Request {
    Request::new(
        Method::Get,
        Url::parse("https://acme-admin.mobsted.com/api/v8/auth").unwrap(),
    )
    .query("login", "ann+test@example.com")
    .query("password", Secret::new("p&ss #1+%"))
    .sensitive()
}

#[test]
fn query_values_are_percent_encoded() {
    assert_eq!(
        sign_in().wire_url().query(),
        Some("login=ann%2Btest%40example.com&password=p%26ss+%231%2B%25")
    );
}

#[test]
fn secrets_are_redacted_from_displayed_requests() {
    let request = sign_in();
    assert_eq!(
        request.shown_url(),
        "https://acme-admin.mobsted.com/api/v8/auth?REDACTED"
    );
    assert_eq!(request.label(), "GET acme-admin.mobsted.com/api/v8/auth");
    assert!(!format!("{request:?}").contains("p&ss"));
    let open = Request {
        sensitive: false,
        ..request
    };
    assert!(open.shown_url().ends_with("password=***"), "{}", open.shown_url());
}

#[test]
fn request_bodies_contain_plain_secrets_but_no_internal_fields() {
    let object = Object::new(
        "mobsted::Tenant",
        [
            ("$account", "mine".into()),
            ("password", Secret::new("hunter2").into()),
            ("tags", Value::List(vec![Value::Int(1), "a b".into()])),
        ],
    );
    let fields = object.fields.clone();
    let url = Url::parse("https://example.com/").unwrap();
    let json = Request::new(Method::Post, url.clone()).body(Body::Json(Value::Object(object)));
    let (kind, bytes) = json.wire_body().unwrap();
    assert_eq!(kind, "application/json");
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        r#"{"password":"hunter2","tags":[1,"a b"]}"#
    );
    let mut fields = fields;
    fields.remove("$account");
    let form = Request::new(Method::Post, url).body(Body::Form(fields));
    let (_, bytes) = form.wire_body().unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "password=hunter2&tags=1&tags=a+b"
    );
}

/// Any JSON, including names that have a meaning in other parts of provisor.
fn any_json() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter_map("JSON has no infinity", |float| {
            serde_json::Number::from_f64(float).map(Json::Number)
        }),
        // A number with a decimal point is a float, and stays one.
        (-1_000_000_i32..1_000_000).prop_map(|int| Json::from(f64::from(int))),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        number,
        any::<String>().prop_map(Json::from),
        "-?[1-9][0-9]{18,40}".prop_map(Json::from),
    ];
    let name = prop_oneof![any::<String>(), r"\$[a-z]{0,4}", Just("outcome".to_owned())];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|fields| { Json::Object(fields.into_iter().collect()) }),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_body_is_sent_unchanged(json in any_json()) {
        let said = Value::from_json(json.clone());
        let url = Url::parse("https://example.com/").unwrap();
        let request = Request::new(Method::Post, url).body(Body::Json(said));
        let (_, bytes) = request.wire_body().unwrap();
        // Sorted names and no spaces: the canonical form is sent.
        prop_assert_eq!(String::from_utf8(bytes).unwrap(), json.to_string());
    }
}

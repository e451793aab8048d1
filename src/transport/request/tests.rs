//! Tests of the module above.

use super::*;

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
fn query_values_are_encoded_so_that_none_changes_meaning() {
    assert_eq!(
        sign_in().wire_url().query(),
        Some("login=ann%2Btest%40example.com&password=p%26ss+%231%2B%25")
    );
}

#[test]
fn what_is_shown_holds_no_secret() {
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
fn bodies_carry_secrets_in_clear_and_hide_what_is_ours() {
    let fields: Record = [
        ("$account".to_owned(), "mine".into()),
        ("password".to_owned(), Secret::new("hunter2").into()),
        ("tags".to_owned(), Value::List(vec![Value::Int(1), "a b".into()])),
    ]
    .into();
    let url = Url::parse("https://example.com/").unwrap();
    let json = Request::new(Method::Post, url.clone()).body(Body::Json(Value::Record(fields.clone())));
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

//! Tests of the module above.

use super::*;

fn base() -> Base {
    Base::parse("https://acme-admin.mobsted.com").unwrap()
}

fn record(json: &str) -> Record {
    match Value::from_json(serde_json::from_str(json).unwrap()) {
        Value::Record(fields) => fields,
        _ => panic!("not a record"),
    }
}

fn body(json: &str) -> Body {
    match json {
        "" => Body::None,
        json => Body::Json(Value::from_json(serde_json::from_str(json).unwrap())),
    }
}

/// What both checks of a raw call say: the objects to look up.
fn checked(role: Role, method: Method, path: &str, json: &str) -> Result<Vec<u64>, ApiError> {
    let endpoints = Endpoints::default();
    let target = Target::parse(&base(), path, &Record::new())?;
    check_raw(role, &endpoints, method, &target, &body(json))?;
    rows_to_look_up(role, &endpoints, method, &target, &body(json))
}

#[track_caller]
fn refused(method: Method, path: &str, json: &str) {
    let error = checked(Role::Master, method, path, json).unwrap_err();
    assert_eq!(error.kind, ApiErrorKind::ProtectedApp, "{path} {json}: {error}");
}

#[test]
fn app_one_is_refused_however_it_is_spelled() {
    for path in [
        "/applications/1",
        "/applications/01",
        "/applications/%31",
        "/applications/%2531",
        "/APPLICATIONS/1",
        "/applications/./1",
        "/applications/x/../1",
        "/applications.json/1",
        "/applications//1/",
        "/api/v8/applications/1",
        "https://acme-admin.mobsted.com/api/v8/applications/1",
        "/applications/1abc",
        "/applications/0x1",
        "/applications/-1",
        "/applications/\u{ff11}",
        "/app/delete/1",
    ] {
        refused(Method::Delete, path, "");
        refused(Method::Put, path, r#"{"Name": "x"}"#);
        assert_eq!(
            checked(Role::SubAccount, Method::Delete, path, ""),
            Ok(vec![]),
            "{path}"
        );
    }
    refused(Method::Delete, "/applications", "");
    refused(Method::Get, "/applications/1/delete", "");
    refused(Method::Post, "/whatever?r=applications/1", "");
    refused(
        Method::Post,
        "/events",
        r#"{"ApplicationId": "1", "ActionName": "x"}"#,
    );
    refused(Method::Post, "/applications", r#"{"id": 1}"#);
    assert_eq!(
        checked(Role::Master, Method::Get, "/applications/1", ""),
        Ok(vec![])
    );
    assert_eq!(
        checked(Role::Master, Method::Delete, "/applications/2", ""),
        Ok(vec![])
    );
    assert_eq!(
        checked(Role::Master, Method::Delete, "/applications/11", ""),
        Ok(vec![])
    );
}

#[test]
fn a_disposable_app_is_never_app_one_of_a_master_account() {
    for id in [Value::Int(1), "1".into(), " 1 ".into(), "01".into(), "1e0".into()] {
        let error = DisposableAppId::new(&id, Role::Master).unwrap_err();
        assert_eq!(error.kind, ApiErrorKind::ProtectedApp, "{id:?}");
    }
    assert!(DisposableAppId::new(&Value::Int(2), Role::Master).is_ok());
    let own = DisposableAppId::new(&Value::Int(1), Role::SubAccount).unwrap();
    assert!(
        own.for_role(Role::Master).is_err(),
        "an id checked for one account is checked again for another"
    );
    for id in [Value::Null, "".into(), "a/b".into(), Value::Int(-2)] {
        assert!(DisposableAppId::new(&id, Role::SubAccount).is_err(), "{id:?}");
    }
}

#[test]
fn an_object_of_a_master_account_is_changed_only_with_its_app_named() {
    for path in [
        "/object/5",
        "/OBJECT/5",
        "/objects/5",
        "/object/%35",
        "/x/../object/5",
        "/object.json/5",
        "/object",
        "/object/delete/5",
        "/call?r=object/5",
    ] {
        for method in [Method::Put, Method::Patch, Method::Delete] {
            refused(method, path, "");
            refused(method, path, r#"{"Email": "x@example.com"}"#);
            refused(method, path, r#"{"ApplicationId": 1}"#);
        }
    }
    refused(Method::Get, "/object/5/delete", "");
    refused(Method::Delete, "/object/5?applicationId=1", "");
    let named = |method, path: &str, json: &str| checked(Role::Master, method, path, json);
    assert_eq!(
        named(Method::Put, "/object/5", r#"{"ApplicationId": 2}"#),
        Ok(vec![5])
    );
    assert_eq!(
        named(Method::Delete, "/object/5?applicationId=2", ""),
        Ok(vec![5])
    );
    assert_eq!(
        named(Method::Post, "/object", r#"{"ApplicationId": 2, "Email": "x"}"#),
        Ok(vec![])
    );
    assert_eq!(
        named(Method::Post, "/object/delete", r#"{"AppId": 2, "ids": [5, "6"]}"#),
        Ok(vec![5, 6])
    );
    assert_eq!(named(Method::Get, "/object?applicationId=1", ""), Ok(vec![]));
    assert_eq!(
        named(
            Method::Post,
            "/hashtags/objects",
            r#"{"applicationId": 1, "ids": [5]}"#
        ),
        Ok(vec![])
    );
    assert_eq!(
        checked(Role::SubAccount, Method::Delete, "/object/5", ""),
        Ok(vec![])
    );
}

#[test]
fn an_objects_id_that_readers_may_read_differently_is_refused() {
    for path in [
        "/object/5abc",
        "/object/0x5",
        "/object/-5",
        "/object/5.0",
        "/object/%EF%BC%95",
    ] {
        let error = checked(
            Role::Master,
            Method::Delete,
            &format!("{path}?applicationId=2"),
            "",
        )
        .unwrap_err();
        assert_eq!(error.kind, ApiErrorKind::BadInput, "{path}");
    }
    let secret = Body::Json(Value::Record(Record::from([
        ("ApplicationId".to_owned(), Value::Int(2)),
        (
            "id".to_owned(),
            Value::Secret(crate::value::secret::Secret::new("5")),
        ),
    ])));
    let target = Target::parse(&base(), "/object", &Record::new()).unwrap();
    let read = rows_to_look_up(Role::Master, &Endpoints::default(), Method::Put, &target, &secret);
    assert!(read.is_err());
}

#[test]
fn a_path_that_leads_out_of_the_api_is_refused() {
    for path in [
        "/../x",
        "https://evil.example/api/v8/x",
        "https://acme-admin.mobsted.com/other",
        "/a/../../x",
    ] {
        let error = Target::parse(&base(), path, &Record::new()).unwrap_err();
        assert_eq!(error.kind, ApiErrorKind::Address, "{path}");
    }
    let target = Target::parse(&base(), "/screen?a=1", &record(r#"{"b": 2}"#)).unwrap();
    assert_eq!(target.query.len(), 2);
}

//! Tests of the allowlist of changes.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::platforms::mobsted::fault::PROTECTED_APP;
use crate::value::Record;
use crate::value::secret::Secret;

fn record(json: &str) -> Record {
    Value::from_json(serde_json::from_str(json).unwrap())
        .as_record()
        .unwrap()
        .clone()
}

fn request(method: &str, path: &str, json: &str) -> Request {
    let url = format!("https://acme-admin.mobsted.com/api/v8{path}");
    let request = Request::new(Method::parse(method).unwrap(), url.parse().unwrap());
    match json {
        "" => request,
        json => request.body(Body::Json(Value::Record(record(json)))),
    }
}

fn judged(request: &Request) -> Result<Option<Items>, ApiError> {
    judge(request, &Endpoints::default())
}

#[track_caller]
fn refuses(request: &Request) {
    let error = judged(request).unwrap_err();
    assert_eq!(
        error.kind,
        ApiErrorKind::Own(&PROTECTED_APP),
        "{request:?}: {error}"
    );
}

#[test]
fn requests_not_on_the_allowlist_are_refused() {
    for (path, json) in [
        ("/applications/1", ""),
        ("/applications/01", ""),
        ("/applications/+1", ""),
        ("/applications/%31", ""),
        ("/applications/2%2f..%2f1", ""),
        ("/applications/1.0", ""),
        ("/applications/1;x", ""),
        ("/applications/2/screens/7", ""),
        ("/applications/2", r#"{"id": 1}"#),
        ("/applications/2", r#"{"ApplicationId": 3}"#),
        ("/applications/2", r#"{"data": {"type": "application", "id": 1}}"#),
        ("/applications?", r#"{"ids": []}"#),
        ("/applications", r#"{"ids": [1]}"#),
        ("/applications/", r#"{"Name": "x"}"#),
        ("/APPLICATIONS/1", ""),
        ("/application/1", ""),
        ("/app/delete/1", ""),
        ("/deleteApplication/2", ""),
        ("/nginx/config", r#"{"domain": "go.shop.com", "isCustom": 1}"#),
        ("/screen/7", ""),
        ("/lists/3", r#"{"Name": "x"}"#),
        ("/object/5", r#"{"ApplicationId": 2, "newApp": 1}"#),
        ("/object/5", r#"{"ApplicationId": 2, "newApp": 3}"#),
        ("/object/5", r#"{"ApplicationId": "2 "}"#),
        ("/object/5", r#"{"ApplicationId": [2, 1]}"#),
        ("/object/5", r#"{"ApplicationId": 2.0}"#),
        ("/object/5", r#"{"ApplicationId": true}"#),
        ("/object/5", r#"{"ApplicationId": null}"#),
        ("/object/5", r#"{"Application": "My Sub Accounts"}"#),
        ("/object/5?applicationId=1", r#"{"ApplicationId": 2}"#),
        ("/object/5x", r#"{"ApplicationId": 2}"#),
        ("/object/delete", r#"{"ApplicationId": 2, "where": {"id": 5}}"#),
        ("/object/delete", r#"{"ApplicationId": 2, "ids": []}"#),
        ("/object/delete", r#"{"ApplicationId": 2, "ids": [true]}"#),
        ("/events", r#"{"ApplicationId": 2, "screenId": 7}"#),
        ("/partners", r#"{"email": "a@b.example", "applicationId": 1}"#),
        ("/partners/1", r#"{"email": "a@b.example"}"#),
        ("/object?r=applications/1", r#"{"ApplicationId": 2}"#),
        ("/object", r#"{"ApplicationId": 2, "_method": "DELETE"}"#),
        (
            "/object",
            r#"{"ApplicationId": 2, "data": "{\"applicationId\": 1}"}"#,
        ),
        ("/x/api/v8/applications/2/y/3", ""),
    ] {
        for method in ["PUT", "PATCH", "DELETE", "POST", "PURGE"] {
            refuses(&request(method, path, json));
        }
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        refuses(&request(method, "/applications", ""));
    }
    for path in ["/applications/2", "/object/5?applicationId=2", "/partners"] {
        refuses(&request("PURGE", path, ""));
    }
}

#[test]
fn a_body_that_cannot_be_read_is_refused() {
    let path = "/applications/2";
    let raw = Body::Raw {
        kind: "application/json".to_owned(),
        content: "{\"id\": 1}".into(),
    };
    refuses(&request("PUT", path, "").body(raw));
    refuses(&request("PUT", path, "").body(Body::Json(Value::List(vec![Value::Int(2)]))));
    let secret = Value::Secret(Secret::new("2"));
    let hidden = Record::from([("ApplicationId".to_owned(), secret)]);
    refuses(&request("POST", "/object", "").body(Body::Form(hidden)));
    refuses(&request("POST", "/object", r#"{"ApplicationId": 2}"#).header("Content-Type", "text/plain"));
}

#[test]
fn a_read_with_a_method_override_or_changing_path_is_refused() {
    for header in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "x-method-override",
        "X-Original-URL",
    ] {
        refuses(&request("GET", "/applications/1", "").header(header, "DELETE"));
    }
    for path in [
        "/applications/1?_method=DELETE",
        "/applications/1?X-HTTP-Method=DELETE",
        "/applications/1/delete",
        "/applications/%64elete/1",
        "/deleteApplication/1",
        "/call?r=applications/1",
    ] {
        refuses(&request("GET", path, ""));
    }
    refuses(&request("OPTIONS", "/applications/1", r#"{"_method": "DELETE"}"#));
    for path in [
        "/applications/1",
        "/object?applicationId=1&page=2",
        "/auth?login=a&password=b",
        "/settings",
        "/hashtags/info?applicationId=1",
    ] {
        assert_eq!(judged(&request("GET", path, "")), Ok(None), "{path}");
    }
}

#[test]
fn allowlisted_requests_pass_and_name_the_items_to_check() {
    let items = |kind, ids: &[u64]| {
        Ok(Some(Items {
            kind,
            app: 2,
            ids: ids.to_vec(),
        }))
    };
    for (method, path, json) in [
        ("POST", "/partners", r#"{"email": "ann@example.com"}"#),
        (
            "POST",
            "/applications",
            r#"{"Name": "1 Shop", "appWebSiteUrl": "https://1.example", "type": "pwaless"}"#,
        ),
        (
            "PUT",
            "/applications/2",
            r#"{"Name": "x", "isActive": 1, "id": 2}"#,
        ),
        ("DELETE", "/applications/11", ""),
        ("POST", "/applications/2/publish", ""),
        (
            "POST",
            "/hashtags/objects",
            r##"{"applicationId": 1, "ids": [5], "tags": ["#Object:Email#"]}"##,
        ),
        ("POST", "/hashtags/applications", r#"{"ids": [1]}"#),
        (
            "POST",
            "/nginx/config",
            r#"{"domain": "go.shop.com", "isCustom": 1, "appId": 2}"#,
        ),
    ] {
        assert_eq!(judged(&request(method, path, json)), Ok(None), "{method} {path}");
    }
    for (method, path, json, expected) in [
        (
            "POST",
            "/object",
            r#"{"ApplicationId": 2, "Email": "x", "Count": 1}"#,
            items(Kind::Object, &[]),
        ),
        (
            "PUT",
            "/object/5",
            r#"{"ApplicationId": "2"}"#,
            items(Kind::Object, &[5]),
        ),
        (
            "DELETE",
            "/object/5?applicationId=2",
            "",
            items(Kind::Object, &[5]),
        ),
        (
            "POST",
            "/object/delete",
            r#"{"AppId": 2, "ids": [5, "6"]}"#,
            items(Kind::Object, &[5, 6]),
        ),
        (
            "PUT",
            "/screen/7",
            r#"{"ApplicationId": 2}"#,
            items(Kind::Screen, &[7]),
        ),
        (
            "POST",
            "/lists",
            r#"{"appId": 2, "structure": "{\"tables\":[{\"name\":\"t\"}]}"}"#,
            items(Kind::List, &[]),
        ),
        (
            "POST",
            "/events",
            r#"{"ApplicationId": 2, "ObjectId": 5, "ActionName": "x", "Value": "{\"id\":1}"}"#,
            items(Kind::Object, &[5]),
        ),
    ] {
        assert_eq!(judged(&request(method, path, json)), expected, "{method} {path}");
    }
}

#[test]
fn field_names_are_split_into_words_and_percent_decoded() {
    for (name, expected) in [
        ("ApplicationId", vec!["application", "id"]),
        ("data[app_ids][]", vec!["data", "app", "ids"]),
        ("X-HTTP-Method", vec!["x", "http", "method"]),
        ("happiness", vec!["happiness"]),
        ("12", vec![]),
    ] {
        assert_eq!(words(name), expected, "{name}");
    }
    assert_eq!(decoded("%2564elete/%31+1"), "delete/1 1");
}

#[test]
fn a_part_that_is_sent_as_bytes_is_judged_like_text() {
    use crate::transport::request::{Part, PartContent};
    let of_app = |app: &str| {
        let part = Part {
            name: "ApplicationId".to_owned(),
            filename: None,
            kind: None,
            content: PartContent::Bytes(app.as_bytes().to_vec()),
        };
        request("PUT", "/object/5", "").body(Body::Multipart(vec![part]))
    };
    refuses(&of_app("1"));
    assert!(judged(&of_app("2")).unwrap().is_some());
}

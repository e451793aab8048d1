//! Tests of the module above.

use serde_json::json;

use super::*;

#[test]
fn auth_is_inherited_from_folders_unless_overridden() {
    let bearer = |token: &str| json!({"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]});
    let request =
        |name: &str| json!({"name": name, "request": {"method": "GET", "url": "https://x.example"}});
    let mut none = request("none");
    none["request"]["auth"] = json!({"type": "noauth"});
    let read = read(&json!({
        "info": {"name": "x"},
        "auth": bearer("outer"),
        "item": [
            request("first"),
            {"name": "folder", "auth": bearer("inner"), "item": [request("second"), none, {"name": "deep", "item": [request("third")]}]},
            request("fourth"),
        ],
    }))
    .unwrap();
    let tokens: Vec<String> = read
        .requests
        .iter()
        .map(|request| {
            request
                .auth
                .as_ref()
                .map(|auth| format!("{}:{}", auth.kind, auth.field("token")))
                .unwrap()
        })
        .collect();
    assert_eq!(
        tokens,
        [
            "bearer:outer",
            "bearer:inner",
            "noauth:",
            "bearer:inner",
            "bearer:outer"
        ]
    );
    assert_eq!(read.requests[3].folders, ["folder", "deep"]);
}

#[test]
fn postman_v2_0_and_v2_1_requests_parse_alike() {
    let new = json!({"info": {}, "item": [{"name": "a", "request": {
        "method": "post", "url": {"raw": "https://x.example"},
        "auth": {"type": "basic", "basic": [{"key": "username", "value": "ann"}, {"key": "password", "value": "p"}]},
        "header": [{"key": "A", "value": "1"}, {"key": "B", "value": "2", "disabled": true}],
        "description": {"content": "about", "type": "text/plain"},
    }}]});
    let old = json!({"info": {}, "item": [{"name": "a", "request": {
        "method": "POST", "url": "https://x.example",
        "auth": {"type": "basic", "basic": {"username": "ann", "password": "p"}},
        "header": "A: 1\n",
        "description": "about",
    }}]});
    let (new, old) = (read(&new).unwrap(), read(&old).unwrap());
    let (new, old) = (&new.requests[0], &old.requests[0]);
    assert_eq!(
        (&new.method, &new.headers, &new.about),
        (&old.method, &old.headers, &old.about)
    );
    for field in ["username", "password"] {
        let of = |request: &Request| request.auth.as_ref().map(|auth| auth.field(field).to_owned());
        assert!(of(new).is_some_and(|value| !value.is_empty()), "{field}");
        assert_eq!(of(new), of(old), "{field}");
    }
}

#[test]
fn postman_scripts_are_split_into_lines_and_empty_ones_dropped() {
    let event = |exec: serde_json::Value| json!([{"listen": "test", "script": {"exec": exec}}]);
    assert_eq!(
        scripts(&event(json!(["a", "b\nc"])), "x")[0].lines,
        ["a", "b", "c"]
    );
    assert_eq!(scripts(&event(json!("a\nb")), "")[0].lines, ["a", "b"]);
    assert!(scripts(&event(json!(["", " "])), "").is_empty());
}

#[test]
fn deep_nesting_and_too_many_requests_are_refused() {
    let mut folder = json!({"name": "x", "item": []});
    for _ in 0..60 {
        folder = json!({"name": "x", "item": [folder]});
    }
    assert!(
        read(&json!({"info": {}, "item": [folder]}))
            .unwrap_err()
            .contains("deep")
    );
    let many: Vec<Json> = (0..5001)
        .map(|n| json!({"name": n, "request": "https://x.example"}))
        .collect();
    assert!(
        read(&json!({"info": {}, "item": many}))
            .unwrap_err()
            .contains("5000 requests")
    );
}

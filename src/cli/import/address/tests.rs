//! Tests of the module above.

use serde_json::json;

use super::*;

#[test]
fn postman_urls_are_parsed_from_objects_and_strings() {
    let parts = json!({"protocol": "https", "host": ["api", "example", "com"], "port": "8443", "path": ["v1", {"type": "string", "value": "users"}, ":id"],
        "query": [{"key": "a", "value": "1+1%26"}, {"key": "b", "value": "2", "disabled": true}], "variable": [{"key": "id", "value": "7"}]});
    let read_parts = read(&parts);
    assert_eq!(read_parts.base, "https://api.example.com:8443/v1/users/7");
    assert_eq!(read_parts.query.len(), 1);
    let text = read(&json!("{{base}}/users/:id?q=a%20b&t={{t}}#top"));
    assert_eq!(text.base, "{{base}}/users/{{id}}");
    let ending = read(&json!({"raw": "{{base}}/users/:id.json", "variable": [{"id": "id", "value": "id"}]}));
    assert_eq!(ending.base, "{{base}}/users/{{id}}.json");
    let query: Vec<&str> = text.query.iter().map(|field| field.value.as_str()).collect();
    assert_eq!(query, ["a b", "{{t}}"]);
}

#[test]
fn url_credentials_are_extracted_and_a_missing_scheme_is_added() {
    let with_user = read(&json!("https://ann:s3cret@example.com/x"));
    assert_eq!(with_user.base, "https://example.com/x");
    assert_eq!(with_user.user, Some(("ann".into(), "s3cret".into())));
    let bare = read(&json!("example.com/x"));
    assert!(bare.scheme_added && bare.base == "https://example.com/x");
    assert!(!read(&json!("{{host}}/x")).scheme_added);
    let near = |text: &str| read(&json!(text)).base;
    assert_eq!(near("localhost:3000/x"), "http://localhost:3000/x");
    assert_eq!(near("localhost:{{port}}/x"), "http://localhost:{{port}}/x");
    assert_eq!(near("[::1]:3000/x"), "http://[::1]:3000/x");
    assert_eq!(
        near("x.example/go/https://y.example"),
        "https://x.example/go/https://y.example"
    );
    assert_eq!(read(&json!(null)).base, "");
}

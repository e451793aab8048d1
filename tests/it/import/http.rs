//! Requests to any service: the generated script sends what the collection describes.

use serde_json::{Map, Value as Json, json};

use crate::support::Home;

/// Runs the script of a collection on the sandbox. Returns the complete responses by request.
fn answers(home: &Home, collection: &Json, params: &str) -> Map<String, Json> {
    home.write("api.json", &collection.to_string());
    let _ = home.run("import postman api.json --out api.rhai").ended(0);
    let _ = home.run("check api.rhai").ended(0);
    // The script returns the status of each response; the test needs the whole response.
    let script = home.read("api.rhai").replace(").status;\n", ");\n");
    home.write("answers.rhai", &script);
    let ran = home
        .run(&format!("run answers.rhai --sandbox --json {params}"))
        .ended(0);
    match serde_json::from_str(&ran.stdout) {
        Ok(Json::Object(row)) => row,
        other => panic!("{other:?}: {}", ran.stdout),
    }
}

fn collection(items: &Json) -> Json {
    json!({"info": {"name": "x", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "variable": [{"key": "base", "value": "https://api.web.sandbox"}], "item": items})
}

fn post(name: &str, body: &Json) -> Json {
    json!({"name": name, "request": {"method": "POST", "url": "{{base}}/anything", "body": body}})
}

fn raw(language: &str, text: &str) -> Json {
    json!({"mode": "raw", "raw": text, "options": {"raw": {"language": language}}})
}

#[test]
fn every_postman_body_type_is_sent_as_in_the_collection() {
    let home = Home::new();
    let mut vendor = post("Vendor", &raw("json", "{\"a\": 1}"));
    vendor["request"]["header"] = json!([{"key": "content-type", "value": "application/vnd.api+json"}]);
    let items = json!([
        post("Nothing", &Json::Null),
        post(
            "Json",
            &raw(
                "json",
                r#"{"id": {{id}}, "name": "{{name}}!", "list": [1, 2.5, null, true], "deep": {"a b": "c"}}"#
            )
        ),
        post("Text", &raw("text", "plain {{name}}")),
        post("Xml", &raw("xml", "<a b=\"{{name}}\"/>")),
        post(
            "Form",
            &json!({"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "1 & 2"}, {"key": "b", "value": "x"}, {"key": "b", "value": "y"}]})
        ),
        post(
            "Parts",
            &json!({"mode": "formdata", "formdata": [
            {"key": "a", "value": "{{name}}", "type": "text"}, {"key": "note", "value": "{}", "type": "text", "contentType": "application/json"},
            {"key": "doc", "type": "file", "src": "/home/ann/cv.txt"}]})
        ),
        post(
            "File",
            &json!({"mode": "file", "file": {"src": "C:\\pictures\\a.bin"}})
        ),
        post(
            "Graph",
            &json!({"mode": "graphql", "graphql": {"query": "query q($n: Int) { me(n: $n) }", "variables": "{\"n\": {{id}}}"}})
        ),
        vendor,
    ]);
    let words = "--name Ann --id 7 --doc-content one,two --file-content bytes";
    let of = answers(&home, &collection(&items), words);
    let body = |name: &str| &of[name]["body"];
    let kind = |name: &str| body(name)["headers"]["content-type"].as_str().unwrap_or_default();
    assert_eq!(body("nothing")["body"], "");
    assert_eq!(
        body("json")["json"],
        json!({"id": 7, "name": "Ann!", "list": [1, 2.5, null, true], "deep": {"a b": "c"}})
    );
    assert_eq!(
        (&body("text")["body"], kind("text")),
        (&json!("plain Ann"), "text/plain; charset=utf-8")
    );
    assert_eq!(
        (&body("xml")["body"], kind("xml")),
        (&json!("<a b=\"Ann\"/>"), "application/xml")
    );
    assert_eq!(body("form")["form"], json!({"a": "1 & 2", "b": ["x", "y"]}));
    let mut parts = body("parts")["parts"].as_array().unwrap().clone();
    parts.sort_by_key(|part| part["name"].to_string());
    let part = |name: &str, filename: Json, kind: Json, text: &str| json!({"name": name, "filename": filename, "type": kind, "size": text.len(), "text": text});
    assert_eq!(parts[0], part("a", Json::Null, json!(""), "Ann"));
    assert_eq!(
        (&parts[1]["filename"], &parts[1]["text"]),
        (&json!("cv.txt"), &json!("one,two"))
    );
    assert_eq!(
        parts[2],
        part("note", Json::Null, json!("application/json"), "{}")
    );
    assert_eq!(body("file")["body"], "bytes");
    assert_eq!(
        body("graph")["json"],
        json!({"query": "query q($n: Int) { me(n: $n) }", "variables": {"n": 7}})
    );
    assert_eq!(
        (&body("vendor")["json"], kind("vendor")),
        (&json!({"a": 1}), "application/vnd.api+json")
    );
}

#[test]
fn own_and_inherited_authentication_is_sent() {
    let home = Home::new();
    let basic = |password: &str| json!({"type": "basic", "basic": [{"key": "username", "value": "ann"}, {"key": "password", "value": password}]});
    let get = |name: &str, path: &str, auth: Json| json!({"name": name, "request": {"method": "GET", "url": format!("{{{{base}}}}{path}"), "auth": auth}});
    let mut collection = collection(&json!([
        get("Inherited", "/bearer", Json::Null),
        get("Own basic", "/basic/ann/{{pw}}", basic("{{pw}}")),
        {"name": "Folder", "auth": basic("{{pw}}"), "item": [
            get("Of folder", "/basic/ann/{{pw}}", Json::Null),
            get("Nobody", "/basic/ann/{{pw}}", json!({"type": "noauth"})),
        ]},
        get("Key in header", "/anything", json!({"type": "apikey", "apikey": [{"key": "key", "value": "X-Own"}, {"key": "value", "value": "{{mine}}"}, {"key": "in", "value": "header"}]})),
        get("Key in query", "/anything", json!({"type": "apikey", "apikey": [{"key": "key", "value": "k"}, {"key": "value", "value": "{{mine}}"}, {"key": "in", "value": "query"}]})),
        get("Oauth", "/bearer", json!({"type": "oauth2", "oauth2": []})),
        {"name": "Written", "request": {"method": "GET", "url": "{{base}}/bearer", "auth": {"type": "noauth"}, "header": [{"key": "Authorization", "value": "Bearer {{mine}}"}]}},
        {"name": "Both", "request": {"method": "GET", "url": "{{base}}/basic/ann/{{pw}}", "auth": basic("{{pw}}"), "header": [
            {"key": "Authorization", "value": "Custom x"}, {"key": "X-Trace", "value": "t-1"}, {"key": "x-trace", "value": "t-2"}, {"key": "Host", "value": "other"}]}},
    ]));
    collection["auth"] = json!({"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]});
    home.write("token", "tok-4711-tok");
    let words = "--token tok-4711-tok --pw horse-battery --mine mine-4711-mine --access-token tok-4712-tok";
    let of = answers(&home, &collection, words);
    for name in ["inherited", "own_basic", "of_folder", "oauth", "written", "both"] {
        assert_eq!(of[name]["status"], 200, "{name}: {}", of[name]);
        assert_eq!(of[name]["body"]["authenticated"], true, "{name}");
    }
    assert_eq!(of["nobody"]["status"], 401);
    // The response repeats a secret of the request, masked: so it did arrive.
    assert_eq!(of["key_in_header"]["body"]["headers"]["x-own"], "***");
    assert_eq!(of["key_in_query"]["body"]["query"], json!({"k": "***"}));
}

#[test]
fn urls_methods_and_headers_are_sent_as_in_the_collection() {
    let home = Home::new();
    let mut all = collection(&json!([
        {"name": "No scheme", "request": {"method": "GET", "url": "{{host}}/anything/:id/x?a=1&b=x%20y", "header": "Accept: text/csv\nX-Two: b"}},
        {"name": "Parts", "request": {"method": "PUT", "url": {"protocol": "https", "host": ["{{host}}"], "path": ["anything", ":id"], "query": [{"key": "q", "value": "{{q}}"}],
            "variable": [{"key": "id", "value": "{{$guid}}"}]}}},
        {"name": "Head", "request": {"method": "HEAD", "url": "{{base}}/anything"}},
        {"name": "Get with a body", "request": {"method": "GET", "url": "{{base}}/anything", "body": raw("json", "{\"a\": 1}")}},
        {"name": "Odd", "request": {"method": "PROPFIND", "url": "{{base}}/anything"}},
        {"name": "Echoed", "request": {"method": "TRACE", "url": "{{base}}/anything"}},
        {"name": "Short", "request": "{{base}}/anything"},
        {"name": "Headers", "request": {"method": "GET", "url": "{{base}}/anything", "header": [{"key": "{{name}}", "value": "x"}, {"key": "X-Off", "value": "x", "disabled": true}]}},
    ]));
    all["variable"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "host", "value": "api.web.sandbox"}));
    let of = answers(&home, &all, "--id 7 --q z");
    let body = |name: &str| &of[name]["body"];
    assert_eq!(body("no_scheme")["path"], "/anything/7/x");
    assert_eq!(body("no_scheme")["query"], json!({"a": "1", "b": "x y"}));
    assert_eq!(body("no_scheme")["headers"]["accept"], "text/csv");
    assert_eq!(body("no_scheme")["headers"]["x-two"], "b");
    let guid = body("parts")["path"]
        .as_str()
        .unwrap()
        .strip_prefix("/anything/")
        .unwrap();
    assert_eq!(guid.len(), 36, "{guid}");
    assert_eq!(body("parts")["method"], "PUT");
    assert_eq!(of["head"]["status"], 200);
    assert_eq!(body("get_with_a_body")["body"], "");
    assert_eq!(body("short")["method"], "GET");
    assert!(body("headers")["headers"].get("x-off").is_none());
    assert_eq!(body("odd")["method"], "PROPFIND");
    assert!(!of.contains_key("echoed"));
    let script = home.read("api.rhai");
    for note in [
        "provisor sends no TRACE",
        "its body is left out",
        "this is not a valid header name",
    ] {
        assert!(script.contains(note), "no `{note}` in\n{script}");
    }
}

#[test]
fn collection_versions_2_0_and_2_1_give_the_same_script() {
    let home = Home::new();
    let new = json!({"info": {"name": "x", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "auth": {"type": "basic", "basic": [{"key": "username", "value": "ann"}, {"key": "password", "value": "{{pw}}"}]},
        "variable": [{"key": "base", "value": "https://api.web.sandbox"}],
        "item": [{"name": "F", "description": {"content": "About it"}, "item": [{"name": "A", "event": [{"listen": "test", "script": {"exec": ["a();"]}}],
            "request": {"method": "GET", "description": {"content": "Reads."}, "header": [{"key": "X-A", "value": "1"}], "url": {"raw": "{{base}}/anything?q=1", "query": [{"key": "q", "value": "1"}]}}}]}]});
    let old = json!({"info": {"name": "x", "schema": "https://schema.getpostman.com/json/collection/v2.0.0/collection.json"},
        "auth": {"type": "basic", "basic": {"username": "ann", "password": "{{pw}}"}},
        "variable": [{"id": "base", "value": "https://api.web.sandbox"}],
        "item": [{"name": "F", "description": "About it", "item": [{"name": "A", "event": [{"listen": "test", "script": {"exec": "a();"}}],
            "request": {"method": "GET", "description": "Reads.", "header": "X-A: 1", "url": "{{base}}/anything?q=1"}}]}]});
    let script = |json: &Json| {
        home.write("api.json", &json.to_string());
        home.run("import postman api.json").ended(0).stdout
    };
    assert_eq!(script(&new), script(&old));
    assert!(
        script(&new).contains("basic: #{user: \"ann\", password: pw}"),
        "{}",
        script(&new)
    );
}

#[test]
fn json_bodies_keep_value_types_and_large_numbers() {
    let home = Home::new();
    let mut all = collection(&json!([
        {"name": "Mixed", "request": {"method": "POST", "url": "{{base}}/anything/{{n}}",
            "body": raw("json", r#"{"count": {{n}}, "f": {{f}}, "text": "{{f}}", "list": {{list}}, "sum": {{n}}}"#)}},
        post("Big", &raw("json", r#"{"count": {{n}}, "big": 12345678901234567890}"#)),
    ]));
    let variables = all["variable"].as_array_mut().unwrap();
    for (key, value) in [("n", "5"), ("f", "true"), ("list", "[1, 2.5]")] {
        variables.push(json!({"key": key, "value": value}));
    }
    let of = answers(&home, &all, "");
    assert_eq!(of["mixed"]["body"]["path"], "/anything/5");
    assert_eq!(
        of["mixed"]["body"]["json"],
        json!({"count": 5, "f": true, "text": "true", "list": [1, 2.5], "sum": 5})
    );
    let big = &of["big"]["body"];
    assert_eq!(big["body"], r#"{"count": 5, "big": 12345678901234567890}"#);
    assert_eq!(big["headers"]["content-type"], "application/json");
}

//! No credential of a collection or an environment appears in the script or in any output.

use serde_json::{Value as Json, json};

use crate::support::Home;

/// A distinct credential for each place that can hold one.
fn canary(place: &str) -> String {
    format!("canary-{place}-x9Q2")
}

fn collection() -> Json {
    let raw = |language: &str, raw: String| json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": language}}});
    let post = |name: &str, body: Json| json!({"name": name, "request": {"method": "POST", "url": "https://x.example/a", "body": body}});
    json!({
        "info": {"name": "Canaries", "description": format!("the password is {}", canary("basic"))},
        "variable": [
            {"key": "api_key", "value": canary("variable")},
            {"key": "plain", "value": canary("typed"), "type": "secret"},
            {"key": "jwt", "value": format!("eyJhbGciOiJIUzI1NiJ9.{}", canary("jwt"))},
        ],
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": canary("bearer")}]},
        "event": [{"listen": "prerequest", "script": {"exec": [format!("pm.variables.set('token', '{}');", canary("script"))]}}],
        "item": [
            {"name": "Basic", "request": {"url": "https://x.example", "auth": {"type": "basic", "basic": {"username": "a", "password": canary("basic")}}}},
            {"name": "Key", "request": {"url": "https://x.example", "auth": {"type": "apikey", "apikey": {"key": "k", "value": canary("apikey"), "in": "query"}}}},
            {"name": "Header", "request": {"url": "https://x.example", "header": [
                {"key": "Authorization", "value": format!("Token {}", canary("header"))}, {"key": "Cookie", "value": format!("sid={}", canary("cookie"))},
                {"key": "X-Plain", "value": "{{plain}}"}, {"key": "X-Mixed", "value": "a {{api_key}}"}, {"key": "X-Jwt", "value": "{{jwt}}"}]}},
            {"name": "Address", "request": format!("https://ann:{}@x.example/a?access_token={}", canary("user"), canary("query"))},
            post("Json", raw("json", json!({"user": {"password": canary("json"), "pin": canary("pin")}, "list": [{"client_secret": canary("list")}]}).to_string())),
            post("Xml", raw("xml", format!("<login><password>{}</password></login>", canary("xml")))),
            post("Text", raw("text", format!("grant=x&client_secret={}", canary("text")))),
            post("Form", json!({"mode": "urlencoded", "urlencoded": [{"key": "password", "value": canary("form")}]})),
            post("Parts", json!({"mode": "formdata", "formdata": [{"key": "api_token", "value": canary("parts")}]})),
            post("Graph", json!({"mode": "graphql", "graphql": {"query": "{ a }", "variables": json!({"password": canary("graphql")}).to_string()}})),
            {"name": "Mobsted", "request": {"method": "POST", "url": "https://a-admin.mobsted.com/api/v8/lists", "body":
                {"mode": "urlencoded", "urlencoded": [{"key": "password", "value": canary("typedform")}]}}},
            {"name": "Sign in", "request": format!("https://a-admin.mobsted.com/api/v8/auth?login=a&password={}", canary("signin"))},
            {"name": "Answers", "request": "https://x.example", "response": [{"name": "saved", "body": canary("response")}]},
        ],
    })
}

#[test]
fn no_credential_appears_in_the_script_config_or_output() {
    let home = Home::new();
    let json = collection().to_string();
    let canaries: Vec<&str> = json.match_indices("canary-").map(|(at, _)| &json[at..]).collect();
    assert!(canaries.len() > 20, "there is something to look for");
    home.write("api.json", &json);
    home.write("env.json", &json!({"name": "Env", "values": [
        {"key": "url", "value": "https://a-admin.mobsted.com"}, {"key": "login", "value": "a"},
        {"key": "password", "value": canary("environment")}, {"key": "other_token", "value": canary("leftover")}]}).to_string());
    let ran = home
        .run("-vvv import postman env.json api.json --out out.rhai")
        .ended(0);
    let script = home.read("out.rhai");
    let config = std::fs::read_to_string(home.provisor().join("config/config.toml")).unwrap();
    for text in [&ran.stdout, &ran.stderr, &script, &config] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("x9Q2"), "{text}");
    }
    for option in [
        "bearer: token",
        "basic: #{",
        "query: #{",
        "json: #{",
        "form: #{",
        "multipart: #{",
        "body: ",
    ] {
        assert!(script.contains(option), "no `{option}` in\n{script}");
    }
    let _ = home.run("run out.rhai --help").ended(0);
}

#[test]
fn an_import_error_does_not_repeat_a_credential() {
    let home = Home::new();
    // A field name cannot be a parameter.
    let json = json!({"info": {}, "item": [
        {"name": "a", "request": {"url": "https://x.example", "auth": {"type": "bearer", "bearer": {"token": canary("key")}}}},
        {"name": "b", "request": {"url": "https://x.example", "header": [{"key": canary("key"), "value": "x"}]}}]});
    home.write("api.json", &json.to_string());
    let ran = home
        .run("import postman api.json")
        .ended(2)
        .said(&["a credential in a place"]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"));
    home.write("api.json", &json.to_string()[..40]);
    let ran = home.run("import postman api.json").ended(2);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
}

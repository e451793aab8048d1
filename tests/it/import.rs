//! Postman files become a profile and a script that can be read, run and shared.

mod http;
mod platforms;
mod secrets;

use serde_json::{Value as Json, json};

use crate::support::{Home, Ran};

/// A Mobsted account as a Postman environment.
fn environment() -> Json {
    json!({
        "id": "1", "name": "Acme partner", "_postman_variable_scope": "environment",
        "values": [
            {"key": "host", "value": "acme-admin.mobsted.com", "enabled": true},
            {"key": "base_url", "value": "https://{{host}}", "enabled": true},
            {"key": "login", "value": "partner@acme.example", "enabled": true},
            {"key": "password", "value": "correct horse battery", "type": "secret", "enabled": true},
            {"key": "old", "value": "x", "enabled": false},
            {"key": "client_email", "value": "ann@example.com", "enabled": true},
            {"key": "webhook_secret", "value": "whk-4711-hush", "type": "secret", "enabled": true},
        ],
    })
}

/// The calls of an onboarding as a Postman collection.
fn collection() -> Json {
    let request = |name: &str, method: &str, path: &str, body: Json| {
        let body = match body {
            Json::Null => Json::Null,
            body => json!({"mode": "raw", "raw": body.to_string(), "options": {"raw": {"language": "json"}}}),
        };
        json!({"name": name, "request": {
            "method": method, "url": {"raw": format!("{{{{base_url}}}}/api/v8{path}")},
            "header": [{"key": "Authorization", "value": "Bearer {{access_token}}"}], "body": body}})
    };
    json!({
        "info": {"name": "Acme onboarding", "description": "How clients are taken in.",
                 "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "event": [{"listen": "prerequest", "script": {"exec": ["console.log('begin');"]}}],
        "item": [
            {"name": "Sign in", "event": [{"listen": "test", "script": {"exec": ["pm.environment.set('access_token', pm.response.json().access_token);"]}}],
             "request": {"method": "GET", "url": {"raw": "{{base_url}}/api/v8/auth?login={{login}}&password={{password}}"}}},
            {"name": "Clients", "item": [
                request("Create client", "POST", "/partners", json!({"email": "{{client_email}}"})),
                request("List clients", "GET", "/object?applicationId=1&page=1", Json::Null),
            ]},
            {"name": "Apps", "item": [
                request("Create app", "POST", "/applications", json!({"Name": "Own", "appWebSiteUrl": "https://own.example", "type": "pwaless"})),
                request("List apps", "GET", "/applications?page=1&pageSize=10", Json::Null),
                request("Operations", "GET", "/operations/list", Json::Null),
            ]},
        ],
    })
}

fn import(home: &Home, words: &str) -> Ran {
    home.write("env.json", &environment().to_string());
    home.write("api.json", &collection().to_string());
    home.run(&format!("import postman {words}"))
}

#[test]
fn a_postman_environment_becomes_a_profile_with_an_encrypted_password() {
    let home = Home::new();
    let ran = import(&home, "env.json").ended(0);
    let ran = ran.said(&[
        "profile `acme_partner` is written",
        "password is encrypted",
        "login, password",
        "were not stored: webhook_secret",
    ]);
    assert!(!ran.stderr.contains("whk-4711"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let config = std::fs::read_to_string(home.provisor().join("config/config.toml")).unwrap();
    for line in [
        "[profiles.acme_partner]",
        "url = \"https://acme-admin.mobsted.com\"",
        "login = \"partner@acme.example\"",
        "password = { sealed = true }",
        "mode = \"prod\"",
    ] {
        assert!(config.contains(line), "no `{line}` in\n{config}");
    }
    assert!(!config.contains("correct horse"));
    for entry in std::fs::read_dir(home.provisor().join("state")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(13).any(|window| window == b"correct horse"));
    }
    // Other commands can use the profile, and it is not replaced without a flag.
    assert!(
        home.run("profile show acme_partner")
            .ended(0)
            .stdout
            .contains("acme-admin.mobsted.com")
    );
    let _ = import(&home, "env.json")
        .ended(2)
        .said(&["profile `acme_partner` already exists", "--force"]);
    let _ = import(&home, "env.json --force").ended(0);
    let _ = import(&home, "env.json --profile other")
        .ended(0)
        .said(&["profile `other` is written"]);
}

#[test]
fn a_postman_collection_becomes_a_runnable_script_of_platform_operations() {
    let home = Home::new();
    let ran = import(&home, "api.json env.json --out acme.rhai").ended(0);
    let _ = ran
        .said(&["6 requests: 5 with platform operations, 0 with http::, 1 left out; 2 scripts are comments"]);
    let script = home.read("acme.rhai");
    for part in [
        "let session = mobsted::connect(\"acme_partner\");",
        "session.ensure_tenant(client_email)",
        "session.tenants()",
        "session.ensure_app(\"Own\", \"https://own.example\")",
        "session.apps()",
        "session.get(\"/operations/list\")",
        "@param client_email string = \"ann@example.com\"  the variable `client_email`",
        "//     pm.environment.set(",
        "//! How clients are taken in.",
        "    // Clients\n",
    ] {
        assert!(script.contains(part), "no `{part}` in\n{script}");
    }
    assert!(!script.contains("correct horse"));
    let help = home.run("run acme.rhai --help").ended(0).stdout;
    assert!(help.contains("--client-email"), "{help}");
    // The host signs in: every remaining parameter has a default, or is absent.
    let ran = home.run("run acme.rhai --sandbox --json").ended(0);
    let row: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(row["list_clients"], "done");
    // What the vendor says to save: the address, the login and (sealed in the ledger) the password.
    let created = &row["create_client"];
    let snapshot = home.snapshot();
    assert_eq!((snapshot.tenants.len(), snapshot.apps.len()), (1, 1));
    assert_eq!(
        (&created["login"], &created["password"], &created["outcome"]),
        (&json!("ann@example.com"), &json!("***"), &json!("created"))
    );
    assert!(
        created["url"].as_str().unwrap().contains("-admin."),
        "{}",
        ran.stdout
    );
    assert_eq!(snapshot.tenants[0].email, "ann@example.com");
}

#[test]
fn the_literal_email_of_a_new_tenant_becomes_a_parameter() {
    let home = Home::new();
    let literal = collection()
        .to_string()
        .replace("{{client_email}}", "sample@example.com");
    home.write("env.json", &environment().to_string());
    home.write("literal.json", &literal);
    let _ = home
        .run("import postman env.json literal.json --out acme.rhai")
        .ended(0);
    let script = home.read("acme.rhai");
    for part in [
        "@param email string = \"sample@example.com\"  the `email` of the request; it must be unique",
        "session.ensure_tenant(email)",
        "done.create_client = create_client(session, email);",
    ] {
        assert!(script.contains(part), "no `{part}` in\n{script}");
    }
    let ran = home
        .run("run acme.rhai --sandbox --json --email new@example.com")
        .ended(0);
    let row: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(row["create_client"]["login"], "new@example.com");
    assert_eq!(home.snapshot().tenants[0].email, "new@example.com");
}

#[test]
fn an_existing_script_is_not_overwritten_without_force() {
    let home = Home::new();
    home.write("acme.rhai", "my own");
    let _ = import(&home, "env.json api.json --out acme.rhai")
        .ended(2)
        .said(&["`acme.rhai` exists", "--force"]);
    assert_eq!(home.read("acme.rhai"), "my own");
    assert!(
        !home.provisor().join("config/config.toml").exists(),
        "no profile either"
    );
    let _ = import(&home, "env.json api.json --out acme.rhai --force").ended(0);
    assert_ne!(home.read("acme.rhai"), "my own");
    let _ = import(&home, "env.json --out x.rhai")
        .ended(2)
        .said(&["--out needs a collection"]);
}

#[test]
fn without_out_the_script_goes_to_standard_output() {
    let home = Home::new();
    let ran = import(&home, "api.json").ended(0);
    assert!(
        ran.stdout
            .starts_with("//! Imported from the Postman collection `Acme onboarding`."),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("mobsted::connect(#{") && ran.stdout.contains("@param password secret"),
        "{}",
        ran.stdout
    );
    home.write("again.rhai", &ran.stdout);
    let _ = home.run("run again.rhai --help").ended(0);
}

#[test]
fn an_environment_of_an_unknown_service_becomes_script_parameters() {
    let home = Home::new();
    home.write("env.json", &json!({"name": "Other", "values": [
        {"key": "base", "value": "https://api.example.com", "enabled": true}, {"key": "key", "value": "abc-canary-1", "enabled": true}]}).to_string());
    home.write("api.json", &json!({"info": {"name": "x"}, "item": [
        {"name": "a", "request": {"method": "GET", "url": "{{base}}/a", "header": [{"key": "X-Key", "value": "{{key}}"}]}}]}).to_string());
    let ran = home.run("import postman env.json api.json").ended(0).said(&[
        "no profile is created",
        "secrets are given when the script runs: key",
    ]);
    assert!(
        ran.stdout
            .contains("@param base url = \"https://api.example.com\""),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("abc-canary-1"), "{}", ran.stdout);
    home.write(
        "none.json",
        &json!({"info": {"name": "x"}, "item": []}).to_string(),
    );
    let _ = home
        .run("import postman env.json none.json")
        .ended(2)
        .said(&["no profile is created", "the collection has no requests"]);
    let _ = home.run("import postman env.json").ended(2).said(&["--platform"]);
    let _ = home
        .run("import postman env.json --platform mobsted")
        .ended(2)
        .said(&["has no value for login", "--take login=VARIABLE"]);
    let taken = home
        .run("import postman env.json --platform sparrow --take api_token=key --take partner_token=key")
        .ended(0);
    let _ = taken.said(&[
        "profile `other` is written",
        "api token is encrypted",
        "partner token is encrypted",
    ]);
    let _ = home
        .run("import postman env.json --platform sparrow --take colour=key")
        .ended(2)
        .said(&["no `colour`"]);
}

#[test]
fn an_environment_becomes_a_web_profile_with_platform_web() {
    let home = Home::new();
    home.write("env.json", &json!({"name": "CRM", "values": [
        {"key": "host", "value": "api.crm.example"}, {"key": "base_url", "value": "https://{{host}}/v2"}, {"key": "login", "value": "ann"},
        {"key": "access_token", "value": "canary-4711"}, {"key": "admin_token", "value": "canary-4712", "type": "secret"}]}).to_string());
    home.write("api.json", &json!({"info": {"name": "x"}, "auth": {"type": "bearer", "bearer": {"token": "{{access_token}}"}}, "item": [
        {"name": "a", "request": {"method": "GET", "url": "{{base_url}}/clients/{{id}}?page=1"}},
        {"name": "b", "request": {"method": "POST", "url": "https://{{host}}/v2/clients", "body": {"mode": "raw", "raw": "{\"a\": 1}"}}},
        {"name": "c", "request": {"method": "GET", "url": "https://{{host}}/v1/old"}},
        {"name": "d", "request": {"method": "DELETE", "url": "{{base_url}}/items/1",
            "auth": {"type": "bearer", "bearer": {"token": "{{admin_token}}"}}}},
        {"name": "e", "request": {"method": "GET", "url": "{{base_url}}/open", "auth": {"type": "noauth"}}}]}).to_string());
    let _ = home
        .run("import postman env.json api.json --platform web --out crm.rhai")
        .ended(0)
        .said(&[
            "profile `crm` is written",
            "bearer is encrypted",
            "were not stored: admin_token",
            "e: Postman sends it without a credential",
        ]);
    let script = home.read("crm.rhai");
    for part in [
        "http::get(`/clients/${id}`, #{profile: \"crm\", query: #{page: \"1\"}})",
        "http::post(\"/clients\", #{profile: \"crm\", json: #{a: 1}})",
        "bearer: access_token",
        // A request of another user.
        "http::delete(\"/items/1\", #{profile: \"crm\", bearer: admin_token})",
    ] {
        assert!(script.contains(part), "no `{part}` in\n{script}");
    }
    let config = home.configuration();
    assert!(
        config.contains("platform = \"web\"") && !config.contains("login"),
        "{config}"
    );
    assert!(!format!("{script}{config}").contains("canary"));
    let _ = home.run("check crm.rhai").ended(0);
    // A run that asks about a prod account names this one.
    let _ = home
        .run("run crm.rhai --id 1 --access-token x --admin-token y")
        .ended(2)
        .said(&["Change the prod account `crm` at "]);
}

#[test]
fn files_that_cannot_be_imported_are_refused_with_a_reason() {
    let home = Home::new();
    let refused = |text: &str, words: &[&str]| {
        home.write("bad.json", text);
        let ran = home
            .run("import postman bad.json --out bad.rhai")
            .ended(2)
            .said(words);
        assert_eq!(ran.stdout, "");
        assert!(!home.work().join("bad.rhai").exists());
    };
    refused("{\"info\": ", &["is not JSON", "line 1"]);
    refused("[]", &["neither a Postman environment nor a collection"]);
    refused("{\"requests\": []}", &["version 1"]);
    refused("{\"info\": {}, \"item\": []}", &["has no requests"]);
    refused(&("[".repeat(100_000)), &["nested too deeply"]);
    let many: Vec<Json> = (0..5001)
        .map(|n| json!({"name": n, "request": "https://x.example"}))
        .collect();
    refused(
        &json!({"info": {}, "item": many}).to_string(),
        &["more than 5000 requests"],
    );
    home.write("api.json", &collection().to_string());
    let _ = home
        .run("import postman api.json --out no/such/x.rhai")
        .ended(2)
        .said(&["there is no folder `no/such`"]);
    let _ = home
        .run("import postman api.json --out . --force")
        .ended(2)
        .said(&["`.` is a folder"]);
    let piped = home
        .run_with_input("import postman -", &collection().to_string())
        .ended(0);
    assert!(piped.stdout.contains("Acme onboarding"));
    let _ = home
        .run("import postman nothing.json")
        .ended(2)
        .said(&["`nothing.json` cannot be read"]);
    home.write("env.json", &environment().to_string());
    let _ = home
        .run("import postman env.json env.json")
        .ended(2)
        .said(&["is a second environment"]);
}

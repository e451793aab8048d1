//! Requests to JRNI and Sparrow become operations, on accounts that sign in by themselves.

use serde_json::{Value as Json, json};

use crate::support::Home;

fn raw(body: &Json) -> Json {
    json!({"mode": "raw", "raw": body.to_string(), "options": {"raw": {"language": "json"}}})
}

fn request(name: &str, method: &str, url: &str, headers: &Json, body: Json) -> Json {
    let body = if body.is_null() { body } else { raw(&body) };
    json!({"name": name, "request": {"method": method, "url": url, "header": headers, "body": body}})
}

/// A collection like that of a bookings vendor.
fn jrni() -> Json {
    let headers = json!([{"key": "App-Id", "value": "{{app_id}}"}, {"key": "App-Key", "value": "{{app_key}}"}, {"key": "Auth-Token", "value": "{{auth_token}}"}]);
    let ask = |name: &str, method: &str, path: &str, body: Json| {
        request(
            name,
            method,
            &format!("{{{{bburl}}}}/api/v1{path}"),
            &headers,
            body,
        )
    };
    json!({"info": {"name": "Bookings"}, "item": [
        ask("Login", "POST", "/login/admin/{{company_id}}", json!({"email": "{{email}}", "password": "{{password}}"})),
        ask("Company", "GET", "/admin/{{company_id}}/company", Json::Null),
        ask("Children", "GET", "/company/{{company_id}}/children?page=1&per_page=30", Json::Null),
        ask("New child", "POST", "/admin/{{company_id}}/company", json!({"ref": "shop-1", "name": "Shop", "timezone": "Europe/London"})),
        ask("Find child", "GET", "/admin/{{company_id}}/company/find_by_ref/shop-1", Json::Null),
        ask("New person", "POST", "/admin/{{company_id}}/people", json!({"reference": "{{reference}}", "name": "Ann Lee", "email": "ann@example.com"})),
        ask("People", "GET", "/admin/{{company_id}}/people", Json::Null),
        ask("Administrators", "GET", "/admin/{{company_id}}/administrators", Json::Null),
        ask("New administrator", "POST", "/admin/{{company_id}}/administrators", json!({"email": "eve@example.com", "name": "Eve", "role": "admin"})),
        ask("Rename", "PUT", "/admin/{{company_id}}/company", json!({"website": "https://group.example"})),
        ask("Services", "GET", "/{{company_id}}/services?per_page=10", Json::Null),
        ask("New service", "POST", "/admin/{{company_id}}/services", json!({"name": "Haircut", "durations": [30]})),
        ask("Other shop", "GET", "/admin/4711/people", Json::Null),
        ask("Logout", "DELETE", "/login", Json::Null),
    ]})
}

fn environment(company: &str) -> Json {
    let value = |key: &str, value: &str| json!({"key": key, "value": value, "enabled": true});
    json!({"name": "Group", "values": [
        value("bburl", "https://acme.bookingbug.com"), value("email", "owner@group.example"), value("password", "correct horse"),
        value("app_id", "app-4711"), value("app_key", "key-4711-key"), value("company_id", company), value("auth_token", ""),
    ]})
}

#[test]
fn requests_of_jrni_become_operations_and_run() {
    let home = Home::new();
    home.write("id.rhai", "#{id: jrni::connect().company().id}");
    let ran = home.run("run id.rhai --sandbox --json").ended(0);
    let company: Json = serde_json::from_str(&ran.stdout).unwrap();
    let company = company["id"].to_string();
    home.write("api.json", &jrni().to_string());
    home.write("env.json", &environment(&company).to_string());
    let _ = home
        .run("import postman env.json api.json --out jrni.rhai")
        .ended(0)
        .said(&[
            "profile `group` is written",
            "14 requests: 13 with platform operations, 0 with http::, 1 left out",
        ]);
    let script = home.read("jrni.rhai");
    for part in [
        "let session = jrni::connect(\"group\");",
        "session.company()",
        "session.children()",
        "session.ensure_company(\"shop-1\", #{name: \"Shop\", timezone: \"Europe/London\"})",
        "session.find_company(\"shop-1\")",
        "session.ensure_person(reference, #{email: \"ann@example.com\", name: \"Ann Lee\"})",
        "session.people()",
        "session.administrators()",
        "session.ensure_administrator(\"eve@example.com\", #{name: \"Eve\", role: \"admin\"})",
        "session.update_company(company_id, #{website: \"https://group.example\"})",
        "session.get(`/${company_id}/services`, #{per_page: \"10\"})",
        "session.post(`/admin/${company_id}/services`, #{durations: [30], name: \"Haircut\"})",
        "session.within(\"4711\").people()",
        "session.logout()",
    ] {
        assert!(script.contains(part), "no `{part}` in\n{script}");
    }
    assert!(
        !script.contains("correct horse") && !script.contains("key-4711"),
        "{script}"
    );
    let config = std::fs::read_to_string(home.provisor().join("config/config.toml")).unwrap();
    for line in [
        "platform = \"jrni\"",
        "app_id = \"app-4711\"",
        "app_key = { sealed = true }",
    ] {
        assert!(config.contains(line), "no `{line}` in\n{config}");
    }
    let _ = home.run("check jrni.rhai").ended(0);
    // The company ID is that of another group, so it is replaced with the sandbox's.
    home.write(
        "jrni.rhai",
        &script.replace("within(\"4711\")", &format!("within(\"{company}\")")),
    );
    let ran = home
        .run("run jrni.rhai --sandbox --json --reference staff-7")
        .ended(0);
    assert!(ran.stdout.contains("\"logout\":\"done\""), "{}", ran.stdout);
    let snapshot = home.snapshot();
    let jrni = &snapshot.jrni;
    assert!(
        jrni.companies.iter().any(|one| one.reference == "shop-1"),
        "{jrni:?}"
    );
}

#[test]
fn without_an_environment_login_values_become_script_parameters() {
    let home = Home::new();
    home.write("api.json", &jrni().to_string());
    let script = home.run("import postman api.json").ended(0).stdout;
    let account = "jrni::connect(#{";
    assert!(script.contains(account), "{script}");
    for part in [
        "app_id: app_id",
        "company: company_id",
        "app_key: app_key",
        "password: password",
        "@param app_key secret",
        "session.people()",
    ] {
        assert!(script.contains(part), "no `{part}` in\n{script}");
    }
    home.write("api.rhai", &script);
    let _ = home.run("check api.rhai").ended(0);
}

#[test]
fn requests_of_sparrow_become_operations_and_pass_check() {
    let home = Home::new();
    let bearer = json!([{"key": "Authorization", "value": "Bearer {{token}}"}]);
    let ask = |name: &str, method: &str, path: &str, body: Json| {
        request(name, method, &format!("{{{{url}}}}/v1/{path}"), &bearer, body)
    };
    let session = json!({"sender_name": "Bakery", "tag": ["morning"], "recipients": ["9779812345678"]});
    let mut international = session.clone();
    international["recipients"] = json!(["+4915112345678"]);
    let collection = json!({"info": {"name": "Messages"}, "item": [
        ask("Login", "POST", "autho/apitoken/login/", json!({"api_token": "{{api_token}}", "partner_token": "{{partner_token}}"})),
        ask("Viber", "POST", "viber/message/compose/", json!({"data": {"text": "Fresh bread"}, "session": session})),
        ask("Code", "POST", "viber/message/transactional/", json!({"data": {"template_id": "otp", "template_params": {"code": "4711", "minutes": 5}},
            "session": {"sender_name": "Bakery", "campaign_name": "sign-in", "recipients": ["9779812345678"]}})),
        ask("Sms", "POST", "intlsms/compose/", json!({"data": {"text": "Hello {{name}}", "msg_type": "plain"}, "session": international})),
        ask("Template", "POST", "whatsapp/messages/", json!({"recipient": "9779812345678", "template_id": "order_update", "parameters": ["Ann", "A-17"]})),
        ask("Picture", "POST", "whatsapp/messages/", json!({"recipient": "9779812345678", "message_type": "IMAGE", "session_media": {"url": "https://x.example/a.png", "caption": "A"}})),
        ask("Delivery", "GET", "viber/campaign/report/{{batch}}/delivery", Json::Null),
        ask("Rates", "GET", "intlsms/compose/tarrif/", Json::Null),
        ask("Strange", "POST", "viber/message/compose/", json!({"data": {"text": "x", "colour": "red"}, "session": {"sender_name": "B", "recipients": []}})),
    ]});
    home.write("api.json", &collection.to_string());
    home.write(
        "env.json",
        &json!({"name": "Bakery", "values": [{"key": "url", "value": "https://ent-api.sparrowsms.com"},
        {"key": "api_token", "value": "api-4711-api"}, {"key": "partner_token", "value": "partner-4711"}]})
        .to_string(),
    );
    let _ = home
        .run("import postman env.json api.json --out sms.rhai")
        .ended(0)
        .said(&["9 requests: 7 with platform operations, 1 with http::, 1 left out"]);
    let script = home.read("sms.rhai");
    for part in [
        "sparrow::connect(\"bakery\")",
        "session.send_viber_template(#{",
        "params: #{code: \"4711\", minutes: 5}",
        "text: `Hello ${name}`",
        "media: #{caption: \"A\", type: \"IMAGE\", url: \"https://x.example/a.png\"}",
        "session.viber_report(batch, \"delivery\")",
        "session.tariffs()",
    ] {
        assert!(script.contains(part), "no `{part}` in\n{script}");
    }
    let _ = home.run("check sms.rhai").ended(0);
    assert!(
        !script.contains("4711-api") && !script.contains("partner-4711"),
        "{script}"
    );
}

#[test]
fn requests_of_the_bulk_api_become_operations_and_run() {
    let home = Home::new();
    let form = |pairs: &[(&str, &str)]| {
        let fields = pairs
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}));
        json!({"mode": "urlencoded", "urlencoded": fields.collect::<Vec<_>>()})
    };
    let ask = |name: &str, method: &str, path: &str, body: Json| {
        let url = format!("http://api.sparrowsms.com/v2/{path}");
        json!({"name": name, "request": {"method": method, "url": url, "body": body}})
    };
    let sms = |to: &str| {
        form(&[
            ("token", "tok-4711-tok"),
            ("from", "Bakery"),
            ("to", to),
            ("text", "Hello {{name}}"),
        ])
    };
    let variables = json!([{"key": "token", "value": "tok-4711-tok"}]);
    let collection = json!({"info": {"name": "Bulk"}, "variable": variables, "item": [
        ask("Two", "POST", "sms/", sms("9812345678, 9812345679")),
        ask("Many", "POST", "sms/", sms("{{numbers}}")),
        ask("By query", "GET", "sms?token={{token}}&from=Bakery&to=9812345678&text=Hi", Json::Null),
        ask("Credit", "GET", "credit/?token={{token}}", Json::Null),
        ask("Strange", "POST", "sms/", form(&[("token", "{{token}}"), ("to", "9812345678"), ("flash", "1")])),
    ]});
    home.write("api.json", &collection.to_string());
    let _ = home
        .run("import postman api.json --out bulk.rhai")
        .ended(0)
        .said(&["5 requests: 4 with platform operations, 1 with http::, 0 left out"]);
    let script = home.read("bulk.rhai");
    for part in [
        "let session = sparrow_bulk::connect();",
        "recipients: [\"9812345678\", \"9812345679\"], text: `Hello ${name}`}",
        "recipients: `${numbers}`.split(\",\")",
        "session.send_sms(#{sender: \"Bakery\", recipients: [\"9812345678\"], text: \"Hi\"})",
        "session.credit()",
        "/// Note: the token is that of the profile.",
        "http::post(\"http://api.sparrowsms.com/v2/sms/\"",
    ] {
        assert!(script.contains(part), "no `{part}` in\n{script}");
    }
    assert!(!script.contains("tok-4711"), "{script}");
    let _ = home.run("check bulk.rhai").ended(0);
    // The sandbox has no host for the request that is left to `http::`.
    let runs = script.replace("    done.strange = strange(token).status;\n", "");
    home.write("runs.rhai", &runs);
    let ran = home
        .run("run runs.rhai --sandbox --json --name Ann --numbers 9812345670,9812345671 --token tok-4711-tok")
        .ended(0);
    assert!(ran.stdout.contains("\"credit\":\"done\""), "{}", ran.stdout);
}

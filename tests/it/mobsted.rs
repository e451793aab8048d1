//! Mobsted beyond tenants and apps: objects, screens, lists, tags, events, domains, and App 1 out of reach of them all.

use serde_json::Value as Json;

use crate::support::{Home, Ran};

/// Runs a script on the sandbox and gives what it returned.
fn result(home: &Home, script: &str) -> Json {
    let ran = run(home, script).ended(0);
    let document: Json = serde_json::from_str(&ran.stdout).unwrap();
    document["result"].clone()
}

fn run(home: &Home, script: &str) -> Ran {
    home.write("script.rhai", script);
    home.run("run script.rhai --sandbox --json")
}

/// How often App 1 was attempted at the sandbox.
fn attempts(home: &Home) -> u64 {
    let status = home.run("sandbox status --json").ended(0).stdout;
    let json: Json = serde_json::from_str(&status).unwrap();
    find(&json, "app1_attempts").unwrap()
}

fn find(json: &Json, name: &str) -> Option<u64> {
    match json {
        Json::Object(fields) => match fields.get(name) {
            Some(found) => found.as_u64(),
            None => fields.values().find_map(|inner| find(inner, name)),
        },
        _ => None,
    }
}

const CLIENT: &str = "let partner = mobsted::connect();\n\
                      let client = partner.ensure_tenant(\"ann@example.com\").connect();\n\
                      let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n";

#[test]
fn objects_are_read_with_their_credentials_masked() {
    let home = Home::new();
    let script = format!(
        "{CLIENT}print(partner.objects(1)); #{{rows: partner.objects(1), one: partner.object(1, partner.objects(1)[0].id)}}"
    );
    let ran = run(&home, &script).ended(0);
    let json: Json = serde_json::from_str(&ran.stdout.lines().last().unwrap().to_owned()).unwrap();
    let text = json.to_string();
    assert!(text.contains("ann@example.com"), "{text}");
    let row = &json["rows"][0]["attributes"];
    let row = if row.is_null() {
        &json["result"]["rows"][0]["attributes"]
    } else {
        row
    };
    for secret in ["UserPassword", "defaultPassword"] {
        assert_eq!(row[secret], "***", "{text}");
    }
    assert_eq!(row["Email"], "ann@example.com");
}

#[test]
fn an_object_of_app_one_cannot_be_passed_off_as_another_apps() {
    let home = Home::new();
    let tenant = "let partner = mobsted::connect();\npartner.ensure_tenant(\"ann@example.com\");\n\
                  let own = partner.ensure_app(\"Own\", \"https://own.example\");\n\
                  let row = partner.objects(1)[0].id;\n";
    for call in [
        "partner.delete(`/object/${row}`)",
        "partner.delete(`/object/${row}`, #{applicationId: own.id})",
        "partner.put(`/object/${row}`, #{ApplicationId: own.id, Email: \"x@example.com\"})",
        "partner.post(\"/object/delete\", #{ApplicationId: own.id, ids: [row]})",
        "partner.put(`/object/${row}`, #{ApplicationId: own.id}, #{encoding: \"query\"})",
        "partner.post_event(1, row, \"opened\")",
        "partner.set_domain(\"go.own.example\")",
        "partner.set_domain(\"go.own.example\", #{app: 1})",
    ] {
        let ran = run(&home, &format!("{tenant}{call}")).ended(5);
        let _ = ran.said(&["protected_app"]);
    }
    assert_eq!(attempts(&home), 0, "nothing was sent");
    // Its own apps' objects are its own business.
    let script = format!(
        "{tenant}let made = partner.post(\"/object\", #{{ApplicationId: own.id, Email: \"eve@example.com\"}});\n\
         let id = made.data[0].id;\n\
         partner.put(`/object/${{id}}`, #{{ApplicationId: own.id, Email: \"eva@example.com\"}});\n\
         let changed = partner.object(own.id, id).email;\n\
         partner.delete(`/object/${{id}}`, #{{applicationId: own.id}});\n\
         changed + \" \" + partner.objects(own.id).len() + \" \" + partner.tenants().len()"
    );
    let ran = run(&home, &script).ended(0);
    assert!(ran.stdout.contains("eva@example.com 0 1"), "{}", ran.stdout);
}

#[test]
fn a_domain_that_does_not_point_here_is_refused_and_not_in_doubt() {
    let home = Home::new();
    let ran = run(
        &home,
        &format!("{CLIENT}client.set_domain(\"go.shop.invalid\", #{{app: app.id}})"),
    )
    .ended(7);
    let _ = ran.said(&["refused", "HTTP 500", "CNAME"]);
    let ran = run(
        &home,
        &format!("{CLIENT}client.set_domain(\"https://shop.com/x\")"),
    )
    .ended(1);
    let _ = ran.said(&["bad_argument", "no domain name"]);
    let script = format!(
        "{CLIENT}let other = client.ensure_app(\"Other\", \"https://other.example\");\n\
         client.set_domain(\"go.ann.example\", #{{app: app.id}});\n\
         client.set_domain(\"go.ann.example\", #{{app: other.id}})"
    );
    let _ = run(&home, &script)
        .ended(7)
        .said(&["already used by application"]);
}

#[test]
fn a_lost_event_parks_the_row_and_is_not_posted_again() {
    let home = Home::new();
    let script = format!(
        "{CLIENT}let made = client.post(\"/object\", #{{ApplicationId: app.id, Email: \"eve@example.com\"}});\n\
         client.post_event(app.id, made.data[0].id, \"opened\", #{{value: #{{page: 2}}}}).id"
    );
    home.write("script.rhai", &script);
    // The tenth request that is of no route of its own is the event; all of them lose their answers.
    let ran = home.run("run script.rhai --sandbox --json --fault any:drop-after:1");
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    let value = format!(
        "{CLIENT}client.post_event(app.id, 1, \"opened\", #{{value: #{{a: partner.objects(1)[0].attributes.defaultPassword}}}})"
    );
    let _ = run(&home, &value).ended(1).said(&["bad_argument", "secret"]);
}

#[test]
fn tags_give_credentials_as_secrets() {
    let home = Home::new();
    let script = format!(
        "{CLIENT}let row = partner.objects(1)[0].id;\n\
         let read = partner.object_tags(1, [row], [\"#Object:Email#\", \"#Object:defaultPassword#\"]);\n\
         `${{read[0].values.Email}} ${{read[0].values.defaultPassword}} ${{client.hashtags(app.id).len()}}`"
    );
    let ran = run(&home, &script).ended(0);
    assert!(ran.stdout.contains("ann@example.com *** 5"), "{}", ran.stdout);
    let _ = run(&home, &format!("{CLIENT}client.tenant_tags([])"))
        .ended(1)
        .said(&["no tags are named"]);
    assert!(result(&home, "42").is_null() || result(&home, "42") == 42);
}

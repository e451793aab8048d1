//! Mobsted beyond tenants and apps: objects, screens, lists, tags, events, domains; none of them can reach App 1.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use crate::leaks::fake::{self, Answer};
use crate::support::{Home, Ran, finish};

fn run(home: &Home, script: &str) -> Ran {
    home.write("script.rhai", script);
    home.run("run script.rhai --sandbox --json")
}

const CLIENT: &str = "let partner = mobsted::connect();\n\
                      let client = partner.ensure_tenant(\"ann@example.com\").connect();\n\
                      let app = client.ensure_app(\"Ann\", \"https://ann.example\");\n";

#[test]
fn objects_are_read_with_their_credentials_masked() {
    let home = Home::new();
    let script = format!(
        "{CLIENT}let rows = partner.objects(1); print(rows); #{{row: partner.object(1, rows[0].id)}}"
    );
    let ran = run(&home, &script).ended(0);
    let json: Json = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let columns = &json["row"]["attributes"];
    for secret in ["UserPassword", "defaultPassword"] {
        assert_eq!(columns[secret], "***", "{}", ran.stdout);
    }
    assert_eq!(columns["Email"], "ann@example.com", "{}", ran.stdout);
    let password = home.snapshot().tenants[0].password.clone();
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(&password));
}

#[test]
fn an_object_can_be_passed_in_place_of_its_id() {
    let home = Home::new();
    let script = format!(
        "{CLIENT}client.post(\"/object\", #{{ApplicationId: app.id, Email: \"eve@example.com\"}});\n\
         let object = client.objects(app)[0];\n\
         let same = client.object(app, object).id == object.id && client.objects(app.id).len() == 1;\n\
         client.delete_app(app);\n\
         same && client.apps().is_empty()"
    );
    let ran = run(&home, &script).ended(0);
    assert!(ran.stdout.contains("true"), "{}", ran.stdout);
    let script =
        "let partner = mobsted::connect();\npartner.objects(partner.ensure_tenant(\"ann@example.com\"))";
    let _ = run(&home, script).ended(1).said(&["must be int or string"]);
}

#[test]
fn objects_of_app_one_cannot_be_changed_through_another_app_id() {
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
    assert_eq!(home.snapshot().totals.app1_attempts, 0, "nothing was sent");
    // The objects of its own apps are allowed.
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
fn a_raw_delete_of_an_app_removes_its_ledger_entry() {
    let home = Home::new();
    let script = format!(
        "{CLIENT}client.delete(`/applications/${{app.id}}`);\n\
         let again = client.ensure_app(\"Ann\", \"https://ann.example\");\n\
         `${{again.outcome}} ${{client.apps().len()}}`"
    );
    let ran = run(&home, &script).ended(0);
    assert!(ran.stdout.contains("created 1"), "{}", ran.stdout);
}

#[test]
fn a_domain_without_the_right_cname_is_refused_and_not_in_doubt() {
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
    let _ = ran.said(&["bad_argument", "not a domain name"]);
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
    let _ = run(
        &home,
        &format!("{CLIENT}client.post(\"/object\", #{{ApplicationId: app.id, Email: \"eve@example.com\"}})"),
    )
    .ended(0);
    // The ledger and the cached token answer everything but the event, so the fault hits the event.
    home.write(
        "event.rhai",
        &format!("{CLIENT}client.post_event(app.id, 1, \"opened\", #{{value: #{{page: 2}}}})"),
    );
    let _ = home
        .run("run event.rhai --sandbox --fault *:drop-after:x1")
        .ended(10);
    assert_eq!(home.snapshot().totals.events_posted, 1);
    let _ = home.run("resume").ended(10);
    assert_eq!(
        home.snapshot().totals.events_posted,
        1,
        "it is never sent again by itself"
    );
}

#[test]
fn a_secret_inside_an_events_value_is_refused() {
    let home = Home::new();
    let value = "#{value: #{first: partner.objects(1)[0].attributes.defaultPassword}}";
    let script = format!("{CLIENT}client.post_event(app.id, 1, \"opened\", {value})");
    let _ = run(&home, &script).ended(1).said(&["bad_argument", "secret"]);
    assert_eq!(home.snapshot().totals.events_posted, 0);
}

#[test]
fn tags_give_credentials_as_secrets() {
    let home = Home::new();
    let script = format!(
        "{CLIENT}let row = partner.objects(1)[0].id;\n\
         let read = partner.object_tags(1, [row], [\"#Object:Email#\", \"#Object:defaultPassword#\"]);\n\
         [read[0].values.Email, read[0].values.defaultPassword, client.hashtags(app.id).len()]"
    );
    let ran = run(&home, &script).ended(0);
    for said in ["ann@example.com", "***", "5"] {
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
    }
    let _ = run(&home, &format!("{CLIENT}client.tenant_tags([])"))
        .ended(1)
        .said(&["no tags are named"]);
}

#[test]
fn the_create_application_endpoint_and_type_field_are_configurable() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let apps = Arc::new(Mutex::new(Vec::<serde_json::Value>::new()));
    let (noted, kept) = (Arc::clone(&asked), Arc::clone(&apps));
    let url = fake::start(move |_, request| {
        let path = request.path.split('?').next().unwrap().to_owned();
        noted.lock().unwrap().push(format!("{} {path}", request.method));
        let mut apps = kept.lock().unwrap();
        match (request.method.as_str(), path.trim_start_matches("/api/v8")) {
            (_, "/auth") => Answer::json(
                200,
                &json!({"access_token": "t", "refresh_token": "r", "expires_in": 4_000_000_000_u64}),
            ),
            ("GET", "/applications") => Answer::json(
                200,
                &json!({"data": *apps, "meta": {"current_page": 1, "last_page": 1}}),
            ),
            ("POST", "/pwa/wrapper") => {
                assert!(!request.all.contains("pwaless"), "{}", request.all);
                apps.push(json!({"id": 7, "attributes": {"applicationId": 7, "Name": "Shop"}}));
                Answer::json(200, &json!({"data": *apps}))
            }
            _ => Answer::json(404, &json!({})),
        }
    });
    let home = Home::new();
    home.configure(&format!(
        "[profiles.own]\nplatform = \"mobsted\"\nurl = \"{url}\"\nlogin = \"ann@example.com\"\npassword = {{ env = \"PW\" }}\n\
         [profiles.own.endpoints]\ncreate_application = \"/pwa/wrapper\"\napp_type_field = \"\"\n"
    ));
    home.write(
        "app.rhai",
        "fn main() { let app = mobsted::connect().ensure_app(\"Shop\", \"https://shop.example\"); app.applicationId + app.id }",
    );
    let mut command = home.command(["run", "app.rhai"]);
    command.env("PW", "of-ann");
    let ran = finish(command.spawn().unwrap()).ended(0);
    assert_eq!(ran.stdout, "result  14\n", "{}", ran.stderr);
    let asked = asked.lock().unwrap();
    let changes = asked.iter().filter(|asked| asked.starts_with("POST"));
    assert_eq!(changes.collect::<Vec<_>>(), ["POST /api/v8/pwa/wrapper"]);
}

//! Steps in doubt: a person records their outcome.

use crate::support::{Home, signal, wait_until};

/// A script whose last step cannot be looked up.
const ACTS: &str = r#"
fn main(email) {
    let client = mobsted::connect().ensure_tenant(email).connect();
    client.post("/applications", #{ Name: "Ann", appWebSiteUrl: "https://ann.example" });
    #{ email: email }
}
"#;

fn parked(home: &Home) -> String {
    home.write("acts.rhai", ACTS);
    let words = "run acts.rhai --sandbox --email ann@example.com --fault applications-post:drop-after:x1";
    let _ = home
        .run(words)
        .ended(10)
        .said(&["in doubt", "list them: provisor runs show"]);
    home.newest()
}

#[test]
fn a_step_that_cannot_be_looked_up_is_resolved_as_done_and_not_sent_again() {
    let home = Home::new();
    let id = parked(&home);
    assert_eq!(home.snapshot().totals.apps_created, 1);
    let _ = home.run("resume").ended(10);
    let plan = home.json("resume --plan --json");
    let next = &plan["rows"][0]["next"];
    assert_eq!(
        (&next["how"], &next["operation"]),
        (&"person".into(), &"mobsted::post".into())
    );
    assert_eq!(plan["rows"][0]["recorded"], 1);
    let shown = home.run(&format!("runs show {id}")).ended(0);
    let _ = shown.said(&["is in doubt", &format!("provisor resolve {id} ")]);

    let bare = format!("resolve {id} mobsted::post --as done --yes");
    let _ = home.run(&bare).ended(2).said(&["--value FILE", "any JSON"]);
    home.write("app.json", "{\"id\": 1}");
    let resolve = format!("resolve {id} mobsted::post --as done --value app.json");
    let _ = home.run(&resolve).ended(2).said(&["--yes"]);
    let resolved = home.run(&format!("{resolve} --yes")).ended(0);
    let _ = resolved.said(&[&format!("provisor resume {id}")]);
    let _ = home.run("resume").ended(0);
    assert_eq!(home.snapshot().totals.apps_created, 1, "not sent again");
    let audit = home.json("audit --json");
    let entry = &audit["audit"][0];
    assert_eq!(entry["kind"], "resolve");
    assert!(entry["what"].as_str().unwrap().ends_with(" done"), "{entry}");
    assert!(entry["who"].as_str().unwrap().contains("(uid "), "{entry}");
}

#[test]
fn a_step_that_is_resolved_as_absent_is_sent_again() {
    let home = Home::new();
    let id = parked(&home);
    let steps = home.json(&format!("runs steps {id} --open --json"));
    let key = steps["steps"][0]["step"].as_str().unwrap().to_owned();
    let fragment = key.rsplit_once(':').unwrap().1;
    let _ = home
        .run(&format!("resolve {id} {fragment} --as absent --yes"))
        .ended(0);
    let _ = home.run("resume").ended(0);
    assert_eq!(home.snapshot().totals.apps_created, 2, "the person was believed");
}

#[test]
fn a_deletion_resolved_as_done_removes_the_ledger_entry() {
    let home = Home::new();
    let app = "let client = mobsted::connect().ensure_tenant(email).connect();\n\
               let app = client.ensure_app(\"Ann\", \"https://ann.example\");";
    home.write(
        "remove.rhai",
        &format!("fn main(email) {{ {app}\nclient.delete(`/applications/${{app.id}}`); }}"),
    );
    home.write("again.rhai", &format!("fn main(email) {{ {app}\napp.outcome }}"));
    let words = "--sandbox --email ann@example.com";
    let _ = home.run(&format!("run again.rhai {words}")).ended(0);
    // The ledger answers everything but the removal, so the fault hits the removal.
    let lost = home.run(&format!(
        "run remove.rhai {words} --fault applications:drop-after:x1"
    ));
    let _ = lost.ended(10);
    let id = home.newest();
    home.write("gone.json", "null");
    let resolve = format!("resolve {id} mobsted::delete --as done --value gone.json --yes");
    let _ = home.run(&resolve).ended(0);
    let again = home.run(&format!("run again.rhai {words}")).ended(0);
    assert!(again.stdout.contains("created"), "{}", again.stdout);
    assert_eq!(home.snapshot().apps.len(), 1);
}

#[test]
fn only_a_step_in_doubt_is_resolved() {
    let home = Home::new();
    let id = parked(&home);
    let refused = |step: &str, says: &str| {
        let ran = home
            .run(&format!("resolve {id} {step} --as absent --yes"))
            .ended(2);
        let _ = ran.said(&[says, &format!("provisor runs steps {id} --open")]);
    };
    refused("ensure_tenant", "is done, not in doubt");
    refused("no-such-step", "no step with `no-such-step`");
    let ran = home.run(&format!("cancel {id} --yes")).ended(0);
    let _ = ran.said(&["stays in doubt", &format!("provisor resolve {id}")]);
    assert_eq!(home.json("audit --json")["audit"].as_array().unwrap().len(), 0);
}

#[test]
fn a_tenant_in_doubt_is_resolved_with_its_url_and_password() {
    let home = Home::new();
    home.write(
        "tenant.rhai",
        "fn main(email) { let t = mobsted::connect().ensure_tenant(email); #{ apps: t.connect().apps().len() } }",
    );
    let words = "run tenant.rhai --sandbox --email ann@example.com --fault partners:hang-after:x1";
    let mut child = home.command(words.split(' ')).spawn().unwrap();
    wait_until("the tenant is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| snapshot.tenants.len() == 1)
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    let id = home.newest();
    let _ = home
        .run("tenants show ann@example.com")
        .ended(2)
        .said(&["in doubt"]);
    let _ = home.run("tenants list").ended(0).said(&["may exist"]);
    let plan = home.json("resume --plan --json");
    assert_eq!(plan["rows"][0]["next"]["how"], "look-up");
    assert!(plan["rows"][0]["next"]["not_before"].is_string());

    let snapshot = home.snapshot();
    let tenant = &snapshot.tenants[0];
    let resolve = format!("resolve {id} ann@example.com --as done --yes");
    let _ = home.run(&resolve).ended(2).said(&["--value", "url (string)"]);
    home.write("tenant.json", "{\"url\": \"a1-admin.mobsted.com\", \"name\": 1}");
    let _ = home
        .run(&format!("{resolve} --value tenant.json"))
        .ended(2)
        .said(&["`name` must be string"]);
    let url = format!("http://{}-admin.mobsted.sandbox", tenant.name);
    home.write(
        "tenant.json",
        &format!("{{\"url\": \"{url}\", \"password\": \"{}\"}}", tenant.password),
    );
    let _ = home.run(&format!("{resolve} --value tenant.json")).ended(0);
    let ran = home.run("resume").ended(0);
    assert!(ran.stdout.contains("apps  0"), "it signed in: {}", ran.stdout);
    assert_eq!(home.snapshot().totals.tenants_created, 1);
    let shown = home.json("tenants show ann@example.com --json");
    assert_eq!(shown["tenant"]["credential"], "recorded");
}

const SMS: &str = "run notify.rhai --sandbox --phone +4915112345678 --fault sparrow-sms:drop-after:1:x1";

fn sent(home: &Home) -> u64 {
    home.snapshot().sparrow.totals.sent
}

#[test]
fn resolving_a_message_as_done_requires_its_result_value() {
    let home = Home::new();
    home.write("notify.rhai", include_str!("../../scripts/notify.rhai"));
    let _ = home.run(SMS).ended(10);
    let id = home.newest();
    let resolve = format!("resolve {id} send_sms --as done --yes");
    let _ = home.run(&resolve).ended(2).said(&[
        "id (string), message (string)",
        "\"id\":\"…\"",
        "--as done --value FILE",
    ]);
    home.write("empty.json", "{}");
    let _ = home
        .run(&format!("{resolve} --value empty.json"))
        .ended(2)
        .said(&["`id` is missing"]);
    home.write("sent.json", "{\"id\": \"m-1\"}");
    let _ = home.run(&format!("{resolve} --value sent.json")).ended(0);
    let ran = home.run(&format!("resume {id}")).ended(0);
    assert!(ran.stdout.contains("m-1"), "{}", ran.stdout);
    assert_eq!(sent(&home), 1, "not sent again");
}

#[test]
fn a_resolution_can_be_corrected_until_the_platform_has_answered() {
    let home = Home::new();
    home.write(
        "sent.rhai",
        r#"
fn main(phone) {
    let sent = sparrow::connect().send_sms(#{sender: "B", recipients: phone, text: "x"});
    if sent.id == "wrong" { throw "no such message" }
    #{ message: sent.id }
}
"#,
    );
    let _ = home.run(&SMS.replace("notify", "sent")).ended(10);
    let id = home.newest();
    home.write("wrong.json", "{\"id\": \"wrong\"}");
    home.write("right.json", "{\"id\": \"m-1\"}");
    let resolve = |how: &str| home.run(&format!("resolve {id} send_sms --as {how} --yes"));
    let _ = resolve("done --value wrong.json").ended(0);
    let _ = home.run(&format!("resume {id}")).ended(1);
    let _ = resolve("done --value right.json")
        .ended(0)
        .said(&[&format!("provisor resume {id}")]);
    let ran = home.run(&format!("resume {id}")).ended(0);
    assert!(ran.stdout.contains("m-1"), "{}", ran.stdout);
    assert_eq!(sent(&home), 1, "not sent again");
    // It was not sent after all.
    let _ = resolve("absent").ended(0);
    let _ = home.run(&format!("resume {id}")).ended(0);
    assert_eq!(sent(&home), 2, "the person was believed");
    // The platform's own response takes precedence.
    let _ = resolve("absent").ended(2).said(&["is done, not in doubt"]);
    let audit = home.json("audit --json");
    let said: Vec<&str> = audit["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["what"].as_str().unwrap())
        .collect();
    assert_eq!(said.len(), 3);
    assert!(
        said[1].ends_with("corrected to done") && said[2].ends_with("corrected to absent"),
        "{said:?}"
    );
}

#[test]
fn rows_with_a_draft_resume_only_after_their_outcome_is_resolved() {
    let home = Home::new();
    home.write("notify.rhai", include_str!("../../scripts/notify.rhai"));
    home.write("people.csv", "phone\n+4915112345678\n+4915112345679\n");
    let mut serving = home.command(["sandbox", "serve"]).spawn().unwrap();
    wait_until("the sandbox is served", || {
        provisor::sandbox::status(&home.sandbox()).is_ok_and(|status| status.served.is_some())
    });
    home.happen("sparrow/credits/0");
    let ran = home
        .run("run notify.rhai --sandbox --rows people.csv --out out.csv")
        .ended(8);
    let ran = ran.said(&[
        "2 rows failed: POST ",
        "sparrow_draft",
        "until you record their outcome",
    ]);
    assert!(!ran.stderr.contains("--retry-failed"), "{}", ran.stderr);
    let said = "kept it as a draft (…): Insufficient credits [sparrow_draft, HTTP 200]";
    assert!(
        ran.stderr.contains(said),
        "only its number differs: {}",
        ran.stderr
    );
    let id = home.newest();
    let shown = home.run(&format!("runs show {id}")).ended(0);
    assert!(!shown.stderr.contains("--retry-failed"), "{}", shown.stderr);
    home.happen("sparrow/credits/10");

    let steps = home.json(&format!("runs steps {id} --open --json"));
    let keys: Vec<&str> = steps["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    home.write("sent.json", "{\"id\": \"m-1\"}");
    let resume = format!("provisor resume {id}");
    let _ = home
        .run(&format!(
            "resolve {id} {} --as done --value sent.json --yes",
            keys[0]
        ))
        .ended(0)
        .said(&[&resume]);
    let _ = home
        .run(&format!("resolve {id} {} --as absent --yes", keys[1]))
        .ended(0)
        .said(&[&resume]);
    let _ = home.run(&format!("resume {id}")).ended(0);
    let done = home.read("out.csv");
    assert!(done.contains("m-1") && !done.contains("failed"), "{done}");
    let totals = home.snapshot().sparrow.totals;
    assert_eq!(
        (totals.sent, totals.drafts),
        (1, 2),
        "one of them was sent from the portal"
    );
    signal(serving.id(), "TERM");
    let _ = serving.wait();
}

#[test]
fn a_script_error_suggests_resuming_with_the_fixed_script() {
    let home = Home::new();
    let script = |end: &str| {
        home.write("broken.rhai", &format!("fn main(n) {{ let id = uuid(); {end} }}"));
    };
    script("#{ id: id.nonsense() }");
    let ran = home.run("run broken.rhai --n 1").ended(1);
    let id = home.newest();
    let mended = format!("Fix the script, then run: provisor resume {id} --retry-failed --with-current");
    let _ = ran.said(&[&mended]);
    script("#{ id: n }");
    let again = home.run(&format!("resume {id} --retry-failed")).ended(1);
    let _ = again.said(&["has changed since", "--with-current"]);
    let _ = home
        .run(&format!("resume {id} --retry-failed --with-current --yes"))
        .ended(0);
    // A failing platform is not the script's fault.
    home.write(
        "asks.rhai",
        "fn main(n) { uuid(); http::get(\"https://api.web.sandbox/status/404\", #{check: true}) }",
    );
    let ran = home.run("run asks.rhai --sandbox --n 1").ended(7);
    assert!(
        ran.stderr.contains("--retry-failed") && !ran.stderr.contains("--with-current"),
        "{}",
        ran.stderr
    );

    home.write("rows.csv", "n\n1\n2\n");
    script("#{ id: id.nonsense() }");
    let ran = home.run("run broken.rhai --rows rows.csv --out out.csv").ended(8);
    let ran = ran.said(&["fix it, then run: provisor resume", "--with-current"]);
    assert!(!ran.stderr.contains("to retry the failed rows"), "{}", ran.stderr);
}

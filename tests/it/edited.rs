//! Continuing with an edited script, and previewing a resume.

use crate::support::{Home, csv, signal, wait_until};

const FIRST: &str = r#"
fn main(email, site) {
    let client = mobsted::connect().ensure_tenant(email).connect();
    let app = client.ensure_app(email, site);
    let seen = client.find_app("first");
    if site.contains("bad") { throw "bad site"; }
    #{ app: app.id }
}
"#;

fn failed(home: &Home) -> String {
    home.write("work.rhai", FIRST);
    home.write(
        "rows.csv",
        "email,site\nann@example.com,https://a.example\nbob@example.com,https://bad.example\n",
    );
    let _ = home
        .run("run work.rhai --sandbox --rows rows.csv --out results.csv")
        .ended(8);
    home.newest()
}

/// The comparison as (kind, operation, steps).
fn compared(plan: &serde_json::Value) -> Vec<(String, String, u64)> {
    let mut found = Vec::new();
    for (kind, operations) in plan["comparison"].as_object().unwrap() {
        for operation in operations.as_array().unwrap() {
            found.push((
                kind.clone(),
                operation["operation"].as_str().unwrap().replace("mobsted::", ""),
                operation["steps"].as_u64().unwrap(),
            ));
        }
    }
    found
}

fn step(kind: &str, operation: &str) -> (String, String, u64) {
    (kind.to_owned(), operation.to_owned(), 1)
}

#[test]
fn an_edited_script_is_compared_and_used_only_with_consent() {
    let home = Home::new();
    let id = failed(&home);
    let edited = FIRST.replace(
        "    let seen = client.find_app(\"first\");\n    if site.contains(\"bad\") { throw \"bad site\"; }\n",
        "    let seen = client.find_app(\"second\");\n",
    );
    home.write("work.rhai", &edited);

    // Without the flag, the original script is used and fails as before.
    let _ = home.run("resume --retry-failed").ended(8).said(&["bad site"]);

    let plan = home.json(&format!(
        "resume {id} --retry-failed --with-current --plan --json"
    ));
    assert_eq!(plan["script"], "current");
    assert_eq!(
        compared(&plan),
        [
            step("match", "ensure_app"),
            step("match", "ensure_tenant"),
            step("new", "find_app"),
            step("not_reached", "find_app"),
        ]
    );
    let row = &plan["rows"][0];
    assert_eq!((&row["row"], &row["next"]["how"]), (&2.into(), &"read".into()));

    let words = format!("resume {id} --retry-failed --with-current");
    let asked = home.run(&words).ended(2);
    let _ = asked.said(&["match", "new", "not reached", "--yes"]);
    let _ = home.run(&format!("{words} --yes")).ended(0);
    let results = csv(&home.read("results.csv"));
    assert!(results.iter().all(|row| row["_status"] == "done"), "{results:?}");
    assert_eq!(
        home.snapshot().totals.tenants_created,
        2,
        "nothing was sent again"
    );

    let exported = home.json(&format!("runs export {id}"));
    assert_eq!(exported["sources"][0]["text"], edited);
    assert_eq!(exported["earlier_sources"][0]["text"], FIRST);
    assert_eq!(home.json("audit --json")["audit"][0]["kind"], "with-current");
}

#[test]
fn steps_that_an_edited_script_never_asks_for_are_left_over() {
    let home = Home::new();
    let id = failed(&home);
    home.write(
        "work.rhai",
        "fn main(email, site) { let t = mobsted::connect().ensure_tenant(email); #{ url: t.url } }",
    );
    let plan = home.json(&format!(
        "resume {id} --retry-failed --with-current --plan --json"
    ));
    assert_eq!(
        compared(&plan),
        [
            step("left_over", "ensure_app"),
            step("left_over", "find_app"),
            step("match", "ensure_tenant"),
        ]
    );
    assert_eq!(plan["rows"][0]["then"], "returns");
}

#[test]
fn an_edited_script_must_accept_the_parameters_of_the_run() {
    let home = Home::new();
    let id = failed(&home);
    let words = format!("resume {id} --retry-failed --with-current --yes");
    home.write("work.rhai", "fn main(email, domain) { #{} }");
    let _ = home.run(&words).ended(2).said(&["no column `domain`"]);
    home.write("work.rhai", "fn main(email { #{} }");
    let _ = home.run(&words).ended(1);
    std::fs::remove_file(home.work().join("work.rhai")).unwrap();
    let _ = home.run(&words).ended(2).said(&["work.rhai", "cannot be read"]);
    home.write("work.rhai", FIRST);
    let same = home.run(&words).ended(8);
    assert!(!same.stderr.contains("edited"), "nothing to ask: {}", same.stderr);
    assert_eq!(home.json("audit --json")["audit"].as_array().unwrap().len(), 0);
}

#[test]
fn resume_plan_previews_the_next_steps_and_sends_nothing() {
    let home = Home::new();
    home.write("work.rhai", FIRST);
    home.write(
        "rows.csv",
        "email,site\nann@example.com,https://a.example\nbob@example.com,https://b.example\ncid@example.com,https://c.example\n",
    );
    // Killed while the first row's app is requested; the others have not started.
    let words = "run work.rhai --sandbox --rows rows.csv --jobs 1 --fault applications-post:hang:x1";
    let mut child = home.command(words.split(' ')).spawn().unwrap();
    wait_until("the app is asked for", || {
        let runs = home.json("runs list --json");
        let steps = runs["runs"][0]["id"]
            .as_str()
            .map(|id| home.json(&format!("runs steps {id} --open --json")));
        steps.is_some_and(|steps| steps["steps"][0]["operation"] == "mobsted::ensure_app")
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    let before = home.snapshot();
    let recorded = home.json("runs list --json");
    let plan = home.json("resume --plan --json");
    let next: Vec<(&str, &str)> = plan["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["next"])
        .map(|next| (next["how"].as_str().unwrap(), next["operation"].as_str().unwrap()))
        .collect();
    let send = ("send", "mobsted::ensure_tenant");
    assert_eq!(next, [("look-up", "mobsted::ensure_app"), send, send]);
    assert_eq!(plan["rows"][0]["recorded"], 1);
    let told = home.run("resume --plan").ended(0).stdout;
    assert!(told.contains("look up") && told.contains("send"), "{told}");
    assert_eq!(home.snapshot().totals, before.totals);
    assert_eq!(home.json("runs list --json"), recorded, "nothing was recorded");
}

#[test]
fn a_run_resumed_from_another_folder_finds_its_files() {
    let home = Home::new();
    let id = failed(&home);
    home.write("work.rhai", &FIRST.replace("throw \"bad site\";", ""));
    let mut command = home.command(["resume", &id, "--retry-failed", "--with-current", "--yes"]);
    let elsewhere = home.work().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let ran = crate::support::finish(command.current_dir(&elsewhere).spawn().unwrap());
    let _ = ran.ended(0);
    assert!(!elsewhere.join("results.csv").exists());
    let results = csv(&home.read("results.csv"));
    assert!(results.iter().all(|row| row["_status"] == "done"), "{results:?}");
}

/// Each row places an order that cannot be looked up. `MORE` stands for further options.
const ORDERS: &str = r#"
fn main(reference) {
    let order = http::post("https://api.web.sandbox/items", #{ json: #{ name: reference }, MORE });
    if order.status != 201 { throw "no order"; }
    if reference == "bad" { throw "bad reference"; }
    #{ order: order.body.id }
}
"#;

fn orders(home: &Home, more: &str) {
    home.write("work.rhai", &ORDERS.replace("MORE", more));
}

#[test]
fn a_step_in_doubt_is_not_resent_by_an_edited_script() {
    let home = Home::new();
    home.write("rows.csv", "reference\nA-1\nA-2\n");
    let lost = "run work.rhai --sandbox --rows rows.csv --fault web-items-post:drop-after:x2";
    orders(&home, r#"timeout: "5s""#);
    let _ = home.run(lost).ended(10);
    let id = home.newest();
    let resume = format!("resume {id} --with-current --yes");

    // How a response is awaited is not part of the request.
    orders(&home, r#"timeout: "10s", check: true"#);
    let _ = home.run(&resume).ended(10).said(&["match", "2 parked"]);
    // A different request: the first one's outcome is still unknown.
    orders(&home, r#"headers: #{ "X-Tag": "b" }"#);
    let _ = home
        .run(&format!("{resume} --again"))
        .ended(10)
        .said(&["2 parked"]);
    // Or no request at all.
    home.write("work.rhai", "fn main(reference) { #{ order: 0 } }");
    let _ = home
        .run(&resume)
        .ended(10)
        .said(&["ended without calling `http::post`"]);
    assert_eq!(home.snapshot().web.totals.created, 2);

    for step in home.json(&format!("runs steps {id} --open --json"))["steps"]
        .as_array()
        .unwrap()
    {
        let key = step["step"].as_str().unwrap();
        let _ = home
            .run(&format!("resolve {id} {key} --as absent --yes"))
            .ended(0);
    }
    let _ = home.run("resume").ended(0);
}

#[test]
fn an_edited_script_repeats_a_finished_act_only_with_again() {
    let home = Home::new();
    home.write("rows.csv", "reference\nA-1\nbad\n");
    orders(&home, r#"timeout: "5s""#);
    let _ = home.run("run work.rhai --sandbox --rows rows.csv").ended(8);
    let id = home.newest();
    let resume = format!("resume {id} --retry-failed --with-current --yes");

    let otherwise = ORDERS
        .replace("MORE", r#"headers: #{ "X-Tag": "b" }"#)
        .replace("throw \"bad reference\";", "");
    home.write("work.rhai", &otherwise);
    let plan = home.json(&format!(
        "resume {id} --retry-failed --with-current --plan --json"
    ));
    assert_eq!(
        compared(&plan),
        [
            ("again".to_owned(), "http::post".to_owned(), 1),
            ("not_reached".to_owned(), "http::post".to_owned(), 1)
        ]
    );
    let _ = home
        .run(&resume)
        .ended(2)
        .said(&["would repeat finished steps: http::post of row 2", "--again"]);
    assert_eq!(home.snapshot().web.totals.created, 2);

    // The same request, awaited differently: it is answered from the journal.
    orders(&home, r#"timeout: "10s", check: true"#);
    let _ = home.run(&resume).ended(8).said(&["bad reference"]);
    assert_eq!(home.snapshot().web.totals.created, 2);

    home.write("work.rhai", &otherwise);
    let _ = home.run(&format!("{resume} --again")).ended(0);
    assert_eq!(home.snapshot().web.totals.created, 3);
}

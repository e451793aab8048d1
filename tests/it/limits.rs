//! Weaker objects and limited runs: what they may call, and how many changes they make across rows, kills and resumes.

use serde_json::{Value, json};

use crate::support::{Home, Ran, clients, csv, signal, wait_until};

/// Creates a tenant and its app through a session that may make two changes in a run.
const TWO: &str = r#"
fn main(email) {
    let partner = mobsted::connect().limit(#{ operations: ["ensure_tenant", "ensure_app"], most: 4 });
    let tenant = partner.ensure_tenant(email);
    let app = tenant.connect().ensure_app("Shop", "https://shop.example");
    #{ tenant: tenant.outcome, app: app.outcome }
}
"#;

fn run(home: &Home, script: &str, more: &str) -> Ran {
    home.write("limited.rhai", script);
    home.run(&format!("run limited.rhai --sandbox {more}"))
}

#[track_caller]
fn result(home: &Home, script: &str) -> Value {
    let ran = run(home, script, "--json").ended(0);
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["result"].clone()
}

/// The number of tenants and of apps.
fn made(home: &Home) -> (usize, usize) {
    let snapshot = home.snapshot();
    (snapshot.tenants.len(), snapshot.apps.len())
}

fn statuses(home: &Home, file: &str) -> Vec<String> {
    let rows = csv(&home.read(file));
    rows.iter().map(|row| row["_status"].clone()).collect()
}

#[test]
fn a_limited_object_calls_only_the_named_operations() {
    let home = Home::new();
    for (body, refused) in [
        ("p.tenants()", "mobsted::tenants"),
        ("p.create_tenant(\"a@example.com\")", "mobsted::create_tenant"),
        ("p.get(\"/api/v1/x\")", "mobsted::get"),
        (
            "p.ensure_tenant(\"a@example.com\").connect().apps()",
            "mobsted::apps",
        ),
        (
            "p.limit(#{most: 5}).ensure_tenant(\"a@example.com\").connect().apps()",
            "mobsted::apps",
        ),
        (
            "p.limit(#{operations: [\"ensure_tenant\", \"tenants\"]}).tenants()",
            "mobsted::tenants",
        ),
        (
            "p.limit(#{operations: [\"ensure_app\"]}).ensure_tenant(\"a@example.com\")",
            "mobsted::ensure_tenant",
        ),
        ("Fn(\"tenants\").call(p)", "mobsted::tenants"),
        ("[p].map(|p| p.tenants())", "mobsted::tenants"),
    ] {
        let script = format!(
            "let p = mobsted::connect().limit(#{{ operations: [\"ensure_tenant\", \"ensure_app\"] }});\n{body}"
        );
        let ran = run(&home, &script, "").ended(5);
        let _ = ran.said(&[
            &format!("`{refused}` was not called: this object is limited to"),
            "(at limited.rhai:",
            "[forbidden]",
        ]);
    }
    let kept = r#"
        let whole = mobsted::connect();
        let p = whole.limit(#{ operations: "mobsted::ensure_tenant" });
        let tenant = p.ensure_tenant("z@example.com");
        let again = whole.ensure_tenant("z@example.com");
        let refused = attempt(|| tenant.connect().apps());
        [p.login == whole.login, p == whole, tenant.outcome, again.outcome, refused.error.kind, again.connect().apps().len()]
    "#;
    let result = result(&home, kept);
    assert_eq!(
        result,
        json!([true, false, "created", "unchanged", "forbidden", 0])
    );
}

#[test]
fn wrong_limits_are_errors() {
    let home = Home::new();
    for (limits, reasons) in [
        (
            "#{operations: [\"ensure_ap\"]}",
            [
                "no object has an operation `ensure_ap`",
                "did you mean `ensure_app`?",
            ],
        ),
        ("#{most: -1}", ["`most` must be 0 or more", "[bad_argument]"]),
        ("#{}", ["needs `operations`, `most` or both", "[bad_argument]"]),
        ("#{most: 1, only: []}", ["has no key `only`", "[bad_argument]"]),
        ("#{most: \"1\"}", ["must be int", "[bad_argument]"]),
    ] {
        let ran = run(
            &home,
            &format!("let l = {limits}; mobsted::connect().limit(l)"),
            "",
        );
        let _ = ran.ended(1).said(&reasons);
    }
    home.write("keys.rhai", "mobsted::connect().limit(#{ mots: 1 })\n");
    let _ = home
        .run("check keys.rhai")
        .ended(3)
        .said(&["there is no option `mots`", "did you mean `most`?"]);
}

#[test]
fn one_place_in_the_script_counts_once_over_all_objects_from_it() {
    let home = Home::new();
    let script = r#"
        let done = [];
        for name in ["a", "b", "c", "a"] {
            let p = mobsted::connect().limit(#{ most: 2 });
            let made = attempt(|| p.ensure_tenant(name + "@example.com"));
            done.push(if made.ok { made.value.outcome } else { made.error.kind });
        }
        let other = mobsted::connect().limit(#{ most: 1 });
        done.push(other.ensure_tenant("d@example.com").outcome);
        let none = other.limit(#{ most: 0 });
        done.push(attempt(|| none.ensure_tenant("e@example.com")).error.kind);
        done.push(none.ensure_tenant("a@example.com").outcome);
        done
    "#;
    assert_eq!(
        result(&home, script),
        json!([
            "created",
            "created",
            "forbidden",
            "unchanged",
            "created",
            "forbidden",
            "unchanged"
        ])
    );
    assert_eq!(made(&home), (3, 0));
    let again = result(&home, script);
    assert_eq!(
        again,
        json!([
            "unchanged",
            "unchanged",
            "created",
            "unchanged",
            "unchanged",
            "forbidden",
            "unchanged"
        ]),
        "what exists already is no change, and another run counts anew"
    );
}

#[test]
fn rows_share_the_limit_of_a_place_and_a_resume_does_not_start_anew() {
    let home = Home::new();
    home.write("clients.csv", &clients(6));
    let ran = run(&home, TWO, "--rows clients.csv --out out.csv --jobs 3").ended(8);
    let _ = ran.said(&["was not sent: this object is limited to 4 changes in a run (at limited.rhai:3:"]);
    let (tenants, apps) = made(&home);
    assert_eq!(tenants + apps, 4);
    let done = statuses(&home, "out.csv");
    assert_eq!(done.iter().filter(|status| *status == "failed").count(), 6 - apps);
    for _ in 0..2 {
        let _ = home.run("resume --retry-failed").ended(8);
        let (tenants, apps) = made(&home);
        assert_eq!(tenants + apps, 4, "the changes of earlier processes count");
    }
}

#[test]
fn a_change_in_doubt_counts_once_across_a_kill() {
    let home = Home::new();
    let script = r#"
        let p = mobsted::connect().limit(#{ most: 2 });
        p.ensure_tenant("a@example.com");
        p.ensure_tenant("b@example.com");
        attempt(|| p.ensure_tenant("c@example.com")).error.kind
    "#;
    home.write("limited.rhai", script);
    let words = "run limited.rhai --sandbox --json --fault partners:hang-after:x1";
    let mut child = home.command(words.split(' ')).spawn().unwrap();
    wait_until("the tenant is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .is_some_and(|snapshot| snapshot.tenants().len() == 1)
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    let resumed = home.run("resume").ended(0);
    assert_eq!(resumed.stdout.trim(), r#"{"result":"forbidden"}"#);
    assert_eq!(made(&home), (2, 0));
    let _ = home.run("resume --plan").ended(0);
}

#[test]
fn a_refused_change_does_not_count() {
    let home = Home::new();
    let script = r#"
        let api = http::connect("https://api.web.sandbox").limit(#{ operations: ["post"], most: 1 });
        let refused = attempt(|| api.post("/status/422", #{ check: true }));
        let sent = api.post("/anything", #{ json: 1 });
        let late = attempt(|| api.post("/anything", #{ json: 2 }));
        let read = attempt(|| api.get("/anything"));
        [refused.error.kind, sent.status, late.error.kind, read.error.kind]
    "#;
    assert_eq!(
        result(&home, script),
        json!(["refused", 200, "forbidden", "forbidden"])
    );
}

#[test]
fn a_step_is_the_same_with_and_without_a_limit() {
    let home = Home::new();
    let keys = |home: &Home| {
        let steps = home.json(&format!("runs steps {} --json", home.newest()));
        let steps = steps["steps"].as_array().unwrap().iter();
        let keys = steps.filter(|step| step["operation"] != "limit");
        keys.map(|step| step["key"].clone()).collect::<Vec<_>>()
    };
    let body = r#"
        let tenant = p.ensure_tenant("a@example.com");
        tenant.connect().ensure_app("Shop", "https://shop.example");
        p.find_tenant("a@example.com");
        http::post("https://api.web.sandbox/anything", #{ json: p });
    "#;
    let _ = run(&home, &format!("let p = mobsted::connect();\n{body}"), "").ended(0);
    let plain = keys(&home);
    let limited = format!("let p = mobsted::connect().limit(#{{ most: 9 }});\n{body}");
    let _ = run(&home, &limited, "").ended(0);
    assert_eq!(plain.len(), 4);
    assert_eq!(keys(&home), plain);
}

#[test]
fn a_library_cannot_widen_the_object_it_is_given() {
    let home = Home::new();
    for attack in [
        "fn f(p) { p.tenants() }",
        "fn f(p) { p.limit(#{operations: [\"tenants\"], most: 99}).tenants() }",
        "fn f(p) { p.ensure_tenant(\"a@example.com\").connect().apps() }",
        "fn f(p) { let t = p.ensure_tenant(\"a@example.com\"); [t][0].connect().apps() }",
        "fn f(p) { p.ensure_tenant(\"a@example.com\"); p.ensure_tenant(\"b@example.com\") }",
        "fn f(p) { p.ensure_tenant(\"a@example.com\"); p.limit(#{most: 9}).ensure_tenant(\"b@example.com\") }",
        "fn f(p) { p[\"$limits\"] }",
        "fn f(p) { p.remove(\"$limits\"); p.tenants() }",
        "fn f(p) { parse_json(p.to_json()).tenants() }",
    ] {
        let home_of_one = Home::new();
        home_of_one.write("steps.rhai", &format!("//! library\n{attack}"));
        let main = "import \"steps\" as steps;\nsteps::f(mobsted::connect().limit(#{operations: [\"ensure_tenant\"], most: 1}))";
        let ran = run(&home_of_one, main, "");
        assert_ne!(ran.code, 0, "{attack}: {}", ran.stdout);
        if home_of_one.sandbox().exists() {
            assert!(made(&home_of_one).0 <= 1, "{attack}");
        }
    }
    // What a library returns keeps the limits.
    home.write("steps.rhai", "//! library\nfn f(p) { #{ p: [p], c: || p } }");
    let main = "import \"steps\" as steps;\nlet r = steps::f(mobsted::connect().limit(#{most: 0}));\n\
                attempt(|| r.p[0].ensure_tenant(\"a@example.com\")).error.kind + \" \" + attempt(|| \
                r.c.call().ensure_tenant(\"a@example.com\")).error.kind";
    assert_eq!(result(&home, main), "forbidden forbidden");
}

#[test]
fn max_changes_bounds_a_run_and_a_resume_keeps_it_or_takes_a_new_one() {
    let home = Home::new();
    let script = "fn main(email) { #{ outcome: mobsted::connect().ensure_tenant(email).outcome } }";
    home.write("clients.csv", &clients(5));
    let one = "email\nclient0@example.com\n";
    home.write("one.csv", one);
    let _ = run(&home, script, "--rows one.csv").ended(0);
    let ran = run(
        &home,
        script,
        "--rows clients.csv --out out.csv --max-changes 2 --jobs 4",
    )
    .ended(8);
    let id = home.newest();
    let _ = ran.said(&["`mobsted::ensure_tenant` was not sent: --max-changes limits the run to 2 changes"]);
    assert_eq!(made(&home).0, 3);
    let mut found = statuses(&home, "out.csv");
    found.sort();
    assert_eq!(found, ["done", "done", "done", "failed", "failed"]);
    let _ = home.run(&format!("resume {id} --retry-failed")).ended(8);
    assert_eq!(made(&home).0, 3, "a resume keeps the limit");
    let _ = home
        .run(&format!("resume {id} --retry-failed --max-changes 3"))
        .ended(8);
    assert_eq!(made(&home).0, 4, "the changes before it count");
    let _ = home
        .run(&format!("resume {id} --retry-failed --max-changes none"))
        .ended(0);
    assert_eq!(made(&home).0, 5);
    let _ = run(
        &home,
        "mobsted::connect().ensure_tenant(\"new@example.com\")",
        "--max-changes 0",
    )
    .ended(5);
    for wrong in ["-1", "many", "99999999999999999999"] {
        let ran = home.run_with_words(&[
            "run",
            "limited.rhai",
            "--sandbox",
            &format!("--max-changes={wrong}"),
        ]);
        let _ = ran.ended(2).said(&["a number of changes, or none"]);
    }
}

#[test]
fn a_request_that_is_declared_to_only_read_counts_where_changes_are_limited() {
    let home = Home::new();
    home.write(
        "steps.rhai",
        r#"//! library
        fn post(api) { api.post("/items", #{ json: #{ reference: "A" }, reads: true }).status }
        fn delete(api) { api.request("DELETE", "/items/1", #{ reads: true }).status }
        fn probe(api) {
            api.post("/anything", #{
                key: "P",
                probe: |key| { api.post("/items", #{ json: #{ reference: "P" }, reads: true }); () },
            }).status
        }
        "#,
    );
    let main = |limit: &str| {
        format!(
            r#"import "steps" as steps;
            let whole = http::connect("https://api.web.sandbox");
            let api = whole{limit};
            let seen = [];
            for f in [|| steps::post(api), || steps::delete(api), || steps::post(api), || steps::probe(api)] {{
                let done = attempt(f);
                seen.push(if done.ok {{ done.value }} else {{ done.error.kind }});
            }}
            seen.push(whole.get("/items").body.total);
            seen"#
        )
    };
    let refused = "forbidden";
    for (limit, words, expected) in [
        (
            ".limit(#{ most: 0 })",
            "",
            json!([refused, refused, refused, refused, 0]),
        ),
        (
            "",
            "--max-changes 0",
            json!([refused, refused, refused, refused, 0]),
        ),
        (
            ".limit(#{ most: 1 })",
            "",
            json!([201, refused, refused, refused, 1]),
        ),
        ("", "--max-changes 1", json!([201, refused, refused, refused, 2])),
        (".limit(#{ most: 9 })", "", json!([201, 204, 201, refused, 3])),
    ] {
        let ran = run(&home, &main(limit), &format!("--json {words}")).ended(0);
        let found: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(found["result"], expected, "{limit} {words}");
    }
    // Without a limit, the declaration is relied on.
    let script = "http::post(\"https://api.web.sandbox/items\", #{ json: #{}, reads: true }); 1";
    let _ = run(&home, script, "").ended(0);
    let steps = home.json(&format!("runs steps {} --json", home.newest()));
    assert_eq!(steps["steps"][0]["attempts"], 0, "{steps}");
}

#[test]
fn what_a_lookup_finds_does_not_count_also_after_a_resume() {
    let home = Home::new();
    let made = |name: &str| {
        let script = format!(
            "http::post(\"https://api.web.sandbox/items\", #{{ json: #{{ reference: \"{name}\" }}, check: true }}); 1"
        );
        let _ = run(&home, &script, "").ended(0);
    };
    for name in ["F1", "F2", "F3"] {
        made(name);
    }
    home.write(
        "found.rhai",
        r#"
        fn find(api, name) {
            let found = api.get("/items", #{ query: #{ reference: name }, check: true }).body.items;
            if found.is_empty() { () } else { found[0] }
        }
        fn make(api, name) {
            api.post("/items", #{ json: #{ reference: name }, key: name, probe: |key| find(api, key) })
        }
        fn main(row) {
            let api = http::connect("https://api.web.sandbox").limit(#{ most: 2 });
            let seen = [];
            for name in ["F1", "F2", "N1", "F3", "LATE", "N2", "F2", "N3"] {
                if name == "LATE" {
                    if find(api, name) == () { throw "too early" }
                    continue;
                }
                let made = attempt(|| make(api, name));
                seen.push(if made.ok { made.value.outcome } else { made.error.kind });
            }
            seen
        }
        "#,
    );
    home.write("rows.csv", "row\n1\n");
    let words = "run found.rhai --sandbox --rows rows.csv --out out.jsonl";
    let _ = home.run(words).ended(8).said(&["too early"]);
    let id = home.newest();
    made("LATE");
    let _ = home.run(&format!("resume {id} --retry-failed")).ended(0);
    let row: Value = serde_json::from_str(home.read("out.jsonl").lines().next().unwrap()).unwrap();
    let expected = [
        "found",
        "found",
        "created",
        "found",
        "created",
        "unchanged",
        "forbidden",
    ];
    assert_eq!(row["result"], json!(expected), "{row}");
    let steps = home.json(&format!("runs steps {id} --json"));
    let steps = steps["steps"].as_array().unwrap().iter();
    let posts = steps.filter(|step| step["operation"] == "http::post");
    let attempts: Vec<Value> = posts.map(|step| step["attempts"].clone()).collect();
    assert_eq!(
        attempts,
        [0, 0, 1, 0, 1, 0],
        "nothing was sent for what was found"
    );
}

#[test]
fn a_request_with_any_status_counts_unless_a_failure_is_an_error() {
    let home = Home::new();
    let script = r#"
        let api = http::connect("https://api.web.sandbox").limit(#{ most: 1 });
        let refused = attempt(|| api.post("/status/404", #{ check: true })).error.kind;
        let answered = api.post("/status/404").status;
        [refused, answered, attempt(|| api.post("/status/404")).error.kind]
    "#;
    assert_eq!(result(&home, script), json!(["not_found", 404, "forbidden"]));
}

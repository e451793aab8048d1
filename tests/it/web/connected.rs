//! Sessions of web services: the same requests as `http::`, bound to an address, also in the hands of a library.

use serde_json::{Value, json};

use super::{made, run, said};
use crate::support::account::Served;
use crate::support::{Home, finish};

/// Calls as functions of `http::` and as methods of a session, which are the same requests.
const PAIRS: &[(&str, &str)] = &[
    (
        r#"http::get("https://api.web.sandbox/anything/a?q=1", #{query: #{n: 1}})"#,
        r#"api.get("/anything/a?q=1", #{query: #{n: 1}})"#,
    ),
    (
        r#"http::head("https://api.web.sandbox/anything")"#,
        r#"api.head("https://api.web.sandbox/anything")"#,
    ),
    (
        r#"http::post("https://api.web.sandbox/anything/p", #{json: #{a: 1}, timeout: 9})"#,
        r#"api.post("anything/p", #{json: #{a: 1}})"#,
    ),
    (
        r#"http::put("https://api.web.sandbox/anything/a b", #{form: #{a: "1"}})"#,
        r#"api.put("/anything/a b", #{form: #{a: "1"}})"#,
    ),
    (
        r#"http::patch("https://api.web.sandbox/anything", #{body: "x", key: "K-1"})"#,
        r#"api.patch("/anything", #{body: "x", key: "K-1"})"#,
    ),
    (
        r#"http::delete("https://api.web.sandbox/anything/7")"#,
        r#"api.delete("/anything/7")"#,
    ),
    (
        r#"http::request("PURGE", "https://api.web.sandbox/anything")"#,
        r#"api.request("PURGE", "/anything")"#,
    ),
];

/// The keys of the newest run's steps, in order.
fn keys(home: &Home) -> Vec<Value> {
    let steps = home.json(&format!("runs steps {} --json", home.newest()));
    let steps = steps["steps"].as_array().unwrap();
    steps.iter().map(|step| step["key"].clone()).collect()
}

#[test]
fn a_call_on_a_session_is_the_same_step_as_the_function() {
    let home = Home::new();
    let functions: Vec<&str> = PAIRS.iter().map(|(function, _)| *function).collect();
    let methods: Vec<&str> = PAIRS.iter().map(|(_, method)| *method).collect();
    let _ = run(&home, &functions.join(";\n"), "").ended(0);
    let recorded = keys(&home);
    let connect = r#"let api = http::connect("https://api.web.sandbox");"#;
    let _ = run(&home, &format!("{connect}\n{}", methods.join(";\n")), "").ended(0);
    assert_eq!(recorded.len(), PAIRS.len());
    assert_eq!(keys(&home), recorded);
}

#[test]
fn a_session_made_from_a_map_sends_the_credential_that_the_options_would() {
    let home = Home::new();
    let pairs = [
        (
            "bearer: token",
            r#"http::get("https://api.web.sandbox/bearer", #{bearer: token})"#,
            r#"api.get("/bearer")"#,
        ),
        (
            "login: \"ann\", password: token",
            r#"http::get("https://api.web.sandbox/basic/ann/t-4711", #{basic: #{user: "ann", password: token}})"#,
            r#"api.get("/basic/ann/t-4711")"#,
        ),
        (
            "header: \"X-Api-Key\", header_value: token",
            r#"http::post("https://api.web.sandbox/anything", #{headers: #{"X-Api-Key": token, "X-A": "b"}})"#,
            r#"api.post("/anything", #{headers: #{"X-A": "b"}})"#,
        ),
    ];
    for (keys_of_map, function, method) in pairs {
        let script = |body: &str| {
            format!(
                "/// @param token secret\nfn main(token) {{\n    let api = http::connect(#{{ url: \
                 \"https://api.web.sandbox\", {keys_of_map} }});\n    #{{ status: {body}.status }}\n}}"
            )
        };
        let ran = run(&home, &script(function), "--token t-4711").ended(0);
        assert_eq!(ran.stdout.trim(), r#"{"status":200}"#, "{function}");
        let recorded = keys(&home);
        let ran = run(&home, &script(method), "--token t-4711").ended(0);
        assert_eq!(ran.stdout.trim(), r#"{"status":200}"#, "{method}");
        assert_eq!(keys(&home), recorded);
    }
    let own = r#"http::connect(#{url: "https://api.web.sandbox", bearer: "a"}).get("/basic/eve/pw", #{basic: #{user: "eve", password: "pw"}}).status"#;
    assert_eq!(said(&home, own)["result"], 200);
}

#[test]
fn a_call_that_does_not_sign_itself_has_the_credential_of_the_session() {
    let home = Home::new();
    let script = r#"
        /// @param token secret
        fn main(token) {
            let url = "https://api.web.sandbox";
            let bearer = http::connect(#{ url: url, bearer: "session-1" });
            let login = http::connect(#{ url: url, login: "ann", password: "session-1" });
            let header = http::connect(#{ url: url, header: "X-Client", header_value: "session-1" });
            let sent = |api, options| {
                let headers = api.get("/anything", options).body.headers;
                ["authorization", "x-client"].map(|name| {
                    let names = headers.keys().filter(|known| known.to_lower() == name);
                    if names.len() == 0 { "" } else { `${names.len()} ${type_of(headers[names[0]])}` }
                })
            };
            #{
                secret: [bearer, login, header].map(|api| sent.call(api, #{ headers: #{ "X-Tenant": token } })),
                key: [bearer, login, header].map(|api| sent.call(api, #{ headers: #{ "X-Api-Key": "k" } })),
                same: sent.call(header, #{ headers: #{ "x-CLIENT": "own" } }),
                signed: sent.call(header, #{ headers: #{ "Authorization": "own" } }),
            }
        }
    "#;
    let ran = run(&home, script, "--token t-4711").ended(0);
    let row: Value = serde_json::from_str(&ran.stdout).unwrap();
    let with = json!([["1 secret", ""], ["1 secret", ""], ["", "1 secret"]]);
    assert_eq!(
        row,
        json!({"secret": with, "key": with, "same": ["", "1 string"], "signed": ["1 secret", ""]})
    );
}

#[test]
fn a_credential_in_plain_text_makes_the_same_step_and_object_as_in_the_options() {
    let home = Home::new();
    for (keys_of_map, options) in [
        ("bearer: \"plain-4711\"", "bearer: \"plain-4711\""),
        (
            "login: \"ann\", password: \"plain-4711\"",
            "basic: #{ user: \"ann\", password: \"plain-4711\" }",
        ),
        (
            "header: \"X-Api-Key\", header_value: \"plain-4711\"",
            "headers: #{ \"X-Api-Key\": \"plain-4711\" }",
        ),
    ] {
        let connect =
            format!("let api = http::connect(#{{ url: \"https://api.web.sandbox\", {keys_of_map} }});\n");
        let body = "json: #{ reference: \"A\" }, key: \"A\"";
        let function = format!("http::post(\"https://api.web.sandbox/items\", #{{ {body}, {options} }})");
        let method = format!("api.post(\"/items\", #{{ {body} }})");
        let _ = run(&home, &format!("{connect}{function}; print(api); 1"), "").ended(0);
        let recorded = keys(&home);
        let again = run(&home, &format!("{connect}{method}; print(api); 1"), "");
        assert_eq!(again.code, 0, "what was done is found: {}", again.stderr);
        assert!(!format!("{}{}", again.stdout, again.stderr).contains("plain-4711"));
        assert_eq!(keys(&home), recorded, "{keys_of_map}");
    }
    assert_eq!(made(&home.snapshot()), (3, 3));
}

#[test]
fn what_a_session_created_under_a_key_is_in_the_ledger_for_the_function_too() {
    let home = Home::new();
    let script = |call: &str| {
        format!(
            r#"let api = http::connect("https://api.web.sandbox");
let made = {call}, #{{
    json: #{{ reference: "A-17" }},
    key: "A-17",
    probe: |key| {{
        let found = api.get("/items", #{{ query: #{{ reference: key }}, check: true }}).body.items;
        if found.is_empty() {{ () }} else {{ found[0] }}
    }},
}});
#{{ outcome: made.outcome }}"#
        )
    };
    let lost = run(
        &home,
        &script("api.post(\"/items\""),
        "--fault web-items-post:drop-after:x1",
    );
    assert_eq!(lost.ended(0).stdout.trim(), r#"{"outcome":"found"}"#);
    let function = said(&home, &script("http::post(\"https://api.web.sandbox/items\""));
    assert_eq!(function, json!({"outcome": "unchanged"}));
    assert_eq!(made(&home.snapshot()), (1, 1));
}

#[test]
fn an_address_outside_the_session_is_refused_unsent() {
    let home = Home::new();
    let connect = r#"let api = http::connect("https://api.web.sandbox/anything");"#;
    for address in [
        "https://other.web.sandbox/anything",
        "http://api.web.sandbox/anything",
        "https://api.web.sandbox/items",
        "https://api.web.sandbox/anythings",
        "https://api.web.sandbox:8443/anything",
        "/../items",
        "/%2e%2e/items",
        "..\\\\items",
        "https://ann:pw@api.web.sandbox/anything",
    ] {
        let script = format!("{connect} api.post(\"{address}\", #{{json: 1}})");
        let _ = run(&home, &script, "").ended(5).said(&["[bad_address]"]);
    }
    let inside = format!(
        "{connect} [\"//other.web.sandbox/x\", \"/@other.web.sandbox\", \"\", \"?a=1\"].map(|path| \
         api.get(path).body.path)"
    );
    assert_eq!(
        said(&home, &inside)["result"],
        json!([
            "/anything/other.web.sandbox/x",
            "/anything/@other.web.sandbox",
            "/anything/",
            "/anything/"
        ])
    );
    let _ = run(
        &home,
        &format!("{connect} api.get(\"/\", #{{profile: \"crm\"}})"),
        "",
    )
    .ended(1)
    .said(&["`profile` cannot be given here", "[bad_argument]"]);
    let sent = home.snapshot().web.totals.created;
    assert_eq!(sent, 0);
}

#[test]
fn a_session_cannot_be_made_from_an_unusable_description() {
    let home = Home::new();
    for (account, code, reasons) in [
        (
            "\"ftp://api.web.sandbox\"",
            5,
            ["[bad_address]", "not a web address"],
        ),
        (
            "\"https://api.web.sandbox/?a=1\"",
            5,
            ["[bad_address]", "? or # part"],
        ),
        ("#{bearer: \"x\"}", 1, ["[bad_argument]", "needs the key `url`"]),
        (
            "#{url: \"https://api.web.sandbox\", login: \"ann\"}",
            1,
            ["[bad_argument]", "needs the key `password`"],
        ),
        (
            "#{url: \"https://api.web.sandbox\", header: \"a b\", header_value: \"x\"}",
            1,
            ["[bad_argument]", "not a valid header name"],
        ),
        (
            "#{url: \"https://api.web.sandbox\", token: \"x\"}",
            1,
            ["[bad_argument]", "no key `token`"],
        ),
    ] {
        let ran = run(&home, &format!("http::connect({account})"), "");
        let _ = ran.ended(code).said(&reasons);
    }
}

#[test]
fn a_session_of_a_profile_obeys_its_mode_and_carries_its_credential() {
    let platform = Home::new();
    let served = Served::start(&platform);
    let rest = served.url.strip_prefix("http://").unwrap();
    let url = format!("http://{}/web", rest.split('/').next().unwrap());
    let home = Home::new();
    home.configure(&format!(
        "[profiles.crm]\nplatform = \"web\"\nurl = \"{url}\"\nbearer = {{ env = \"CRM_SECRET\" }}\nmode = \"dev\"\n\
         [profiles.audit]\nplatform = \"web\"\nurl = \"{url}\"\nmode = \"read-only\"\n"
    ));
    let real = |script: &str| {
        home.write("web.rhai", script);
        let mut command = home.command("run web.rhai --json --profile crm".split(' '));
        command.env("CRM_SECRET", "t-4711");
        finish(command.spawn().unwrap())
    };
    for account in ["\"crm\"", ""] {
        let script = format!(
            "let crm = http::connect({account});\n#{{ url: crm.url == \"{url}\", ok: \
             crm.get(\"/bearer\").body.authenticated, put: crm.put(\"/anything\").status }}"
        );
        let ran = real(&script).ended(0);
        assert_eq!(ran.stdout.trim(), r#"{"ok":true,"put":200,"url":true}"#);
        assert!(!ran.stderr.contains("t-4711"));
    }
    let function = real("http::put(\"/anything\", #{profile: \"crm\"}).status").ended(0);
    let recorded = keys(&home);
    let method = real("http::connect(\"crm\").put(\"/anything\").status").ended(0);
    assert_eq!((keys(&home), method.stdout), (recorded, function.stdout));
    let _ = real("let a = http::connect(\"audit\"); a.get(\"/anything\"); a.post(\"/anything\")")
        .ended(5)
        .said(&["the profile is read-only"]);
    let elsewhere = format!("http::connect(\"crm\").get(\"{url}x/anything\")");
    let _ = real(&elsewhere).ended(5).said(&["[bad_address]"]);
    let _ = real("http::connect(\"nobody\")").ended(2).said(&["nobody"]);
}

/// A library that gets a session, and a workflow that passes it one.
fn library(home: &Home, body: &str, main: &str) -> crate::support::Ran {
    home.write("steps.rhai", &format!("//! library\n{body}"));
    let api =
        r#"fn api() { http::connect(#{url: "https://api.web.sandbox/anything", bearer: "t-47" + "11"}) }"#;
    run(home, &format!("import \"steps\" as steps;\n{api}\n{main}"), "")
}

const GIVE: &str = "steps::f(api())";

#[test]
fn a_library_works_with_a_session_that_it_is_given() {
    let home = Home::new();
    let body = r#"
        /// Adds a contact, at most once.
        fn f(api) {
            let made = api.post("/contacts", #{json: #{name: "Ann"}, key: "ann", probe: |key| { api.get("/x"); () }});
            [made.outcome, made.body.path, api.url, `${api}`]
        }
    "#;
    let result = library(&home, body, GIVE).ended(0);
    let result: Value = serde_json::from_str(&result.stdout).unwrap();
    assert_eq!(
        result["result"],
        json!([
            "created",
            "/anything/contacts",
            "https://api.web.sandbox/anything",
            "Session(https://api.web.sandbox/anything)"
        ])
    );
}

#[test]
fn a_library_cannot_leave_the_address_of_a_session() {
    let home = Home::new();
    for (attack, code) in [
        (
            r#"fn f(api) { api.get("https://other.web.sandbox/") }"#,
            "[bad_address]",
        ),
        (r#"fn f(api) { api.get("/../items") }"#, "[bad_address]"),
        (
            r#"fn f(api) { api.get("/", #{profile: "crm"}) }"#,
            "[bad_argument]",
        ),
        (
            r#"fn f(api) { get(api, "https://other.web.sandbox/") }"#,
            "[bad_address]",
        ),
        (
            r#"fn f(api) { Fn("post").call(api, "https://other.web.sandbox/") }"#,
            "[bad_address]",
        ),
        (
            r#"fn f(api) { ["https://other.web.sandbox/"].map(|url| api.get(url)) }"#,
            "[bad_address]",
        ),
        (
            r#"fn f(api) { api.post("/", #{key: "k", probe: |key| api.get("https://other.web.sandbox/")}) }"#,
            "[bad_address]",
        ),
        (
            r#"fn f(api) { http::connect("https://other.web.sandbox").get("/") }"#,
            "[no_authority]",
        ),
        (r#"fn f(api) { http::get(api, "/") }"#, "[no_authority]"),
        (
            "fn f(api) { connect(api) }",
            "web::Session has no method `connect`",
        ),
        (
            r#"fn f(api) { api.url = "https://other.web.sandbox"; api.get("/") }"#,
            "url",
        ),
        (r#"fn f(api) { api["$bearer"] }"#, "has no property `$bearer`"),
    ] {
        let ran = library(&home, attack, GIVE);
        assert_ne!(ran.code, 0, "{attack}: {}", ran.stdout);
        let ran = ran.said(&[code]);
        assert!(
            !format!("{}{}", ran.stdout, ran.stderr).contains("t-4711"),
            "{attack}"
        );
    }
    // A closure that a library returns has no authority but the session that it holds.
    let returned = library(
        &home,
        r#"fn f(api) { || api.get("https://other.web.sandbox/") }"#,
        &format!("let c = {GIVE}; c.call()"),
    );
    let _ = returned.ended(5).said(&["[bad_address]"]);
}

#[test]
fn check_knows_the_methods_of_a_session() {
    let home = Home::new();
    home.write(
        "good.rhai",
        "let api = http::connect(\"crm\");\napi.patch(\"/x\", #{json: 1});\napi.request(\"PURGE\", \"/x\")\n",
    );
    let _ = home.run("check good.rhai").ended(0);
    home.write("bad.rhai", "http::connect(\"crm\").patch(\"/x\", #{jsn: 1})\n");
    let _ = home
        .run("check bad.rhai")
        .ended(3)
        .said(&["there is no option `jsn`", "did you mean `json`?"]);
    home.write("few.rhai", "http::connect(\"crm\").patch()\n");
    let _ = home.run("check few.rhai").ended(3).said(&[
        "`patch` does not take 0 arguments",
        "session.patch(url, [options])",
    ]);
}

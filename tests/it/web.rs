//! Any other web service: each kind of body, what is shown of a response, and how a lost one is settled.

mod connected;
mod profiles;
mod session;

use crate::support::Books;
use serde_json::{Value, json};

use crate::support::{Home, Ran, signal, wait_until};

/// Creates one item that can be looked up.
const KEYED: &str = r#"
/// @param reference  string = "A-17"
fn main(reference) {
    let items = "https://api.web.sandbox/items";
    let made = http::post(items, #{
        json: #{ reference: reference, name: "Ann" },
        key: reference,
        probe: |key| {
            let found = http::get(items, #{ query: #{ reference: key }, check: true }).body.items;
            if found.is_empty() { () } else { found[0] }
        },
    });
    #{ id: made.body.id, outcome: made.outcome }
}
"#;

/// The same without a lookup.
const PLAIN: &str = r#"
let made = http::post("https://api.web.sandbox/items", #{ json: #{ reference: "A-17" } });
#{ id: made.body.id }
"#;

fn run(home: &Home, script: &str, more: &str) -> Ran {
    home.write("web.rhai", script);
    home.run(&format!("run web.rhai --sandbox --json {more}"))
}

#[track_caller]
fn said(home: &Home, script: &str) -> Value {
    let ran = run(home, script, "").ended(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn made(snapshot: &Books) -> (u64, usize) {
    (snapshot.web.totals.created, snapshot.web.items.len())
}

#[test]
fn json_form_text_and_multipart_bodies_are_sent_correctly() {
    let home = Home::new();
    let echoed = |options: &str| {
        said(
            &home,
            &format!("http::post(\"https://api.web.sandbox/anything/x?a=1\", {options}).body"),
        )
    };
    let echo = echoed("#{json: #{a: [1, 2.5, true, ()]}, query: #{b: [\"x\", \"y z\"]}}");
    assert_eq!(echo["json"], json!({"a": [1, 2.5, true, null]}), "{echo}");
    assert_eq!(echo["query"], json!({"a": "1", "b": ["x", "y z"]}));
    assert_eq!(echo["path"], "/anything/x");
    assert_eq!(echo["headers"]["content-type"], "application/json");
    let echo = echoed("#{json: [1], content_type: \"application/vnd.api+json\"}");
    assert_eq!(echo["headers"]["content-type"], "application/vnd.api+json");
    let echo = echoed("#{form: #{a: \"1 & 2\", b: [\"x\", \"y\"]}}");
    assert_eq!(echo["form"], json!({"a": "1 & 2", "b": ["x", "y"]}), "{echo}");
    let echo = echoed("#{body: \"<a/>\", content_type: \"text/xml\", headers: #{\"X-Trace\": \"t-1\"}}");
    assert_eq!(
        (&echo["body"], &echo["headers"]["x-trace"]),
        (&"<a/>".into(), &"t-1".into())
    );
    assert_eq!(echo["headers"]["content-type"], "text/xml");
    let echo = echoed(
        "#{multipart: #{a: [\"x\", \"y\"], f: #{content: \"1,2\\r\\n\", filename: \"a.csv\", type: \"text/csv\"}}}",
    );
    let parts = echo["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 3, "{echo}");
    assert_eq!(
        parts[2],
        json!({"name": "f", "filename": "a.csv", "type": "text/csv", "size": 5, "text": "1,2\r\n"})
    );
    assert_eq!(echoed("#{}")["body"], "");
}

#[test]
fn every_http_method_is_sent_and_any_status_is_returned() {
    let home = Home::new();
    let result = said(
        &home,
        r#"
        let url = "https://api.web.sandbox/anything";
        let of = |answer| answer.body.method;
        #{
            get: of.call(http::get(url)), put: of.call(http::put(url)), patch: of.call(http::patch(url)),
            delete: of.call(http::delete(url)), request: of.call(http::request("patch", url)),
            head: http::head(url).status, missing: http::get("https://api.web.sandbox/status/404").status,
            teapot: http::post("https://api.web.sandbox/status/418").status,
            moved: http::post("https://api.web.sandbox/redirect").status,
            followed: http::get("https://api.web.sandbox/redirect").body.path,
            text: http::get("https://api.web.sandbox/text").body,
            empty: http::get("https://api.web.sandbox/status/204").body == (),
        }
        "#,
    );
    let expected = json!({
        "get": "GET", "put": "PUT", "patch": "PATCH", "delete": "DELETE", "request": "PATCH", "head": 200,
        "missing": 404, "teapot": 418, "moved": 302, "followed": "/anything", "text": "plain words", "empty": true,
    });
    assert_eq!(result, expected);
    let checked = run(
        &home,
        "http::get(\"https://api.web.sandbox/status/404\", #{check: true})",
        "",
    );
    let _ = checked.ended(7).said(&["not_found", "404"]);
}

#[test]
fn custom_http_methods_are_sent_except_connect_and_trace() {
    let home = Home::new();
    let result = said(
        &home,
        r#"
        let url = "https://api.web.sandbox/anything";
        let of = |name| http::request(name, url).body.method;
        #{ purge: of.call("PURGE"), find: of.call("PROPFIND"), small: of.call("purge"), options: of.call("options"),
           body: http::request("REPORT", url, #{json: #{a: 1}}).body.json }
        "#,
    );
    let expected = json!({
        "purge": "PURGE", "find": "PROPFIND", "small": "purge", "options": "OPTIONS", "body": {"a": 1},
    });
    assert_eq!(result, expected);
    for (name, reason) in [
        ("CONNECT", "opens a tunnel"),
        ("trace", "would return the request"),
        ("GET /x", "is not a valid method name"),
        ("", "is not a valid method name"),
    ] {
        let script = format!("http::request({name:?}, \"https://api.web.sandbox/anything\")");
        let _ = run(&home, &script, "").ended(1).said(&[reason, "bad_argument"]);
    }
    assert!(home.snapshot().web.totals.created == 0);
}

#[test]
fn an_unknown_http_method_counts_as_a_change_and_options_does_not() {
    let home = Home::new();
    let call = |name: &str, path: &str| {
        format!("http::request(\"{name}\", \"https://api.web.sandbox/{path}\").status")
    };
    let lost = run(&home, &call("PURGE", "anything"), "--fault web:drop-after:x1");
    let _ = lost.ended(10).said(&["in doubt"]);
    let read = run(&home, &call("OPTIONS", "anything"), "--fault web:drop-after:x1");
    assert_eq!(read.ended(0).stdout.trim(), "{\"result\":200}");
    let moved = said(
        &home,
        "#{ a: http::request(\"OPTIONS\", \"https://api.web.sandbox/redirect\").body.path, b: http::request(\"PURGE\", \"https://api.web.sandbox/redirect\").status }",
    );
    assert_eq!(moved, json!({"a": "/anything", "b": 302}));
}

#[test]
fn credentials_are_sent_but_never_shown_or_stored() {
    let home = Home::new();
    let script = r#"
        /// @param token     secret
        /// @param password  secret
        fn main(token, password) {
            let url = "https://api.web.sandbox/";
            let bearer = http::get(url + "bearer", #{ bearer: token });
            let basic = http::get(url + "anything", #{ basic: #{ user: "ann", password: password } });
            let header = http::post(url + "anything", #{ headers: #{ "X-Api-Key": token }, query: #{ t: token }, json: #{ deep: [token] } });
            print(bearer); print(basic); print(header); print(`${header.body}`);
            let failed = http::get(url + "status/500", #{ query: #{ t: token }, bearer: token });
            #{ ok: bearer.body.authenticated, basic: basic, header: header.body, failed: failed.status }
        }
    "#;
    home.write("web.rhai", script);
    home.write("token", "canary-4711-token");
    home.write("password", "canary-4711-password");
    let ran = home
        .run("-vvv run web.rhai --sandbox --json --token canary-4711-token --password canary-4711-password");
    let ran = ran.ended(0);
    let log = std::fs::read_to_string(home.sandbox().join("world.jsonl")).unwrap();
    assert!(!log.contains("canary"), "the sandbox keeps no request");
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains("canary-4711"), "{text}");
        assert!(
            !text.contains("Y2FuYXJ5") && !text.contains("YW5uOmNhbmFyeS"),
            "{text}"
        );
    }
    assert!(
        ran.stdout.contains("\"ok\":true") && ran.stdout.contains("***"),
        "{}",
        ran.stdout
    );
    let journal = std::fs::read(home.provisor().join("state/journal.db")).unwrap();
    let holds = |text: &str| {
        journal
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(!holds("canary-4711"));
}

#[test]
fn without_a_key_a_lost_response_parks_and_is_not_sent_again() {
    let home = Home::new();
    let _ = run(&home, PLAIN, "--fault web-items-post:drop-after:x1")
        .ended(10)
        .said(&["in doubt"]);
    let _ = home.run("resume").ended(10);
    assert_eq!(made(&home.snapshot()), (1, 1));
}

#[test]
fn a_key_with_a_probe_settles_a_lost_response_to_one_item() {
    for fault in ["drop-after", "500-after", "garbage", "drop-before", "500"] {
        let home = Home::new();
        let ran = run(&home, KEYED, &format!("--fault web-items-post:{fault}:x1"));
        let ran = ran.ended(0);
        let row: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(row["id"], 1, "{fault}: {row}");
        assert_eq!(made(&home.snapshot()), (1, 1), "{fault}");
        assert_eq!(home.snapshot().traffic.repeats, 0, "{fault}");
    }
}

#[test]
fn after_an_empty_success_response_the_probe_finds_the_item() {
    let home = Home::new();
    let ran = run(&home, KEYED, "--fault web-items-post:empty-yes:x1").ended(0);
    let row: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(row["id"], 1, "{row}");
    assert_eq!(made(&home.snapshot()), (1, 1));
    // Nothing exists although the service has reported success: it is not sent again.
    home.write(
        "none.rhai",
        r#"
fn main() {
    http::post("https://api.web.sandbox/items", #{ json: #{ name: "Bob" }, key: "B", probe: |key| () }).body
}
"#,
    );
    let _ = home
        .run("run none.rhai --sandbox --fault web-items-post:empty-yes:x1")
        .ended(10)
        .said(&["the response has no content"]);
    let _ = home.run("resume").ended(10);
    assert_eq!(made(&home.snapshot()).0, 2);
}

#[test]
fn after_a_kill_resume_probes_with_a_new_closure_and_sends_nothing() {
    let home = Home::new();
    home.write("web.rhai", KEYED);
    let words = "run web.rhai --sandbox --fault web-items-post:hang-after:x1";
    let mut child = home.command(words.split(' ')).spawn().unwrap();
    wait_until("the item is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| made(&snapshot) == (1, 1))
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    let _ = home.run("resume").ended(0);
    assert_eq!(made(&home.snapshot()), (1, 1));
    let again = run(&home, KEYED, "").ended(0);
    assert!(
        again.stdout.contains("unchanged"),
        "the ledger holds it: {}",
        again.stdout
    );
    assert_eq!(made(&home.snapshot()), (1, 1));
}

#[test]
fn existing_items_are_found_by_the_probe_and_ledger_entries_reused() {
    let home = Home::new();
    let _ = run(&home, PLAIN, "").ended(0);
    let of = |ran: Ran| {
        let row: Value = serde_json::from_str(&ran.ended(0).stdout).unwrap();
        (row["id"].clone(), row["outcome"].clone())
    };
    assert_eq!(of(run(&home, KEYED, "")), (1.into(), "found".into()));
    assert_eq!(of(run(&home, KEYED, "")), (1.into(), "unchanged".into()));
    assert_eq!(
        of(run(&home, KEYED, "--reference B-1")),
        (2.into(), "created".into())
    );
    assert_eq!(made(&home.snapshot()), (2, 2));
}

#[test]
fn a_key_is_scoped_to_method_path_and_account() {
    let home = Home::new();
    let call = |method: &str, path: &str, more: &str| {
        let url = format!("https://api.web.sandbox/anything/{path}");
        format!("http::{method}(\"{url}\", #{{key: \"A-17\", probe: |key| (), {more}}}).outcome")
    };
    let made = |script: &str| said(&home, script)["result"].clone();
    let customer = call("post", "customers", "json: #{name: \"Ann\"}");
    assert_eq!(made(&customer), "created");
    assert_eq!(made(&customer), "unchanged");
    for other in [
        call("post", "orders", "json: #{total: 5}"),
        call(
            "post",
            "customers",
            "json: #{name: \"Bob\"}, bearer: \"another account\"",
        ),
    ] {
        assert_eq!(made(&other), "created", "{other}");
        assert_eq!(made(&other), "unchanged", "{other}");
    }
    // Neither the query nor the options for the response matter.
    let same = call(
        "post",
        "customers?page=2",
        "json: #{name: \"Ann\"}, timeout: \"9s\", check: true",
    );
    assert_eq!(made(&same), "unchanged");
    let changed = call("post", "customers", "json: #{name: \"Eve\"}");
    let _ = run(&home, &changed, "").ended(7).said(&[
        "`A-17` was already used for a different request",
        "[already_exists]",
    ]);
}

/// Deletes item `number`, whose key can be looked up.
fn deletes(number: u64, options: &str) -> String {
    format!(
        "let items = \"https://api.web.sandbox/items\";\n\
         let probe = |key| {{\n    let found = http::get(items, #{{query: #{{reference: key}}, check: true}}).body.items;\n    \
         if found.is_empty() {{ () }} else {{ found[0] }}\n}};\n\
         let gone = http::delete(`${{items}}/{number}`, #{{{options}}});\n\
         #{{id: gone.status, outcome: gone.outcome}}"
    )
}

const BY_KEY: &str = "key: \"A-17\", probe: probe";

#[test]
fn a_deleted_item_can_be_created_again_under_its_key() {
    let home = Home::new();
    let outcome = |script: &str| said(&home, script)["outcome"].clone();
    assert_eq!(outcome(KEYED), "created");
    assert_eq!(outcome(&deletes(1, BY_KEY)), "deleted");
    assert_eq!(home.snapshot().web.totals.deleted, 1);
    assert_eq!(outcome(&deletes(1, BY_KEY)), "unchanged", "it is gone already");
    assert_eq!(outcome(KEYED), "created");
    // Deleted without a key: the item's recorded address identifies it.
    let _ = said(&home, "http::delete(\"https://api.web.sandbox/items/2\")");
    assert_eq!(outcome(KEYED), "created");
    assert_eq!(made(&home.snapshot()), (3, 1));
}

#[test]
fn a_failed_or_unrelated_delete_keeps_the_ledger_entry() {
    let home = Home::new();
    assert_eq!(said(&home, KEYED)["outcome"], "created");
    // The lookup finds it: the address is wrong.
    let _ = run(&home, &deletes(9, BY_KEY), "").ended(7).said(&["not_found"]);
    let _ = said(&home, "http::delete(\"https://api.web.sandbox/items/9\")");
    let _ = said(
        &home,
        "http::delete(\"https://api.web.sandbox/anything/A-17\", #{key: \"A-17\", probe: || ()})",
    );
    assert_eq!(said(&home, KEYED)["outcome"], "unchanged");
    assert_eq!(made(&home.snapshot()), (1, 1));
    let _ = run(&home, &deletes(1, "probe: probe"), "")
        .ended(1)
        .said(&["`probe` needs a non-empty `key`"]);
}

#[test]
fn a_lost_response_to_a_keyed_delete_is_looked_up() {
    for (fault, deleted) in [
        ("drop-after", 1),
        ("500-after", 1),
        ("drop-before", 1),
        ("500", 1),
    ] {
        let home = Home::new();
        let _ = said(&home, KEYED);
        let ran = run(
            &home,
            &deletes(1, BY_KEY),
            &format!("--fault web-items-delete:{fault}:x1"),
        )
        .ended(0);
        assert!(ran.stdout.contains("deleted"), "{fault}: {}", ran.stdout);
        assert_eq!(home.snapshot().web.totals.deleted, deleted, "{fault}");
        assert_eq!(said(&home, KEYED)["outcome"], "created", "{fault}");
    }
}

#[test]
fn a_probe_may_only_read_and_must_return_a_map_or_unit() {
    let home = Home::new();
    let url = "https://api.web.sandbox/items";
    let script = |probe: &str| {
        format!("http::post(\"{url}\", #{{json: #{{reference: \"X\"}}, key: \"X\", probe: {probe}}}).outcome")
    };
    let refused = |probe: &str, code: i32, says: &[&str]| {
        let _ = run(&home, &script(probe), "").ended(code).said(says);
    };
    refused(&format!("|key| http::delete(\"{url}/1\")"), 5, &["may only read"]);
    refused("|key| key.nonsense()", 1, &["the function failed"]);
    refused("|key| throw `no: ${key}`", 1, &["no: X"]);
    refused("\"x\"", 1, &["must be function"]);
    refused(
        &format!("|key| http::get(\"{url}/../status/500\")"),
        6,
        &["answered with 500"],
    );
    for (probe, what) in [
        ("|key| false", "a bool"),
        ("|key| 5", "an int"),
        ("|key| []", "a list"),
        ("|key| \"\"", "a string"),
    ] {
        refused(probe, 1, &["must return the object as a map", what]);
    }
    for probe in ["|a, b| ()", "|a, b, c| ()"] {
        refused(
            probe,
            1,
            &["`probe` is called with 1 value", "takes more parameters"],
        );
    }
    assert_eq!(home.snapshot().web.totals.created, 0, "nothing was sent");
    // A 404 response means absent, and a function may have no parameters.
    let answer = said(&home, &script(&format!("|| http::get(\"{url}/99\")")));
    assert_eq!(answer["result"], "created");
    for (options, says) in [
        ("timeout: \"-5s\"", "must be a duration that is not negative"),
        ("timeout: -5", "must be a duration that is not negative"),
        ("timeout: \"0s\"", "from 1ms to 24h"),
        ("timeout: \"9 days\"", "from 1ms to 24h"),
        ("timeout: true", "must be duration, not a bool"),
        ("headers: #{\"X-A\\r\\nX-B\": \"1\"}", "`X-A\\r\\nX-B`"),
        ("headers: #{\"\": \"1\"}", "`` is not a valid header name"),
    ] {
        let call = format!("http::get(\"{url}\", #{{{options}}})");
        let _ = run(&home, &call, "").ended(1).said(&[says]);
    }
    let keyless = format!("http::post(\"{url}\", #{{json: 1, probe: |key| ()}})");
    let _ = run(&home, &keyless, "")
        .ended(1)
        .said(&["`probe` needs a non-empty `key`"]);
}

#[test]
fn a_probe_sees_script_variables_and_its_reads_are_not_journaled() {
    let home = Home::new();
    let script = r#"
        const BASE = "https://api.web.sandbox";
        fn found(key, items) {
            let all = http::get(items, #{ query: #{ reference: key } }).body;
            if all.total == 0 { () } else { all.items[0] }
        }
        let items = "https://api.web.sandbox/items";
        let seen = 0;
        let made = http::post(items, #{ json: #{ reference: "Z" }, key: "Z", probe: |key| { seen += 1; found(key, items) } });
        #{ id: made.body.id, seen: seen }
    "#;
    let row = said(&home, script);
    assert_eq!(row["id"], 1, "{row}");
    let id = home.newest();
    let steps = home.json(&format!("runs steps {id} --json"));
    assert_eq!(steps["steps"].as_array().unwrap().len(), 1, "{steps}");
}

#[test]
fn urls_outside_the_sandbox_or_with_credentials_are_refused() {
    let home = Home::new();
    let refused = |script: &str, says: &[&str]| {
        let _ = run(&home, script, "").ended(5).said(says);
    };
    refused("http::get(\"https://example.com/\")", &["only sandbox hosts"]);
    refused("http::get(\"https://ann:hunter2@api.web.sandbox/\")", &["basic"]);
    refused("http::get(\"ftp://api.web.sandbox/\")", &["https://"]);
    home.write("plain.rhai", "http::get(\"http://example.com/\")");
    let _ = home.run("run plain.rhai").ended(5).said(&["plain http"]);
    home.write("outside.rhai", "http::get(\"https://api.web.sandbox/text\")");
    let _ = home.run("run outside.rhai").ended(5).said(&["--sandbox"]);
}

#[test]
fn a_read_only_profile_lets_reads_pass_and_nothing_else() {
    let home = Home::new();
    std::fs::create_dir_all(home.provisor().join("config")).unwrap();
    let config = "[profiles.sandbox]\nmode = \"read-only\"\n";
    std::fs::write(home.provisor().join("config/config.toml"), config).unwrap();
    let _ = run(&home, PLAIN, "").ended(5).said(&["read-only"]);
    let _ = run(&home, KEYED, "").ended(5).said(&["read-only"]);
    assert_eq!(home.snapshot().web.totals.created, 0);
    let _ = run(
        &home,
        "http::request(\"get\", \"https://api.web.sandbox/items\").body.total",
        "",
    )
    .ended(0);
}

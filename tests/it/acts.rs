//! Acts, which cannot be looked up, are remembered per row.

use crate::support::{Home, Ran, csv};

const SMS: &str = r#"
fn main(phone) {
    let sent = sparrow::connect().send_sms(#{ sender: "Bakery", recipients: phone, text: "Fresh bread", MORE });
    #{ message: sent.id, outcome: sent.outcome }
}
"#;

const ORDER: &str = r#"
fn main(reference) {
    let order = http::post("https://api.web.sandbox/items", #{ json: #{ name: reference }, MORE });
    #{ order: order.body.id }
}
"#;

/// Two phones.
const PHONES: &str = "phone\n+4915112345001\n+4915112345002\n";

fn sms(home: &Home, more: &str, words: &str) -> Ran {
    home.write("sms.rhai", &SMS.replace("MORE", more));
    home.run(&format!(
        "run sms.rhai --sandbox --rows rows.csv --jobs 1 {words}"
    ))
}

fn order(home: &Home, more: &str, words: &str) -> Ran {
    home.write("order.rhai", &ORDER.replace("MORE", more));
    home.run(&format!(
        "run order.rhai --sandbox --rows rows.csv --jobs 1 {words}"
    ))
}

fn messages(home: &Home) -> usize {
    home.snapshot().sparrow.batches.len()
}

fn items(home: &Home) -> u64 {
    home.snapshot().web.totals.created
}

#[test]
fn the_same_command_sends_messages_only_for_new_rows() {
    let home = Home::new();
    home.write("rows.csv", PHONES);
    let _ = sms(&home, "", "--out first.csv")
        .ended(0)
        .said(&["messages: 2 sent\n"]);
    let _ = sms(&home, "", "--out second.csv")
        .ended(0)
        .said(&["messages: 2 sent earlier"]);
    let (first, second) = (csv(&home.read("first.csv")), csv(&home.read("second.csv")));
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first["message"], second["message"], "what the earlier run got");
        assert_eq!((&*first["outcome"], &*second["outcome"]), ("sent", "unchanged"));
    }
    home.write("rows.csv", &format!("{PHONES}+4915112345003\n"));
    let _ = sms(&home, "", "")
        .ended(0)
        .said(&["messages: 1 sent, 2 sent earlier"]);
    assert_eq!(messages(&home), 3);
    // A different text is a different message.
    let _ = sms(&home, "tag: \"b\"", "")
        .ended(0)
        .said(&["messages: 3 sent\n"]);
}

#[test]
fn a_message_is_repeated_with_again_or_after_remember_expires() {
    let home = Home::new();
    home.write("rows.csv", PHONES);
    let _ = sms(&home, "", "").ended(0);
    let _ = sms(&home, "", "--again").ended(0).said(&["messages: 2 sent\n"]);
    let _ = sms(&home, "remember: \"30d\"", "")
        .ended(0)
        .said(&["2 sent earlier"]);
    let _ = sms(&home, "remember: 0", "")
        .ended(0)
        .said(&["messages: 2 sent\n"]);
    assert_eq!(messages(&home), 6);
    home.write(
        "../provisor/config/config.toml",
        "[profiles.sandbox]\nremember = \"1ms\"\n",
    );
    let _ = sms(&home, "", "").ended(0).said(&["messages: 2 sent\n"]);
    let _ = sms(&home, "remember: \"30d\"", "")
        .ended(0)
        .said(&["2 sent earlier"]);
}

#[test]
fn an_act_in_doubt_is_refused_until_it_is_resolved() {
    let home = Home::new();
    home.write("rows.csv", PHONES);
    let _ = sms(&home, "", "--fault sparrow-sms:drop-after:x1").ended(10);
    let first = home.newest();
    for words in ["", "--again"] {
        let _ = sms(&home, "", words).ended(10).said(&[
            &format!("run {first} has left the same act in doubt"),
            &format!("provisor runs show {first}"),
        ]);
    }
    assert_eq!(messages(&home), 3, "--again has sent the other row's once more");
    let step = home.json(&format!("runs steps {first} --open --json"));
    let key = step["steps"][0]["step"].as_str().unwrap();
    home.write("sent.json", "{\"id\": \"m-1\"}");
    let _ = home
        .run(&format!(
            "resolve {first} {key} --as done --value sent.json --yes"
        ))
        .ended(0);
    let _ = sms(&home, "", "--out results.csv")
        .ended(0)
        .said(&["messages: 2 sent earlier"]);
    let results = csv(&home.read("results.csv"));
    assert_eq!(results[0]["message"], "m-1");
    assert_eq!(messages(&home), 3);
}

#[test]
fn repeating_an_unkeyed_request_fails_the_row_without_again() {
    let home = Home::new();
    home.write("rows.csv", "reference\nA-1\n");
    let _ = order(&home, "", "").ended(0);
    let first = home.newest();
    // It is the same request, however its response is awaited.
    let _ = order(&home, "check: true, timeout: \"20s\"", "").ended(8).said(&[
        &format!("run {first} already sent the same `http::post` for this row"),
        "--again",
    ]);
    assert_eq!(items(&home), 1);
    let id = home.newest();
    let _ = home.run(&format!("resume {id} --retry-failed")).ended(8);
    let next = |again: &str| {
        let plan = home.json(&format!("resume {id} --retry-failed {again} --plan --json"));
        (
            plan["rows"][0]["then"].clone(),
            plan["rows"][0]["next"]["how"].clone(),
        )
    };
    assert_eq!(next(""), ("fails".into(), serde_json::Value::Null));
    assert_eq!(next("--again"), ("acts".into(), "send".into()));
    let _ = home.run(&format!("resume {id} --retry-failed --again")).ended(0);
    assert_eq!(items(&home), 2);
    let _ = order(&home, "", "--again").ended(0);
    assert_eq!(items(&home), 3);
    // It changes nothing, so it may be repeated any number of times.
    let _ = order(&home, "reads: true", "").ended(0);
    let _ = order(&home, "reads: true", "").ended(0);
}

#[test]
fn a_request_that_was_refused_may_be_made_again() {
    let home = Home::new();
    home.write("rows.csv", "reference\nA-1\n");
    home.write(
        "refused.rhai",
        "fn main(reference) { #{ status: http::post(\"https://api.web.sandbox/status/403\").status } }",
    );
    for _ in 0..2 {
        let _ = home.run("run refused.rhai --sandbox --rows rows.csv").ended(0);
    }
}

#[test]
fn single_runs_repeat_requests_but_a_key_makes_them_idempotent() {
    let home = Home::new();
    home.write("order.rhai", &ORDER.replace("MORE", ""));
    for _ in 0..2 {
        let _ = home.run("run order.rhai --sandbox --reference A-1").ended(0);
    }
    assert_eq!(items(&home), 2);

    let keyed = |name: &str| {
        let script = ORDER.replace("MORE", "key: \"order-1\"").replace(
            "#{ order: order.body.id }",
            "#{ order: order.body.id, outcome: order.outcome }",
        );
        home.write(name, &script);
        let ran = home.run(&format!("run {name} --sandbox --json --reference A-1"));
        serde_json::from_str::<serde_json::Value>(&ran.ended(0).stdout).unwrap()
    };
    let (first, second) = (keyed("one.rhai"), keyed("two.rhai"));
    assert_eq!(
        (&first["outcome"], &second["outcome"]),
        (&"created".into(), &"unchanged".into())
    );
    assert_eq!(first["order"], second["order"]);
    let _ = home
        .run("run one.rhai --sandbox --again --reference other")
        .ended(7)
        .said(&[
            "`order-1` was already used for a different request",
            "already_exists",
        ]);
    assert_eq!(items(&home), 3);

    let welcome = SMS.replace("MORE", "key: \"welcome\"");
    home.write("sms.rhai", &welcome);
    for _ in 0..2 {
        let _ = home.run("run sms.rhai --sandbox --phone +4915112345001").ended(0);
    }
    home.write("sms.rhai", &welcome.replace("Fresh", "Stale"));
    let _ = home
        .run("run sms.rhai --sandbox --phone +4915112345001")
        .ended(7)
        .said(&[
            "`welcome` was already used for a different request",
            "already_exists",
        ]);
    assert_eq!(messages(&home), 1);
}

#[test]
fn results_used_as_input_skip_rows_completed_by_an_earlier_run() {
    let home = Home::new();
    home.write("rows.csv", "reference,note\nA-1,\nbad,\nA-2,\n");
    let script = "fn main(reference) {\n    if reference == \"bad\" { throw \"bad\"; }\n    #{ id: http::post(\"https://api.web.sandbox/items\", #{ json: #{ name: reference } }).body.id }\n}\n";
    home.write("work.rhai", script);
    let _ = home
        .run("run work.rhai --sandbox --rows rows.csv --out results.csv")
        .ended(8);
    assert_eq!(items(&home), 2);
    let mended = home.read("results.csv").replace("bad,", "A-3,");
    home.write("mended.csv", &mended);
    let ran = home
        .run("run work.rhai --sandbox --rows mended.csv --out second.csv")
        .ended(0);
    let _ = ran.said(&["left out: 2 rows that an earlier run completed", "1 row: 1 done"]);
    assert_eq!(items(&home), 3);
    assert_eq!(csv(&home.read("second.csv")).len(), 1);

    // Nor does this run, on another account.
    home.configure(
        "[profiles.other]\nplatform = \"web\"\nurl = \"https://x.example\"\nmode = \"read-only\"\n",
    );
    let ran = home
        .run("run work.rhai --profile other --rows second.csv")
        .ended(8);
    let _ = ran.said(&["1 row: 1 failed", "is in the sandbox"]);

    // Another workflow has done none of them.
    home.write("other.rhai", script);
    let ran = home.run("run other.rhai --sandbox --rows mended.csv").ended(0);
    assert!(!ran.stderr.contains("left out"), "{}", ran.stderr);
    assert_eq!(items(&home), 6);
}

/// A rate limit that counts requests it has let through: the response is 429, and the item exists.
#[test]
fn a_request_without_a_probe_is_not_retried_after_429() {
    let home = Home::new();
    for (made, (more, exit)) in (1..).zip([("", 0), ("check: true", 7), ("key: \"a\"", 7)]) {
        let script = ORDER
            .replace("MORE", more)
            .replace("order.body.id", "order.status");
        home.write("work.rhai", &script);
        let fault = "--fault web-items-post:429-after:x9";
        let ran = home.run(&format!("run work.rhai --sandbox --reference A-1 {fault}"));
        assert_eq!(ran.code, exit, "{more}: {}", ran.stderr);
        assert_eq!(items(&home), made, "{more}");
    }
}

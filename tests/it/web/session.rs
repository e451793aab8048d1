//! A request with a key that was typed at the prompt: its lookup is lost with the session, and a person settles it.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Home, signal, wait_until};

const TYPED: &str = r#"let items = "https://api.web.sandbox/items";
http::post(items, #{json: #{reference: "A-17"}, key: "A-17", probe: |key| { let all = http::get(items).body.items; if all.is_empty() { () } else { all[0] } }});
"#;

#[test]
fn a_keyed_request_of_a_killed_session_is_resolved_by_hand() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox", "--fault", "web-items-post:hang-after:x1"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(TYPED.as_bytes()).unwrap();
    wait_until("the item is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| snapshot.web.totals.created == 1)
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    drop(stdin);
    let id = home.newest();
    for _ in 0..2 {
        let _ = home.run("resume").ended(10).said(&[
            "http::post of input 2 stays in doubt",
            "a function of the session, which is gone",
            "`A-17`",
            "https://api.web.sandbox/items",
            &format!("provisor resolve {id} "),
        ]);
    }
    home.write(
        "item.json",
        r#"{"status": 201, "headers": {}, "body": {"id": 1}, "outcome": "created"}"#,
    );
    let _ = home
        .run(&format!("resolve {id} A-17 --as done --value item.json --yes"))
        .ended(0);
    let _ = home.run("resume").ended(0).said(&["is closed"]);
    assert_eq!(home.snapshot().web.totals.created, 1, "nothing was sent again");
}

const BOTH: &str = r#"let items = "https://api.web.sandbox/items";
let there = |key| { let all = http::get(items, #{query: #{reference: key}}).body.items; if all.is_empty() { () } else { all[0] } };
{ http::post("https://api.web.sandbox/anything", #{json: 1, key: "B-1", probe: |key| ()}); http::post(items, #{json: #{reference: "B-2"}, key: "B-2", probe: there}); }
"#;

#[test]
fn only_the_keyed_call_in_doubt_of_an_input_is_reported() {
    let home = Home::new();
    let mut command = home.command(["repl", "--sandbox", "--fault", "web-items-post:hang-after:x1"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(BOTH.as_bytes()).unwrap();
    wait_until("the second one is there", || {
        let status = provisor::sandbox::status(&home.sandbox());
        status.is_ok_and(|status| {
            status
                .snapshot
                .map(crate::support::Books::from)
                .is_some_and(|snapshot| snapshot.web.totals.created == 1)
        })
    });
    signal(child.id(), "KILL");
    let _ = child.wait();
    drop(stdin);
    let ran = home.run("resume").ended(10).said(&["`B-2`"]);
    assert!(!ran.stderr.contains("`B-1`"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("stays in doubt").count(), 1, "{}", ran.stderr);
}

#[test]
fn the_run_summary_counts_items_created_under_a_key() {
    let home = Home::new();
    home.write("rows.csv", "reference\nA-1\nA-2\nA-1\n");
    home.write(
        "keyed.rhai",
        r#"fn main(reference) {
            let items = "https://api.web.sandbox/items";
            let found = |key| { let all = http::get(items, #{query: #{reference: key}}).body.items; if all.is_empty() { () } else { all[0] } };
            #{outcome: http::post(items, #{json: #{reference: reference}, key: reference, probe: found}).outcome}
        }"#,
    );
    let ran = home
        .run("run keyed.rhai --sandbox --rows rows.csv --jobs 1")
        .ended(0);
    let _ = ran.said(&["keyed items: 2 created, 1 unchanged"]);
}

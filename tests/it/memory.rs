//! A script that exceeds its memory limit is stopped, and nothing else is.

use crate::support::{Home, clients, script};

#[test]
fn exceeding_the_memory_limit_stops_the_script_with_its_position() {
    let home = Home::new();
    for (script, place) in [
        ("let s = \"x\";\nloop { s += s }", "m.rhai:2:"),
        ("let a = [1];\nloop { a += a }", "m.rhai:2:"),
        ("let a = [];\nloop { a.push(1) }", "m.rhai:2:"),
        (
            "let m = #{};\nlet n = 0;\nloop { n += 1; m[`k${n}`] = n }",
            "m.rhai:3:",
        ),
        ("fn main() {\n  let s = \"x\";\n  loop { s += s }\n}", "m.rhai:1:"),
        (
            "fn longer(s) { s + s }\nfn main() {\n  let s = \"x\";\n  loop { s = longer(s) }\n}",
            "m.rhai",
        ),
        // The error cannot be caught.
        (
            "let s = \"x\";\nfor i in 0..99 { try { [1].map(|x| { loop { s += s } }) } catch {} }",
            "m.rhai:2:",
        ),
    ] {
        home.write("m.rhai", script);
        let ran = home.run("run m.rhai --max-memory 8M").ended(1);
        let ran = ran.said(&[
            "exceeds its memory limit",
            "8 MiB are allowed",
            "--max-memory 4G",
            "provisor explain out_of_memory",
        ]);
        assert!(ran.stderr.contains(place), "{script}\n{}", ran.stderr);
    }
    let _ = home.run("explain out_of_memory").ended(0);
}

#[test]
fn a_script_within_the_memory_limit_runs_and_sizes_are_validated() {
    let home = Home::new();
    home.write(
        "m.rhai",
        "let a = [];\nfor i in 0..200000 { a.push(i) }\nfor i in 0..30 { let b = a; b[0] = 1; }\na.len()",
    );
    let _ = home.run("run m.rhai --max-memory 32M").ended(0);
    let _ = home.run("run m.rhai --max-memory 1M").ended(1);
    let _ = home.run("run m.rhai --max-memory none").ended(0);
    let _ = home
        .run("run m.rhai --max-memory 1.5G")
        .ended(2)
        .said(&["512M or 2G"]);
}

#[test]
fn a_row_over_the_memory_limit_fails_alone_and_can_be_retried() {
    let home = Home::new();
    home.write(
        "m.rhai",
        "/// @param n int\nfn main(n) { let s = \"x\"; while s.len() < n { s += s } #{ len: s.len() } }",
    );
    home.write("x.csv", "n\n8\n16000000\n8\n8\n");
    let ran = home.run("run m.rhai --rows x.csv --out out.csv --jobs 1 --max-memory 8M");
    let _ = ran.ended(8).said(&[
        "4 rows: 3 done, 1 failed",
        "row 2 failed: the script exceeds its memory limit",
    ]);
    let again = home.run("resume --retry-failed --max-memory 512M").ended(0);
    let _ = again.said(&["4 rows: 4 done (3 before, 1 now)"]);
}

#[test]
fn rows_concurrent_with_one_over_the_memory_limit_finish() {
    let home = Home::new();
    home.write(
        "m.rhai",
        "/// @param kind string\nfn main(kind) {\n    if kind == \"hungry\" { let s = \"x\"; loop { s += s } }\n    \
         let n = 0;\n    while n < 300000 { n += 1 }\n    n\n}",
    );
    home.write(
        "rows.csv",
        "kind\nmodest\nhungry\nhungry\nhungry\nmodest\nhungry\n",
    );
    let ran = home.run("run m.rhai --rows rows.csv --jobs 3 --max-memory 16M");
    let _ = ran
        .ended(8)
        .said(&["2 done", "4 failed", "exceeds its memory limit"]);
}

#[test]
fn the_process_survives_when_all_rows_exceed_the_memory_limit() {
    let home = Home::new();
    home.write("m.rhai", "fn main(n) { let s = \"x\"; loop { s += s } }");
    let rows: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    home.write("rows.csv", &format!("n\n{}\n", rows.join("\n")));
    let ran = home.run("run m.rhai --rows rows.csv --jobs 3 --max-memory 24M");
    let _ = ran.ended(8).said(&["60 failed"]);
}

#[test]
fn requests_sent_before_exceeding_the_memory_limit_are_not_repeated() {
    let home = Home::new();
    // What is posted depends on what was read, which is another when it is read again.
    home.write(
        "m.rhai",
        "/// @param kind string\nfn main(kind) {\n    let items = \"https://api.web.sandbox/items\";\n    \
         let seen = http::get(items).body.total;\n    http::post(items, #{json: #{kind: kind, seen: seen}});\n    \
         if kind == \"hungry\" { let s = \"x\"; loop { s += s } }\n    \
         let n = 0;\n    while n < 300000 { n += 1 }\n    n\n}",
    );
    home.write(
        "rows.csv",
        "kind\nmodest\nhungry\nhungry\nhungry\nmodest\nhungry\n",
    );
    let ran = home.run("run m.rhai --sandbox --rows rows.csv --jobs 3 --max-memory 24M");
    let _ = ran.ended(8).said(&["2 done", "4 failed"]);
    assert_eq!(home.snapshot().web.totals.created, 6);
}

#[test]
fn stop_after_counts_rows_that_exceed_the_memory_limit() {
    let home = Home::new();
    home.write(
        "m.rhai",
        "fn main(n) { http::post(\"https://api.web.sandbox/items\", #{json: #{n: n}}); let s = \"x\"; loop { s += s } }",
    );
    let rows: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    home.write("rows.csv", &format!("n\n{}\n", rows.join("\n")));
    let ran = home.run("run m.rhai --sandbox --rows rows.csv --jobs 3 --max-memory 24M --stop-after 1");
    let run = home.json(&format!("runs show {} --json", home.newest()));
    let failed = run["run"]["rows"]["failed"].as_u64().unwrap();
    assert!((1..=6).contains(&failed), "{failed}: {}", ran.stderr);
    let created = home.snapshot().web.totals.created;
    assert!((1..=12).contains(&created), "the others did not begin: {created}");
}

#[test]
fn a_repl_input_over_the_memory_limit_fails() {
    let home = Home::new();
    let input = "let s = \"x\"\nloop { s += s }\n";
    let ran = home
        .run_with_input("repl --sandbox --max-memory 8M", input)
        .ended(1);
    let _ = ran.said(&["exceeds its memory limit"]);
}

#[test]
fn the_journal_wal_is_checkpointed_when_the_run_ends() {
    let home = Home::new();
    home.write("clients.csv", &clients(200));
    let onboard = script("onboard.rhai");
    let words = format!("run {onboard} --sandbox --rows clients.csv --out out.csv --jobs 16");
    let _ = home.run(&words).ended(0);
    let log = std::fs::metadata(home.provisor().join("state/journal.db-wal")).map_or(0, |log| log.len());
    assert!(log <= 512 * 1024, "the log was not folded in: {log} bytes");
}

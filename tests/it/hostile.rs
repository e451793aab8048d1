//! Scripts that try to crash the process: each is rejected or fails alone, and the rows after it succeed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::{Home, Talking, csv, wait_until};

/// A text of 1 MB in `s`, and a list in `a` that contains it a thousand times.
const SHARED: &str = "let s = \"\"; s.pad(1000000, 'x'); let a = []; a.pad(1000, s);";

/// The messages for a script that exceeds its memory limit, one with too deeply nested values, and one with too deeply
/// nested calls.
const MEMORY: &str = "exceeds its memory limit";
const DEEP: &str = "levels deep";
const CALLS: &str = "call each other too deeply";

/// Functions by name, their bodies, and the row's expected error, empty if it succeeds. `SHARED` stands for the above.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "pad_text",
        "let s = \"\"; s.pad(16000000, \"\\U0001F600\"); s.len()",
        MEMORY,
    ),
    (
        "pad_by_text",
        "let s = \"\"; s.pad(10000, 'a'); let t = \"\"; loop { t.pad(t.len() + 1000000, s) }",
        MEMORY,
    ),
    ("pad_list", "let a = []; a.pad(16000000, 1); a.len()", MEMORY),
    (
        "pad_lists",
        "let a = []; a.pad(1000, 1); let b = []; b.pad(10000000, a); b.len()",
        MEMORY,
    ),
    (
        "pad_maps",
        "let b = []; b.pad(1000000, #{ a: 1, b: #{ c: 2 } }); b.len()",
        MEMORY,
    ),
    (
        "pad_blobs",
        "let b = []; b.pad(1000, blob(1000000)); b.len()",
        MEMORY,
    ),
    (
        "pad_too_far",
        "let s = \"\"; s.pad(99999999999, 'x'); s",
        "more than one call may create",
    ),
    (
        "blob_too_large",
        "blob(99999999999)",
        "more than one call may create",
    ),
    (
        "blob_doubling",
        "let b = blob(1000); loop { b.append(b) }",
        MEMORY,
    ),
    (
        "replace",
        "let s = \"\"; s.pad(100000, 'a'); let t = \"\"; t.pad(10000, 'b'); s.replace(\"a\", t); s",
        MEMORY,
    ),
    (
        "replace_char",
        "let s = \"\"; s.pad(100000, 'a'); let t = \"\"; t.pad(10000, 'b'); s.replace('a', t); s",
        MEMORY,
    ),
    (
        "split",
        "let s = \"\"; s.pad(1000000, ','); s.split(\",\").len()",
        MEMORY,
    ),
    (
        "split_char",
        "let s = \"\"; s.pad(1000000, ','); s.split(',', 900000).len()",
        MEMORY,
    ),
    (
        "split_rev",
        "let s = \"\"; s.pad(1000000, ','); s.split_rev(\",\").len()",
        MEMORY,
    ),
    (
        "split_words",
        "let s = \"\"; s.pad(1000000, \"a \"); s.split().len()",
        MEMORY,
    ),
    (
        "to_chars",
        "let s = \"\"; s.pad(1000000, 'x'); s.to_chars().len()",
        MEMORY,
    ),
    ("blob_to_array", "blob(10000000).to_array().len()", MEMORY),
    (
        "json_of_lists",
        "let s = \"[[]\"; s.pad(1000000, \",[]\"); parse_json(s + \"]\").len()",
        MEMORY,
    ),
    (
        "json_of_maps",
        "let s = \"[{}\"; s.pad(300000, \",{}\"); parse_json(s + \"]\").len()",
        MEMORY,
    ),
    (
        "json_deep",
        "let s = \"\"; s.pad(100000, '['); parse_json(s)",
        "recursion limit",
    ),
    ("to_string", "SHARED a.to_string().len()", MEMORY),
    ("to_debug", "SHARED a.to_debug().len()", MEMORY),
    ("joined", "SHARED (\"\" + a).len()", MEMORY),
    ("interpolated", "SHARED `${a}`.len()", MEMORY),
    ("printed", "SHARED print(a)", MEMORY),
    ("debugged", "SHARED debug(a)", MEMORY),
    ("to_json", "SHARED #{ a: a }.to_json().len()", MEMORY),
    ("returned", "SHARED a", MEMORY),
    ("exited", "SHARED exit(a)", MEMORY),
    ("thrown", "SHARED throw a", "cannot be shown"),
    (
        "sent",
        "SHARED http::post(\"http://127.0.0.1:9/\", #{ json: a })",
        MEMORY,
    ),
    (
        "sent_as_form",
        "SHARED http::post(\"http://127.0.0.1:9/\", #{ form: #{ a: a } })",
        MEMORY,
    ),
    (
        "sent_and_caught",
        "SHARED try { http::post(\"http://127.0.0.1:9/\", #{ json: a }) } catch { } 5",
        MEMORY,
    ),
    ("text_doubling", "let s = \"x\"; loop { s += s }", MEMORY),
    ("list_doubling", "let a = [1]; loop { a += a }", MEMORY),
    ("list_joining", "let a = [1]; loop { a = a + a }", MEMORY),
    (
        "list_growing",
        "let a = []; a.pad(800000, 1); loop { a.push(1) }",
        MEMORY,
    ),
    (
        "map_growing",
        "let s = \"\"; s.pad(10000, 'x'); let m = #{}; let n = 0; loop { n += 1; m[`k${n}`] = s + n }",
        MEMORY,
    ),
    (
        "captured",
        "let a = [1]; let f = || { a += a; a.len() }; loop { f.call() }",
        MEMORY,
    ),
    (
        "caught",
        "for i in 0..99 { try { [1].map(|x| { let s = \"x\"; loop { s += s } }) } catch { } }",
        MEMORY,
    ),
    (
        "attempted",
        "loop { attempt(|| { let s = \"x\"; loop { s += s } }); }",
        MEMORY,
    ),
    (
        "nested_lists",
        "let x = []; loop { let y = []; y.push(x.drain(0..x.len())); x = y; }",
        DEEP,
    ),
    ("nested_literals", "let x = []; loop { x = [x] }", DEEP),
    ("nested_maps", "let x = #{}; loop { x = #{ a: x } }", DEEP),
    (
        "nested_by_index",
        "let x = [0]; loop { let y = [0]; y[0] = x; x = y }",
        DEEP,
    ),
    (
        "nested_by_reduce",
        "[1].reduce(|sum, x| { loop { sum = [sum] } }, [])",
        DEEP,
    ),
    (
        "nested_curry",
        "let g = |a| a; let f = g; loop { f = g.curry(f) }",
        DEEP,
    ),
    (
        "nested_captures",
        "let f = || 0; loop { let g = f; f = || g; }",
        DEEP,
    ),
    (
        "nested_errors",
        "let e = 0; for i in 0..900 { e = #{ inner: e } } loop { try { throw #{ inner: e } } catch (caught) { e = caught } }",
        DEEP,
    ),
    (
        "nested_and_caught",
        "try { [1].map(|i| { let x = []; loop { x = [x] } }) } catch { } 5",
        DEEP,
    ),
    (
        "deep_compared",
        "let x = 1; for i in 0..900 { x = [x] } let y = x; if x == y { 1 }",
        "",
    ),
    (
        "deep_returned",
        "let x = 1; for i in 0..900 { x = [x] } x",
        "nested too deeply",
    ),
    (
        "deep_printed",
        "let x = 1; for i in 0..900 { x = [x] } print(x)",
        "",
    ),
    (
        "deep_sent",
        "let x = 1; for i in 0..900 { x = [x] } http::post(\"http://127.0.0.1:9/\", #{ json: x })",
        "nested too deeply",
    ),
    (
        "circle",
        "let a = []; let f = || a; a.push(f); a",
        "used while it is being changed",
    ),
    (
        "circle_printed",
        "let a = []; let f = || a; a.push(f); print(a); 1",
        "",
    ),
    ("calls", "fn f(n) { f(n + 1) } f(0)", CALLS),
    ("calls_in_brackets", "fn f(n) { BRACKETS } f(0)", CALLS),
    (
        "calls_in_turn",
        "fn f(n) { g(n) } fn g(n) { h(n) } fn h(n) { f(n) } f(0)",
        CALLS,
    ),
    (
        "calls_of_itself",
        "let f = |g, n| g.call(g, n + 1); f.call(f, 0)",
        "",
    ),
    ("calls_in_map", "fn f(n) { [n].map(|x| f(x + 1)) } f(0)", ""),
    (
        "calls_in_sort",
        "fn f(n) { let a = [2, 1]; a.sort(|x, y| f(n)); a } f(0)",
        "",
    ),
    (
        "constant_changed",
        "const M = #{ a: 1 }; M.a = 5",
        "cannot modify constant",
    ),
    (
        "used_while_changed",
        "let xs = [1, 2]; xs.map(|x| x + xs.len())",
        "used while it is being changed",
    ),
];

/// Texts that are not scripts, and their errors.
fn unreadable() -> Vec<(&'static str, String, &'static str)> {
    let many = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(50_000), close.repeat(50_000))
    };
    vec![
        ("brackets", many("(", "1", ")"), "complexity"),
        ("lists", many("[", "1", "]"), "complexity"),
        ("maps", many("#{a:", "1", "}"), "complexity"),
        ("blocks", many("{", "1", "}"), "complexity"),
        ("ifs", many("if true {", "1", "}"), "complexity"),
        ("closures", many("|x| ", "1", ""), ""),
        ("minuses", many("-", "1", ""), ""),
        ("nots", many("!", "true", ""), ""),
        ("texts", many("`${", "1", "}`"), ""),
        ("unclosed", "\"".repeat(99_999), ""),
        ("comments", many("/*", "", ""), ""),
    ]
}

/// Runs all of them, `jobs` at once, each followed by a harmless row. Returns the pairs of results.
fn carried_out(jobs: u8) -> Vec<[BTreeMap<String, String>; 2]> {
    let home = Home::new();
    let brackets = format!("{}f(n + 1){}", "(1 + ".repeat(17), ")".repeat(17));
    let (mut imports, mut arms, mut rows) = (String::new(), String::new(), "name\n".to_owned());
    for (name, body, _) in ROWS {
        let body = body.replace("SHARED", SHARED).replace("BRACKETS", &brackets);
        // Functions are put beside the one that calls them.
        let at = body
            .rfind("} ")
            .filter(|_| body.starts_with("fn "))
            .map_or(0, |at| at + 2);
        let (functions, body) = body.split_at(at);
        home.write(
            &format!("hostile/{name}.rhai"),
            &format!("{functions}\nfn work() {{ {body} }}\n"),
        );
        writeln!(imports, "import \"./hostile/{name}\" as {name};").unwrap();
        writeln!(arms, "    if name == \"{name}\" {{ return {name}::work() }}").unwrap();
        write!(rows, "{name}\nwell\n").unwrap();
    }
    home.write(
        "all.rhai",
        &format!("{imports}fn main(name) {{\n{arms}    #{{ result: 1 }}\n}}\n"),
    );
    home.write("rows.csv", &rows);
    let words = format!("run all.rhai --rows rows.csv --out out.csv --jobs {jobs} --max-memory 24M");
    let ran = home.run(&words).ended(8);
    let mut results = csv(&home.read("out.csv")).into_iter();
    let mut pairs = Vec::new();
    while let (Some(hostile), Some(well)) = (results.next(), results.next()) {
        pairs.push([hostile, well]);
    }
    assert_eq!(pairs.len(), ROWS.len(), "{}", ran.stderr);
    for ([hostile, well], (name, _, _)) in pairs.iter().zip(ROWS) {
        assert_eq!(hostile["name"], *name);
        assert_eq!(well["_status"], "done", "beside {name}: {}", well["_error"]);
        assert!(!hostile["_error"].contains("a bug in provisor"), "{name}");
    }
    pairs
}

#[test]
fn each_hostile_script_ends_as_expected_and_the_next_row_succeeds() {
    for ([hostile, _], (name, _, said)) in carried_out(1).iter().zip(ROWS) {
        let error = &hostile["_error"];
        assert!(error.contains(said), "{name}: {error}");
        assert!(said.is_empty() || hostile["_status"] == "failed", "{name}");
    }
}

#[test]
fn no_hostile_script_crashes_the_process_or_a_concurrent_row() {
    for ([hostile, _], (name, _, said)) in carried_out(4).iter().zip(ROWS) {
        // Memory is shared: a script that would fail for another reason may hit the limit first, and one that would hit
        // the limit may succeed when its neighbours free memory.
        let error = &hostile["_error"];
        let is_expected = error.contains(said) || error.contains(MEMORY) || *said == MEMORY;
        assert!(is_expected, "{name}: {error}");
    }
}

#[test]
fn no_deeply_nested_script_crashes_the_parser() {
    let home = Home::new();
    for (name, text, said) in unreadable() {
        home.write("bad.rhai", &text);
        let ran = home.run("run bad.rhai");
        assert!(
            [0, 1, 2].contains(&ran.code),
            "{name}: {} {}",
            ran.code,
            ran.stderr
        );
        assert!(ran.stderr.contains(said), "{name}: {}", ran.stderr);
    }
}

#[test]
fn a_row_running_at_crashes_runs_last_and_fails_after_three() {
    let home = Home::new();
    let script = "fn main(n) { if n == \"2\" { print(\"at work\"); while true { } } #{ n: n } }\n";
    home.write("work.rhai", script);
    home.write("rows.csv", "n\n1\n2\n3\n4\n5\n6\n");
    let killed_at_work = |words: &str, see: &dyn Fn()| {
        let mut run = Talking::start(&home, words);
        run.wait_for("at work");
        see();
        let (_, said) = run.stopped_by("KILL");
        said
    };
    let done = || {
        home.json("runs list --json")["runs"][0]["rows"]["done"]
            .as_u64()
            .unwrap()
    };
    let first_is_done = || wait_until("the first row is on record", || done() == 1);
    killed_at_work(
        "run work.rhai --rows rows.csv --out out.csv --jobs 1",
        &first_is_done,
    );
    killed_at_work("resume --jobs 1", &|| {});
    assert_eq!(done(), 1, "the rows behind it wait for it");
    // Now the others come first, and it runs alone.
    killed_at_work("resume --jobs 3", &|| {
        wait_until("the others are done", || done() == 5);
    });
    let ran = home.run("resume").ended(8);
    let ran = ran.said(&[
        "6 rows: 5 done",
        "the process died 3 times while the script of this row was running",
    ]);
    assert!(!ran.stderr.contains("at work\n"), "{}", ran.stderr);
    assert_eq!(csv(&home.read("out.csv"))[1]["_status"], "failed");
    home.write("work.rhai", &script.replace("while true", "while false"));
    let again = home.run("resume --retry-failed --with-current --yes").ended(0);
    let _ = again.said(&["6 rows: 6 done"]);
}

#[test]
fn after_two_crashes_a_row_settles_its_open_step_first() {
    let home = Home::new();
    let script = r#"
        fn item(reference) {
            let items = "https://api.web.sandbox/items";
            http::post(items, #{ json: #{ reference: reference }, key: reference, probe: |key| {
                let found = http::get(items, #{ query: #{ reference: key }, check: true }).body.items;
                if found.is_empty() { () } else { found[0] }
            } })
        }
        fn main(n) {
            if n == "2" { print("at work"); WAITS }
            let made = item("A-" + n);
            #{ first: made.body.id, outcome: made.outcome, second: item("B-" + n).body.id }
        }
    "#;
    let is = |waits: &str| home.write("work.rhai", &script.replace("WAITS", waits));
    is("");
    home.write("rows.csv", "n\n2\n1\n3\n");
    let made = || {
        let status = provisor::sandbox::status(&home.sandbox());
        let snapshot = status
            .ok()
            .and_then(|status| status.snapshot)
            .map(crate::support::Books::from);
        snapshot.map_or(0, |snapshot| snapshot.web.totals.created)
    };
    // The first death: its request is in progress.
    let words =
        "run work.rhai --rows rows.csv --out out.csv --sandbox --jobs 1 --fault web-items-post:hang-after:x1";
    let run = Talking::start(&home, words);
    wait_until("its item is made", || made() == 1);
    let _ = run.stopped_by("KILL");
    // The second: it does not reach its open step.
    is("sleep(3600);");
    let mut run = Talking::start(&home, "resume --with-current --yes --jobs 1");
    run.wait_for("at work");
    let _ = run.stopped_by("KILL");
    assert_eq!(
        made(),
        1,
        "it did not get to its open step, and the other rows wait for it"
    );
    is("");
    let _ = home
        .run("resume --with-current --yes --jobs 3")
        .ended(0)
        .said(&["3 rows: 3 done"]);
    let results = csv(&home.read("out.csv"));
    let of = |column: &str| results[0][column].clone();
    assert_eq!((of("first"), of("outcome")), ("1".to_owned(), "found".to_owned()));
    assert_eq!(of("second"), "6", "it came alone, behind the others");
    assert_eq!(made(), 6);
}

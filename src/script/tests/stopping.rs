//! A script that must stop does, whatever it tries.

use std::time::Instant;

use super::*;

const ATTEMPTS: &[&str] = &[
    "loop { }",
    "while true { }",
    "loop { try { loop { } } catch { } }",
    "loop { try { loop { } } catch (err) { } }",
    "loop { try { [1].map(|x| { loop { } }) } catch (err) { } }",
    "loop { try { [1, 2].filter(|x| { loop { } }) } catch { } }",
    "loop { try { [2, 1].sort(|a, b| { loop { } }) } catch { } }",
    "fn f() { try { loop { } } catch { f() } } f()",
    "loop { attempt(|| { loop { } }); }",
    "let f = |g| { try { loop { } } catch { } }; loop { f.call(f) }",
    "loop { try { [1].for_each(|x| { loop { } }) } catch { } }",
    "try { [1].map(|x| { loop { } }) } catch { } 5",
];

#[test]
fn a_script_cannot_swallow_that_it_is_cancelled() {
    for script in ATTEMPTS {
        let host_operations = Fake::cancelled_after(500);
        let started = Instant::now();
        let ended = call_on(&compile(script), Vec::new(), host_operations);
        assert_eq!(ended, Err(ScriptEnd::Stopped(Stop::Cancelled)), "{script}");
        assert!(started.elapsed().as_millis() < 1_000, "{script}");
    }
}

#[test]
fn an_endless_loop_stops_soon_after_cancellation() {
    let script = compile("loop { try { [1].map(|x| { loop { } }) } catch { } }");
    let host_operations: Arc<Fake> = Arc::default();
    let (ended, waited) = std::thread::scope(|scope| {
        let thread = scope.spawn(|| call_on(&script, Vec::new(), Arc::clone(&host_operations)));
        host_operations.cancelled.store(true, Ordering::Relaxed);
        let signalled = Instant::now();
        (thread.join().unwrap(), signalled.elapsed())
    });
    assert_eq!(ended, Err(ScriptEnd::Stopped(Stop::Cancelled)));
    assert!(waited.as_millis() < 200, "{waited:?}");
}

#[test]
fn a_parked_step_ends_the_row_even_inside_try_catch() {
    let parked = Stop::InDoubt {
        step: "mobsted::create_tenant #1".into(),
        reason: "the answer was lost".into(),
    };
    let scripts = [
        r#"mobsted::connect().create_tenant("parked@example.com")"#,
        r#"try { mobsted::connect().create_tenant("parked@example.com") } catch (e) { act(1) }"#,
        r#"let s = mobsted::connect(); try { [1].map(|x| s.create_tenant("parked@example.com")) } catch { act(1) }"#,
        r#"let s = mobsted::connect(); attempt(|| s.create_tenant("parked@example.com")); act(1)"#,
    ];
    for script in scripts {
        let host_operations: Arc<Fake> = Arc::default();
        let ended = call_on(&compile(script), Vec::new(), Arc::clone(&host_operations));
        assert_eq!(ended, Err(ScriptEnd::Stopped(parked.clone())), "{script}");
        assert_eq!(
            host_operations.asked().len(),
            2,
            "{script}: {:?}",
            host_operations.asked()
        );
    }
}

#[test]
fn a_script_that_finishes_without_cancellation_returns_its_value() {
    let script = compile("1 + 1");
    let host_operations: Arc<Fake> = Arc::default();
    assert_eq!(
        call_on(&script, Vec::new(), Arc::clone(&host_operations)),
        Ok(Value::Int(2))
    );
}

#[test]
fn calls_nest_to_the_same_depth_in_every_build() {
    let deep = |levels: usize| format!("fn f(n) {{ if n == 0 {{ 0 }} else {{ 1 + f(n - 1) }} }} f({levels})");
    assert_eq!(json(&deep(62)), "62");
    let error = failure(&deep(70));
    assert_eq!(error.title, "the functions call each other too deeply");
    // Through closures and `try`, the costliest frames, without exhausting the stack.
    let error = failure("fn f(n) { try { [n].map(|x| f(x + 1)) } catch (e) { throw e; } } f(0)");
    assert_eq!(error.kind, "script_error");
}

#[test]
fn expressions_nest_to_the_same_depth_in_every_build() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(json(&nested(25)), "1");
    assert_eq!(
        syntax_error(&nested(200)).title,
        "expression exceeds maximum complexity"
    );
}

#[test]
fn changing_a_constant_is_an_error_and_not_a_panic() {
    let error = failure("const M = #{ a: 1 }; M.a = 5");
    assert_eq!(error.title, "cannot modify constant M");
}

#[test]
fn one_call_cannot_ask_for_unlimited_memory() {
    for script in [
        "blob(99999999999)",
        "blob(99999999999, 1)",
        "let s = \"\"; s.pad(99999999999, \"x\")",
        "let a = []; a.pad(99999999999, 0)",
        "let s = \"\"; s.pad(99999999999, 'x')",
    ] {
        let error = failure(script);
        assert_eq!(
            error.title, "99999999999 is more than one call may create (16777216)",
            "{script}"
        );
    }
    assert_eq!(
        json("let s = \"ab\"; s.pad(5, '.'); let a = [1]; a.pad(3, 0); [s, a, blob(2).len]"),
        r#"["ab...",[1,0,0],2]"#
    );
}

#[test]
fn a_panic_ends_the_call_and_nothing_else() {
    let script = compile("try { act(\"panic\") } catch { }");
    let ended = call_on(&script, Vec::new(), Arc::default());
    assert_eq!(ended, Err(ScriptEnd::Bug("the door is broken".into())));
    assert_eq!(json("1"), "1");
}

//! `err.kind`, `err.status` and `err.message` in every `catch`, and an error for every misspelt property.

use super::*;

/// Runs `body` in a `try` and returns what the `catch` sees.
fn caught(body: &str) -> String {
    json(&format!(
        "try {{ {body} }} catch (err) {{ return [err.kind, err.status, err.message, err.hint]; }}"
    ))
}

#[test]
fn a_caught_error_has_kind_status_message_and_hint() {
    let script = |message: &str| format!(r#"["script_error",null,"{message}",null]"#);
    assert_eq!(caught("1 / 0"), script("division by zero: 1 / 0"));
    assert_eq!(
        caught("[1][9]"),
        script("array index 9 out of bounds: only 1 element in array")
    );
    assert_eq!(
        caught("let x = nothing_here;"),
        script("variable not found: nothing_here")
    );
    assert_eq!(
        caught("no_such_function(1)"),
        script("function not found: no_such_function (i64)")
    );
    assert_eq!(caught("#{ a: 1 }.b"), script("property not found: b"));
    assert_eq!(caught("#{ a: 1 }[\"b\"]"), script("property not found: b"));
    assert_eq!(caught("throw \"boom\""), r#"["thrown",null,"boom",null]"#);
    assert_eq!(caught("throw 7"), r#"["thrown",null,"7",null]"#);
    assert_eq!(
        caught("throw #{ code: 7 }"),
        r#"["thrown",null,"{\"code\":7}",null]"#
    );
    assert_eq!(
        caught(r#"throw #{ kind: "mine", status: 418, message: "m", hint: "h" }"#),
        r#"["mine",418,"m","h"]"#
    );
    assert_eq!(
        caught(r#"mobsted::connect().create_tenant("taken@example.com")"#),
        r#"["already_exists",409,"taken@example.com is registered already","adopt it with `adopt: true`"]"#
    );
}

#[test]
fn caught_error_properties_work_in_every_catch_position() {
    let places = [
        "fn f() { try { 1 / 0 } catch (e) { return e.kind + e.status; } } f()",
        "let f = || { try { 1 / 0 } catch (e) { return e.kind + e.status; } }; f.call()",
        "[1].map(|x| { try { x / 0 } catch (e) { return e.kind + e.status; } })[0]",
        "try { try { 1 / 0 } catch (a) { throw a; } } catch (b) { return b.kind + b.status; }",
        "try { try { 1 / 0 } catch (a) { throw; } } catch (b) { return b.kind + b.status; }",
        "try { 1 / 0 } catch (a) { try { 2 / 0 } catch (b) { return b.kind + a.status; } }",
        "try { 1 / 0 } catch (a) { let f = || a.kind + a.status; return f.call(); }",
        "let s = `${ { try { 1 / 0 } catch (e) { e.kind + e.status } } }`; return \"script_error\" + s;",
        "if true { switch 1 { _ => { try { 1 / 0 } catch (e) { return e.kind + e.status; } } } }",
        "let e = #{}; try { 1 / 0 } catch (e) { return e.kind + e.status; }",
        "try { 1 / 0 } catch /* a */ (e) // b\n { return e.kind + e.status; }",
        "let s = \"ä\"; let t = `catch (e) {`; try { 1 / 0 } catch (e) {return e.kind + e.status; }",
        "let s = `\ncatch (e) {\n`;\r\ntry { 1 / 0 }\r\ncatch (e) {\r\nreturn e.kind + e.status; }",
        "fn f(m) { m?.x ?? 1 } try { f(#{ y: 1 }) } catch (e) { return e.kind + e.status; }",
        "try { 1 / 0 } catch (e) { let m = #{ e: e }; return m.e.kind + m.e.status; }",
        "try { 1 / 0 } catch (e) { e = 5; try { 2 / 0 } catch (e) { return e.kind + e.status; } }",
        "let o = #{ f: || { try { 1 / 0 } catch (e) { return e.kind + e.status; } } }; o.f()",
        "try {\n 1 / 0 } catch\n (\n e\n )\n {\n return e.kind + e.status; }",
    ];
    for script in places {
        assert_eq!(json(script), r#""script_error""#, "{script}");
    }
}

#[test]
fn a_caught_error_keeps_the_thrown_value() {
    assert_eq!(
        json("try { throw #{ code: 7 } } catch (e) { return [e.code, e.value.code]; }"),
        "[7,7]"
    );
    assert_eq!(
        json("try { throw \"x\" } catch (e) { return [e == \"x\", e != \"x\", \"x\" == e, `${e}!`]; }"),
        r#"[true,false,true,"x!"]"#
    );
    assert_eq!(
        json("try { [][1] } catch (e) { return [e.index, e.length, e.line]; }"),
        "[1,0,1]"
    );
    assert_eq!(json("try { throw [1, 2] } catch (e) { return e.value[1]; }"), "2");
}

#[test]
fn a_mistyped_property_of_an_error_is_an_error() {
    let error = failure("try { 1 / 0 } catch (err) { err.knid }");
    assert_eq!(
        error.summary(),
        "this error has no property `knid` (main.rhai:1:33)"
    );
    assert_eq!(error.hints, ["did you mean `kind`?"]);
}

#[test]
fn a_mistyped_property_of_a_map_is_an_error_and_assigning_a_new_one_is_not() {
    let error = failure("let client = #{ email: \"a\" };\nclient.emial");
    assert_eq!(error.summary(), "the map has no property `emial` (main.rhai:2:8)");
    assert_eq!(error.hints[0], "did you mean `email`?");
    assert_eq!(
        json("let m = #{}; m.a = 1; m.b = #{}; m.b.c = 2; m"),
        r#"{"a":1,"b":{"c":2}}"#
    );
    assert_eq!(
        json("let m = #{ a: 1 }; [m.get_or(\"a\", 2), m.get_or(\"b\", 2), \"b\" in m, \"a\" in m]"),
        "[1,2,false,true]"
    );
}

#[test]
fn attempt_gives_the_same_errors_as_data() {
    assert_eq!(
        json("let r = attempt(|| 1 / 0); [r.ok, r.value, r.error.kind, r.error.status]"),
        r#"[false,null,"script_error",null]"#
    );
    assert_eq!(
        json("let r = attempt(|| 5); [r.ok, r.value, r.error]"),
        "[true,5,null]"
    );
    let operation = r#"let s = mobsted::connect(); let r = attempt(|| s.create_tenant("taken@example.com")); [r.error.kind, r.error.status]"#;
    assert_eq!(json(operation), r#"["already_exists",409]"#);
    assert_eq!(
        json("attempt(|| { try { throw \"x\" } catch (e) { throw e; } }).error.message"),
        r#""x""#
    );
}

#[test]
fn a_rethrown_operation_error_keeps_its_code_status_and_hints() {
    for again in [
        "throw;",
        "throw err;",
        "let e = err; throw e;",
        "try { throw err; } catch (x) { throw x; }",
    ] {
        let error = failure(&format!(
            "try {{\n mobsted::connect().create_tenant(\"taken@example.com\");\n}} catch (err) {{ {again} }}"
        ));
        assert_eq!(error.code, Some(Code::AlreadyExists), "{again}");
        assert_eq!(error.status, Some(409), "{again}");
        assert_eq!(error.hints, ["adopt it with `adopt: true`"], "{again}");
        let place = error.place().unwrap().to_string();
        let known = place == "main.rhai:2:21" || error.notes == ["it first occurred at main.rhai:2:21"];
        assert!(known, "{again}: {place} {:?}", error.notes);
    }
}

#[test]
fn error_positions_are_unchanged_by_code_inserted_into_catch_blocks() {
    let error = failure("try { 1 / 0 } catch (err) { let a = \"ä\"; 2 / 0 }");
    assert_eq!(error.place().unwrap().to_string(), "main.rhai:1:44");
    let error = failure("try { 1/0 } catch (a) { try { 1/0 } catch (b) { 3 / 0 } }");
    assert_eq!(error.place().unwrap().to_string(), "main.rhai:1:51");
}

#[test]
fn error_positions_are_right_with_crlf_and_a_shebang() {
    let error = failure("#!/usr/bin/env provisor\r\n//! x\r\ntry { 1 / 0 } catch (err) { 2 / 0 }\r\n");
    assert_eq!(error.place().unwrap().to_string(), "main.rhai:3:31");
    assert_eq!(error.place().unwrap().text, "try { 1 / 0 } catch (err) { 2 / 0 }");
}

#[test]
fn an_error_can_be_returned_as_data() {
    assert_eq!(
        json("try { throw \"x\" } catch (e) { return e; }"),
        r#"{"hint":null,"kind":"thrown","message":"x","status":null}"#
    );
}

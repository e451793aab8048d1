//! Reports of script failures: the position, the line, a mark, the call chain, and suggested actions.

use super::*;

fn report(text: &str) -> String {
    failure(text).render(false, 100)
}

#[test]
fn an_operation_error_report_shows_line_call_chain_and_hint() {
    insta::assert_snapshot!(report(
        r#"fn main() {
    let session = mobsted::connect();
    make(session, "taken@example.com")
}

fn make(session, email) {
    session.create_tenant(email)
}"#
    ), @r#"
    error: taken@example.com is registered already [already_exists, HTTP 409]
       ╭─[ main.rhai:7:13 ]
       │
     7 │     session.create_tenant(email)
       │             ──────┬──────
       │                   ╰──────── here
       │
       ├─[ main.rhai:3:5 ]
       │
     3 │     make(session, "taken@example.com")
       │     ──┬─
       │       ╰─── in this call to `make`
       │
       │ Help: adopt it with `adopt: true`
    ───╯
    "#);
}

#[test]
fn an_unknown_property_suggests_the_nearest_name() {
    insta::assert_snapshot!(report(
        "let tenant = mobsted::connect().ensure_tenant(\"a@example.com\");\ntenant.pasword"
    ), @r#"
    error: a mobsted::Tenant has no property `pasword`
       ╭─[ main.rhai:2:8 ]
       │
     2 │ tenant.pasword
       │        ───┬───
       │           ╰───── here
       │
       │ Help: did you mean `password`?
    ───╯
    "#);
}

#[test]
fn a_variable_outside_the_function_gets_a_scope_hint() {
    insta::assert_snapshot!(report("let site = \"x\";\nfn f() { site }\nf()"), @r#"
    error: there is no variable `site` here
       ╭─[ main.rhai:2:10 ]
       │
     2 │ fn f() { site }
       │          ──┬─
       │            ╰─── here
       │
       ├─[ main.rhai:3:1 ]
       │
     3 │ f()
       │ ┬
       │ ╰── in this call to `f`
       │
       │ Help: functions cannot see variables outside them; pass it as a parameter, or declare it at the top as `const site` and write `global::site`
    ───╯
    "#);
}

#[test]
fn a_syntax_error_shows_its_line() {
    insta::assert_snapshot!(syntax_error("let a = 1\nlet b = 2;").render(false, 100), @r#"
    error: expecting ';' to terminate this statement
       ╭─[ main.rhai:2:1 ]
       │
     2 │ let b = 2;
       │ ─┬─
       │  ╰─── here
       │
       │ Help: the statement before this place has no `;`
    ───╯
    "#);
}

#[test]
fn an_incomplete_script_is_marked_at_its_end() {
    insta::assert_snapshot!(syntax_error("fn main() {\n  let a = [1,").render(false, 100), @r#"
    error: expecting ']' to end this array literal
       ╭─[ main.rhai:2:14 ]
       │
     2 │   let a = [1,
       │              ┬
       │              ╰── here
    ───╯
    "#);
}

#[test]
fn runtime_errors_come_with_hints() {
    let hint = |script: &str| {
        let error = failure(script);
        [&[error.summary()], error.hints.as_slice()].concat().join(" / ")
    };
    let table = [
        "mobstd::connect()",
        "mobsted::conect()",
        "mobsted::connect(1, 2)",
        "mobsted::connect().create_tenent(\"a\")",
        "mobsted::connect().create_tenant()",
        "mobsted::connect().ensure_tenant(1, 2, 3)",
        "mobsted::connect().connect()",
        "let f = |x| x; f(1)",
        "fn double(x) { x * 2 } double(1, 2)",
        "fn double(x) { x * 2 } duoble(1)",
        "timestamp()",
        "let s = mobsted::connect(); s.url = \"x\";",
        "let xs = [1]; xs.map(|x| xs.len())",
        "\"a\".email",
        "let t = now(); sleep(1).email",
        "fn f(client) { clinet } f(1)",
        "let m = #{ a: 1 }; m?.b",
        "[1].lenght()",
        "let name = 1; nmae",
        "1 + mobsted::connect()",
        "import_me::f()",
        "throw #{ kind: \"mine\", message: \"no luck\", hint: \"try again\" }",
        "throw",
        "act(|| 1)",
        "parse_json(\"{\")",
        "\"x\".parse_int()",
    ];
    let hints: Vec<String> = table.iter().map(|script| hint(script)).collect();
    insta::assert_snapshot!(hints.join("\n"), @r#"
    there is no module `mobstd` (main.rhai:1:1) / did you mean `mobsted`?
    there is no function `mobsted::conect` for () (main.rhai:1:10) / did you mean `mobsted::connect([profile])`?
    there is no function `mobsted::connect` for (int, int) (main.rhai:1:10) / write it as `mobsted::connect([profile])`
    there is no function `create_tenent` for (object, string) (main.rhai:1:20) / did you mean `session.create_tenant(email)`?
    there is no function `create_tenant` for (object) (main.rhai:1:20) / write it as `session.create_tenant(email)`
    there is no function `ensure_tenant` for (object, int, int, int) (main.rhai:1:20) / write it as `session.ensure_tenant(email, [options])`
    a mobsted::Session has no method `connect` (main.rhai:1:20) / it is a method of mobsted::Tenant
    there is no function `f` for (int) (main.rhai:1:16) / `f` is a variable; a closure in it is called as `f.call(..)`
    there is no function `double` for (int, int) (main.rhai:1:24) / `double` takes 1 argument
    there is no function `duoble` for (int) (main.rhai:1:24) / did you mean `double`?
    `timestamp` is not available, because a resumed run could not repeat it (main.rhai:1:1) / use `now()`, which is recorded
    `url` cannot be set (main.rhai:1:31) / what operations return cannot be changed; copy what you need into your own map
    argument #1 of function 'map' is used while it is being changed (main.rhai:1:18) / a closure uses the value that it is called on; copy it into another variable first
    a string has no property `email` (main.rhai:1:5)
    there is no value here that could have a property `email` (main.rhai:1:25) / it is `()`: nothing was found or returned; compare it with `()` first
    there is no variable `clinet` here (main.rhai:1:16) / did you mean `client`?
    the map has no property `b` (main.rhai:1:23) / read an optional property with `get_or("b", default)`, or check for it with `"b" in map`
    there is no function `lenght` for (array) (main.rhai:1:5) / did you mean `len`?
    there is no variable `nmae` here (main.rhai:1:15) / did you mean `name`?
    `+` cannot be applied to int and object (main.rhai:1:3)
    there is no module `import_me` (main.rhai:1:1) / the modules here are mobsted
    no luck (main.rhai:1:1) / try again
    an error was thrown (main.rhai:1:1)
    `act` cannot take this: value: a closure or function cannot be stored [bad_argument] (main.rhai:1:1)
    EOF while parsing an object at line 1 column 1 (main.rhai:1:1)
    error parsing integer number 'x': invalid digit found in string (main.rhai:1:5)
    "#);
}

#[test]
fn syntax_errors_explain_reserved_words_and_disabled_features() {
    let hint = |script: &str| {
        let error = syntax_error(script);
        [&[error.summary()], error.hints.as_slice()].concat().join(" / ")
    };
    let table = [
        "eval(\"1\")",
        "let default = 1;",
        "let m = #{}; m.default",
        "fn f() { fn g() {} }",
        "let x = 1 ++ 2;",
        "if x == 1 { } else if",
        "let a = 1;\n  x++;",
        "let s = \"open",
        "a === b",
        "let m = { a: 1 };",
        "x ? 1 : 2",
        "fn main() { /// doc\n }",
    ];
    let hints: Vec<String> = table.iter().map(|script| hint(script)).collect();
    insta::assert_snapshot!(hints.join("\n"), @r#"
    `eval` is switched off (main.rhai:1:1) / what a script does must be readable before it runs
    `default` is a reserved word (main.rhai:1:5) / choose another name; a property of this name is read as `value["default"]`
    `default` is a reserved word (main.rhai:1:16) / choose another name; a property of this name is read as `value["default"]`
    function definitions must be at global level and cannot be inside a block or another function (main.rhai:1:10) / put functions at the top of the script, not inside blocks or functions
    unknown operator: '++' (main.rhai:1:11) / write `x += 1`
    script is incomplete (main.rhai:1:22)
    unknown operator: '++' (main.rhai:2:4) / write `x += 1`
    open string is not terminated (main.rhai:1:9)
    '===' is not a valid operator. This is not JavaScript! Should it be '=='? (main.rhai:1:3)
    expecting ';' to terminate this statement (main.rhai:1:12) / a map is written `#{ key: value }`
    unknown operator: '?' (main.rhai:1:3) / a choice is written `if a { b } else { c }`
    doc-comment must be followed immediately by a function definition (main.rhai:1:13) / `///` describes a function; write `//` for a note
    "#);
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    let script = format!("let a = \"{}\"; 1 / 0;", "x".repeat(300));
    insta::assert_snapshot!(failure(&script).render(false, 80), @r#"
    error: division by zero: 1 / 0
       ╭─[ main.rhai:1:36 ]
       │
     1 │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; 1 / 0;
       │                                    ┬
       │                                    ╰── here (column 315)
    ───╯
    "#);
}

#[test]
fn a_long_call_chain_is_shortened_with_a_count() {
    let text = report("fn f(n) { if n == 0 { throw \"deep\" } f(n - 1) }\nf(20)");
    assert!(text.contains("14 more calls lead here"), "{text}");
}

#[test]
fn reports_contain_ansi_colour_only_when_enabled() {
    let error = failure("1 / 0");
    assert!(error.render(true, 100).contains('\u{1b}'));
    assert!(!error.render(false, 100).contains('\u{1b}'));
}

#[test]
fn a_result_that_cannot_be_stored_is_named_with_its_path() {
    let error = failure("fn main() { #{ a: [1, |x| x] } }");
    assert_eq!(
        error.title,
        "the script's result cannot be stored: result.a[1]: a closure or function cannot be stored"
    );
}

#[test]
fn control_characters_are_escaped_and_the_error_mark_stays_aligned() {
    insta::assert_snapshot!(report("let a = \"\u{202e}\"; throw \"\u{1b}[2J\""), @r#"
    error: \u{1b}[2J
       ╭─[ main.rhai:1:21 ]
       │
     1 │ let a = "\u{202e}"; throw "\u{1b}[2J"
       │                     ──┬──
       │                       ╰──── here
    ───╯
    "#);
}

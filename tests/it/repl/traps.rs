//! Common mistakes of users who are new to the language: each error suggests what to write instead.

use super::sandbox;
use crate::support::Home;

/// Inputs that fail, and the text of the hint.
const ERRORS: &[(&str, &str)] = &[
    (
        "let x = 1; fn f() { x } f()",
        "functions cannot see variables outside them",
    ),
    (
        "fn f() { this.a }\nf()",
        "it is the value that a function is called on",
    ),
    ("let f = |x| x; f(1)", "`f.call(..)`"),
    (
        "let xs = [1]; xs.map(|x| xs.len())",
        "copy it into another variable first",
    ),
    ("let t = \" a \".trim(); t.len()", "change the text in place"),
    ("let m = #{ a: 1 }; for x in m { }", "`for key in map.keys()`"),
    ("let a = [...[1]]", "joined with `a + b`"),
    ("let [a, b] = [1, 2]", "`let a = list[0]; let b = list[1];`"),
    ("let c = true ? 1 : 2", "`if a { b } else { c }`"),
    ("fn f(a = 1) { a }", "a second function of the name"),
    ("let n = 1; if n { }", "a condition is true or false"),
    ("\"abc\".pad(1)", "`pad(string, int, string)`"),
    ("mobsted::conect()", "did you mean `mobsted::connect([account])`?"),
    ("let x = null", "written `()`"),
    ("None", "written `()`"),
    ("undefined", "written `()`"),
    (
        "let f = await mobsted::connect()",
        "waits for its result by itself",
    ),
    ("var x = 1", "declared with `let`"),
    ("print \"a\"", "`print(...)`"),
    ("[1].length", "`value.len()`"),
    ("[1].contains + 1", "`.contains()`"),
    ("\"abc\".length", "`value.len()`"),
    ("[1].each(|x| x)", "`for item in list { ... }`"),
    ("[1].includes(1)", "`item in list`"),
    ("\"a\".toString()", "`value.to_string()`"),
    ("let f = x => x + 1", "a closure is written `|x| ...`"),
    ("true and false", "`a && b`"),
    ("true or false", "`a || b`"),
    ("not true", "`!a`"),
    ("let a = #{...#{ b: 1 }}", "maps are joined with `a + b`"),
    ("mobsted.connect()", "`mobsted::function()`"),
    ("let o = new Object()", "`#{ key: value }`"),
    ("def f() { }", "`fn name(a) { ... }`"),
    ("console.log(1)", "`print(...)`"),
    ("let v = 1; fn f() { global::v } f()", "`const v = ...`"),
    (
        "fn add(a) { a } fn add(a, b) { a + b } add(1, 2, 3)",
        "`add` takes 1 or 2 arguments",
    ),
];

#[test]
fn each_common_beginner_error_gets_a_hint() {
    let home = Home::new();
    for (input, hint) in ERRORS {
        let ran = home
            .run_with_input("repl --sandbox", &format!("{input}\n"))
            .ended(1);
        let _ = ran.said(&[hint]);
    }
}

#[test]
fn pitfalls_that_are_not_errors_get_a_hint_at_a_terminal() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("\" a \".trim()");
    let _ = terminal.wait_for("changes its value in place");
    terminal.type_line("\"x\" + ()");
    let _ = terminal.wait_for("adds nothing and is not an error");
    terminal.type_line("let fs = []; for i in 0..3 { fs.push(|| i) }");
    let _ = terminal.wait_for("the closures share one `i`");
    terminal.type_line("fs.clear(); for i in 0..3 { let own = i; fs.push(|| own) }");
    terminal.type_line("`${fs.map(|f| f.call())}`");
    let screen = terminal.wait_for("[0, 1, 2]");
    assert_eq!(screen.matches("share one").count(), 1, "{screen}");
}

#[test]
fn an_error_in_a_platform_function_shows_the_call_position() {
    let home = Home::new();
    let ran = home
        .run_with_input(
            "repl --sandbox",
            "1;\nfn f() {\n  mobsted::connect(#{ urll: \"x\" })\n}\nf()\n",
        )
        .ended(1);
    let ran = ran.said(&["has no key `urll`", "stdin:3:12", "in this call to `f`"]);
    assert!(!ran.stderr.contains("it first occurred"), "{}", ran.stderr);
    let ran = home.run_with_input("repl", "mobsted::connect()\n").ended(2);
    let _ = ran.said(&["stdin:1:10", ":sandbox on"]);
    super::profile(&home, "dev");
    let ran = home
        .run_with_input("repl", "let s = mobsted::connect(\"nobody\")\n")
        .ended(2);
    let _ = ran.said(&["stdin:1:18"]);
}

#[test]
fn a_doc_comment_entered_before_a_function_appears_in_help() {
    let home = Home::new();
    let terminal = sandbox(&home);
    terminal.type_line("/// Adds two numbers.");
    terminal.type_line("fn add(a, b) { a + b }");
    let _ = terminal.wait_for("defined add(a, b)");
    terminal.type_line(":help add");
    let _ = terminal.wait_for("add(a, b)\n\nAdds two numbers.");
    terminal.type_line(":help for");
    let _ = terminal.wait_for("for item in list");
}

#[test]
fn the_search_command_prints_one_heading_for_each_platform() {
    let home = Home::new();
    let ran = home.run_with_input("repl", ":search token\n").ended(0);
    let headings = ran.stdout.lines().filter(|line| *line == "jrni").count();
    assert_eq!(headings, 1, "{}", ran.stdout);
}

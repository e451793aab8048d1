//! Script declarations, and the errors in them.

use super::*;
use crate::script::params::{Declaration, ParamDefault};
use crate::script::types::ParamType;

const ONBOARD: &str = r#"#!/usr/bin/env -S provisor run
//! Onboard a client on Mobsted: a sub-account of their own,
//! and their site wrapped as an app.

const X = 1;

/// Create the client's sub-account and wrap their site.
///
/// @param email  email          who signs in to the sub-account
/// @param site   url            the site to wrap
/// @param app_name string = email  the app's name,
///                              shown to the client
/// @param size   int = -3       how large
/// @param tags   list = ["a", "b"]
/// @param more   json = #{ a: 1 }  anything
fn main(email, site, app_name, size, tags, more, note) {
    if email == "" { return #{ url: 1, error: "x" }; }
    let f = |x| { return #{ not: 1 }; };
    #{ url: site, login: email, password: 1, "app id": 2 }
}
"#;

fn declaration(text: &str) -> Declaration {
    compile(text).declaration().clone()
}

#[test]
fn the_declaration_is_read_without_running_the_script() {
    let declared = declaration(ONBOARD);
    assert_eq!(
        declared.about,
        "Onboard a client on Mobsted: a sub-account of their own,\nand their site wrapped as an app."
    );
    assert_eq!(
        declared.output_columns,
        ["url", "error", "login", "password", "app id"]
    );
    let main = declared.main.unwrap();
    assert_eq!(main.doc, "Create the client's sub-account and wrap their site.");
    assert_eq!(main.line, 16);
    let params: Vec<String> = main
        .params
        .iter()
        .map(|param| {
            let default = match &param.default {
                None => "required".to_owned(),
                Some(ParamDefault::Value(value)) => value.to_masked_json().to_string(),
                Some(ParamDefault::Param(name)) => format!("like {name}"),
            };
            format!(
                "{} {} {default} {:?} {}",
                param.flag(),
                param.ty.name(),
                param.help,
                param.line
            )
        })
        .collect();
    let expected = [
        r#"--email email required "who signs in to the sub-account" 9"#,
        r#"--site url required "the site to wrap" 10"#,
        r#"--app-name string like email "the app's name, shown to the client" 11"#,
        r#"--size int -3 "how large" 13"#,
        r#"--tags list ["a","b"] "" 14"#,
        r#"--more json {"a":1} "anything" 15"#,
        r#"--note string required "" 16"#,
    ];
    assert_eq!(params, expected);
}

#[test]
fn a_script_may_have_no_main_and_no_description() {
    let declared = declaration("print(1)");
    assert_eq!(declared, Declaration::default());
    assert_eq!(declaration("fn \"string\".main() { }").main, None);
    assert_eq!(
        declaration("fn other() { }\n// fn main() in a comment\nlet s = \"fn main()\";").main,
        None
    );
}

#[test]
fn a_block_comment_is_a_doc_comment_too() {
    let main = declaration("/**\n * Does it.\n * @param a int = 2 how many\n */\nfn main(a) { }")
        .main
        .unwrap();
    assert_eq!(
        (main.doc.as_str(), main.params[0].ty, main.params[0].help.as_str()),
        ("Does it.", ParamType::Int, "how many")
    );
    let main = declaration("/** @param a int */\nfn main(a) { }").main.unwrap();
    assert_eq!(
        (main.params[0].ty, main.params[0].help.as_str()),
        (ParamType::Int, "")
    );
}

#[test]
fn the_doc_comment_of_another_function_is_ignored() {
    let text = "/// @param x int\nfn other(x) { }\n\nfn main(a) { }";
    assert_eq!(declaration(text).main.unwrap().params[0].ty, ParamType::String);
}

#[test]
fn output_columns_are_empty_when_they_cannot_be_inferred() {
    let columns = |body: &str| {
        declaration(&format!("fn helper() {{ #{{ h: 1 }} }}\nfn main() {{ {body} }}")).output_columns
    };
    assert_eq!(columns("let r = #{ a: 1 }; r"), [""; 0]);
    assert_eq!(columns("helper()"), [""; 0]);
    assert_eq!(
        columns("if true { #{ a: 1 } } else { #{ b: 1, a: 2 } }"),
        ["a", "b"]
    );
    assert_eq!(
        columns("switch 1 { 1 => #{ a: 1 }, _ => { #{ c: 1 } } }"),
        ["a", "c"]
    );
    assert_eq!(
        columns("if true { return; } return #{ z: 1, a: #{ inner: 1 } };"),
        ["z", "a"]
    );
    assert_eq!(columns("if true { return helper(); } #{ z: 1 }"), [""; 0]);
    assert_eq!(columns("throw #{ message: 1 };"), [""; 0]);
    assert_eq!(columns(""), [""; 0]);
}

#[test]
fn invalid_param_declarations_are_reported_with_position_and_hint() {
    let wrong = |doc: &str| {
        let error = syntax_error(&format!("/// {doc}\nfn main(email, site) {{ }}"));
        [&[error.summary()], error.hints.as_slice()].concat().join(" / ")
    };
    let table = [
        "@param",
        "@param email",
        "@param emial string",
        "@param other string",
        "@param email strng",
        "@param email strange",
        "@param email int = \"x\"",
        "@param email int = 1.5",
        "@param email url = \"x\"",
        "@param email string = free",
        "@param email string = site",
        "@param email string = email",
        "@param email string = https://x.example",
        "@param email string = \"open",
        "@param email string =",
        "@param email secret = \"hunter2\"",
        "@param email json = [1, x]",
        "@parm email string",
    ];
    let lines: Vec<String> = table.iter().map(|doc| wrong(doc)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    `@param` names no parameter (main.rhai:1:5) / write `@param name type [= default]  text`
    `email` has no type (main.rhai:1:17) / write `@param name type [= default]  text`
    `main` has no parameter `emial` (main.rhai:1:12) / did you mean `email`?
    `main` has no parameter `other` (main.rhai:1:12) / its parameters are email, site
    `strng` is not a type (main.rhai:1:18) / did you mean `string`? / write `@param name type [= default]  text`
    `strange` is not a type (main.rhai:1:18) / did you mean `string`? / write `@param name type [= default]  text`
    the default of `email` does not fit: "x" is not a whole number (main.rhai:1:24)
    the default of `email` is a float, not an int (main.rhai:1:24)
    the default of `email` does not fit: "x" is not an address that begins with https:// or http:// (main.rhai:1:24)
    `main` has no parameter `free` to take the default from (main.rhai:1:27) / a text is written in quotes: "free"
    `site` does not come before `email` in `fn main(..)` (main.rhai:1:27) / a default can only be an earlier parameter
    `email` does not come before `email` in `fn main(..)` (main.rhai:1:27) / a default can only be an earlier parameter
    a default is a literal or the name of an earlier parameter; `https://x.example` is not a literal (main.rhai:1:27) / put a text in quotes; write a map as `#{ key: value }`
    a default is a literal or the name of an earlier parameter; the default does not end on this line (main.rhai:1:27) / put a text in quotes; write a map as `#{ key: value }`
    there is no default after `=` (main.rhai:1:26)
    a secret cannot be written into a script (main.rhai:1:27) / leave the default out, so that it must be given
    a default is a literal or the name of an earlier parameter; `[1, x]` is not a literal (main.rhai:1:25) / put a text in quotes; write a map as `#{ key: value }`
    `@parm` is not known here (main.rhai:1:5) / did you mean `@param`?
    "#);
}

#[test]
fn duplicate_parameters_and_duplicate_main_are_refused() {
    let error = syntax_error("/// @param a int\n/// @param a int\nfn main(a) { }");
    assert_eq!(
        error.summary(),
        "`a` is described twice; the first time on line 1 (main.rhai:2:12)"
    );
    let error = syntax_error("fn main(a) { }\nfn main(a, b) { }");
    assert_eq!(
        error.summary(),
        "there is more than one `fn main` (main.rhai:2:1)"
    );
    let error = syntax_error("private fn main(a) { }");
    assert_eq!(error.summary(), "`main` is private (main.rhai:1:9)");
    let error = syntax_error("/// @param a secret\n/// @param b string = a\nfn main(a, b) { }");
    assert_eq!(error.summary(), "`a` is a secret and `b` is not (main.rhai:2:23)");
}

#[test]
fn values_are_bound_by_name() {
    let script = compile("/// @param a int\n/// @param b int = a\nfn main(a, b) { a + b }");
    let given = BTreeMap::from([("a".to_owned(), Value::from("4"))]);
    let args = script.bind(&given).unwrap();
    assert_eq!(call_on(&script, args, Arc::default()), Ok(Value::Int(8)));
    assert_eq!(compile("1").bind(&BTreeMap::new()), Ok(Vec::new()));
    assert_eq!(
        compile("1").bind(&given).unwrap_err()[0].to_string(),
        "a: is not a parameter of the script"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(300))]

    #[test]
    fn no_doc_comment_makes_the_reader_panic(doc in "(@param|@parm|ä)?[ =a-e\"\\[\\]#{}:,0-9é`*/-]{0,40}") {
        let text = format!("/// {doc}\nfn main(a, b) {{ }}");
        if let Err(error) = compile_with(&text, &[]) {
            proptest::prop_assert!(error.render(false, 80).contains("main.rhai:"));
        }
    }
}

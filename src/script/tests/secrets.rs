//! Secrets in a script: joining them with text yields a secret, and no text made of one leaves the script.

use super::*;

/// A script that holds a tenant's password, `hunter2`.
fn with_password(rest: &str) -> String {
    format!("let p = mobsted::connect().ensure_tenant(\"a@example.com\").password;\n{rest}")
}

fn returned(rest: &str) -> Value {
    match call(&with_password(rest)) {
        Ok(value) => value,
        Err(ScriptEnd::Failed(error)) => panic!("{}", error.render(false, 100)),
        Err(other) => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(rest: &str) -> String {
    let error = failure(&with_password(rest));
    let all = format!("{error:?}");
    assert!(!all.contains("hunter2"), "{all}");
    error.render(false, 200)
}

#[test]
fn text_joined_with_a_secret_is_a_secret() {
    for (rest, whole) in [
        ("\"Your password is \" + p", "Your password is hunter2"),
        ("p + \"!\"", "hunter2!"),
        ("\"a\" + p + ':' + 7 + p", "ahunter2:7hunter2"),
        ("let text = \"is \"; text = text + p; text", "is hunter2"),
        ("7 + p", "7hunter2"),
    ] {
        assert_eq!(returned(rest), Value::Secret(Secret::new(whole)), "{rest}");
    }
}

#[test]
fn interpolated_secrets_are_masked_when_printed_and_refused_by_operations() {
    let fake = Arc::<Fake>::default();
    let script = with_password(
        "print(`is ${p}`); print(\"is \" + p); print([p, `in ${p}`]); debug(`is ${p}`); print(#{a: p}.to_json()); 1",
    );
    call_on(&compile(&script), Vec::new(), Arc::clone(&fake)).unwrap();
    let printed = fake.printed();
    assert_eq!(
        printed[..3],
        ["is ***", "***", r#"[***, "in ***"]"#],
        "{printed:?}"
    );
    assert!(printed[3].ends_with(r#""is ***""#), "{printed:?}");
    assert_eq!(printed[4], r#"{"a":"***"}"#);
    for rest in [
        "act(`is ${p}`)",
        "act(#{text: `is ${p}`})",
        "act([`${p}`])",
        "act(`${p}`.to_upper())",
        "let text = \"The word is W\"; text.replace(\"W\", `${p}`); act(text)",
        "act(#{a: p}.to_json())",
        "act([p].to_string())",
        "act([`in ${p}`].to_string())",
        "let m = #{}; m[`${p}`] = 1; act(m)",
        "`is ${p}`",
        "#{message: `is ${p}`}",
        "let text = \"is \"; text += p; act(text)",
        "(`a ${p}`) + p",
    ] {
        let fake = Arc::<Fake>::default();
        let ended = call_on(&compile(&with_password(rest)), Vec::new(), Arc::clone(&fake));
        assert!(matches!(ended, Err(ScriptEnd::Failed(_))), "{rest}: {ended:?}");
        assert!(!fake.asked().iter().any(|asked| asked.contains("act")), "{rest}");
    }
    let said = refused("act(`is ${p}`)");
    assert!(said.contains("join text and secret with `+`"), "{said}");
}

#[test]
fn a_substring_without_the_secret_is_plain_text() {
    assert_eq!(returned("`is ${p}`.sub_string(0, 2)"), "is".into());
}

#[test]
fn comparing_a_secret_with_a_text_is_an_error_that_says_so() {
    let comparisons = [
        "p == \"x\"",
        "\"x\" == p",
        "p != \"x\"",
        "if p == \"\" { 1 }",
        "p < \"x\"",
        "\"x\" >= p",
    ];
    for rest in comparisons {
        assert!(refused(rest).contains("cannot be compared with a text"), "{rest}");
    }
    for rest in ["p == p", "p != ()", "!p.is_empty()"] {
        assert_eq!(returned(rest), Value::Bool(true), "{rest}");
    }
}

#[test]
fn a_thrown_text_with_a_secret_is_masked() {
    for rest in ["throw `no: ${p}`", "throw #{kind: \"x\", message: `no: ${p}`}"] {
        assert!(refused(rest).contains("no: ***"), "{rest}");
    }
}

#[test]
fn errors_use_script_type_names_instead_of_rust_ones() {
    for (rest, said) in [
        ("let m = #{}; m[p]", "expected string, got secret"),
        ("p[0]", "`secret` cannot be indexed by `int`"),
        (
            "[1, \"a\"].sort()",
            "elements of different types cannot be sorted",
        ),
    ] {
        let error = refused(rest);
        assert!(error.contains(said), "{rest}: {error}");
        assert!(
            !error.contains("::Secret") && !error.contains("i64"),
            "{rest}: {error}"
        );
        assert!(!error.contains("cannot be applied to"), "{rest}: {error}");
    }
}

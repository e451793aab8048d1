//! Tests of the module above.

use super::*;

fn values(variables: &[(&str, &str)]) -> Values {
    let variables = variables.iter().map(|(key, value)| Variable {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
        ..Variable::default()
    });
    Values::new(variables, BTreeSet::from(["profile".to_owned()]), Vec::new())
}

fn shown(values: &mut Values, text: &str, field: &str) -> String {
    values.value(text, field).unwrap().render(0)
}

#[test]
fn variables_become_parameters_and_nested_values_are_resolved() {
    let mut v = values(&[
        ("host", "example.com"),
        ("base", "https://{{host}}/api"),
        ("profile", "x"),
    ]);
    assert_eq!(
        shown(&mut v, "{{base}}/users/{{id}}", "url"),
        "`https://${host}/api/users/${id}`"
    );
    assert_eq!(shown(&mut v, "{{profile}}", "name"), "the_profile");
    assert_eq!(v.params[0].default.as_deref(), Some("example.com"));
    assert_eq!(v.params[1].default, None);
    assert_eq!(shown(&mut v, "{{$guid}}", "id"), "uuid()");
    assert_eq!(shown(&mut v, "a`{{id}}", "x"), "\"\" + \"a`\" + id");
    assert_eq!(shown(&mut v, "{{", "x"), "\"{{\"");
}

#[test]
fn a_circular_variable_error_shows_the_cycle() {
    let mut v = values(&[("a", "{{b}}"), ("b", "x{{c}}"), ("c", "{{a}}"), ("d", "{{d}}")]);
    let reason = v.value("{{a}}", "x").unwrap_err();
    assert!(reason.contains("a -> b -> c -> a"), "{reason}");
    assert!(v.value("{{d}}", "x").is_err());
}

#[test]
fn exponential_variable_expansion_is_rejected() {
    let chain: Vec<(String, String)> = (0..30)
        .map(|n| (format!("v{n}"), format!("{{{{v{}}}}}{{{{v{}}}}}", n + 1, n + 1)))
        .collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let reason = values(&chain).value("{{v0}}", "x").unwrap_err();
    assert!(reason.contains("value is too large"), "{reason}");
}

#[test]
fn credentials_become_whole_secret_parameters_without_defaults() {
    let mut v = values(&[("token", "abc"), ("user", "ann")]);
    assert_eq!(shown(&mut v, "{{token}}", "x"), "token");
    assert!(v.params[0].secret && v.params[0].default.is_none());
    assert_eq!(shown(&mut v, "hunter2", "password"), "password");
    assert_eq!(
        shown(&mut v, "hunter2", "password"),
        "password",
        "the same credential is the same parameter"
    );
    assert_eq!(shown(&mut v, "other", "password"), "password_2");
    assert_eq!(shown(&mut v, "Key {{token}}", "X-Auth"), "x_auth");
    assert_eq!(shown(&mut v, "{{user}}", "password"), "user");
    assert!(v.params.iter().all(|param| param.secret));
    assert!(v.credentials().contains(&"hunter2".to_owned()) && v.credentials().contains(&"abc".to_owned()));
}

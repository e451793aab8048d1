//! Tests of the module above.

use super::*;

fn param(name: &str, ty: ParamType, default: Option<ParamDefault>) -> Param {
    Param {
        name: name.into(),
        ty,
        default,
        help: String::new(),
        line: 4,
    }
}

fn main_fn() -> MainFn {
    MainFn {
        doc: String::new(),
        params: vec![
            param("email", ParamType::Email, None),
            param(
                "app_name",
                ParamType::String,
                Some(ParamDefault::Param("email".into())),
            ),
            param("size", ParamType::Int, Some(ParamDefault::Value(Value::Int(3)))),
        ],
        line: 5,
    }
}

fn bind(given: &[(&str, Value)]) -> Result<Vec<Value>, Vec<String>> {
    let given = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let errors = |errors: Vec<ParamError>| errors.iter().map(ToString::to_string).collect();
    main_fn().bind(&given).map_err(errors)
}

#[test]
fn defaults_are_values_or_earlier_parameters() {
    let email = Value::from("ann@example.com");
    let bound = bind(&[("email", " ann@example.com ".into())]);
    assert_eq!(bound, Ok(vec![email.clone(), email.clone(), Value::Int(3)]));
    let bound = bind(&[
        ("email", email.clone()),
        ("app_name", "A".into()),
        ("size", "9".into()),
    ]);
    assert_eq!(bound, Ok(vec![email, "A".into(), Value::Int(9)]));
}

#[test]
fn all_parameter_errors_are_reported_together() {
    let bound = bind(&[
        ("emial", "x".into()),
        ("size", "big".into()),
        ("email", Value::Null),
    ]);
    let expected = [
        "emial: is not a parameter of the script; did you mean email?",
        "email: is required",
        "size: \"big\" is not a whole number",
    ];
    assert_eq!(bound, Err(expected.map(str::to_owned).to_vec()));
}

#[test]
fn flags_have_dashes() {
    assert_eq!(main_fn().params[1].flag(), "--app-name");
}

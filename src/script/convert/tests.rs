//! Tests of the module above.

use super::*;

fn convert(script: &str) -> Result<Value, String> {
    crate::script::prepare();
    let dynamic = rhai::Engine::new().eval::<Dynamic>(script).unwrap();
    to_value(dynamic, "value", &|_| true)
}

#[test]
fn plain_values_round_trip_through_rhai() {
    let script = r#"#{ a: [1, 2.5, true, ()], b: #{ c: "x" }, d: 'y' }"#;
    let value = convert(script).unwrap();
    let again = to_value(to_dynamic(value.clone()), "value", &|_| true).unwrap();
    assert_eq!(value, again);
    let json = value.to_masked_json().to_string();
    assert_eq!(json, r#"{"a":[1,2.5,true,null],"b":{"c":"x"},"d":"y"}"#);
}

#[test]
fn values_that_cannot_be_stored_are_refused_with_their_path() {
    let refused = |script: &str| convert(script).unwrap_err();
    let closure = refused("#{ a: [1, |x| x] }");
    assert_eq!(closure, "value.a[1]: a closure or function cannot be stored");
    assert_eq!(refused("[timestamp()]"), "value[0]: a timestamp cannot be stored");
    assert_eq!(refused("[1..3]"), "value[0]: a range cannot be stored");
    assert_eq!(refused("blob(3)"), "value: a blob cannot be stored");
}

#[test]
fn shared_captured_variables_are_converted_to_their_value() {
    let value = convert("let x = [1]; let f = || x.push(2); f.call(); x");
    assert_eq!(value, Ok(Value::List(vec![Value::Int(1), Value::Int(2)])));
}

#[test]
fn secrets_and_objects_keep_their_type() {
    let value = Value::List(vec![
        Value::Secret(Secret::new("hunter2")),
        Value::Object(crate::value::Object::new("m::T", [("email", "a@b.c".into())])),
    ]);
    assert_eq!(to_value(to_dynamic(value.clone()), "value", &|_| true), Ok(value));
}

//! Tests of the module above.

use super::*;
use crate::value::Record;
use crate::value::secret::Secret;

fn record(fields: &[(&str, Value)]) -> Value {
    Value::Record(
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect::<Record>(),
    )
}

#[test]
fn a_map_is_a_line_for_each_name() {
    let value = record(&[
        ("url", "https://a.example".into()),
        ("password", Secret::new("hunter2").into()),
        ("app", Value::Int(17)),
        ("tags", Value::List(vec!["a".into()])),
        ("none", Value::Null),
    ]);
    assert_eq!(
        of_value(&value, Some(80)),
        "app       17\nnone\npassword  ***\ntags      [\"a\"]\nurl       https://a.example"
    );
}

#[test]
fn a_list_of_maps_is_a_table() {
    let rows = Value::List(vec![
        record(&[("id", Value::Int(1))]),
        record(&[("id", Value::Int(22)), ("name", "x".into())]),
    ]);
    assert_eq!(of_value(&rows, None), "ID  NAME\n1\n22  x");
}

#[test]
fn other_values_are_their_text() {
    assert_eq!(of_value(&Value::Int(3), None), "3");
    assert_eq!(of_value(&"a\u{7}b".into(), None), "a\\u{7}b");
    assert_eq!(of_value(&Value::Null, None), "");
    assert_eq!(
        of_value(&Value::List(vec![Value::Int(1), "x".into()]), None),
        "1\nx"
    );
    assert_eq!(of_value(&Value::Record(Record::new()), None), "{}");
}

#[test]
fn a_table_fits_the_terminal() {
    let long = "word ".repeat(40);
    let text = with_header(&["name", "text"], &[vec!["a".into(), long]], Some(40));
    assert!(text.lines().count() > 3);
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
}

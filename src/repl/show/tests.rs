#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::repl::width::width;
use crate::value::secret::Secret;
use serde_json::json;

fn frame(columns: usize, limit: usize) -> DisplayArea {
    DisplayArea { columns, limit }
}

fn value(json: Json) -> Value {
    Value::from_json(json)
}

#[test]
fn maps_print_as_a_table_or_vertically_if_too_wide() {
    let list = value(json!([{"id": 1, "name": "Ann"}, {"id": 22, "name": "日本", "more": [1]}]));
    assert_eq!(
        table::table(&list, frame(80, 20)),
        "id  name  more\n1   Ann\n22  日本  [1]"
    );
    assert_eq!(
        table::table(&list, frame(12, 20)),
        "[0]\nid    1\nname  Ann\n[1]\nid    22\nmore  [1]\nname  日本"
    );
}

#[test]
fn omitted_rows_and_items_are_counted() {
    let list = Value::List((0..57).map(|id| value(json!({"id": id}))).collect());
    let shown = table::table(&list, frame(80, 20));
    assert_eq!(shown.lines().count(), 22);
    assert!(
        shown.ends_with("… 37 more rows; `:set rows N` shows N of them"),
        "{shown}"
    );
    let numbers = Value::List((0..100).map(Value::Int).collect());
    assert!(
        table::table(&numbers, frame(80, 20)).ends_with("… 80 more items; `:set rows N` shows N of them")
    );
    assert_eq!(table::table(&value(json!([1, 2])), frame(80, 20)), "[1,2]");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let long = "名前".repeat(60);
    let list = value(json!([{"a": long, "b": long, "c": {"d": long}}, {"a": 1}]));
    let single = value(json!({"key of some length": long, "b": [long]}));
    for columns in [20, 40, 80, 120] {
        for value in [&list, &single] {
            let shown = table::table(value, frame(columns, 20));
            assert!(
                shown.lines().all(|line| width(line) <= columns),
                "{columns}:\n{shown}"
            );
        }
    }
}

#[test]
fn secrets_are_masked_in_every_form() {
    let secret = Value::Secret(Secret::new("hunter2"));
    let record: crate::value::Record = [("password".to_owned(), secret.clone())].into();
    let values = [
        secret,
        Value::Record(record.clone()),
        Value::List(vec![Value::Record(record)]),
    ];
    for value in &values {
        for shown in [
            table::table(value, frame(80, 20)),
            tree::tree(value),
            separated::csv(value, frame(80, 20)),
            text(value),
        ] {
            assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
        }
    }
}

#[test]
fn tree_and_csv_output_show_the_whole_value() {
    let nested = value(json!({"a": {"b": [1, "x"]}, "c": null}));
    assert_eq!(
        tree::tree(&nested),
        "2 keys\n├─ a: 1 key\n│  └─ b: 2 items\n│     ├─ [0]: 1\n│     └─ [1]: \"x\"\n└─ c: null"
    );
    let list = value(json!([{"a": "x,y"}, {"b": "say \"hi\"\n"}]));
    assert_eq!(
        separated::csv(&list, frame(80, 20)),
        "a,b\n\"x,y\",\n,\"say \"\"hi\"\"\n\""
    );
}

#[test]
fn control_characters_are_escaped_before_measuring_width() {
    let list = value(json!([{"c": "a\u{1b}[31mred\u{7}", "n": 1}, {"c": "", "n": 2}]));
    assert_eq!(
        table::table(&list, frame(80, 20)),
        "c                    n\na\\u{1b}[31mred\\u{7}  1\n                     2"
    );
    let odd = value(json!({"k\u{1b}": ["\u{9b}31m\u{7f}".repeat(9)], "b": "\u{1b}".repeat(9)}));
    for value in [&list, &odd] {
        let shown = table::table(value, frame(20, 20));
        assert!(shown.lines().all(|line| width(line) <= 20), "{shown}");
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown}");
    }
}

#[test]
fn closures_infinities_and_secrets_are_shown_without_quotes() {
    let placeholder = Value::Object(crate::value::Object::placeholder("closure"));
    let infinite = Value::Float(f64::INFINITY);
    let secret = Value::Secret(Secret::new("hunter2"));
    for (one, word) in [(placeholder, "<closure>"), (infinite, "inf"), (secret, "***")] {
        assert_eq!(table::table(&one, frame(80, 20)), word);
        assert_eq!(tree::tree(&one), word);
        assert_eq!(line(&one), word);
        assert_eq!(separated::csv(&one, frame(80, 20)), word);
        let list = Value::List(vec![one.clone(), Value::from("x")]);
        assert_eq!(table::table(&list, frame(80, 20)), format!("[{word},\"x\"]"));
        let record: crate::value::Record = [("f".to_owned(), one), ("a".to_owned(), Value::Int(2))].into();
        let record = Value::Record(record);
        assert_eq!(table::table(&record, frame(80, 20)), format!("a  2\nf  {word}"));
        assert_eq!(tree::tree(&record), format!("2 keys\n├─ a: 2\n└─ f: {word}"));
    }
}

#[test]
fn csv_and_text_output_respect_the_row_limit() {
    let list = Value::List((0..100).map(|id| value(json!({"id": id}))).collect());
    let told = "… 98 more rows; `:set rows N` shows N of them";
    assert_eq!(separated::csv(&list, frame(80, 2)), format!("id\n0\n1\n{told}"));
    let text = Value::from("a\nb\nc\nd");
    assert_eq!(
        table::table(&text, frame(80, 2)),
        "a\nb\n… 2 more lines; `:set rows N` shows N of them"
    );
}

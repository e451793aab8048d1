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
        format_value(&value, Some(80)),
        "app       17\nnone\npassword  ***\ntags      [\"a\"]\nurl       https://a.example"
    );
}

#[test]
fn a_list_of_maps_is_a_table() {
    let rows = Value::List(vec![
        record(&[("id", Value::Int(1))]),
        record(&[("id", Value::Int(22)), ("name", "x".into())]),
    ]);
    assert_eq!(format_value(&rows, None), "ID  NAME\n1\n22  x");
}

#[test]
fn scalars_and_simple_lists_print_as_plain_text() {
    assert_eq!(format_value(&Value::Int(3), None), "3");
    assert_eq!(format_value(&"a\u{7}b".into(), None), "a\\u{7}b");
    assert_eq!(format_value(&Value::Null, None), "");
    assert_eq!(
        format_value(&Value::List(vec![Value::Int(1), "x".into()]), None),
        "1\nx"
    );
    assert_eq!(format_value(&Value::Record(Record::new()), None), "{}");
}

#[test]
fn a_table_fits_the_terminal() {
    let long = "word ".repeat(40);
    let text = with_header(&["name", "text"], &[vec!["a".into(), long]], Some(40));
    assert!(text.lines().count() > 3);
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
}

#[test]
fn no_word_of_a_table_is_broken_on_a_narrow_terminal() {
    let header = ["run", "status", "done", "started (UTC)", "script"];
    let row = |run: &str| -> Vec<String> {
        ["", "done", "12", "2026-11-29 10:20:30", "onboard.rhai"]
            .map(str::to_owned)
            .into_iter()
            .enumerate()
            .map(|(at, cell)| if at == 0 { run.to_owned() } else { cell })
            .collect()
    };
    let rows = [row("rjh7p"), row("rjh7q")];
    for width in [50, 60, 80] {
        let text = with_header(&header, &rows, Some(width));
        assert!(
            text.contains("onboard.rhai") && text.contains("2026-11-29"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.width() <= width.into()), "{text}");
    }
    assert_eq!(
        with_header(&header, &rows, Some(40)),
        "run            rjh7p\nstatus         done\ndone           12\nstarted (UTC)  2026-11-29 10:20:30\n\
         script         onboard.rhai\n\nrun            rjh7q\nstatus         done\ndone           12\n\
         started (UTC)  2026-11-29 10:20:30\nscript         onboard.rhai"
    );
}

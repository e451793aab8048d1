#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::Cursor;
use std::path::Path;

use proptest::prelude::*;

use super::reveal::Reveal;
use super::*;
use crate::bulk::rows::{RowFormat, Rows};
use crate::value::Value;
use crate::value::secret::Secret;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn cells(cells: &[(&str, &str)]) -> Vec<(String, Value)> {
    cells
        .iter()
        .map(|&(name, text)| (name.to_owned(), text.into()))
        .collect()
}

fn done(input: &[(&str, &str)], output: &[(&str, Value)]) -> ResultRow {
    ResultRow {
        position: 0,
        input: cells(input),
        output: output
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        status: RowStatus::Done,
        error: None,
        run: "r1".into(),
    }
}

fn failed(input: &[(&str, &str)], error: &str) -> ResultRow {
    ResultRow {
        status: RowStatus::Failed,
        error: Some(error.into()),
        ..done(input, &[])
    }
}

fn write(format: &'static dyn Format, columns: Columns, reveal: Reveal, rows: &[ResultRow]) -> String {
    let mut writer = Writer::begin(Vec::new(), format, columns, reveal).unwrap();
    for row in rows {
        writer.row(row).unwrap();
    }
    String::from_utf8(writer.end().unwrap()).unwrap()
}

#[test]
fn writing_many_columns_takes_linear_time() {
    let names: Vec<String> = (0..300_000).map(|column| format!("c{column}")).collect();
    let mut columns = Columns::new(&names, &[]).with_titles(&names, &names);
    let row = ResultRow {
        input: names.iter().map(|name| (name.clone(), "x".into())).collect(),
        ..done(&[], &[])
    };
    assert!(columns.note(&row).is_empty());
    let text = write(CSV, columns, Reveal::nothing(), &[row]);
    assert!(text.ends_with("x,x,done,,r1\n"));
}

#[test]
fn columns_are_input_then_output_then_status() {
    let columns = Columns::new(
        &names(&["email", "name", "plan"]),
        &names(&["url", "name", "app"]),
    );
    let titles: Vec<&str> = columns.titles().collect();
    assert_eq!(
        titles,
        ["email", "name", "plan", "url", "app", "_status", "_error", "_run"]
    );
}

#[test]
fn an_output_replaces_its_input_column_except_in_failed_rows() {
    let rows = [
        done(
            &[("email", "a@example.com"), ("name", "old")],
            &[("name", "new".into()), ("app", Value::Int(7))],
        ),
        failed(
            &[("email", "b@example.com"), ("name", "old")],
            "refused, \"twice\"",
        ),
    ];
    let columns = Columns::new(&names(&["email", "name"]), &names(&["name", "app"]));
    assert_eq!(
        write(CSV, columns, Reveal::nothing(), &rows),
        "email,name,app,_status,_error,_run\n\
         a@example.com,new,7,done,,r1\n\
         b@example.com,old,,failed,\"refused, \"\"twice\"\"\",r1\n"
    );
}

#[test]
fn a_results_file_can_be_fed_back() {
    let input = [
        ("email", "a@example.com"),
        ("_status", "failed"),
        ("_error", "old"),
        ("_run", "r0"),
    ];
    let columns = Columns::new(
        &names(&["email", "_status", "_error", "_run"]),
        &names(&["_status"]),
    );
    let row = done(&input, &[("_run", "forged".into())]);
    assert_eq!(
        write(CSV, columns, Reveal::nothing(), &[row]),
        "email,_status,_error,_run\na@example.com,done,,r1\n"
    );
}

#[test]
fn stale_output_of_an_earlier_run_is_cleared_in_failed_rows() {
    let input = [("email", "a@example.com"), ("password", "hunter2")];
    let columns = Columns::new(&names(&["email", "password"]), &names(&["password"]));
    let columns = columns.fresh(names(&["password"]));
    let mut row = done(&input, &[]);
    row.status = RowStatus::Failed;
    assert_eq!(
        write(CSV, columns, Reveal::nothing(), &[row]),
        "email,password,_status,_error,_run\na@example.com,,failed,,r1\n"
    );
}

#[test]
fn column_titles_keep_the_spelling_of_the_input_file() {
    let input = names(&["email", "name"]);
    let columns = Columns::new(&input, &[]).with_titles(&input, &names(&[" email", "name "]));
    let row = done(&[("email", "a"), ("name", "b")], &[]);
    let text = write(CSV, columns, Reveal::nothing(), &[row]);
    assert_eq!(text, " email,name ,_status,_error,_run\na,b,done,,r1\n");
}

#[test]
fn values_are_formatted_as_csv_fields() {
    let record = [("k".to_owned(), Value::Bool(true))].into_iter().collect();
    let output = [
        ("a", Value::Int(-3)),
        ("b", Value::Float(1.5)),
        ("c", Value::Bool(false)),
        ("d", Value::Null),
        ("e", "=1+1".into()),
        ("f", Value::List(vec![Value::Int(1), "x".into()])),
        ("g", Value::Record(record)),
        ("h", Value::Float(f64::NAN)),
    ];
    let mut columns = Columns::new(&[], &[]);
    let row = done(&[], &output);
    assert_eq!(
        columns.note(&row),
        names(&["a", "b", "c", "d", "e", "f", "g", "h"])
    );
    assert_eq!(columns.note(&row), names(&[]));
    let text = write(CSV, columns, Reveal::nothing(), &[row]);
    let line = text.lines().nth(1).unwrap();
    assert_eq!(
        line,
        "-3,1.5,false,,=1+1,\"[1,\"\"x\"\"]\",\"{\"\"k\"\":true}\",,done,,r1"
    );
}

#[test]
fn secrets_are_masked_unless_revealed() {
    let list = Value::List(vec![Secret::new("hunter3").into()]);
    let row = done(
        &[],
        &[("password", Secret::new("hunter2").into()), ("tokens", list)],
    );
    for format in [CSV, JSON, json_lines::JSON_LINES] {
        let mut columns = Columns::new(&[], &[]);
        columns.note(&row);
        let masked = write(
            format,
            columns.clone(),
            Reveal::nothing(),
            std::slice::from_ref(&row),
        );
        assert!(masked.contains("***") && !masked.contains("hunter"), "{masked}");
        let shown = write(
            format,
            columns,
            Reveal::columns(["password"]),
            std::slice::from_ref(&row),
        );
        assert!(shown.contains("hunter2") && !shown.contains("hunter3"), "{shown}");
    }
}

#[test]
fn json_keeps_the_columns_order_and_takes_new_ones() {
    let rows = [
        done(&[("z", "1"), ("a", "2")], &[("n", Value::Int(1))]),
        failed(&[("z", "3"), ("b", "4")], "no"),
    ];
    let columns = Columns::new(&names(&["z", "a"]), &names(&["n"]));
    let first = r#"{"z":"1","a":"2","n":1,"_status":"done","_error":null,"_run":"r1"}"#;
    let second = r#"{"z":"3","a":null,"n":null,"b":"4","_status":"failed","_error":"no","_run":"r1"}"#;
    let lines = write(json_lines::JSON_LINES, columns.clone(), Reveal::nothing(), &rows);
    assert_eq!(lines, format!("{first}\n{second}\n"));
    let array = write(JSON, columns.clone(), Reveal::nothing(), &rows);
    assert_eq!(array, format!("[\n{first},\n{second}\n]\n"));
    assert_eq!(write(JSON, columns, Reveal::nothing(), &[]), "[]\n");
}

#[test]
fn csv_refuses_a_column_that_its_header_lacks() {
    let columns = Columns::new(&names(&["a"]), &names(&["b"]));
    let mut writer = Writer::begin(Vec::new(), CSV, columns, Reveal::nothing()).unwrap();
    let mut late = done(&[("a", "1")], &[("late", Value::Int(1))]);
    late.position = 4;
    for _ in 0..2 {
        let error = writer.row(&late).unwrap_err().to_string();
        assert_eq!(
            error,
            "row 5 returns `late`, which is not among the columns written so far"
        );
    }
    writer.row(&done(&[("a", "1")], &[("b", Value::Int(2))])).unwrap();
    let text = String::from_utf8(writer.end().unwrap()).unwrap();
    assert_eq!(text, "a,b,_status,_error,_run\n1,2,done,,r1\n");
}

#[test]
fn the_output_format_is_detected_from_the_file_extension() {
    let name = |path: &str| format_of(Path::new(path)).map(|format| format.names()[0]);
    assert_eq!(name("a/b.CSV"), Some("csv"));
    assert_eq!(name("b.ndjson"), Some("jsonl"));
    assert_eq!(name("b.xlsx"), None);
    let names = format_names(".");
    assert!(
        names.starts_with(".csv, .json") && names.contains(" or ."),
        "{names}"
    );
    assert_eq!(RowStatus::parse("parked"), Some(RowStatus::Parked));
    assert_eq!(RowStatus::parse("lost"), None);
}

proptest! {
    /// Whatever a row contains, reading the written file returns it.
    #[test]
    fn written_csv_round_trips_through_the_reader(
        rows in prop::collection::vec(prop::collection::vec("(?s:[ -~\n\r\t,;\"'äß€]|.){0,12}", 3), 0..8)
    ) {
        let columns = names(&["a", "b;c", "d \"e\""]);
        let results: Vec<ResultRow> = rows.iter().map(|row| {
            let input: Vec<(&str, &str)> = columns.iter().map(String::as_str).zip(row.iter().map(String::as_str)).collect();
            done(&input, &[])
        }).collect();
        let text = write(CSV, Columns::new(&columns, &[]), Reveal::nothing(), &results);
        let read = Rows::open(Box::new(Cursor::new(text.into_bytes())), RowFormat::Csv).unwrap();
        let read: Vec<Vec<(String, Value)>> = read.map(|row| row.unwrap().cells[..3].to_vec()).collect();
        let written: Vec<Vec<(String, Value)>> = results.into_iter().map(|row| row.input).collect();
        prop_assert_eq!(read, written);
    }
}

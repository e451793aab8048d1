#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn json_keeps_order_and_types() {
    let array = "\u{feff}[\n {\"z\": 1, \"a\": \"x\"},\n {\"a\": null, \"n\": [1, {\"k\": true}]} ]\n";
    let lines = "{\"z\": 1, \"a\": \"x\"}\r\n\r\n{\"a\": null, \"n\": [1, {\"k\": true}]}";
    for (text, format, second) in [(array, RowFormat::Json, 3), (lines, RowFormat::JsonLines, 3)] {
        let rows = open(text, format);
        assert_eq!(rows.columns(), ["z", "a"]);
        let first = if format == RowFormat::Json { 2 } else { 1 };
        assert_eq!(
            shown(rows),
            [
                format!(r#"0@{first} z=1 a="x""#),
                format!(r#"1@{second} a=null n=[1,{{"k":true}}]"#)
            ]
        );
    }
}

#[test]
fn brackets_and_quotes_inside_strings_cut_nothing() {
    let rows = open(r#"[{"a": "]},{[\"\\"},{"a":"\\\""}]"#, RowFormat::Json);
    assert_eq!(shown(rows), [r#"0@1 a="]},{[\"\\""#, r#"1@1 a="\\\"""#]);
}

#[test]
fn json_rows_that_are_no_objects_fail_alone() {
    let expected = [
        "row 1 (line 1): it is a number, not an object",
        r"1@2 a=1",
        "row 3 (line 3): it is a string, not an object",
        "row 4 (line 4): it is a list, not an object",
        "row 5 (line 5): it has the key `a` twice",
        "row 6 (line 6): it has a key without a name",
        "row 7 (line 7): it is null, not an object",
    ];
    let items = [
        "7",
        "{\"a\": 1}",
        "\"x\"",
        "[1]",
        "{\"a\": 1, \"a\": 2}",
        "{\"\": 1}",
        "null",
    ];
    let array = open(&format!("[{}]", items.join(",\n")), RowFormat::Json);
    assert_eq!(array.columns(), ["a"]);
    assert_eq!(shown(array), expected);
    assert_eq!(shown(open(&items.join("\n"), RowFormat::JsonLines)), expected);
}

#[test]
fn invalid_json_is_reported_with_row_and_line() {
    let lines = open("{\"a\": 1}\n{\"a\": }\n{\"a\": 3}\n", RowFormat::JsonLines);
    assert_eq!(
        shown(lines),
        [
            "0@1 a=1",
            "row 2 (line 2): it is not JSON: expected value",
            "2@3 a=3"
        ]
    );
    let array = shown(open("[{\"a\": 1},\n{\n\"a\" 2},\n{\"a\": 3}]", RowFormat::Json));
    assert_eq!(array, ["0@1 a=1", "line 3: row 2: it is not JSON: expected `:`"]);
    let cases = [
        (
            "[{\"a\": 1},\n{\"a\": 2",
            "line 2: the file ends inside the array: a bracket or quote opened here is never closed",
        ),
        ("[{\"a\": 1},\n]", "line 2: a comma has no object after it"),
        (
            "[{\"a\": 1}]\n[]",
            "line 2: there is more text after the end of the array",
        ),
    ];
    for (text, expected) in cases {
        let opened = Rows::open(bytes(text.as_bytes()), RowFormat::Json);
        let last = opened.map_or_else(|error| error.to_string(), |rows| shown(rows).pop().unwrap());
        assert_eq!(last, expected, "{text}");
    }
    assert!(refused(b"{\"a\": 1}", RowFormat::Json).contains(".jsonl"));
    assert!(refused(b"a,b\n", RowFormat::Json).contains("not a JSON array"));
    assert_eq!(shown(open("[]", RowFormat::Json)), [""; 0]);
}

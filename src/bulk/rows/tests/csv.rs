#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn csv(text: &str) -> Vec<String> {
    shown(open(text, RowFormat::Csv))
}

#[test]
fn csv_with_bom_crlf_quotes_and_blank_lines_is_parsed() {
    let expected = [r#"0@2 a="1" b="2""#];
    let cases = [
        "a,b\n1,2\n",
        "a,b\n1,2",
        "a,b\r\n1,2\r\n",
        "\u{feff}a,b\n1,2\n",
        "\u{feff}\"a\",\"b\"\r\n\"1\",\"2\"",
        "\"a\",b\n1,\"2\"\n\n\n",
        " a ,\tb\n1,2\n",
        "a,b\n1,2\n   \n",
    ];
    for text in cases {
        assert_eq!(csv(text), expected, "{text:?}");
    }
}

#[test]
fn row_line_numbers_match_the_csv_file() {
    for end in ["\n", "\r\n"] {
        let text = ["", "a,b", "1,2", "", "", "  ", "3,\"x", "y\"", "5,6", ""].join(end);
        let rows = open(&text, RowFormat::Csv);
        let lines: Vec<(u64, u64)> = rows
            .map(|row| row.map(|row| (row.position, row.line.unwrap())).unwrap())
            .collect();
        assert_eq!(lines, [(0, 3), (1, 7), (2, 9)], "{end:?}");
    }
}

#[test]
fn quoted_csv_cells_keep_commas_quotes_and_newlines() {
    let rows = csv("a,b\n\"x, \"\"y\"\"\",\" z \"\n=1+1,-\n\"two\nlines\",\n");
    assert_eq!(
        rows,
        [
            r#"0@2 a="x, \"y\"" b=" z ""#,
            r#"1@3 a="=1+1" b="-""#,
            r#"2@4 a="two\nlines" b="""#
        ]
    );
}

#[test]
fn header_titles_keep_whitespace_that_column_names_drop() {
    let rows = open("email , \"Full name\"\nx,y\n", RowFormat::Csv);
    assert_eq!(rows.columns(), ["email", "\"Full name\""]);
    assert_eq!(rows.titles(), ["email ", " \"Full name\""]);
}

#[test]
fn a_ragged_row_fails_alone() {
    assert_eq!(
        csv("a,b\n1,2\n3\n4,5,6\n7,8\n"),
        [
            r#"0@2 a="1" b="2""#,
            "row 2 (line 3): it has 1 field, but the header has 2",
            "row 3 (line 4): it has 3 fields, but the header has 2",
            r#"3@5 a="7" b="8""#
        ]
    );
}

#[test]
fn a_row_that_is_not_utf8_fails_alone() {
    let rows = Rows::open(bytes(b"a,b\n1,caf\xe9\n2,x\n"), RowFormat::Csv).unwrap();
    assert_eq!(
        shown(rows),
        [
            "row 1 (line 2): column `b` is not UTF-8 text",
            r#"1@3 a="2" b="x""#
        ]
    );
}

#[test]
fn cells_of_an_invalid_utf8_row_are_decoded_as_windows_1252() {
    let mut rows = Rows::open(bytes(b"a,b\nM\xfcller \xc3\xa4,5 \x80\n"), RowFormat::Csv).unwrap();
    let Some(Err(RowsError::Row { cells, .. })) = rows.next() else {
        panic!("it is not UTF-8");
    };
    let cells: Vec<(&str, Option<&str>)> = cells
        .iter()
        .map(|(name, cell)| (name.as_str(), cell.as_text()))
        .collect();
    assert_eq!(
        cells,
        [
            ("a", Some("Müller ä")),
            ("b", Some("5 €")),
            (UNREAD, Some("Müller ä,5 €"))
        ]
    );
}

#[test]
fn a_single_column_may_have_empty_cells() {
    assert_eq!(csv("a\n\"\"\nx\n"), [r#"0@2 a="""#, r#"1@3 a="x""#]);
}

#[test]
fn a_header_alone_is_no_rows() {
    for text in ["a,b", "a,b\n", "a,b\r\n\r\n"] {
        assert_eq!(csv(text), [""; 0], "{text:?}");
    }
}

#[test]
fn duplicate_unnamed_or_wrongly_separated_headers_are_refused() {
    let cases = [
        (
            "a,b,a\n",
            "the header has the column `a` twice: as column 1 and as column 3",
        ),
        (
            "a, a\n",
            "the header has the column `a` twice: as column 1 and as column 2",
        ),
        ("a,,c\n", "column 2 of the header has no name"),
        ("a,b,\n1,2,\n", "column 3 of the header has no name"),
        (
            "a;b\n1;2\n",
            "the header is a single column, `a;b`: the fields seem to be separated by semicolons, save the file with commas",
        ),
        (
            "a\tb\n",
            "the header is a single column, `a\tb`: the fields seem to be separated by tabs, name the file .tsv",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(text.as_bytes(), RowFormat::Csv), expected);
    }
    assert!(refused(b"a,b\n", RowFormat::Tsv).contains("name the file .csv"));
    assert!(refused(b"caf\xe9,b\n", RowFormat::Csv).contains("not UTF-8"));
}

#[test]
fn an_unclosed_quote_loses_no_rows_silently() {
    let rows = csv("a,b\n1,2\n3,\"4\n5,6\n7,8\n");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1], "line 3: a quote is opened in this row and never closed");
}

#[test]
fn reading_many_columns_takes_linear_time() {
    const COLUMNS: usize = 400_000;
    let names: Vec<String> = (0..COLUMNS).map(|column| format!("c{column}")).collect();
    let uneven = format!("{}\n1,2\n{}\n", names.join(","), vec!["x"; COLUMNS].join(","));
    let rows: Vec<_> = open(&uneven, RowFormat::Csv).collect();
    assert!(rows[0].as_ref().is_err_and(|error| error.position() == Some(0)));
    assert_eq!(rows[1].as_ref().unwrap().cells.len(), COLUMNS);
    let twice = format!("{},c7\n", names.join(","));
    assert_eq!(
        refused(twice.as_bytes(), RowFormat::Csv),
        format!(
            "the header has the column `c7` twice: as column 8 and as column {}",
            COLUMNS + 1
        )
    );
}

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod csv;
mod json;

use std::io::{self, Cursor};

use super::*;

fn bytes(bytes: &[u8]) -> Box<dyn Read + Send> {
    Box::new(Cursor::new(bytes.to_vec()))
}

fn open(text: &str, format: RowFormat) -> Rows {
    Rows::open(bytes(text.as_bytes()), format).unwrap()
}

/// Returns the error of opening, as shown to users.
fn refused(content: &[u8], format: RowFormat) -> String {
    Rows::open(bytes(content), format).unwrap_err().to_string()
}

/// Returns a summary of each row: its line and its cells, or its error.
fn shown(rows: Rows) -> Vec<String> {
    rows.map(|row| match row {
        Ok(row) => {
            let cells: Vec<String> = row
                .cells
                .iter()
                .map(|(name, value)| format!("{name}={}", value.to_masked_json()))
                .collect();
            format!("{}@{} {}", row.position, row.line.unwrap(), cells.join(" "))
        }
        Err(error) => error.to_string(),
    })
    .collect()
}

#[test]
fn the_row_format_is_detected_from_the_file_extension() {
    let of = |name: &str| RowFormat::of(Path::new(name));
    assert_eq!(of("a.CSV"), Ok(RowFormat::Csv));
    assert_eq!(
        [of("a.tsv"), of("b.tab")],
        [Ok(RowFormat::Tsv), Ok(RowFormat::Tsv)]
    );
    assert_eq!(of("dir.csv/a.json"), Ok(RowFormat::Json));
    assert_eq!(
        [of("a.jsonl"), of("a.ndjson")],
        [Ok(RowFormat::JsonLines), Ok(RowFormat::JsonLines)]
    );
    let error = of("clients.xlsx").unwrap_err().to_string();
    assert!(
        error.contains("clients.xlsx") && error.contains(".jsonl"),
        "{error}"
    );
    assert!(of("clients").is_err());
}

#[test]
fn empty_utf16_and_spreadsheet_input_files_are_refused() {
    let all = [
        RowFormat::Csv,
        RowFormat::Tsv,
        RowFormat::Json,
        RowFormat::JsonLines,
    ];
    for format in all {
        for empty in [&b""[..], b"\xef\xbb\xbf", b" \r\n\n"] {
            assert!(
                refused(empty, format).contains("the file is empty"),
                "{format:?} {empty:?}"
            );
        }
        for utf16 in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a", b"a\0,\0", b"\0a\0,"] {
            assert!(refused(utf16, format).contains("UTF-16"), "{format:?} {utf16:?}");
        }
        assert!(refused(b"PK\x03\x04...", format).contains("spreadsheet"));
    }
}

/// Yields `head`, then the same bytes forever.
struct Endless {
    head: Cursor<Vec<u8>>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.head.read(buffer)?;
        buffer[count..].fill(b'x');
        Ok(buffer.len())
    }
}

#[test]
fn a_row_longer_than_the_size_limit_is_refused() {
    let cases = [
        ("a,b\n1,\"", RowFormat::Csv),
        ("[{\"a\": \"", RowFormat::Json),
        ("{\"a\": 1}\n{\"a\": \"", RowFormat::JsonLines),
    ];
    for (head, format) in cases {
        let head = Cursor::new(head.as_bytes().to_vec());
        let error = Rows::open(Box::new(Endless { head }), format).and_then(|rows| rows.last().unwrap());
        let error = error.unwrap_err().to_string();
        assert!(error.contains("longer than 16 MiB"), "{format:?}: {error}");
    }
}

#[test]
fn a_read_error_in_the_source_ends_the_rows() {
    struct Breaking(Cursor<&'static [u8]>);
    impl Read for Breaking {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk is gone")),
                count => Ok(count),
            }
        }
    }
    let source = Breaking(Cursor::new(b"a\n1\n2\n"));
    let rows = shown(Rows::open(Box::new(source), RowFormat::Csv).unwrap());
    assert_eq!(rows.last().unwrap(), "the rows cannot be read: the disk is gone");
    assert!(rows.len() <= 3);
}

#[test]
fn the_format_of_a_nameless_stream_is_detected_from_content() {
    let cases = [
        ("  [{\"a\": \"1\"}]", "0@1 a=\"1\""),
        ("\u{feff}{\"a\": \"1\"}", "0@1 a=\"1\""),
        ("a\n1\n", "0@2 a=\"1\""),
        ("a\tb\n1\t2\n", "0@2 a=\"1\" b=\"2\""),
    ];
    for (text, expected) in cases {
        let rows = Rows::detect(bytes(text.as_bytes())).unwrap();
        assert_eq!(shown(rows), [expected], "{text:?}");
    }
}

#[test]
fn many_rows_are_streamed() {
    /// Generates rows while it is read, and counts the bytes it has produced.
    struct Made {
        left: u64,
        buffer: Cursor<Vec<u8>>,
        given: std::sync::Arc<std::sync::atomic::AtomicU64>,
    }
    impl Read for Made {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.buffer.position() == self.buffer.get_ref().len() as u64 && self.left > 0 {
                self.left -= 1;
                self.buffer =
                    Cursor::new(format!("ann{}@example.com,https://a.example\n", self.left).into_bytes());
            }
            let count = self.buffer.read(out)?;
            self.given
                .fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
            Ok(count)
        }
    }
    let given = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let source = Made {
        left: 100_000,
        buffer: Cursor::new(b"email,site\n".to_vec()),
        given: given.clone(),
    };
    let mut rows = Rows::open(Box::new(source), RowFormat::Csv).unwrap();
    rows.next().unwrap().unwrap();
    assert!(
        given.load(std::sync::atomic::Ordering::Relaxed) < 200_000,
        "more was read than is needed"
    );
    assert_eq!(rows.map(Result::unwrap).count(), 99_999);
}

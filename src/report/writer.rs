//! Writes results and other records in any format.

use std::io::{self, BufWriter, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json};

use super::columns::{Cell, Columns};
use super::reveal::Reveal;
use super::{Format, ReportError, ResultRow};
use crate::value::{Record, Value};

/// Writes results row by row. Secrets are masked unless the [`Reveal`] names their column.
#[derive(Debug)]
pub(crate) struct Writer<W: Write> {
    columns: Columns,
    reveal: Reveal,
    sink: Sink<W>,
}

#[derive(Debug)]
enum Sink<W: Write> {
    Csv {
        writer: Box<csv::Writer<W>>,
        /// Whether no field may be a formula to a spreadsheet.
        inert: bool,
    },
    /// An object for each row, its keys in column order.
    Json {
        sink: BufWriter<W>,
        /// Whether the objects are the elements of one array, each on its own line; otherwise one object per line.
        in_array: bool,
        rows: u64,
    },
}

impl<W: Write> Writer<W> {
    /// Starts a report with these columns: writes the header line of CSV or the bracket of JSON.
    pub(crate) fn begin(
        sink: W,
        format: Format,
        columns: Columns,
        reveal: Reveal,
    ) -> Result<Writer<W>, ReportError> {
        let sink = match format {
            Format::Csv | Format::InertCsv => {
                let inert = format == Format::InertCsv;
                let mut writer = Box::new(csv::Writer::from_writer(sink));
                let titles = columns.titles().map(|title| guarded(title.to_owned(), inert));
                writer.write_record(titles).map_err(io::Error::from)?;
                Sink::Csv { writer, inert }
            }
            Format::Json | Format::JsonLines => {
                let (mut sink, in_array) = (BufWriter::new(sink), format == Format::Json);
                if in_array {
                    sink.write_all(b"[")?;
                }
                Sink::Json {
                    sink,
                    in_array,
                    rows: 0,
                }
            }
        };
        Ok(Writer {
            columns,
            reveal,
            sink,
        })
    }

    /// Writes one row. In JSON a row may add columns, which are appended to the others. In CSV that fails with
    /// [`ReportError::NewColumn`] and writes nothing, so the columns must be complete ([`Columns::note`]) before
    /// [`Writer::begin`].
    pub(crate) fn row(&mut self, row: &ResultRow) -> Result<(), ReportError> {
        let new = self.columns.note(row);
        if let (Sink::Csv { .. }, Some(column)) = (&self.sink, new.into_iter().next()) {
            self.columns.forget(&column);
            return Err(ReportError::NewColumn {
                position: row.position,
                column,
            });
        }
        let (cells, reveal) = (self.columns.cells(row), &self.reveal);
        match &mut self.sink {
            Sink::Csv { writer, inert } => {
                let fields = cells
                    .iter()
                    .map(|cell| guarded(field(cell.name, &cell.value, reveal), *inert));
                writer.write_record(fields).map_err(io::Error::from)?;
            }
            Sink::Json { sink, in_array, rows } => {
                let object = Object {
                    cells: &cells,
                    reveal,
                };
                let line = serde_json::to_string(&object).map_err(io::Error::from)?;
                match (*in_array, *rows) {
                    (true, 0) => write!(sink, "\n{line}")?,
                    (true, _) => write!(sink, ",\n{line}")?,
                    (false, _) => writeln!(sink, "{line}")?,
                }
                *rows += 1;
            }
        }
        Ok(())
    }

    /// Flushes the rows written so far to the destination.
    pub(crate) fn flush(&mut self) -> Result<(), ReportError> {
        match &mut self.sink {
            Sink::Csv { writer, .. } => writer.flush()?,
            Sink::Json { sink, .. } => sink.flush()?,
        }
        Ok(())
    }

    /// Ends the report, flushes it and returns the destination.
    pub(crate) fn end(self) -> Result<W, ReportError> {
        match self.sink {
            Sink::Csv { writer, .. } => Ok(writer
                .into_inner()
                .map_err(|error| io::Error::new(error.error().kind(), error.error().to_string()))?),
            Sink::Json {
                mut sink,
                in_array,
                rows,
            } => {
                if in_array {
                    writeln!(sink, "{}", if rows == 0 { "]" } else { "\n]" })?;
                }
                Ok(sink.into_inner().map_err(io::IntoInnerError::into_error)?)
            }
        }
    }
}

struct Object<'a> {
    cells: &'a [Cell<'a>],
    reveal: &'a Reveal,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for cell in self.cells {
            map.serialize_entry(cell.name, &self.reveal.json(cell.name, &cell.value))?;
        }
        map.end()
    }
}

/// Writes records that are not rows of a run, such as ledger entries, with these columns. Secrets are masked unless the
/// [`Reveal`] names their column.
pub(crate) fn write_records<W: Write>(
    mut sink: W,
    format: Format,
    columns: &[&str],
    records: &[Record],
    reveal: &Reveal,
) -> io::Result<()> {
    let objects = records.iter().map(|record| record_json(record, columns, reveal));
    match format {
        Format::Csv | Format::InertCsv => {
            let inert = format == Format::InertCsv;
            let mut csv = csv::Writer::from_writer(sink);
            csv.write_record(columns)?;
            for record in records {
                let cells = columns.iter().map(|name| field(name, cell(record, name), reveal));
                csv.write_record(cells.map(|field| guarded(field, inert)))?;
            }
            return csv.flush();
        }
        Format::JsonLines => {
            for object in objects {
                writeln!(sink, "{object}")?;
            }
        }
        Format::Json => writeln!(sink, "{}", Json::Array(objects.collect()))?,
    }
    sink.flush()
}

/// Converts a record to a JSON object with these columns.
pub(crate) fn record_json(record: &Record, columns: &[&str], reveal: &Reveal) -> Json {
    let fields = columns
        .iter()
        .map(|name| ((*name).to_owned(), reveal.json(name, cell(record, name))));
    Json::Object(fields.collect::<Map<String, Json>>())
}

fn cell<'a>(record: &'a Record, name: &str) -> &'a Value {
    record.get(name).unwrap_or(&Value::Null)
}

/// Formats a CSV field: text as is, null as an empty field, numbers and booleans plain, lists and maps as compact
/// JSON.
fn field(column: &str, value: &Value, reveal: &Reveal) -> String {
    match reveal.json(column, value) {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// Returns the field; if it must be `inert` and a spreadsheet would evaluate it as a formula, with an apostrophe before
/// it, which spreadsheets read as a text marker. Numbers are left unchanged.
fn guarded(field: String, inert: bool) -> String {
    let mut begins = field.trim_start_matches([' ', '\u{a0}', '\u{feff}']).chars();
    let is_formula = begins.next().is_some_and(|c| "=+-@\t\r\n|%＝＋－＠".contains(c));
    if inert && is_formula && field.parse::<f64>().is_err() {
        format!("'{field}")
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::value::secret::Secret;

    #[test]
    fn spreadsheet_formula_injection_is_escaped_in_fields() {
        let dangerous = [
            "=cmd|' /C calc'!A0",
            "+1+1",
            "-2+3",
            "@SUM(A1)",
            "|calc",
            "%0A",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{ff1d}1",
        ];
        for field in dangerous {
            assert_eq!(guarded(field.to_owned(), true), format!("'{field}"));
        }
        for field in ["", "-12.5", "+49151123", "1e3", "ann@example.com", "a = b"] {
            assert_eq!(guarded(field.to_owned(), true), field);
        }
    }

    fn written(format: Format, reveal: &Reveal) -> String {
        let record = Record::from([
            ("email".to_owned(), "ann@example.com".into()),
            ("password".to_owned(), Secret::new("hunter2").into()),
            ("hidden".to_owned(), Secret::new("other").into()),
        ]);
        let mut bytes = Vec::new();
        write_records(
            &mut bytes,
            format,
            &["email", "password", "url"],
            &[record],
            reveal,
        )
        .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn secrets_are_masked_unless_their_column_is_revealed() {
        let masked = written(Format::Csv, &Reveal::nothing());
        assert_eq!(masked, "email,password,url\nann@example.com,***,\n");
        let clear = written(Format::JsonLines, &Reveal::columns(["password"]));
        assert_eq!(
            clear,
            "{\"email\":\"ann@example.com\",\"password\":\"hunter2\",\"url\":null}\n"
        );
        assert!(written(Format::Json, &Reveal::nothing()).starts_with('['));
    }
}

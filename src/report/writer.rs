//! Writes results and other records in any format.

use std::io::{self, BufWriter, Write};

use serde_json::{Map, Value as Json};

use super::columns::Columns;
use super::reveal::Reveal;
use super::{Format, ReportError, ResultRow};
use crate::value::{Record, Value};

/// The column of a value that is not a map.
pub(crate) const VALUE: &str = "value";

/// Writes results row by row. Secrets are masked unless the [`Reveal`] names their column.
#[derive(Debug)]
pub(crate) struct Writer<W: Write> {
    format: &'static dyn Format,
    columns: Columns,
    reveal: Reveal,
    rows: u64,
    sink: BufWriter<W>,
}

impl<W: Write> Writer<W> {
    /// Starts a report with these columns.
    pub(crate) fn begin(
        sink: W,
        format: &'static dyn Format,
        columns: Columns,
        reveal: Reveal,
    ) -> Result<Writer<W>, ReportError> {
        let mut sink = BufWriter::new(sink);
        format.begin(&columns.titles().collect::<Vec<_>>(), &mut sink)?;
        Ok(Writer {
            format,
            columns,
            reveal,
            rows: 0,
            sink,
        })
    }

    /// Writes one row. Without a header a row may add columns, which are appended to the others. With one that fails
    /// with [`ReportError::NewColumn`] and writes nothing, so the columns must be complete ([`Columns::note`]) before
    /// [`Writer::begin`].
    pub(crate) fn row(&mut self, row: &ResultRow) -> Result<(), ReportError> {
        let new = self.columns.note(row);
        if let (true, Some(column)) = (self.format.has_header(), new.into_iter().next()) {
            self.columns.forget(&column);
            return Err(ReportError::NewColumn {
                position: row.position,
                column,
            });
        }
        let cells = self.columns.cells(row);
        let cells = cells
            .iter()
            .map(|cell| (cell.name, self.reveal.json(cell.name, &cell.value)));
        self.format
            .row(self.rows, &cells.collect::<Vec<_>>(), &mut self.sink)?;
        self.rows += 1;
        Ok(())
    }

    /// Flushes the rows written so far to the destination.
    pub(crate) fn flush(&mut self) -> Result<(), ReportError> {
        Ok(self.sink.flush()?)
    }

    /// Ends the report, flushes it and returns the destination.
    pub(crate) fn end(mut self) -> Result<W, ReportError> {
        self.format.end(self.rows, &mut self.sink)?;
        Ok(self.sink.into_inner().map_err(io::IntoInnerError::into_error)?)
    }
}

/// Writes records that are not rows of a run, such as ledger entries, with these columns. Secrets are masked unless the
/// [`Reveal`] names their column.
pub(crate) fn write_records(
    sink: &mut dyn Write,
    format: &dyn Format,
    columns: &[&str],
    records: &[Record],
    reveal: &Reveal,
) -> io::Result<()> {
    format.begin(columns, sink)?;
    let mut rows = 0;
    for record in records {
        let cells = columns
            .iter()
            .map(|name| (*name, reveal.json(name, cell(record, name))));
        format.row(rows, &cells.collect::<Vec<_>>(), sink)?;
        rows += 1;
    }
    format.end(rows, sink)?;
    sink.flush()
}

/// Writes a value: as it is, or in a format of rows the items of a list, or the value itself, as records.
pub(crate) fn write_value(
    sink: &mut dyn Write,
    format: &dyn Format,
    value: &Value,
    reveal: &Reveal,
) -> io::Result<()> {
    let Some(lines) = format.lines(value, reveal) else {
        let records = records_of(value);
        let columns = columns_of(&records);
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        return write_records(sink, format, &names, &records, reveal);
    };
    for line in lines {
        writeln!(sink, "{line}")?;
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

/// Converts the items of a list, or the value itself, to records.
pub(crate) fn records_of(value: &Value) -> Vec<Record> {
    let record = |value: &Value| match value {
        Value::Record(fields) => fields.clone(),
        Value::Object(object) => {
            let shown = object.shown_fields();
            shown.map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        other => Record::from([(VALUE.to_owned(), other.clone())]),
    };
    match value {
        Value::List(items) => items.iter().map(record).collect(),
        other => vec![record(other)],
    }
}

/// Returns the columns of the records, in the order of their first use.
pub(crate) fn columns_of(records: &[Record]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in records.iter().flat_map(|record| record.keys()) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::report::{CSV, JSON, format_named};
    use crate::value::secret::Secret;

    fn written(format: &dyn Format, reveal: &Reveal) -> String {
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
        let masked = written(CSV, &Reveal::nothing());
        assert_eq!(masked, "email,password,url\nann@example.com,***,\n");
        let clear = written(format_named("jsonl").unwrap(), &Reveal::columns(["password"]));
        assert_eq!(
            clear,
            "{\"email\":\"ann@example.com\",\"password\":\"hunter2\",\"url\":null}\n"
        );
        assert!(written(JSON, &Reveal::nothing()).starts_with('['));
    }

    fn value_written(format: &dyn Format, value: &Value, reveal: &Reveal) -> String {
        let mut bytes = Vec::new();
        write_value(&mut bytes, format, value, reveal).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_output_is_the_bare_value_with_secrets_masked() {
        for value in [json!({"a": 1}), json!([1, 2]), json!("t"), json!([{"a": [null]}])] {
            let kept = Value::from_json(value.clone());
            let text = value_written(JSON, &kept, &Reveal::nothing());
            assert_eq!(text, format!("{value}\n"));
        }
        let list = Value::from_json(json!([1, {"a": "x"}]));
        assert_eq!(
            value_written(format_named("jsonl").unwrap(), &list, &Reveal::nothing()),
            "1\n{\"a\":\"x\"}\n"
        );
        let secret = Value::List(vec![Secret::new("hunter2").into()]);
        assert_eq!(value_written(JSON, &secret, &Reveal::nothing()), "[\"***\"]\n");
        assert_eq!(
            value_written(JSON, &secret, &Reveal::columns([VALUE])),
            "[\"hunter2\"]\n"
        );
    }
}

//! Writes records that are not rows of a run, such as ledger entries, in any format.

use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::Format;
use super::cells::field;
use super::csv::guard;
use super::reveal::Reveal;
use crate::value::{Record, Value};

/// Writes records with these columns. Secrets are masked unless the [`Reveal`] names their column.
pub(crate) fn write<W: Write>(
    mut sink: W,
    format: Format,
    columns: &[&str],
    records: &[Record],
    reveal: &Reveal,
) -> io::Result<()> {
    if matches!(format, Format::Csv | Format::InertCsv) {
        let mut csv = csv::Writer::from_writer(sink);
        let guard = guard(format == Format::InertCsv);
        csv.write_record(columns)?;
        for record in records {
            let fields = columns.iter().map(|name| field(name, cell(record, name), reveal));
            csv.write_record(fields.map(guard))?;
        }
        return csv.flush();
    }
    let objects = records.iter().map(|record| object(record, columns, reveal));
    if format == Format::JsonLines {
        for object in objects {
            writeln!(sink, "{object}")?;
        }
    } else {
        writeln!(sink, "{}", Json::Array(objects.collect()))?;
    }
    sink.flush()
}

/// Converts a record to a JSON object with these columns.
pub(crate) fn object(record: &Record, columns: &[&str], reveal: &Reveal) -> Json {
    let fields = columns
        .iter()
        .map(|name| ((*name).to_owned(), reveal.json(name, cell(record, name))));
    Json::Object(fields.collect::<Map<String, Json>>())
}

fn cell<'a>(record: &'a Record, name: &str) -> &'a Value {
    record.get(name).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::secret::Secret;

    fn written(format: Format, reveal: &Reveal) -> String {
        let record = Record::from([
            ("email".to_owned(), "ann@example.com".into()),
            ("password".to_owned(), Secret::new("hunter2").into()),
            ("hidden".to_owned(), Secret::new("other").into()),
        ]);
        let mut bytes = Vec::new();
        write(
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

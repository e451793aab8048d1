//! Rows of a delimited file with a header line.

use std::collections::HashMap;

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, WriterBuilder};

use super::meter::Meter;
use super::source::Stream;
use super::{InputRow, RowsError, UNREAD, guessed};
use crate::value::Value;

/// A delimited file, read record by record.
pub(super) struct CsvRows {
    reader: Reader<Meter>,
    delimiter: u8,
    columns: Vec<String>,
    titles: Vec<String>,
    position: u64,
    record: ByteRecord,
}

impl CsvRows {
    /// Reads the header.
    pub(super) fn open(stream: Stream, delimiter: u8) -> Result<CsvRows, RowsError> {
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(64 * 1024)
            .from_reader(Meter::new(stream));
        let mut rows = CsvRows {
            reader,
            delimiter,
            columns: Vec::new(),
            titles: Vec::new(),
            position: 0,
            record: ByteRecord::new(),
        };
        rows.next_record()?.ok_or(RowsError::Empty)?;
        rows.titles = texts(&rows.record).map_err(|_| RowsError::HeaderEncoding)?;
        rows.columns = rows.titles.iter().map(|title| title.trim().to_owned()).collect();
        check_header(&rows.columns, delimiter)?;
        Ok(rows)
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) fn titles(&self) -> &[String] {
        &self.titles
    }

    pub(super) fn read(&mut self) -> Option<Result<InputRow, RowsError>> {
        let line = match self.next_record() {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        let position = self.position;
        self.position += 1;
        Some(self.row(position, line))
    }

    /// Reads the next record that is not blank and returns the line it starts on.
    fn next_record(&mut self) -> Result<Option<u64>, RowsError> {
        loop {
            let line = self.advance()?;
            if line.is_none() || !self.is_blank() {
                return Ok(line);
            }
        }
    }

    /// Reads the next record and returns the line it starts on.
    fn advance(&mut self) -> Result<Option<u64>, RowsError> {
        let before = self.reader.get_ref().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => return Err(read_error(&error, before)),
        }
        let end = self.reader.position().byte();
        let last_line = self.reader.get_mut().close_row(end);
        let inside = self
            .record
            .iter()
            .flatten()
            .filter(|byte| **byte == b'\n')
            .count() as u64;
        let line = last_line.saturating_sub(inside).max(1);
        let last_field = self.record.iter().next_back().unwrap_or_default();
        if last_field.contains(&b'\n') && self.reader.get_ref().ends_open(end) {
            // The line end before the end of the file is inside the quote too, and closes nothing.
            return Err(unclosed(line + u64::from(last_field.ends_with(b"\n"))));
        }
        Ok(Some(line))
    }

    /// Whether the record is a line of blanks. (The reader skips empty lines itself.)
    fn is_blank(&self) -> bool {
        let field = self.record.get(0).unwrap_or_default();
        self.record.len() == 1 && !field.is_empty() && field.trim_ascii().is_empty()
    }

    fn row(&self, position: u64, line: u64) -> Result<InputRow, RowsError> {
        let wrong = |problem| RowsError::Row {
            position,
            line,
            problem,
            cells: self.recovered_cells(),
        };
        let (found, expected) = (self.record.len(), self.columns.len());
        if found != expected {
            let fields = if found == 1 { "field" } else { "fields" };
            let problem = format!("it has {found} {fields}, but the header has {expected}");
            return Err(wrong(problem));
        }
        let cells = texts(&self.record).map_err(|at| {
            let column = &self.columns[at];
            wrong(format!("column `{column}` is not UTF-8 text"))
        })?;
        let cells = self
            .columns
            .iter()
            .cloned()
            .zip(cells.into_iter().map(Value::Text));
        Ok(InputRow {
            position,
            line: Some(line),
            cells: cells.collect(),
        })
    }

    /// Returns the cells of a malformed record, column by column, and the record itself.
    fn recovered_cells(&self) -> Vec<(String, Value)> {
        let cells = self.columns.iter().zip(&self.record);
        let cells = cells.map(|(name, cell)| (name.clone(), text(cell)));
        let record = written(&self.record, self.delimiter).unwrap_or_default();
        cells.chain([(UNREAD.to_owned(), Value::Text(record))]).collect()
    }
}

fn text(field: &[u8]) -> Value {
    Value::Text(guessed(field))
}

/// Returns the fields as one line of such a file.
fn written(record: &ByteRecord, delimiter: u8) -> Option<String> {
    let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_byte_record(record).ok()?;
    let line = writer.into_inner().ok()?;
    Some(guessed(&line).trim_end_matches('\n').to_owned())
}

/// Returns the fields as text, or the index of the first that is not UTF-8.
fn texts(record: &ByteRecord) -> Result<Vec<String>, usize> {
    let decode = |(at, field): (usize, &[u8])| {
        let text = std::str::from_utf8(field).map_err(|_| at)?;
        Ok(text.to_owned())
    };
    record.iter().enumerate().map(decode).collect()
}

fn check_header(columns: &[String], delimiter: u8) -> Result<(), RowsError> {
    if let [header] = columns {
        check_separator(header, delimiter)?;
    }
    let mut places = HashMap::with_capacity(columns.len());
    for (at, name) in columns.iter().enumerate() {
        if name.is_empty() {
            return Err(RowsError::UnnamedColumn { column: at + 1 });
        }
        if let Some(first) = places.insert(name, at) {
            return Err(RowsError::DuplicateColumn {
                name: name.clone(),
                first: first + 1,
                second: at + 1,
            });
        }
    }
    Ok(())
}

/// Rejects a single column whose name contains a separator: several were meant.
fn check_separator(header: &str, delimiter: u8) -> Result<(), RowsError> {
    let (found, advice) = match delimiter {
        _ if header.contains(';') => ("semicolons", "save the file with commas"),
        b',' if header.contains('\t') => ("tabs", "name the file .tsv"),
        b'\t' if header.contains(',') => ("commas", "name the file .csv"),
        _ => return Ok(()),
    };
    Err(RowsError::Separator {
        header: header.to_owned(),
        found,
        advice,
    })
}

fn read_error(error: &csv::Error, line: u64) -> RowsError {
    match error.kind() {
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::FileTooLarge => RowsError::Broken {
            line,
            problem: "the row is longer than 16 MiB; a quote seems to be unclosed".into(),
        },
        ErrorKind::Io(io) => RowsError::Unreadable(io.to_string()),
        _ => RowsError::Broken {
            line,
            problem: error.to_string(),
        },
    }
}

fn unclosed(line: u64) -> RowsError {
    RowsError::Broken {
        line,
        problem: "a quote is opened in this row and never closed".into(),
    }
}

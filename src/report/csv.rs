//! Results as comma-separated values.

use std::io::{self, Write};

use super::cells::{field, spreadsheet_safe};
use super::columns::{Cell, Columns};
use super::reveal::Reveal;

/// Writes a header line, then a line for each row.
#[derive(Debug)]
pub(super) struct CsvWriter<W: Write> {
    writer: csv::Writer<W>,
    /// Applied to every field before it is written.
    guard: fn(String) -> String,
}

impl<W: Write> CsvWriter<W> {
    /// Starts the file with its header. With `spreadsheet_safe`, no field is a formula to a spreadsheet.
    pub(super) fn begin(sink: W, columns: &Columns, spreadsheet_safe: bool) -> io::Result<CsvWriter<W>> {
        let mut writer = csv::Writer::from_writer(sink);
        let guard = guard(spreadsheet_safe);
        writer.write_record(columns.titles().map(|title| guard(title.to_owned())))?;
        Ok(CsvWriter { writer, guard })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>], reveal: &Reveal) -> io::Result<()> {
        let fields = cells
            .iter()
            .map(|cell| (self.guard)(field(cell.name, &cell.value, reveal)));
        self.writer.write_record(fields)?;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    pub(super) fn end(self) -> io::Result<W> {
        self.writer
            .into_inner()
            .map_err(|error| io::Error::new(error.error().kind(), error.error().to_string()))
    }
}

/// Returns the function that every CSV field passes through.
pub(super) fn guard(is_inert: bool) -> fn(String) -> String {
    if is_inert {
        spreadsheet_safe
    } else {
        std::convert::identity
    }
}

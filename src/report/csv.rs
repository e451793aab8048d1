//! Results as comma-separated values.

use std::io::{self, Write};

use super::cells::field;
use super::columns::{Cell, Columns};
use super::reveal::Reveal;

/// Writes a header line, and a line for each row.
#[derive(Debug)]
pub(super) struct CsvWriter<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn begin(sink: W, columns: &Columns) -> io::Result<CsvWriter<W>> {
        let mut writer = csv::Writer::from_writer(sink);
        writer.write_record(columns.titles())?;
        Ok(CsvWriter { writer })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>], reveal: &Reveal) -> io::Result<()> {
        let fields = cells.iter().map(|cell| field(cell.name, &cell.value, reveal));
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

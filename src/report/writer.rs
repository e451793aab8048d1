//! Writes results row by row in any format.

use std::io::Write;

use super::columns::Columns;
use super::csv::CsvWriter;
use super::json::{JsonWriter, Shape};
use super::reveal::Reveal;
use super::{Format, ReportError, ResultRow};

/// Writes results row by row. Secrets are masked unless the [`Reveal`] names their column.
#[derive(Debug)]
pub(crate) struct Writer<W: Write> {
    columns: Columns,
    reveal: Reveal,
    sink: Sink<W>,
}

#[derive(Debug)]
enum Sink<W: Write> {
    Csv(Box<CsvWriter<W>>),
    Json(JsonWriter<W>),
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
            Format::Csv | Format::InertCsv => Sink::Csv(Box::new(CsvWriter::begin(
                sink,
                &columns,
                format == Format::InertCsv,
            )?)),
            Format::Json => Sink::Json(JsonWriter::begin(sink, Shape::Array)?),
            Format::JsonLines => Sink::Json(JsonWriter::begin(sink, Shape::Lines)?),
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
        if let (Sink::Csv(_), Some(column)) = (&self.sink, new.into_iter().next()) {
            self.columns.forget(&column);
            return Err(ReportError::NewColumn {
                position: row.position,
                column,
            });
        }
        let cells = self.columns.cells(row);
        match &mut self.sink {
            Sink::Csv(csv) => csv.row(&cells, &self.reveal)?,
            Sink::Json(json) => json.row(&cells, &self.reveal)?,
        }
        Ok(())
    }

    /// Flushes the rows written so far to the destination.
    pub(crate) fn flush(&mut self) -> Result<(), ReportError> {
        match &mut self.sink {
            Sink::Csv(csv) => csv.flush()?,
            Sink::Json(json) => json.flush()?,
        }
        Ok(())
    }

    /// Ends the report, flushes it and returns the destination.
    pub(crate) fn end(self) -> Result<W, ReportError> {
        let sink = match self.sink {
            Sink::Csv(csv) => csv.end()?,
            Sink::Json(json) => json.end()?,
        };
        Ok(sink)
    }
}

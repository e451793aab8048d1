//! The rows of an input file, read one at a time: memory use does not grow with the length of the file.

mod csv;
mod error;
mod json;
mod meter;
mod source;

use std::io::Read;
use std::path::Path;

pub(crate) use error::{RowsError, UNREAD};

use self::csv::CsvRows;
use self::json::JsonRows;
use self::source::Opened;
use crate::value::Value;

/// The format of an input file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// Comma-separated values with a header line.
    Csv,
    /// Tab-separated values with a header line.
    Tsv,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    JsonLines,
}

impl RowFormat {
    /// Returns the format for the extension of `path`: `csv`, `tsv` or `tab`, `json`, `jsonl` or `ndjson`, in any case.
    /// Any other extension, or none, is an error that lists them.
    pub(crate) fn of(path: &Path) -> Result<RowFormat, RowsError> {
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        match ending.as_str() {
            "csv" => Ok(RowFormat::Csv),
            "tsv" | "tab" => Ok(RowFormat::Tsv),
            "json" => Ok(RowFormat::Json),
            "jsonl" | "ndjson" => Ok(RowFormat::JsonLines),
            _ if path.is_dir() => Err(RowsError::Folder {
                file: path.display().to_string(),
            }),
            _ => Err(RowsError::UnknownExtension {
                file: path.display().to_string(),
            }),
        }
    }
}

/// A row as read from the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InputRow {
    /// Its position among the rows, from 0; the header and blank lines do not count.
    pub position: u64,
    /// The line it starts on, from 1.
    pub line: Option<u64>,
    /// Its cells by column, in the file's order. CSV cells are text; a JSON row has only the cells it contains.
    pub cells: Vec<(String, Value)>,
}

/// The rows of a file, read during iteration.
///
/// An error with a [`RowsError::position`] affects only that row, and the next row follows; any other error ends the
/// iteration.
pub(crate) struct Rows {
    reader: Reader,
    is_finished: bool,
}

enum Reader {
    Csv(CsvRows),
    Json(JsonRows),
}

impl Rows {
    /// Opens a file of a known format and reads its header or its first object.
    ///
    /// Errors: an empty file, text that is not UTF-8, a header with a duplicate or unnamed column, a separator of
    /// another format, JSON that is not an array.
    pub(crate) fn open(source: Box<dyn Read + Send>, format: RowFormat) -> Result<Rows, RowsError> {
        Rows::start(source::open(source)?, format)
    }

    /// Opens an unnamed stream, such as standard input, and detects its format from its beginning: `[` is JSON, `{` is
    /// JSON Lines, a first line with tabs and no comma is TSV, and anything else is CSV.
    ///
    /// Errors: as [`Rows::open`].
    pub(crate) fn detect(source: Box<dyn Read + Send>) -> Result<Rows, RowsError> {
        let opened = source::open(source)?;
        let format = opened.guess();
        Rows::start(opened, format)
    }

    fn start(opened: Opened, format: RowFormat) -> Result<Rows, RowsError> {
        let stream = opened.into_stream();
        let reader = match format {
            RowFormat::Csv => Reader::Csv(CsvRows::open(stream, b',')?),
            RowFormat::Tsv => Reader::Csv(CsvRows::open(stream, b'\t')?),
            RowFormat::Json => Reader::Json(JsonRows::open_array(stream)?),
            RowFormat::JsonLines => Reader::Json(JsonRows::open_lines(stream)?),
        };
        Ok(Rows {
            reader,
            is_finished: false,
        })
    }

    /// Returns the columns: the trimmed names of the header, or the keys of the first JSON object in its own order.
    /// Later JSON objects may have others.
    pub(crate) fn columns(&self) -> &[String] {
        match &self.reader {
            Reader::Csv(rows) => rows.columns(),
            Reader::Json(rows) => rows.columns(),
        }
    }

    /// Returns the columns as written in the file, blanks included, for the header of the results file.
    pub(crate) fn titles(&self) -> &[String] {
        match &self.reader {
            Reader::Csv(rows) => rows.titles(),
            Reader::Json(rows) => rows.columns(),
        }
    }
}

impl Rows {
    /// Whether this is a delimited file, whose cells are text and whose empty cells count as absent.
    pub(crate) fn is_delimited(&self) -> bool {
        matches!(self.reader, Reader::Csv(_))
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("columns", &self.columns())
            .finish_non_exhaustive()
    }
}

impl Iterator for Rows {
    type Item = Result<InputRow, RowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_finished {
            return None;
        }
        let item = match &mut self.reader {
            Reader::Csv(rows) => rows.read(),
            Reader::Json(rows) => rows.read(),
        };
        self.is_finished = match &item {
            None => true,
            Some(Err(error)) => error.position().is_none(),
            Some(Ok(_)) => false,
        };
        item
    }
}

/// Decodes the text of a row that needs correction. Bytes that are not UTF-8 are taken as Windows-1252, as written by
/// spreadsheet programs, so that no letter is lost.
fn guessed(bytes: &[u8]) -> String {
    const FROM_128: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| {
            let place = usize::from(*byte).wrapping_sub(0x80);
            FROM_128.chars().nth(place).unwrap_or(char::from(*byte))
        }));
    }
    text
}

#[cfg(test)]
mod tests;

//! The rows of an input file, one at a time: memory does not grow with the length of the file.

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

/// How an input file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// Comma-separated values with a header line.
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    JsonLines,
}

impl RowFormat {
    /// The format that the ending of `path` stands for: `csv`, `tsv` or `tab`, `json`, `jsonl` or `ndjson`, in any
    /// case. Another ending, or none, is an error that lists them.
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
            _ => Err(RowsError::Ending {
                file: path.display().to_string(),
            }),
        }
    }
}

/// One row as the file gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InputRow {
    /// Its place among the rows, from 0; the header and blank lines do not count.
    pub position: u64,
    /// The line it starts on, from 1.
    pub line: Option<u64>,
    /// Its cells by column, in the file's order. CSV cells are text; a JSON row has the cells it has.
    pub cells: Vec<(String, Value)>,
}

/// A file of rows, read as it is iterated.
///
/// An error with a [`RowsError::position`] is that row's alone and the next row follows; after any other the
/// iteration is over.
pub(crate) struct Rows {
    reader: Reader,
    over: bool,
}

enum Reader {
    Csv(CsvRows),
    Json(JsonRows),
}

impl Rows {
    /// Opens a file whose format is known: reads its header, or its first object.
    ///
    /// Errors: an empty file, one that is not UTF-8 text, a header with a column twice or without a name, another
    /// separator than the format's, JSON that is no array.
    pub(crate) fn open(source: Box<dyn Read + Send>, format: RowFormat) -> Result<Rows, RowsError> {
        Rows::start(source::open(source)?, format)
    }

    /// Opens a stream that has no name, such as standard input, and tells its format from its beginning: `[` is JSON,
    /// `{` JSON Lines, a first line with tabs and no comma is TSV, and anything else CSV.
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
        Ok(Rows { reader, over: false })
    }

    /// The columns: the header's names without surrounding blanks, or the keys of the first JSON object in its own
    /// order. Later JSON objects may have others.
    pub(crate) fn columns(&self) -> &[String] {
        match &self.reader {
            Reader::Csv(rows) => rows.columns(),
            Reader::Json(rows) => rows.columns(),
        }
    }

    /// The columns as the file writes them, blanks included: what a results file repeats.
    pub(crate) fn titles(&self) -> &[String] {
        match &self.reader {
            Reader::Csv(rows) => rows.titles(),
            Reader::Json(rows) => rows.columns(),
        }
    }
}

impl Rows {
    /// Is this a separated file, whose cells are text and where an empty cell is nothing?
    pub(crate) fn are_separated(&self) -> bool {
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
        if self.over {
            return None;
        }
        let item = match &mut self.reader {
            Reader::Csv(rows) => rows.read(),
            Reader::Json(rows) => rows.read(),
        };
        self.over = match &item {
            None => true,
            Some(Err(error)) => error.position().is_none(),
            Some(Ok(_)) => false,
        };
        item
    }
}

/// The text of a row that is to be corrected. What is not UTF-8 in it is taken for Windows-1252, as spreadsheet programs
/// write it, so that no letter is lost.
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

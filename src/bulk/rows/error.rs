//! Errors of reading rows.

use crate::value::Value;

/// The column with the text of a row that could not be read. A row with a value in it is not executed: its other cells
/// are guesses.
pub(crate) const UNREAD: &str = "_unread";

/// Why a file, or one row of it, cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum RowsError {
    /// The extension of the file's name is not a known format.
    #[error("unsupported file type `{file}`: use .csv, .tsv (.tab), .json or .jsonl (.ndjson)")]
    UnknownExtension {
        /// The file name as given.
        file: String,
    },
    /// It is a folder.
    #[error("`{file}` is a folder: name a file with rows")]
    Folder {
        /// The folder name as given.
        file: String,
    },
    /// The file is empty.
    #[error("the file is empty: it needs a header line, or JSON objects")]
    Empty,
    /// It is text, but in UTF-16.
    #[error("the file is written in UTF-16: save it as UTF-8 (in Excel: \"CSV UTF-8\")")]
    Utf16,
    /// It is a spreadsheet file.
    #[error("the file is a spreadsheet or an archive, not text: export the sheet as CSV (UTF-8)")]
    Spreadsheet,
    /// The header line is not UTF-8.
    #[error("the header line is not UTF-8 text: save the file as UTF-8")]
    HeaderEncoding,
    /// The header has a single column, whose name contains a common separator.
    #[error(
        "the header is a single column, `{header}`: the fields seem to be separated by {found}, {advice}"
    )]
    Separator {
        /// The header line.
        header: String,
        /// The separator it seems to use.
        found: &'static str,
        /// What to do, as a clause.
        advice: &'static str,
    },
    /// A column has no name.
    #[error("column {column} of the header has no name")]
    UnnamedColumn {
        /// Its position, from 1.
        column: usize,
    },
    /// Two columns have the same name.
    #[error("the header has the column `{name}` twice: as column {first} and as column {second}")]
    DuplicateColumn {
        /// The name, without surrounding blanks.
        name: String,
        /// The position of the first one, from 1.
        first: usize,
        /// The position of the second one, from 1.
        second: usize,
    },
    /// The source cannot be read.
    #[error("the rows cannot be read: {0}")]
    Unreadable(String),
    /// The file violates its format so that the rest of it cannot be interpreted.
    #[error("line {line}: {problem}")]
    Broken {
        /// The line, from 1.
        line: u64,
        /// The problem, as a clause.
        problem: String,
    },
    /// One row is wrong; the following ones can be read.
    #[error("row {} (line {line}): {problem}", .position + 1)]
    Row {
        /// Its position among the rows, from 0; messages count from 1.
        position: u64,
        /// The line it starts on, from 1.
        line: u64,
        /// The problem, as a clause.
        problem: String,
        /// Its cells as far as they could be recovered, by column, and the whole row as written under [`UNREAD`].
        cells: Vec<(String, Value)>,
    },
}

impl RowsError {
    /// Returns the position, from 0, of the wrong row if the others can still be read, else `None`.
    pub(crate) fn position(&self) -> Option<u64> {
        match self {
            RowsError::Row { position, .. } => Some(*position),
            _ => None,
        }
    }

    /// Returns the cells of the wrong row as far as they could be recovered.
    pub(crate) fn into_cells(self) -> Vec<(String, Value)> {
        match self {
            RowsError::Row { cells, .. } => cells,
            _ => Vec::new(),
        }
    }
}

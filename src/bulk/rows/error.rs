//! Why rows cannot be read.

use crate::value::Value;

/// The column that holds the text of a row that could not be read. A row with something in it is not carried out: its
/// other cells are what could be guessed.
pub(crate) const UNREAD: &str = "_unread";

/// Why a file, or one row of it, cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum RowsError {
    /// The file's name does not tell its format.
    #[error("unsupported file type `{file}`: use .csv, .tsv (.tab), .json or .jsonl (.ndjson)")]
    Ending {
        /// The file as it was given.
        file: String,
    },
    /// It is a folder.
    #[error("`{file}` is a folder: name a file with rows")]
    Folder {
        /// The folder as it was given.
        file: String,
    },
    /// There is nothing in it.
    #[error("the file is empty: it needs a header line, or JSON objects")]
    Empty,
    /// It is text, but not UTF-8.
    #[error("the file is written in UTF-16: save it as UTF-8 (in Excel: \"CSV UTF-8\")")]
    Utf16,
    /// It is a spreadsheet file.
    #[error("the file is a spreadsheet or an archive, not text: export the sheet as CSV (UTF-8)")]
    Spreadsheet,
    /// The header line is not UTF-8.
    #[error("the header line is not UTF-8 text: save the file as UTF-8")]
    HeaderEncoding,
    /// The header has one column, whose name contains a usual separator.
    #[error(
        "the header is a single column, `{header}`: the fields seem to be separated by {found}, {advice}"
    )]
    Separator {
        /// The header line.
        header: String,
        /// The separator it seems to have.
        found: &'static str,
        /// What to do, in a clause.
        advice: &'static str,
    },
    /// A column has no name.
    #[error("column {column} of the header has no name")]
    UnnamedColumn {
        /// Its place, from 1.
        column: usize,
    },
    /// Two columns have one name.
    #[error("the header has the column `{name}` twice: as column {first} and as column {second}")]
    DuplicateColumn {
        /// The name, without surrounding blanks.
        name: String,
        /// The place of the first one, from 1.
        first: usize,
        /// The place of the second one, from 1.
        second: usize,
    },
    /// The source cannot be read.
    #[error("the rows cannot be read: {0}")]
    Unreadable(String),
    /// The file breaks off its format in such a way that what follows cannot be told apart.
    #[error("line {line}: {problem}")]
    Broken {
        /// The line, from 1.
        line: u64,
        /// What is wrong, in a clause.
        problem: String,
    },
    /// One row is wrong; the next ones can be read.
    #[error("row {} (line {line}): {problem}", .position + 1)]
    Row {
        /// Its place among the rows, from 0; messages count from 1.
        position: u64,
        /// The line it starts on, from 1.
        line: u64,
        /// What is wrong, in a clause.
        problem: String,
        /// What can be told of its cells, by column, and the whole row as it is written under [`UNREAD`].
        cells: Vec<(String, Value)>,
    },
}

impl RowsError {
    /// The row that is wrong, from 0, when the others can still be read; `None` when the whole file is.
    pub(crate) fn position(&self) -> Option<u64> {
        match self {
            RowsError::Row { position, .. } => Some(*position),
            _ => None,
        }
    }

    /// What can be told of the cells of the row that is wrong.
    pub(crate) fn into_cells(self) -> Vec<(String, Value)> {
        match self {
            RowsError::Row { cells, .. } => cells,
            _ => Vec::new(),
        }
    }
}

//! One row of the results and its outcome.

use crate::value::status::RowStatus;
use crate::value::{Record, Value};

/// One row of the results.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResultRow {
    /// The position among the input rows, from 0.
    pub position: u64,
    /// The input cells.
    pub input: Vec<(String, Value)>,
    /// The map that `main` returned; empty if it did not return.
    pub output: Record,
    /// The final status.
    pub status: RowStatus,
    /// Why the row is not done, without secrets.
    pub error: Option<String>,
    /// The ID of the run.
    pub run: String,
}

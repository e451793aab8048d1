//! One row of the results, and how it ended.

use crate::value::status::RowStatus;
use crate::value::{Record, Value};

/// One row of the results.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResultRow {
    /// Its place among the input rows, from 0.
    pub position: u64,
    /// The cells it came with.
    pub input: Vec<(String, Value)>,
    /// What `main` returned for it; empty when it did not.
    pub output: Record,
    /// How it ended.
    pub status: RowStatus,
    /// Why it is not done, without a secret.
    pub error: Option<String>,
    /// The run it belongs to.
    pub run: String,
}

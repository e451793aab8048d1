//! Bulk execution: reads input rows and calls `main` for each.

pub(crate) mod dry_run;
pub(crate) mod input;
pub(crate) mod rows;
pub(crate) mod schedule;

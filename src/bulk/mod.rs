//! Rows in, calls of `main` out.

pub(crate) mod input;
pub(crate) mod rehearsal;
pub(crate) mod rows;
pub(crate) mod schedule;

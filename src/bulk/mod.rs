//! Rows in, calls of `main` out.

pub mod input;
pub mod rehearsal;
pub mod rows;
pub mod schedule;

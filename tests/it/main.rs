//! Whole programs, run as their users run them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]
#![allow(clippy::format_push_string, reason = "test data")]

mod changed;
mod doubt;
mod edited;
mod explain;
mod flags;
mod house;
mod import;
mod ledger;
mod mobsted;
mod onboard;
mod ops;
mod ops_docs;
mod rows;
mod runs;
mod script;
mod secrets;
mod support;
#[cfg(unix)]
mod terminal;
mod torture;

//! End-to-end tests: they run the program as users do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]
#![allow(
    clippy::format_push_string,
    clippy::disallowed_methods,
    reason = "test data and the environment"
)]

mod accounts;
mod acts;
mod changed;
mod check;
mod custody;
#[cfg(unix)]
mod doctor;
mod doubt;
mod edited;
mod embedding;
mod explain;
mod files;
mod flags;
mod fmt;
mod guides;
mod hostile;
mod house;
mod import;
mod interrupt;
mod journal;
#[cfg(unix)]
mod journals_v1;
mod jrni;
#[cfg(unix)]
mod keyring;
mod leaks;
mod ledger;
mod limits;
mod lsp;
mod memory;
mod mobsted;
#[cfg(unix)]
mod modes;
mod network;
mod onboard;
mod ops;
mod ops_docs;
mod own_platform;
mod package;
#[cfg(unix)]
mod profile;
mod reach;
#[cfg(unix)]
mod repl;
mod rows;
mod runs;
mod script;
mod secrets;
mod sparrow;
mod sparrow_bulk;
mod support;
#[cfg(unix)]
mod terminal;
mod testing;
mod torture;
mod web;
mod window;

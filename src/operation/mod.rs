//! The operations that scripts can call, and the guarantees they come with.
//!
//! Each operation is one entry in one of the lists below; bindings, help and reference are generated from it.

pub mod account;
pub(crate) mod act;
pub mod call;
pub mod catalogue;
pub mod context;
pub(crate) mod credential;
mod custody;
pub mod doc;
pub mod error;
pub mod explain;
pub mod files;
pub mod function;
pub mod import;
pub(crate) mod limit;
pub mod local;
pub mod manual_result;
pub mod naming;
pub mod perform;
pub mod platform;
pub mod preview;
pub mod prompt;
pub(crate) mod raw;
pub mod resource;
pub mod service;
pub mod session;
pub mod spec;
pub(crate) mod target;

use platform::Platform;

/// The operations available to every script, regardless of platform: time, randomness, prompts.
pub(crate) static BASIC: Platform = Platform {
    operations: &[local::OPS, prompt::OPS, files::OPS, limit::OPS],
    kinds: limit::KINDS,
    ..Platform::new("", "provisor")
};

//! What a script may do to the world, and what we promise about it.
//!
//! An operation is one entry in one of the lists below; binding, help and reference are made from it.

pub mod account;
pub(crate) mod act;
pub mod call;
pub mod catalogue;
pub(crate) mod credential;
mod custody;
pub mod doc;
pub mod error;
pub mod explain;
pub mod function;
pub mod given;
pub mod import;
pub mod local;
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
pub mod world;

use platform::Platform;

/// What every script has, whatever platforms it works with: time, chance, questions.
pub(crate) static BASIC: Platform = Platform {
    operations: &[local::OPS, prompt::OPS],
    ..Platform::new("", "provisor")
};

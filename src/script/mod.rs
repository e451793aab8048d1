//! The Rhai host. Does no I/O: a script reaches the outside world only through its door.
//!
//! A [`bundle::Bundle`] pins the sources, a [`program::Script`] is the compiled form, and [`program::Script::call`]
//! runs it once. The host's shared parts ([`host::Host`]) are built once per process.

pub(crate) mod bundle;
pub(crate) mod check;
pub(crate) mod complete;
pub(crate) mod coverage;
pub(crate) mod definitions;
pub(crate) mod error;
pub(crate) mod format;
pub(crate) mod host;
pub(crate) mod host_calls;
pub(crate) mod infer;
pub(crate) mod interactive;
pub(crate) mod memory;
pub(crate) mod params;
pub(crate) mod program;
pub(crate) mod reach;
pub(crate) mod types;

mod assertions;
mod bind;
mod columns;
mod convert;
mod declare;
mod doc;
mod execution;
mod explain;
mod foreign;
mod function;
mod handles;
mod literal;
mod modules;
mod nesting;
mod parse;
mod parse_error;
mod realm;
mod render;
mod script_error;
mod sources;
mod std;
#[cfg(test)]
mod tests;
mod unknown;

/// The stack size in bytes of a thread that calls a script; only the part in use takes memory. 64 nested calls, each
/// within 64 levels of brackets, take less than half of it, and so does dropping a value of 100,000 levels.
pub(crate) const STACK_SIZE: usize = 64 << 20;

/// Makes the names of closures the same in every process. Must be called first in `main`, before any other use of
/// Rhai: a later call has no effect.
pub(crate) fn prepare() {
    // Fails only if a seed is already set: by an earlier call, or by running scripts.
    let _ = rhai::config::hashing::set_hashing_seed(Some([1, 2, 3, 4]));
}

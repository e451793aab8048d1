//! The Rhai host. No I/O at all: a script reaches the world only through its door.
//!
//! A [`bundle::Bundle`] pins the sources, a [`program::Script`] is what they compile to, and [`program::Script::call`]
//! runs it once. The host's shared parts ([`host::Host`]) are built once per process.

pub(crate) mod bundle;
pub(crate) mod definitions;
pub(crate) mod door;
pub(crate) mod error;
pub(crate) mod host;
pub(crate) mod interactive;
pub(crate) mod memory;
pub(crate) mod params;
pub(crate) mod program;
pub(crate) mod types;
pub(crate) mod words;

mod bind;
mod check;
mod columns;
mod convert;
mod declare;
mod doc;
mod explain;
mod foreign;
mod function;
mod handles;
mod literal;
mod live;
mod modules;
mod nesting;
mod parse;
mod render;
mod scopes;
mod script_error;
mod sources;
mod std;
mod syntax;
#[cfg(test)]
mod tests;
mod tokens;
mod unknown;

/// Bytes of stack that a thread needs to call a script; only what is used takes memory. 64 calls in each other, each
/// within 64 levels of brackets, take less than half of it, and so does dropping a value of 100,000 levels.
pub(crate) const STACK_SIZE: usize = 64 << 20;

/// Makes closures' names the same in every process. Call it first thing in `main`, before anything else of Rhai: a later
/// call changes nothing.
pub(crate) fn prepare() {
    // Refused only when a seed is already set: by an earlier call, or by scripts that are running.
    let _ = rhai::config::hashing::set_hashing_seed(Some([1, 2, 3, 4]));
}

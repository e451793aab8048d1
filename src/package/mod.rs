//! Packages: the code of others that scripts import by name, taken once and pinned.
//!
//! A project's `provisor.toml`, or a block of comments at the top of a script, names its packages and where each comes
//! from ([`manifest`], [`source`]). Resolving fetches them, with what they need themselves, into a content-addressed
//! cache, and writes the SHA-256 of every file to a lock ([`resolve`], [`git`], [`cache`], [`lock`]). A script is loaded from
//! its project's folder and its locks alone ([`loader`]): nothing is fetched, and nothing is read that a lock does not
//! name. [`bundle_file`] puts a script with everything it imports into one file.
//!
//! A package is a library: it has no authority of its own, so taking one grants nothing.

pub(crate) mod bundle_file;
mod cache;
mod error;
mod git;
pub(crate) mod loader;
pub(crate) mod lock;
pub(crate) mod manifest;
mod resolve;
mod source;
pub(crate) mod workspace;

pub(crate) use error::PackageError;
pub(crate) use source::PackageSource;

/// The largest source that is accepted, in bytes.
pub(crate) const MAX_SOURCE_BYTES: u64 = 4 << 20;

/// The file that a package's importers get if its source names only a folder.
const LIBRARY_FILE: &str = "lib.rhai";

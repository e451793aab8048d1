//! provisor: a scriptable, durable provisioning runtime.
//!
//! There is one path: a command becomes a plan, a plan becomes a run, a run calls operations, an operation is
//! journaled, the journal attempts it through a typed client, the client uses the one transport. Only values flow back.
//!
//! ```text
//! cli ─▶ bulk, run ─▶ script ─(Operations)─▶ operation ─▶ journal ─(Attempt)─▶ platform ─▶ client ─▶ transport ─▶ the network
//! ```
//!
//! | level | module | holds | may import |
//! | --- | --- | --- | --- |
//! | 8 | [`cli`] | commands, flags, the terminal, exit codes | everything |
//! | 8 | `package` | the code of others that scripts import by name: manifests, locks, the cache, bundles | value, script, config |
//! | 7 | `config` | profiles, where each value is set, secrets, trusted files, folders; reads the environment | value, journal, transport, client, operation |
//! | 7 | [`runtime`] | builds a runtime from its parts; runs that a program starts, stops and resumes | value, clock, transport, journal, client, operation, script, syntax, run, bulk |
//! | 7 | `import` | converts files of other tools (Postman) to a profile and a script | value, operation, script, syntax |
//! | 7 | `report` | serializes finished data: results, summary | value, run, bulk |
//! | 6 | `bulk` | turns rows into calls of `main`; the queue is in the journal | value, clock, journal, script, run |
//! | 6 | `repl` | the interactive loop | value, clock, script, syntax, run, operation |
//! | 5 | `lsp` | the language server, for editors | operation, script, syntax |
//! | 5 | `run` | one run: its rows, the `Operations` of each row, stop requests | value, clock, journal, operation, script |
//! | 4 | `script` | the Rhai host; does no I/O | value, syntax, operation (specifications only) |
//! | 4 | [`platforms`] | each platform: accounts, sign-in, client, operations, errors, protected resources | value, clock, flight, transport, journal, client, operation |
//! | 3 | [`operation`] | the definitions of operations and platforms, and the execution of calls | value, clock, journal, client |
//! | 2 | [`client`] | what the clients of all platforms share: accounts, sign-in, tokens, errors, plain HTTP | value, clock, flight, transport |
//! | 1 | [`transport`], [`journal`] | HTTP; the durable record | value, clock, flight, waiting |
//! | 1 | `syntax` | reads the text of scripts: tokens, brackets, names; also while it is being typed | no other module |
//! | 0 | [`value`], [`clock`], `flight`, `waiting`, [`sandbox`] | values and secrets; time and randomness; whether a request has left; current waits; the simulated platforms | no other module |
//!
//! `tests/it/house.rs` enforces the table, the size of each module, and where a foreign crate may be used; clippy
//! (`clippy.toml`) the length of functions, and where secrets are exposed and the environment is read.
//!
//! # Invariants
//!
//! 1. Below `cli` nothing prints or exits; HOME and the environment are read in `config` only.
//! 2. A script reaches the outside world only through its `script::host_calls::Operations`.
//! 3. The sandbox imports nothing from this crate, so that a wrong assumption about a platform cannot be on both sides.
//! 4. A change's intent is on disk before its request leaves; its outcome is recorded before the script continues or
//!    with the next commit; a lost response is looked up, and "absent" is concluded only when the request can no longer
//!    arrive.
//! 5. Every creating operation has a natural key and a probe: [`operation::spec::Effect`] requires them.
//! 6. A secret is a [`value::secret::Secret`], exposed only in the files that allow it by an attribute.
//! 7. Every failure shown to users has a stable [`operation::error::Code`] and says what, why and what to do; a script
//!    error shows the line of the script.
//!
//! # Where to add
//!
//! * **A resource**: one [`operation::resource::Resource`] in `platforms/NAME/`, and its routes in `sandbox/NAME/`.
//! * **An operation**: one entry in `platforms/NAME/`; if the endpoint is new, a method in `platforms/NAME/client/` and
//!   a route in `sandbox/NAME/`. Nothing in script or cli. Its example runs as a test.
//! * **A platform**: `platforms/NAME/` (an [`operation::platform::Platform`], its driver, its client) and
//!   `sandbox/NAME/` (its simulator); one line in `platforms/mod.rs`, a module and an entry in `sandbox/mod.rs`, and its
//!   host in `sandbox/hosts.rs`. A host program adds one with [`Builder::platform`]. No other code names platforms;
//!   `tests/it/house.rs` checks that.
//! * **A command**: `cli/NAME.rs`, with its help as a doc comment; a module and an entry in its group in `cli/mod.rs`.
//! * **A REPL command**: an entry in the table of its group in `repl/commands/`, with what it completes.
//! * **A fault of the sandbox**: an entry in `KINDS` in `sandbox/fault/`; a new kind of response also an arm in
//!   `sandbox/serve.rs`.
//! * **An output format**: a file in `report/` that implements `report::Format`, and an entry in `FORMATS`. A display
//!   format of the REPL: an entry in `FORMATS` in `repl/show.rs`.
//! * **A pure helper for scripts**: `script/std/`. Not for anything that needs I/O.
//!
//! # Features
//!
//! `cli` (the command line and the REPL) and `sandbox` (the simulated platforms) are on by default. A program that
//! embeds the runtime builds without them: `default-features = false`.
//!
//! Deliberately absent: a `util` module, a global, an `unsafe` block, a second way to the network.

#![cfg_attr(
    not(feature = "cli"),
    allow(
        dead_code,
        unused_imports,
        reason = "the command line and the REPL use more of the inner modules; a build with them shows what nobody uses"
    )
)]

// The hidden modules are public only for the benchmarks and the tests of whole programs. What programs use of them is
// listed below.
pub(crate) mod bulk;
#[cfg(feature = "cli")]
pub mod cli;
#[doc(hidden)]
pub mod client;
#[doc(hidden)]
pub mod clock;
#[cfg(feature = "cli")]
pub(crate) mod config;
pub(crate) mod flight;
#[cfg(feature = "cli")]
pub(crate) mod import;
#[doc(hidden)]
pub mod journal;
#[cfg(feature = "cli")]
pub(crate) mod lsp;
pub mod operation;
#[cfg(feature = "cli")]
pub(crate) mod package;
pub mod platforms;
#[cfg(feature = "cli")]
pub(crate) mod repl;
#[cfg(feature = "cli")]
pub(crate) mod report;
pub(crate) mod run;
pub mod runtime;
mod sabotage;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(not(feature = "sandbox"))]
mod sandbox {
    mod hosts;
    pub(crate) use hosts::HOSTS;
}
pub(crate) mod script;
pub(crate) mod syntax;
#[doc(hidden)]
pub mod transport;
#[doc(hidden)]
pub mod value;
pub(crate) mod waiting;

pub use clock::Clock;
pub use journal::{Journal, RowStatus, RunStatus};
pub use operation::context::Profile;
pub use operation::error::OpError;
pub use operation::platform::Platform;
pub use operation::resource::Resource;
pub use operation::spec::OpSpec;
pub use runtime::{Builder, Error, Outcome, Run, Runtime, Session};
pub use script::bundle::{Loader, Source};
pub use script::program::Script;
pub use value::secret::Secret;
pub use value::{Object, Record, Value};

//! provisor: a scriptable, durable provisioning runtime.
//!
//! One way through: words become a plan, a plan becomes a run, a run asks for operations, an operation is journaled,
//! the journal tries it through a typed client, the client goes through one transport. Nothing flows back but values.
//!
//! ```text
//! cli ─▶ bulk, run ─▶ script ─(Door)─▶ operation ─▶ journal ─(Attempt)─▶ platform ─▶ client ─▶ transport ─▶ the network
//! ```
//!
//! | level | module | holds | may import |
//! | --- | --- | --- | --- |
//! | 8 | [`cli`] | commands, flags, configuration, the terminal, exit codes | everything |
//! | 7 | [`runtime`] | a runtime from its parts; runs that a program starts, stops and resumes | value, clock, transport, journal, client, operation, script, run, bulk |
//! | 7 | `report` | finished data to bytes: results, summary | value, run, bulk |
//! | 6 | `bulk` | rows in, calls of `main` out; the queue is the journal's | value, clock, journal, script, run |
//! | 6 | `repl` | the interactive loop: inputs in, answers out | value, clock, script, run, operation |
//! | 5 | `run` | one run: rows, the door of each, how it is asked to stop | value, clock, journal, operation, script |
//! | 4 | `script` | the Rhai host; no I/O at all | value, operation (specifications only) |
//! | 4 | [`platforms`] | each platform: accounts, sign-in, client, operations, errors, what it protects | value, clock, flight, transport, journal, client, operation |
//! | 3 | [`operation`] | what an operation and a platform are, and how a call is carried out | value, clock, journal, client |
//! | 2 | [`client`] | what the clients of all platforms share: accounts, sign-in, tokens, errors, plain HTTP | value, clock, flight, transport |
//! | 1 | [`transport`], [`journal`] | HTTP; the durable record | value, clock, flight, waiting |
//! | 0 | [`value`], [`clock`], `flight`, `waiting`, [`sandbox`] | values and secrets; time and chance; whether a request has left; what is waited for; the simulated platforms | nothing of ours |
//!
//! `tests/it/house.rs` holds the table: imports, circles, one home per foreign crate, sizes of files and functions.
//!
//! # Invariants
//!
//! 1. Below `cli` nothing prints, exits, or reads HOME or the environment.
//! 2. A script reaches the world only through its `script::door::Door`.
//! 3. The sandbox imports nothing of ours, so that one wrong idea of a platform cannot hide on both sides.
//! 4. A change's intent is on disk before its request leaves; its outcome is recorded before the script goes on or with
//!    the next commit; a lost answer is looked up, and "absent" is concluded only when the request can no longer arrive.
//! 5. Whatever creates has a natural key and a probe: [`operation::spec::Effect`] cannot be made without them.
//! 6. A secret is a [`value::secret::Secret`], exposed only in the files that `tests/it/house.rs` lists.
//! 7. Every failure that users see has a stable [`operation::error::Code`], says what, why and what to do, and a script error
//!    shows the script's line.
//!
//! # Where to add
//!
//! * **A resource**: one [`operation::resource::Resource`] in `platforms/NAME/`, and its routes in `sandbox/NAME/`.
//! * **An operation**: one entry in `platforms/NAME/`; if the endpoint is new, a method in `platforms/NAME/client/` and a
//!   route in `sandbox/NAME/`. Nothing in script or cli. Its example runs as a test.
//! * **A platform**: `platforms/NAME/` (an [`operation::platform::Platform`], its driver, its client) and `sandbox/NAME/` (its
//!   simulator); one line in each parent. A host program adds one with [`Builder::platform`].
//!   Nothing else knows platforms by name but what `tests/it/house.rs` counts.
//! * **A command**: `cli/NAME.rs`, whose doc comment is the help, and three lines in `cli/mod.rs`.
//! * **A pure helper for scripts**: `script/std/`. Ask first: does it touch the world?
//!
//! # Features
//!
//! `cli` (the command line and the REPL) and `sandbox` (the simulated platforms) are on by default. A program that embeds the
//! runtime builds without them: `default-features = false`.
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

pub(crate) mod bulk;
#[cfg(feature = "cli")]
pub mod cli;
pub mod client;
pub mod clock;
pub(crate) mod flight;
pub mod journal;
pub mod operation;
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
pub mod transport;
pub mod value;
pub(crate) mod waiting;

pub use operation::error::OpError;
pub use operation::platform::Platform;
pub use operation::resource::Resource;
pub use operation::spec::OpSpec;
pub use operation::world::Profile;
pub use runtime::{Builder, Error, Outcome, Run, Runtime};
pub use script::program::Script;
pub use value::secret::Secret;
pub use value::{Record, Value};

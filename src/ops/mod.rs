//! What a script may do to the world, and what we promise about it.
//!
//! An operation is one entry in one of the lists below; binding, help and reference are made from it.

pub mod account;
mod act;
pub mod call;
pub mod catalogue;
mod credential;
mod custody;
pub mod doc;
pub mod error;
pub mod explain;
pub mod function;
pub mod given;
pub mod jrni;
pub mod local;
pub mod mobsted;
pub mod naming;
pub mod perform;
pub mod platform;
pub mod preview;
pub mod prompt;
mod raw;
pub mod service;
pub mod session;
pub mod sparrow;
pub mod spec;
mod target;
mod web;
pub mod world;

use catalogue::Catalogue;
use platform::{NoDriver, Platform};

pub(crate) use jrni::PLATFORM as JRNI;
pub(crate) use mobsted::PLATFORM as MOBSTED;
pub(crate) use sparrow::PLATFORM as SPARROW;
pub(crate) use web::PLATFORM as WEB;

/// What every script has, whatever platforms it works with: time, chance, questions.
static BASIC: Platform = Platform {
    name: "",
    module: "",
    title: "provisor",
    account: None,
    operations: &[local::OPS, prompt::OPS],
    kinds: &[],
    codes: &[],
    maps: &[],
    sub_accounts: None,
    driver: &NoDriver,
};

/// The platforms that provisor knows, in the order in which people meet them.
pub fn catalogue() -> Catalogue {
    Catalogue::new([&MOBSTED, &JRNI, &SPARROW, &WEB, &BASIC])
}

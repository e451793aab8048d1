//! What a script may do to the world, and what we promise about it.
//!
//! An operation is one entry in one of the lists below; binding, help and reference are made from it.

pub mod call;
mod credential;
pub mod departure;
pub mod error;
pub mod foresee;
pub mod given;
pub mod local;
pub mod mobsted;
pub mod perform;
pub mod spec;
pub mod world;

use spec::{Kind, OpSpec};

/// Every operation, in the order in which people meet them.
pub static ALL: &[&[OpSpec]] = &[
    mobsted::CONNECT,
    mobsted::tenants::OPS,
    mobsted::apps::OPS,
    mobsted::raw::OPS,
    local::OPS,
];

/// Every kind of object.
pub static KINDS: &[Kind] = mobsted::KINDS;

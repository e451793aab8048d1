//! What a script may do to the world, and what we promise about it.
//!
//! An operation is one entry in one of the lists below; binding, help and reference are made from it.

pub mod account;
mod act;
pub mod asking;
pub mod call;
mod credential;
mod custody;
pub mod doc;
pub mod error;
pub mod explain;
pub mod foresee;
pub mod function;
pub mod given;
pub mod jrni;
pub mod local;
pub mod mobsted;
pub mod naming;
pub mod perform;
mod raw;
mod session;
pub mod sparrow;
pub mod spec;
mod web;
pub mod world;

use spec::{Fields, Kind, OpSpec};

/// Every operation, in the order in which people meet them.
pub static ALL: &[&[OpSpec]] = &[
    mobsted::CONNECT,
    mobsted::tenants::OPS,
    mobsted::apps::OPS,
    mobsted::objects::OPS,
    mobsted::catalogue::OPS,
    mobsted::events::OPS,
    mobsted::raw::OPS,
    jrni::CONNECT,
    jrni::companies::OPS,
    jrni::administrators::OPS,
    jrni::people::OPS,
    jrni::raw::OPS,
    sparrow::CONNECT,
    sparrow::send::OPS,
    sparrow::report::OPS,
    web::OPS,
    local::OPS,
    asking::OPS,
];

/// The operation of this stable name, as journals have it.
pub fn operation(id: &str) -> Option<&'static OpSpec> {
    ALL.iter().copied().flatten().find(|op| op.id() == id)
}

/// What is in the map that an operation gives back, for those whose maps are always alike.
static MAPS: &[(&[OpSpec], Fields)] = &[(sparrow::send::OPS, sparrow::send::SENT), (web::OPS, web::RESULT)];

/// What is in the map that the operation gives back; `None` when it gives back no map, or the platform decides.
pub fn fields(op: &OpSpec) -> Option<Fields> {
    let lists = |(ops, _): &&(&[OpSpec], Fields)| ops.iter().any(|each| each.id() == op.id());
    MAPS.iter().find(lists).map(|(_, fields)| *fields)
}

/// Every kind of object, platform by platform.
pub static KINDS: &[&[Kind]] = &[mobsted::KINDS, jrni::KINDS, sparrow::KINDS];

/// Every kind of object, one after the other.
pub fn kinds() -> impl Iterator<Item = &'static Kind> + Clone {
    KINDS.iter().copied().flatten()
}

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    kinds().find(|kind| kind.name == name)
}

//! The platforms that provisor knows. Each module holds all of one: accounts, sign-in, client, operations, error codes,
//! and what it protects. Nothing outside names a platform.

pub(crate) mod jrni;
pub(crate) mod mobsted;
pub(crate) mod sparrow;
pub(crate) mod web;

use crate::operation::BASIC;
use crate::operation::catalogue::Catalogue;

/// The platforms that provisor knows, in the order in which people meet them.
pub fn catalogue() -> Catalogue {
    Catalogue::new([
        &mobsted::PLATFORM,
        &jrni::PLATFORM,
        &sparrow::PLATFORM,
        &web::PLATFORM,
        &BASIC,
    ])
}

//! The platforms that provisor knows. Each module holds all of one: accounts, sign-in, client, operations, error codes,
//! and what it protects. Nothing outside names a platform.

pub(crate) mod jrni;
pub(crate) mod mobsted;
pub(crate) mod sparrow;
pub(crate) mod web;

use crate::operation::BASIC;
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Platform;

/// Every platform that provisor knows, in the order in which people meet them.
pub fn all() -> [&'static Platform; 4] {
    [mobsted(), jrni(), sparrow(), web()]
}

/// The catalogue of all of them, and of what every script has.
pub fn catalogue() -> Catalogue {
    Catalogue::new(all().into_iter().chain([&BASIC]))
}

/// Mobsted: tenants and their apps.
pub fn mobsted() -> &'static Platform {
    &mobsted::PLATFORM
}

/// JRNI, formerly `BookingBug`: companies, administrators, people.
pub fn jrni() -> &'static Platform {
    &jrni::PLATFORM
}

/// Sparrow SMS: messages.
pub fn sparrow() -> &'static Platform {
    &sparrow::PLATFORM
}

/// Any other service of the web, by `http::`.
pub fn web() -> &'static Platform {
    &web::PLATFORM
}

//! The platforms that provisor supports. Each module contains everything about one platform: accounts, sign-in, client,
//! operations, error codes and protections. No other code names a platform.

pub(crate) mod jrni;
pub(crate) mod mobsted;
pub(crate) mod sparrow;
pub(crate) mod sparrow_bulk;
pub(crate) mod web;

use crate::operation::BASIC;
use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Platform;

/// All platforms, in the order in which they are presented to users.
pub fn all() -> [&'static Platform; 5] {
    [mobsted(), jrni(), sparrow(), sparrow_bulk(), web()]
}

/// The catalogue of all platforms, plus the operations available to every script.
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

/// The bulk API of Sparrow SMS: messages within Nepal.
pub fn sparrow_bulk() -> &'static Platform {
    &sparrow_bulk::PLATFORM
}

/// Any other web service, by `http::`.
pub fn web() -> &'static Platform {
    &web::PLATFORM
}

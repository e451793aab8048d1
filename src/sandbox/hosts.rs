//! The host names of the sandbox, which code that recognises real hosts also needs in builds without the sandbox.

/// The hosts that the sandbox serves, each with all names below it. No public name can end like this.
pub(crate) const HOSTS: &[&str] = &[
    "mobsted.sandbox",
    "jrni.sandbox",
    "sparrow.sandbox",
    "sparrow_bulk.sandbox",
    "web.sandbox",
];

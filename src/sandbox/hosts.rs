//! The names under which the sandbox is reached. What tells them from real hosts needs them without the sandbox, too.

/// The hosts that the sandbox serves, each with all names below it. No public name can end like this.
pub(crate) const HOSTS: &[&str] = &[
    "mobsted.sandbox",
    "jrni.sandbox",
    "sparrow.sandbox",
    "web.sandbox",
];

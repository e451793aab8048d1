//! The doorbell: everything is in the library.

fn main() {}

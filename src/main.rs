//! The entry point; everything else is in the library.

use std::process::ExitCode;

use provisor::Runtime;

fn main() -> ExitCode {
    provisor::cli::main(Runtime::builder().platforms(provisor::platforms::all()))
}
